from itertools import permutations

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.stochastic.expohedron import (
    ExpohedronConfig,
    ExpohedronReranker,
    pareto_point,
    target_exposure,
)
from fairloop.rerankers.stochastic.permutahedron import decompose, project
from fairloop.rerankers.topk import TopKReranker
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from benchmarks.peers import plain_stochastic

shapes = given(
    seed=st.integers(0, 10**6), n=st.integers(1, 6), k=st.integers(1, 6), far=st.floats(0, 5)
)


def corners(n: int, k: int) -> np.ndarray:
    """Exposures of every ranking of k out of n items, one per row."""
    found = []
    for ranking in permutations(range(n), k):
        seen = np.zeros(n)
        seen[list(ranking)] = position_discount(k)
        found.append(seen)
    return np.array(found)


def everywhere(n_users: int, n: int) -> np.ndarray:
    return np.ones((n_users, n), bool)


@settings(max_examples=60, deadline=None)
@shapes
def test_the_projection_is_the_closest_lottery_over_all_rankings(seed, n, k, far) -> None:
    k = min(n, k)
    point = far * np.random.default_rng(seed).normal(size=(1, n)) + 0.5
    found = project(point, position_discount(k), everywhere(1, n))[0]
    # A point of a convex set is the closest one if no corner lies further in the way to the goal.
    hull = corners(n, k)
    assert ((hull - found) @ (point[0] - found)).max() <= 1e-9
    weights, _ = nnls(np.vstack([hull.T, np.ones(len(hull))]), np.append(found, 1.0))
    np.testing.assert_allclose(weights @ hull, found, atol=1e-9)
    np.testing.assert_allclose(found, plain_stochastic.project(point[0], k), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 40),
    k=st.integers(1, 40),
    far=st.sampled_from([0.0, 1e-6, 0.1, 3.0, 1e6]),
    power=st.sampled_from([1, 8]),
    ties=st.booleans(),
)
def test_few_rankings_reproduce_the_exposure(seed, n, k, far, power, ties) -> None:
    k, rng = min(n, k), np.random.default_rng(seed)
    gains = rng.random((4, n)) ** power
    gains = np.ceil(3 * gains) / 3 if ties else gains
    discount = position_discount(k)
    merited = discount.sum() * gains / gains.sum(axis=1, keepdims=True)
    exposure = project(merited + far * gains, discount, everywhere(4, n))
    lottery = decompose(exposure, discount)
    np.testing.assert_allclose(lottery.exposure(n), exposure, atol=1e-9)
    np.testing.assert_allclose(lottery.weights.sum(axis=1), 1.0, atol=1e-12)
    assert ((lottery.weights > 0).sum(axis=1) <= n).all()
    assert all(len(set(r)) == k for rankings in lottery.columns.tolist() for r in rankings)


def test_a_hundred_items_of_equal_merit_take_a_hundred_rankings() -> None:
    # Ten shown at different discounts: every item must stand at each position in turn.
    discount = position_discount(10)
    exposure = np.full((3, 100), discount.sum() / 100)
    lottery = decompose(exposure, discount)
    assert lottery.weights.shape == (3, 100)
    np.testing.assert_allclose(lottery.exposure(100), exposure, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 12),
    k=st.integers(1, 8),
    merit=st.sampled_from(["equal", "relevance"]),
    weight=st.sampled_from([0.05, 0.5, 0.9, 1.0]),
)
def test_equals_the_plain_decomposition(seed, n, k, merit, weight) -> None:
    k, rng = min(n, k), np.random.default_rng(seed)
    scores = -np.sort(-rng.random((3, n)), axis=1)
    pools = CandidatePools(np.arange(3), np.tile(np.arange(n), (3, 1)), scores)
    config = ExpohedronConfig(merit=merit, weight=weight)
    seen = ExpohedronReranker(config).mixture(pools, k).exposure(n)
    gains = relevance(pools)
    for user in range(3):
        plain = plain_stochastic.expohedron(gains[user], k, merit, weight)
        np.testing.assert_allclose(seen[user], plain_stochastic.exposure(plain, n), atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 5), weight=st.sampled_from([0.2, 0.6, 0.95]))
def test_no_lottery_has_more_of_both(seed, n, weight) -> None:
    # The scalarised objective is maximal, so the point is Pareto-optimal. At the optimum no
    # ranking improves on the mean, measured along the gradient; for a concave objective that
    # is enough.
    rng, k = np.random.default_rng(seed), min(n, 3)
    gains, discount = rng.random((1, n)), position_discount(k)
    target = target_exposure(gains, everywhere(1, n), discount, "relevance")
    found = pareto_point(gains, target, weight, discount, everywhere(1, n))[0]
    slope = (1 - weight) * gains[0] - weight * (found - target[0])
    assert (corners(n, k) @ slope).max() <= slope @ found + 1e-9


def test_the_curve_runs_from_the_base_order_to_the_target(make_pools) -> None:
    pools = make_pools(40, 20, seed=6, ragged=True)
    gains, discount = relevance(pools), position_discount(6)
    target = target_exposure(gains, pools.valid, discount, "relevance")
    curve = []
    for weight in (0.0, 0.5, 0.9, 0.99, 1.0):
        config = ExpohedronConfig(merit="relevance", weight=weight)
        seen = ExpohedronReranker(config).mixture(pools, 6).exposure(20)
        curve.append(((seen * gains).sum(), ((seen - target) ** 2).sum()))
    utility, distance = np.array(curve).T
    base = TopKReranker().rerank(pools, 6, np.random.default_rng(0))
    best = (np.take_along_axis(gains, base.columns, axis=1) * discount).sum()
    assert utility[0] == pytest.approx(best, rel=1e-12)
    assert (np.diff(utility) < 0).all() and (np.diff(distance) < 0).all()
    assert distance[-1] == pytest.approx(0.0, abs=1e-18)


def test_equal_merit_means_equal_exposure_of_every_candidate(make_pools) -> None:
    pools = make_pools(10, 15, seed=1, ragged=True)
    seen = ExpohedronReranker(ExpohedronConfig(weight=1.0)).mixture(pools, 4).exposure(15)
    even = position_discount(4).sum() / pools.sizes[:, None] * pools.valid
    np.testing.assert_allclose(seen, even, atol=1e-10)


def test_merit_that_is_out_of_reach_is_approached() -> None:
    # A relevance share of 0.9 of 1.63 is more than the first position gives; two are shown.
    gains = np.array([[0.9, 0.05, 0.05]])
    target = target_exposure(gains, everywhere(1, 3), position_discount(2), "relevance")
    np.testing.assert_allclose(target, [[1.0, 0.315465, 0.315465]], atol=1e-6)


def test_items_without_any_relevance_merit_the_same() -> None:
    discount = position_discount(2)
    target = target_exposure(np.zeros((1, 4)), everywhere(1, 4), discount, "relevance")
    np.testing.assert_allclose(target, discount.sum() / 4)


def test_weights_next_to_0_and_unknown_merits() -> None:
    pools = CandidatePools(
        np.arange(1), np.arange(6)[None], np.array([[0.9, 0.8, 0.5, 0.4, 0.2, 0.1]])
    )
    for weight in (1e-12, 5e-324):
        lottery = ExpohedronReranker(ExpohedronConfig(weight=weight)).mixture(pools, 3)
        assert lottery.columns[0, 0].tolist() == [0, 1, 2] and lottery.weights[0, 0] == 1.0
    with pytest.raises(ValueError, match="merit"):
        ExpohedronConfig(merit="fair")
    with pytest.raises(ValueError, match="weight"):
        ExpohedronConfig(weight=-0.1)
