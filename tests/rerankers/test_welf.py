from itertools import permutations

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.two_sided.welf import WelfConfig, WelfReranker
from fairloop.rerankers.two_sided.welfare import Utilities, Welfare
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from benchmarks.peers import plain_stochastic


def solve(pools, k, **config):
    return WelfReranker(WelfConfig(**config)).solve(pools, k)


def pools_of(n_users: int, n: int, seed: int, n_items: int | None = None) -> CandidatePools:
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.random((n_users, n)), axis=1)
    items = np.argsort(rng.random((n_users, n_items or n)), axis=1)[:, :n]
    return CandidatePools(np.arange(n_users), items, scores)


def best_welfare(pools, k: int, base: Utilities, **config) -> float:
    """The maximum over all lotteries over all rankings, by SciPy's SLSQP on their weights."""
    gains, discount = relevance(pools), position_discount(k)
    welfare = Welfare.around(base, config["item_weight"], config["powers"], config["offset"])
    n_users, n = gains.shape
    rankings = np.array(list(permutations(range(n), k)))
    _, numbers = np.unique(pools.items, return_inverse=True)
    numbers = numbers.reshape(pools.items.shape)
    n_items = numbers.max() + 1
    user_matrix = np.zeros((n_users * len(rankings), n_users))
    item_matrix = np.zeros((n_users * len(rankings), n_items))
    for user in range(n_users):
        for r, ranking in enumerate(rankings):
            row = user * len(rankings) + r
            user_matrix[row, user] = gains[user, ranking] @ discount
            item_matrix[row, numbers[user, ranking]] += discount

    def at(weights):
        return Utilities(weights @ user_matrix, weights @ item_matrix)

    def slope(weights):
        marginal = welfare.marginal(at(weights))
        return -(user_matrix @ marginal.users + item_matrix @ marginal.items)

    sums = np.kron(np.eye(n_users), np.ones(len(rankings)))
    found = minimize(
        lambda weights: -welfare.value(at(weights)),
        np.full(len(user_matrix), 1 / len(rankings)),
        jac=slope,
        bounds=[(0, 1)] * len(user_matrix),
        constraints={"type": "eq", "fun": lambda w: sums @ w - 1, "jac": lambda w: sums},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert found.success
    return -float(found.fun)


@pytest.mark.parametrize("powers", [(0.0, 0.0), (0.5, 0.5), (1.0, -1.0), (-1.0, 0.0)])
@pytest.mark.parametrize("item_weight", [0.2, 0.7])
def test_reaches_the_maximum_that_a_convex_solver_finds(powers, item_weight) -> None:
    pools = pools_of(3, 4, seed=1)
    settings = {"item_weight": item_weight, "offset": 0.1}
    base = solve(pools, 2, **settings, tolerance=np.float64(1e9)).utilities
    best = best_welfare(pools, 2, base, powers=powers, **settings)
    solution = solve(
        pools, 2, **settings, user_power=powers[0], item_power=powers[1],
        iterations=1000, tolerance=3e-4,
    )  # fmt: skip
    start = solution.welfare[0]
    assert best - solution.welfare[-1] <= 1e-3 * (best - start)
    assert solution.welfare[-1] <= best + 1e-6 * abs(best)
    # Every duality gap bounds what is missing at its moment.
    assert (solution.welfare + solution.gaps >= best - 1e-6 * abs(best)).all()


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    item_weight=st.sampled_from([0.1, 0.5, 0.9]),
    powers=st.sampled_from([(0.0, 0.0), (0.5, -1.0), (1.0, 0.5)]),
)
def test_equals_the_plain_loop(seed, item_weight, powers) -> None:
    pools = pools_of(8, 10, seed, n_items=15)
    _, numbers = np.unique(pools.items, return_inverse=True)
    items = numbers.reshape(pools.items.shape)
    value, users, seen = plain_stochastic.welf(
        relevance(pools), items, 4, item_weight, powers, 0.05, 150
    )
    solution = solve(
        pools, 4, item_weight=item_weight, user_power=powers[0], item_power=powers[1],
        offset=0.05, iterations=150, tolerance=0.0,
    )  # fmt: skip
    margin = 3e-3 * abs(value - solution.welfare[0]) + 1e-12 * abs(value)
    assert solution.welfare[-1] == pytest.approx(value, abs=margin)
    assert solution.utilities.users.mean() == pytest.approx(users.mean(), rel=0.02)
    assert solution.utilities.items.sum() == pytest.approx(seen.sum(), rel=1e-9)


def test_every_step_adds_welfare_and_the_gap_shrinks(make_pools) -> None:
    pools = make_pools(60, 30, seed=2, ragged=True)
    solution = solve(pools, 6, tolerance=0.0, iterations=200)
    assert (np.diff(solution.welfare) >= -1e-12 * np.abs(solution.welfare[:-1])).all()
    most = np.minimum.accumulate(solution.welfare + solution.gaps)
    missing = (most - solution.welfare) / (most - solution.welfare[0])
    assert missing[150] < 0.02 < missing[10] < 0.3


