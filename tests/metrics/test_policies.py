"""Stochastic policies: expected exposure, and exposure metrics of any expected exposure."""

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.errors import InvalidValue
from fairloop.metrics import expected_exposure as ee
from fairloop.metrics import exposure, plackett_luce, policy_exposure
from fairloop.metrics.accuracy import ndcg
from fairloop.metrics.plackett_luce import (
    enumerated_exposures,
    integrated_exposures,
    plackett_luce_exposures,
    sampled_exposures,
    sampled_rankings,
)
from fairloop.metrics.policies import expectation, mixture_exposure
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_metrics


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def ragged(seed: int, n_users: int = 12, n: int = 8, spread: float = 2.0) -> np.ndarray:
    """Scores, −inf where a pool is shorter; the last pool is empty."""
    r = rng(seed)
    scores = r.normal(size=(n_users, n)) * spread
    scores[np.arange(n) >= r.integers(1, n + 1, size=(n_users, 1))] = -np.inf
    scores[-1] = -np.inf
    return scores


# --- Plackett-Luce


def test_the_golden_value_in_every_way() -> None:
    scores = np.array([[2.0, 1.0, 0.0]])
    golden = [0.869461, 0.689210, 0.572260]
    for way in (plackett_luce_exposures, enumerated_exposures, integrated_exposures):
        assert way(scores, 3)[0] == pytest.approx(golden, abs=1e-6)
    mean, error = sampled_exposures(scores, 3, 4000, rng())
    assert (np.abs(mean - golden) < 4 * error).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from([0.1, 2.0, 20.0, 1e5]))
def test_integration_equals_enumeration(seed: int, k: int, spread: float) -> None:
    scores = ragged(seed, spread=spread)
    exact = enumerated_exposures(scores, k)
    np.testing.assert_allclose(integrated_exposures(scores, k), exact, atol=1e-9)
    filled = np.minimum(np.isfinite(scores).sum(axis=1), k)
    given_out = np.concatenate([[0], np.cumsum(exposure.position_discount(k))])[filled]
    np.testing.assert_allclose(exact.sum(axis=1), given_out)
    assert (exact[~np.isfinite(scores)] == 0).all()


@pytest.mark.parametrize("k", [1, 10, 60])
def test_integration_of_large_pools_agrees_with_finer_steps_and_sampling(k, monkeypatch) -> None:
    scores = rng(1).normal(size=(4, 60))
    coarse = integrated_exposures(scores, k)
    mean, error = sampled_exposures(scores, k, 3000, rng(2))
    assert (np.abs(mean - coarse) < 5 * error + 1e-3).all()
    assert coarse.sum(axis=1) == pytest.approx(exposure.position_discount(k).sum(), abs=1e-9)
    frequency = plackett_luce._frequency
    monkeypatch.setattr(plackett_luce, "_frequency", lambda k: 2 * frequency(k))
    monkeypatch.setattr(plackett_luce, "_ACCURACY", 1e-14)
    np.testing.assert_allclose(coarse, integrated_exposures(scores, k), atol=1e-9)


def test_equal_scores_share_equally_and_blocks_change_nothing(monkeypatch) -> None:
    even = plackett_luce_exposures(np.zeros((1, 200)), 50)
    np.testing.assert_allclose(even, exposure.position_discount(50).sum() / 200, rtol=1e-9)
    scores = rng(3).normal(size=(9, 20))
    whole = integrated_exposures(scores, 5), sampled_exposures(scores, 5, 40, rng(4)).mean
    monkeypatch.setattr(plackett_luce, "_CELLS_AT_ONCE", 20 * 5 * 300)
    np.testing.assert_allclose(integrated_exposures(scores, 5), whole[0], atol=1e-12)
    assert sampled_exposures(scores, 5, 40, rng(4)).mean.tolist() == whole[1].tolist()


def test_another_discount_may_be_given() -> None:
    scores, discount = rng(5).normal(size=(3, 6)), exposure.rbp_discount(4, 0.5)
    exact = enumerated_exposures(scores, 4, discount)
    np.testing.assert_allclose(integrated_exposures(scores, 4, discount), exact, atol=1e-9)
    assert exact.sum(axis=1) == pytest.approx(discount.sum())


def test_sampled_rankings_follow_the_policy() -> None:
    scores = ragged(6)
    columns = sampled_rankings(scores, 10, rng(7))
    assert columns.shape == (12, 10)
    for row, own in zip(columns, scores, strict=True):
        shown = row[row >= 0]
        assert sorted(shown) == np.flatnonzero(np.isfinite(own)).tolist()
    one = np.log(np.array([[0.7, 0.2, 0.1]]))
    first = [sampled_rankings(one, 2, rng(s))[0, 0] for s in range(2000)]
    assert np.bincount(first, minlength=3) / 2000 == pytest.approx([0.7, 0.2, 0.1], abs=0.04)
    plain = plain_metrics.plackett_luce_samples(scores[:2, :1], 1, 5, rng())
    assert plain.tolist() == [[1.0], [1.0]]


