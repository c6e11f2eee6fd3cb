import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.catalogue import Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.stochastic import group_simplex, parity
from fairloop.rerankers.stochastic.group_rates import GroupRates
from fairloop.rerankers.stochastic.group_simplex import best_within_gap
from fairloop.rerankers.stochastic.mixture import RankingMixture
from fairloop.rerankers.stochastic.parity import ExposureParityConfig, ExposureParityReranker
from fairloop.rerankers.stochastic.two_rankings import best_under_bound
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_stochastic

N_ITEMS = 90


def drawn(n_users: int, n: int, n_groups: int, seed: int) -> tuple[CandidatePools, np.ndarray]:
    rng = np.random.default_rng(seed)
    items = np.argsort(rng.random((n_users, N_ITEMS)), axis=1)[:, :n]
    scores = -np.sort(-rng.gamma(1.0, size=(n_users, n)), axis=1)
    codes = rng.integers(-1, n_groups, N_ITEMS)
    codes[:n_groups] = np.arange(n_groups)
    return CandidatePools(np.arange(n_users), items, scores), codes


def solve(pools: CandidatePools, codes: np.ndarray, k: int, **settings):
    names = tuple(f"g{g}" for g in range(int(codes.max()) + 1))
    config = ExposureParityConfig(relevance="raw", **settings)
    return ExposureParityReranker(config, Groups("group", names, codes)).solve(pools, k)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_groups=st.integers(3, 12),
    constraint=st.sampled_from(["demographic-parity", "disparate-treatment", "disparate-impact"]),
    reduction=st.sampled_from([0.3, 0.8, 1.0]),
)
def test_equals_the_solver_on_many_groups(seed, n_groups, constraint, reduction) -> None:
    pools, codes = drawn(2, 25, n_groups, seed)
    solution = solve(pools, codes, 7, constraint=constraint, reduction=reduction)
    reached = (solution.mixture.exposure(25) * pools.scores).sum(axis=1)
    for user in range(2):
        placement, allowed = plain_stochastic.exposure_lp(
            pools.scores[user], codes[pools.items[user]], 7, constraint, reduction
        )
        expected = pools.scores[user] @ placement @ position_discount(7)
        assert reached[user] == pytest.approx(expected, abs=1e-7)
        assert solution.gap_after[user] <= allowed + 1e-8


def test_no_programme_is_needed_and_there_are_no_more_rankings_than_groups() -> None:
    pools, codes = drawn(60, 40, 6, seed=1)
    solution = solve(pools, codes, 8)
    assert solution.n_programmes == 0
    assert ((solution.mixture.weights > 0).sum(axis=1) <= 6).all()
    np.testing.assert_allclose(solution.gap_after, 0.0, atol=1e-12)


@pytest.mark.parametrize("limit", ["MOST_GROUPS", "PIVOTS_PER_GROUP"])
def test_who_is_left_goes_to_the_solver_and_is_counted(limit, monkeypatch) -> None:
    pools, codes = drawn(6, 20, 4, seed=2)
    settled = solve(pools, codes, 5)
    module = parity if limit == "MOST_GROUPS" else group_simplex
    monkeypatch.setattr(module, limit, 1)
    left = solve(pools, codes, 5)
    assert left.n_programmes == 6 and settled.n_programmes == 0
    np.testing.assert_allclose(
        (left.mixture.exposure(20) * pools.scores).sum(axis=1),
        (settled.mixture.exposure(20) * pools.scores).sum(axis=1),
        atol=1e-8,
    )


def test_with_two_groups_both_methods_find_the_same_optimum() -> None:
    pools, codes = drawn(50, 30, 2, seed=3)
    gains, discount = relevance(pools), position_discount(6)
    rates = GroupRates.of(gains, codes[pools.items], 2, "disparate-impact")
    base = RankingMixture.certain(np.tile(np.arange(6), (50, 1)))
    allowed = 0.4 * rates.gaps(base.exposure(30))
    columns, weights, settled = best_within_gap(gains, rates, allowed, discount)
    assert settled.all()
    signed = np.where(codes[pools.items] == 0, rates.unit, -rates.unit)
    ahead = (signed[:, :6] * discount).sum(axis=1, keepdims=True)
    mixed = RankingMixture(
        *best_under_bound(gains, np.where(ahead < 0, -signed, signed), allowed, discount)
    )
    np.testing.assert_allclose(
        (RankingMixture(columns, weights).exposure(30) * gains).sum(axis=1),
        (mixed.exposure(30) * gains).sum(axis=1),
        rtol=1e-12,
    )


def test_users_with_different_numbers_of_groups_do_not_disturb_each_other() -> None:
    pools, codes = drawn(30, 9, 7, seed=4)
    together = solve(pools, codes, 4)
    assert len(set(_n_groups(pools, codes))) > 2
    for user in range(30):
        alone = solve(pools.take(np.array([user])), codes, 4)
        np.testing.assert_allclose(
            together.mixture.exposure(9)[user], alone.mixture.exposure(9)[0], atol=1e-10
        )


def test_a_group_that_starts_level_with_the_highest_is_no_trouble() -> None:
    # Equal scores, three groups of one item each shown nowhere: rates tie at 0 in the base order.
    pools = CandidatePools(np.arange(1), np.arange(6)[None], np.ones((1, 6)))
    solution = solve(pools, np.array([0, 0, 0, 1, 2, 3]), 3)
    assert solution.gap_after[0] == pytest.approx(0.0, abs=1e-9)


def _n_groups(pools: CandidatePools, codes: np.ndarray) -> list[int]:
    return [len(set(row[row != MISSING].tolist())) for row in codes[pools.items]]
