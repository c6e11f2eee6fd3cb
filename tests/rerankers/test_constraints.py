import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureFloor, HardFilters
from pydantic import ValidationError


def test_filters_mean_what_they_say(catalogue) -> None:
    topics, year = catalogue.topics, catalogue.year
    filters = HardFilters(
        exclude_items=frozenset({"i3", "gone"}),
        exclude_topics=frozenset({"t1"}),
        include_topics=frozenset({"t0", "t2"}),
        min_year=1950,
        max_year=1990,
    )
    expected = [
        i != 3
        and not topics[i, 1]
        and (topics[i, 0] or topics[i, 2])
        and not np.isnan(year[i])
        and 1950 <= year[i] <= 1990
        for i in range(catalogue.n_items)
    ]
    assert filters.allowed(catalogue).tolist() == expected
    assert any(expected) and not all(expected)


def test_no_filters_allow_everything(catalogue) -> None:
    assert HardFilters().allowed(catalogue).all()


@pytest.mark.parametrize("field", ["exclude_topics", "include_topics"])
def test_a_misspelt_topic_is_refused_with_the_known_ones(catalogue, field: str) -> None:
    filters = HardFilters.model_validate({field: {"t1", "horor"}})
    with pytest.raises(InvalidValue) as caught:
        filters.allowed(catalogue)
    assert caught.value.field == f"filters.{field}"
    assert "'horor'" in caught.value.message and "'t1'" not in caught.value.message
    assert "t0, t1, t2" in str(caught.value.mend)


def test_constraints_survive_json_and_refuse_what_they_do_not_know() -> None:
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.4, window=10)
    filters = HardFilters(exclude_topics=frozenset({"a", "b"}), min_year=1950)
    constraints = Constraints(exposure=(floor,), min_diversity=0.7, filters=filters)
    assert Constraints.model_validate_json(constraints.model_dump_json()) == constraints
    with pytest.raises(ValidationError, match="Extra inputs"):
        Constraints.model_validate({"min_diversty": 0.7})
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValidationError):
            ExposureFloor(attribute="popularity", group="long_tail", share=share)