def test_scores_that_are_no_log_weights_are_refused() -> None:
    for bad in (np.nan, np.inf):
        with pytest.raises(InvalidValue, match="scores"):
            plackett_luce_exposures(np.array([[0.0, bad]]), 1)
    with pytest.raises(InvalidValue, match="shape"):
        plackett_luce_exposures(np.zeros(3), 1)
    with pytest.raises(InvalidValue, match="enumerate"):
        enumerated_exposures(np.zeros((1, 13)), 1)
    with pytest.raises(InvalidValue, match="discount"):
        plackett_luce_exposures(np.zeros((1, 3)), 2, np.ones(3))
    with pytest.raises(InvalidValue, match="n_samples"):
        sampled_exposures(np.zeros((1, 3)), 2, 1, rng())
    with pytest.raises(InvalidValue, match="k is 0"):
        plackett_luce_exposures(np.zeros((1, 3)), 0)


# --- any policy


def test_a_mixture_expects_what_its_rankings_hand_out() -> None:
    rankings = np.array([[[0, 1], [1, 0]], [[2, -1], [2, 0]]])
    chance = np.array([[0.25, 0.75], [0.5, 0.5]])
    discount = np.array([1.0, 0.5])
    out = mixture_exposure(rankings, chance, 3, discount)
    assert out.tolist() == [[0.25 + 0.375, 0.125 + 0.75, 0.0], [0.25, 0.0, 1.0]]
    with pytest.raises(InvalidValue, match="probabilities"):
        mixture_exposure(rankings, chance + 0.1, 3, discount)
    with pytest.raises(InvalidValue, match="rankings"):
        mixture_exposure(rankings, chance, 2, discount)
    with pytest.raises(InvalidValue, match="pair up"):
        mixture_exposure(rankings, chance[:1], 3, discount)


def test_expected_ndcg_is_linear_in_exposure() -> None:
    """Exactly from exposure, and by sampling rankings: the same."""
    scores, k = rng(1).normal(size=(30, 7)), 4
    relevant = rng(2).random((30, 7)) < 0.4
    n_relevant = relevant.sum(axis=1)
    discount = exposure.position_discount(k)
    ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(n_relevant, k)]
    exact = policy_exposure.expected_ndcg(
        plackett_luce_exposures(scores, k), relevant.astype(float), ideal
    )

    def draw(r: np.random.Generator) -> np.ndarray:
        return sampled_rankings(scores, k, r)

    def metric(columns: np.ndarray) -> np.ndarray:
        return ndcg(np.take_along_axis(relevant, columns, axis=1), n_relevant)

    mean, error = expectation(metric, draw, 2000, rng(3))
    some = n_relevant > 0
    assert (np.abs(mean - exact)[some] < 4.5 * error[some] + 1e-9).all()
    assert (error[some] < 0.01).all() and np.isnan(exact[~some]).all()
    with pytest.raises(InvalidValue, match="n_samples"):
        expectation(metric, draw, 1, rng())


def test_the_standard_error_is_that_of_a_mean() -> None:
    draws = iter(rng(1).normal(5.0, 2.0, size=(500, 3)))
    out = expectation(lambda row: row, lambda _: next(draws), 500, rng())
    sample = rng(1).normal(5.0, 2.0, size=(500, 3))
    np.testing.assert_allclose(out.mean, sample.mean(axis=0))
    np.testing.assert_allclose(out.error, sample.std(axis=0, ddof=1) / np.sqrt(500))


CODES = np.array([0, 0, 0, 1, 1, 1])


