"""Exposure of groups, expected exposure and prefix measures."""

import math
from itertools import permutations

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics import expected_exposure as expected
from fairloop.metrics import exposure, prefix
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_metrics


@pytest.mark.parametrize("seed", range(3))
def test_group_exposure_equals_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 3, size=20)
    lists = rng.integers(-1, 20, size=(15, 6))
    out = plain_metrics.group_exposure(lists, codes, 3)
    items = plain_metrics.group_exposure(lists, np.arange(20), 20).sum(axis=0)
    np.testing.assert_allclose(exposure.group_exposure(lists, codes, 3), out)
    np.testing.assert_allclose(exposure.item_exposure(lists, 20), items)
    np.testing.assert_allclose(exposure.list_exposure(lists).sum(), items.sum())
    share = exposure.exposure_share(lists, codes, 3)
    np.testing.assert_allclose(share, out.sum(axis=0) / items.sum())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_shares_of_complete_groups_sum_to_one(seed: int, n_groups: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_groups, size=30)
    lists = rng.integers(0, 30, size=(10, 5))
    share = exposure.exposure_share(lists, codes, n_groups)
    assert share.sum() == pytest.approx(1.0)
    relabelled = exposure.exposure_share(lists, (codes + 1) % n_groups, n_groups)
    assert np.roll(share, 1) == pytest.approx(relabelled)


def test_items_without_a_group_stay_in_the_denominator() -> None:
    share = exposure.exposure_share(np.array([[0, 1]]), np.array([0, -1]), 1)
    assert share[0] == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_parity_ratio_leaves_empty_groups_out() -> None:
    assert exposure.parity_ratio(np.array([0.5, np.nan, 1.0])) == 0.5
    assert np.isnan(exposure.parity_ratio(np.array([0.0, 0.0])))
    ratios = exposure.parity_ratio(np.array([[1.0, 1.0], [1.0, 4.0]]))
    assert ratios.tolist() == [1.0, 0.25]


def test_exposure_in_proportion_to_relevance_is_no_disparate_treatment() -> None:
    relevance = np.array([0.2, 0.4, 0.6, 0.8])
    codes = np.array([0, 0, 1, 1])
    value = exposure.disparate_treatment_ratio(3 * relevance, relevance, codes, 0, 1)
    assert value == pytest.approx(1.0)
    assert exposure.amortised_inequity(3 * relevance[None], relevance[None]) == pytest.approx(0)


def test_awrf_is_one_on_target_and_zero_when_disjoint() -> None:
    codes = np.array([0, 1])
    lists = np.array([[0]])
    for distance in ("tv", "js"):
        on_target = exposure.awrf(lists, codes, np.array([1.0, 0.0]), distance)
        assert on_target[0] == pytest.approx(1.0)
        disjoint = exposure.awrf(lists, codes, np.array([0.0, 1.0]), distance)
        assert disjoint[0] == pytest.approx(0.0)
    with pytest.raises(InvalidValue, match="distance"):
        exposure.awrf(lists, codes, np.array([0.5, 0.5]), "cosine")


def test_bad_discounts_are_refused() -> None:
    with pytest.raises(InvalidValue, match="discount"):
        exposure.item_exposure(np.array([[0, 1]]), 2, np.ones(3))
    with pytest.raises(InvalidValue, match="k is 0"):
        exposure.position_discount(0)
    with pytest.raises(InvalidValue, match="patience"):
        exposure.rbp_discount(3, 1.0)


def enumerated(scores: np.ndarray, k: int) -> np.ndarray:
    """Every ranking, with its Plackett-Luce probability."""
    weight = np.exp(scores)
    out = np.zeros(len(scores))
    for order in permutations(range(len(scores))):
        left, chance = weight.sum(), 1.0
        for item in order:
            chance *= weight[item] / left
            left -= weight[item]
        for position, item in enumerate(order[:k]):
            out[item] += chance / math.log2(position + 2)
    return out


@pytest.mark.parametrize("k", [1, 2, 4])
def test_exact_plackett_luce_equals_enumeration(k: int) -> None:
    scores = np.random.default_rng(k).normal(size=4)
    exact = expected.plackett_luce_exposure_exact(scores, k)
    np.testing.assert_allclose(exact, enumerated(scores, k), rtol=1e-10)


def test_sampled_plackett_luce_lies_within_its_standard_error() -> None:
    scores = np.array([2.0, 1.0, 0.0, -1.0, 0.5])
    mean, error = expected.plackett_luce_exposure(scores, 20_000, np.random.default_rng(0), k=3)
    exact = expected.plackett_luce_exposure_exact(scores, k=3)
    assert (np.abs(mean - exact) < 4 * error).all()
    assert (error < 0.01).all()


def test_too_many_items_to_enumerate_are_refused() -> None:
    with pytest.raises(InvalidValue, match="enumerate"):
        expected.plackett_luce_exposure_exact(np.zeros(13))


def test_the_ideal_policy_has_no_loss_and_total_exposure_is_kept() -> None:
    discount = exposure.position_discount(6)
    relevant = np.array([True, False, True, False, False, True])
    target = expected.target_exposure(relevant, discount)
    assert target.sum() == pytest.approx(discount.sum())
    assert expected.expected_exposure_loss(target, target) == 0.0
    assert target[relevant].min() > target[~relevant].max()


def test_ndkl_is_the_hand_computed_sum() -> None:
    value = prefix.ndkl(np.array([[0, 1]]), np.array([0.5, 0.5]))[0]
    log3 = math.log2(3)
    assert value == pytest.approx((math.log(2) * 1 + 0 / log3) / (1 + 1 / log3))
    with pytest.raises(InvalidValue, match="sum to 1"):
        prefix.ndkl(np.array([[0]]), np.array([0.5, 0.6]))
    with pytest.raises(InvalidValue, match="no target"):
        prefix.ndkl(np.array([[2]]), np.array([0.5, 0.5]))


@pytest.mark.parametrize("measure", ["rND", "rKL", "rRD"])
def test_prefix_disparity_is_one_at_worst_and_zero_when_even(measure) -> None:
    first = np.arange(40) < 12
    even = np.tile(np.arange(10) < 3, 4)
    value = prefix.prefix_disparity(np.stack([first, first[::-1], even]), measure)
    assert value[:2].max() == pytest.approx(1.0)
    assert value[2] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(prefix.prefix_disparity(np.ones((1, 40), dtype=bool), measure)[0])


def test_rnd_equals_its_hand_computed_sum() -> None:
    protected = np.zeros((1, 20), dtype=bool)
    protected[0, [0, 1, 10, 11]] = True  # share 2/10, then 4/20: even at every prefix
    assert prefix.prefix_disparity(protected, "rND")[0] == pytest.approx(0.0)
    protected[0] = False
    protected[0, [0, 1, 2, 10]] = True
    # |3/10 - 4/20| against all four first, |4/10 - 4/20|; the prefix of 20 always agrees
    assert prefix.prefix_disparity(protected, "rND")[0] == pytest.approx(0.1 / 0.2)
