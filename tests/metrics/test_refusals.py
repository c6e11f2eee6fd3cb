"""Amounts below 0, empty groups and shares that do not add up are refused by name."""

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics import diversity, expected_exposure, exposure, gaps, prefix

BELOW = np.array([1.0, -0.5, 2.0])
ONES, CODES = np.ones(3), np.array([0, 0, 1])
LISTS = np.array([[0, 1]])


@pytest.mark.parametrize(
    ("field", "measure"),
    [
        ("amounts", lambda: diversity.gini(BELOW)),
        ("amounts", lambda: diversity.shannon_entropy(BELOW)),
        ("per_group", lambda: exposure.parity_ratio(BELOW)),
        ("per_group", lambda: exposure.worst_half_share(BELOW)),
        ("exposure", lambda: exposure.disparate_treatment_ratio(BELOW, ONES, CODES, 0, 1)),
        ("relevance", lambda: exposure.disparate_treatment_ratio(ONES, BELOW, CODES, 0, 1)),
        ("codes", lambda: exposure.disparate_treatment_ratio(ONES, ONES, CODES, 0, 2)),
        ("attention", lambda: exposure.amortised_inequity(BELOW[None], ONES[None])),
        ("discount", lambda: exposure.item_exposure(LISTS, 2, np.array([1.0, -1.0]))),
        ("target", lambda: exposure.awrf(LISTS, CODES, np.array([0.8, 0.8]))),
        ("target", lambda: prefix.ndkl(LISTS, np.array([0.8, 0.8]))),
        ("expected", lambda: expected_exposure.expected_exposure_disparity(BELOW)),
        ("expected", lambda: expected_exposure.expected_exposure_loss(BELOW, ONES)),
        ("selected", lambda: gaps.impact_ratio(np.array([-1, 2]), np.array([3, 3]))),
    ],
)
def test_it_is_refused_by_name(field, measure) -> None:
    with pytest.raises(InvalidValue) as caught:
        measure()
    assert caught.value.field == field


def test_errors_of_rounding_are_let_pass() -> None:
    assert diversity.gini(np.array([1.0, -1e-14, 1.0])) == pytest.approx(1 / 3)
    assert exposure.parity_ratio(np.array([0.5, np.nan, 1.0])) == 0.5


def test_groups_that_all_have_nothing_have_no_worst_half() -> None:
    assert np.isnan(exposure.worst_half_share(np.zeros(4)))