def random_policy(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r = rng(seed)
    items = r.permuted(np.tile(np.arange(20), (15, 1)), axis=1)[:, :8]
    items[r.random(items.shape) < 0.2] = PAD
    return r.random(items.shape), items, r.integers(-1, 3, size=20)


@pytest.mark.parametrize("seed", range(3))
def test_expected_group_exposure_equals_a_plain_loop(seed: int) -> None:
    amount, items, codes = random_policy(seed)
    by_group, by_item = np.zeros((15, 3)), np.zeros((15, 20))
    for u, row in enumerate(items):
        for j, item in enumerate(row):
            if item >= 0:
                by_item[u, item] += amount[u, j]
                if codes[item] >= 0:
                    by_group[u, codes[item]] += amount[u, j]
    got = policy_exposure.expected_group_exposure(amount, items, codes, 3)
    np.testing.assert_allclose(got, by_group)
    matrix = policy_exposure.expected_exposure_matrix(amount, items, 20)
    np.testing.assert_allclose(matrix.toarray(), by_item)
    per_item = policy_exposure.expected_exposure_per_item(amount, items, codes, 3)
    plain = plain_metrics.by_group(lambda m: float(by_item.mean(axis=0)[m].mean()), codes, 3)
    np.testing.assert_allclose(per_item, plain)
    share = policy_exposure.expected_exposure_share(amount, items, codes, 3)
    np.testing.assert_allclose(share, by_group.sum(axis=0) / by_item.sum())


def test_treatment_and_impact_of_one_deterministic_list_are_golden() -> None:
    items = np.arange(6)[None, :]
    relevance = np.array([[0.81, 0.80, 0.79, 0.78, 0.77, 0.76]])
    shown = exposure.position_discount(6)[None, :]
    treatment = policy_exposure.expected_treatment(shown, relevance, items, CODES, 0, 1)
    impact = policy_exposure.expected_impact(shown, relevance, items, CODES, 0, 1)
    assert treatment.value == pytest.approx(1.747428, abs=1e-6)
    assert impact.value == pytest.approx(1.819335, abs=1e-6)
    # twice the same user is the same ratio; a policy that shuffles treats both alike
    twice = policy_exposure.expected_treatment(
        np.tile(shown, (2, 1)), np.tile(relevance, (2, 1)), np.tile(items, (2, 1)), CODES, 0, 1
    )
    assert twice.value == pytest.approx(treatment.value)
    even = plackett_luce_exposures(np.zeros((1, 6)), 6)
    alike = policy_exposure.expected_treatment(even, np.ones((1, 6)), items, CODES, 0, 1)
    assert alike.value == pytest.approx(1.0)


def test_a_policy_that_alternates_is_on_target_though_no_list_is() -> None:
    items = np.array([[0, 3]])
    target = np.array([0.5, 0.5])
    one = policy_exposure.expected_awrf(np.array([[1.0, 0.5]]), items, CODES, target)
    both = policy_exposure.expected_awrf(np.array([[0.75, 0.75]]), items, CODES, target)
    assert one[0] == pytest.approx(1 - (2 / 3 - 1 / 2)) and both[0] == 1.0
    with pytest.raises(InvalidValue, match="sum to 1"):
        policy_exposure.expected_awrf(np.ones((1, 2)), items, CODES, np.array([0.9, 0.9]))


def test_inequity_of_a_policy_is_that_of_its_expected_attention() -> None:
    amount, items, _ = random_policy(4)
    relevance = rng(5).random(items.shape)
    matrix = policy_exposure.expected_exposure_matrix
    attended, deserved = (matrix(a, items, 20).toarray() for a in (amount, relevance))
    value = policy_exposure.expected_inequity(amount, relevance, items, 20)
    assert value == pytest.approx(exposure.amortised_inequity(attended, deserved))
    assert policy_exposure.expected_inequity(amount, 3 * amount, items, 20) == pytest.approx(0)
    with pytest.raises(InvalidValue, match="sum above 0"):
        policy_exposure.expected_inequity(0 * amount, relevance, items, 20)


def test_expected_exposure_metrics_are_batched_over_users() -> None:
    discount = exposure.rbp_discount(3, 0.5)
    relevant = np.array([[True, True, False], [False, True, False], [True, True, True]])
    valid = np.array([[True, True, True], [True, True, False], [True, True, True]])
    target = ee.target_exposure(relevant, discount, valid)
    assert target[0] == pytest.approx([0.75, 0.75, 0.25])
    assert target[1] == pytest.approx([0.5, 1.0, 0.0])
    assert target[2] == pytest.approx(discount.mean())
    shown = np.tile(discount, (3, 1))
    # METRICS, first row: 1.3125 / 1.1875 / 0.125
    assert ee.expected_exposure_disparity(shown)[0] == pytest.approx(1.3125)
    assert ee.expected_exposure_relevance(shown, target)[0] == pytest.approx(1.1875)
    assert ee.expected_exposure_loss(shown, target)[0] == pytest.approx(0.125)
    assert ee.expected_exposure_loss(shown, target).shape == (3,)


def test_exposure_that_cannot_be_is_refused() -> None:
    items = np.array([[0, 3]])
    for bad in (-0.1, np.nan, np.inf):
        with pytest.raises(InvalidValue, match="negative or not finite"):
            policy_exposure.expected_group_exposure(np.array([[1.0, bad]]), items, CODES, 2)
    with pytest.raises(InvalidValue, match="one exposure per item"):
        policy_exposure.expected_item_exposure(np.ones((1, 3)), items, 6)
    with pytest.raises(InvalidValue, match="item index"):
        policy_exposure.expected_item_exposure(np.ones((1, 2)), items, 3)
    padded = np.array([[0, PAD]])
    shown = policy_exposure.expected_item_exposure(np.array([[1.0, np.nan]]), padded, 2)
    assert shown.tolist() == [1.0, 0.0]  # what stands at an empty column does not matter