def test_the_search_stops_where_the_tolerance_lets_it(make_pools) -> None:
    pools = make_pools(60, 30, seed=2)
    short = solve(pools, 6, tolerance=0.1)
    assert len(short.welfare) < len(solve(pools, 6, tolerance=0.01).welfare)
    most = float((short.welfare + short.gaps).min())
    assert most - short.welfare[-1] <= 0.1 * (most - short.welfare[0])


def test_utilities_are_those_of_the_lottery(make_pools) -> None:
    pools = make_pools(25, 12, seed=3, ragged=True)
    solution = solve(pools, 5, iterations=20)
    seen = solution.mixture.exposure(12)
    np.testing.assert_allclose(
        solution.utilities.users, (seen * relevance(pools)).sum(axis=1), rtol=1e-9
    )
    total = np.bincount(pools.items[pools.valid], seen[pools.valid])
    in_a_pool = np.unique(pools.items[pools.valid])
    np.testing.assert_allclose(solution.utilities.items, total[in_a_pool], atol=1e-9)


def test_more_weight_on_items_lifts_the_worse_off_half_of_them(make_pools) -> None:
    pools = make_pools(150, 40, seed=4)
    halves, users = [], []
    for item_weight in (0.0, 0.2, 0.5, 0.8):
        solution = solve(pools, 6, item_weight=item_weight, iterations=60)
        ordered = np.sort(solution.utilities.items)
        halves.append(ordered[: len(ordered) // 2].sum() / ordered.sum())
        users.append(solution.utilities.users.mean())
    assert (np.diff(halves) > 0.01).all() and (np.diff(users) < 0).all()


def test_no_other_welfare_gives_lotteries_that_lorenz_dominate() -> None:
    # The paper's promise: what it shows is Lorenz-efficient. Another lottery may give some prefix
    # of the worse-off more, of users or of items, but not all prefixes of both.
    pools = pools_of(20, 12, seed=9, n_items=18)
    found = [
        solve(
            pools, 4, item_weight=weight, user_power=users, item_power=items,
            offset=0.1, iterations=300, tolerance=1e-4,
        ).utilities
        for weight in (0.2, 0.5, 0.8)
        for users, items in ((0.0, 0.0), (0.5, -1.0), (-1.0, 0.5))
    ]  # fmt: skip
    curves = [
        np.concatenate([np.cumsum(np.sort(side)) / side.size for side in both]) for both in found
    ]
    for one in curves:
        for other in curves:
            more = other - one
            assert more.min() < -1e-4 or more.max() < 0.01


def test_without_the_draw_the_most_exposed_are_shown_for_sure(make_pools) -> None:
    pools = make_pools(30, 15, seed=5, ragged=True)
    seen = WelfReranker(WelfConfig()).mixture(pools, 5).exposure(15)
    slates = WelfReranker(WelfConfig(draw=False)).rerank(pools, 5, np.random.default_rng(0))
    assert (slates.propensities == 1.0).all()
    shown = np.take_along_axis(seen, slates.columns, axis=1)
    np.testing.assert_allclose(shown, -np.sort(-seen, axis=1)[:, :5])


def test_the_batch_permuted_gives_the_lotteries_permuted(make_pools) -> None:
    pools, order = make_pools(20, 12, seed=6), np.random.default_rng(0).permutation(20)
    straight, moved = solve(pools, 4), solve(pools.take(order), 4)
    np.testing.assert_array_equal(moved.mixture.columns, straight.mixture.columns[order])
    np.testing.assert_array_equal(moved.mixture.weights, straight.mixture.weights[order])
    np.testing.assert_array_equal(moved.welfare, straight.welfare)


def test_users_with_equal_scores_only_do_not_break_it() -> None:
    pools = pools_of(4, 6, seed=0)
    flat = CandidatePools(pools.users, pools.items, np.zeros((4, 6)))
    solution = solve(flat, 3, user_power=-2.0, item_power=-2.0)
    assert np.isfinite(solution.welfare).all() and (solution.utilities.users == 0).all()
    assert np.ptp(solution.utilities.items) < 0.05  # items alone decide, and share alike


def test_welfare_by_hand() -> None:
    at = Utilities(np.array([1.0, 4.0]), np.array([0.25, 1.0]))
    means = Utilities(np.array([0.0]), np.array([0.0]))
    square = Welfare.around(means, 0.5, (0.5, 0.0), 1e-12)
    assert square.value(at) == pytest.approx(0.5 * (1 + 2) + 0.5 * (np.log(0.25) + 0))
    marginal = square.marginal(at)
    np.testing.assert_allclose(marginal.users, 0.5 * np.array([0.5, 0.25]))
    np.testing.assert_allclose(marginal.items, 0.5 * np.array([4.0, 1.0]))
    inverse = Welfare.around(means, 1.0, (1.0, -1.0), 1e-12)
    assert inverse.value(at) == pytest.approx(-(4 + 1))
    np.testing.assert_allclose(inverse.marginal(at).items, [16.0, 1.0])


@pytest.mark.parametrize(
    "wrong", [{"item_weight": 1.2}, {"user_power": 1.5}, {"offset": 0.0}, {"iterations": 0}]
)
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WelfConfig(**wrong)
