import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.response import ResponseModel


def test_a_model_is_its_vector() -> None:
    vector = np.arange(8, dtype=np.float32)
    model = ResponseModel.of_vector(vector)
    np.testing.assert_array_equal(model.click, [0, 1, 2])
    assert (model.click_at_zero, model.worth_at_zero) == (3.0, 7.0)
    np.testing.assert_array_equal(model.vector(), vector)


@pytest.mark.parametrize("length", [0, 1, 7])
def test_a_vector_of_no_two_models_is_refused(length) -> None:
    with pytest.raises(InvalidValue, match="vector"):
        ResponseModel.of_vector(np.zeros(length))


def test_models_of_different_features_and_of_no_numbers_are_refused() -> None:
    with pytest.raises(InvalidValue, match="shape"):
        ResponseModel(np.zeros(2), 0.0, np.zeros(3), 0.0)
    with pytest.raises(InvalidValue, match="finite"):
        ResponseModel(np.zeros(2), np.nan, np.zeros(2), 0.0)
