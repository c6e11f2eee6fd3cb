"""P-MMF against the authors' algorithm, its offline programme, and the promises of the paper."""

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.catalogue import Groups
from fairloop.errors import InvalidValue
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.randomness import draw_seed
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.two_sided.p_mmf import PMMFConfig, step_size
from fairloop.rerankers.two_sided.provider_dual import dual_pass, project
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from benchmarks.lines.setting import make_setting
from benchmarks.peers import plain_two_sided


@pytest.fixture(scope="module")
def labelled(knowledge):
    """The catalogue with some more providers than two."""
    groups = {
        **knowledge.catalogue.groups,
        "label": Groups("label", tuple("abcdefgh"), np.random.default_rng(3).integers(0, 8, 120)),
    }
    return replace(knowledge, catalogue=replace(knowledge.catalogue, groups=groups))


@pytest.fixture(scope="module")
def market():
    """1,000 users, 50 providers of very different sizes."""
    return make_setting(1000, 2020)


def random_dual(seed: int) -> tuple[np.ndarray, float]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=rng.integers(1, 9)) * rng.choice([0.1, 1, 5]), rng.uniform(0.05, 2)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_projection_is_the_papers_quadratic_programme(seed: int) -> None:
    dual, weight = random_dual(seed)
    by_solver = plain_two_sided.projected_by_slsqp(dual, weight)
    np.testing.assert_allclose(project(dual, weight, capped=True), by_solver, atol=1e-6)
    by_search = plain_two_sided.projected_exactly(dual, weight)
    np.testing.assert_allclose(project(dual, weight, capped=True), by_search, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_projected_duals_lie_in_the_papers_set(seed: int) -> None:
    dual, weight = random_dual(seed)
    inside = project(dual, weight, capped=True)
    sets = chain.from_iterable(combinations(inside, n) for n in range(len(inside) + 1))
    assert min(sum(s) for s in sets) >= -weight - 1e-12
    np.testing.assert_allclose(project(inside, weight, capped=True), inside, atol=1e-12)
    simplex = project(dual, weight, capped=False)
    assert (simplex <= 0).all() and simplex.sum() == pytest.approx(-weight)
    for other in -weight * np.eye(len(dual)):  # the nearest point: no corner lies beyond it
        assert (dual - simplex) @ (other - simplex) <= 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_the_conjugate_is_finite_where_the_dual_is_projected_to(seed: int) -> None:
    """max λ·worst + μ·e over worst · ρ ≤ e ≤ capacity · ρ is capacity · (λ + Σ dual)."""
    rng = np.random.default_rng(seed)
    shares, weight, capacity = rng.dirichlet(np.ones(4)), 0.3, 1.2

    def conjugate(dual: np.ndarray):
        at_most = np.hstack([-np.eye(4), shares[:, None]])
        cost = np.append(-dual / shares, -weight)
        bounds = [(None, capacity * s) for s in shares] + [(None, None)]
        return linprog(cost, at_most, np.zeros(4), bounds=bounds)

    dual = project(rng.normal(size=4) * 0.3, weight, capped=True)
    assert -conjugate(dual).fun == pytest.approx(capacity * (weight + dual.sum()), abs=1e-9)
    outside = dual.copy()
    outside[0] -= weight + max(dual[0], 0.0) + 0.01
    assert conjugate(outside).status == 3  # unbounded


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), weight=st.sampled_from([0.05, 0.5, 3.0]))
def test_a_batch_of_one_is_the_papers_algorithm(make_pools, labelled, seed, weight) -> None:
    pools = make_pools(60, 20, seed=seed)
    config = PMMFConfig(attribute="label", weight=weight, batch=1, learning_rate=0.5)
    slates = config.make(labelled).rerank(pools, 5, np.random.default_rng(seed))

    order = serving_order(pools.users, draw_seed(np.random.default_rng(seed)))
    codes = labelled.catalogue.groups["label"].codes
    shares = np.bincount(codes) / len(codes) * (1 + 1 / 8)
    expected = plain_two_sided.p_mmf(
        relevance(pools)[order],
        codes[pools.items[order]],
        shares,
        weight,
        5,
        step_size(0.5, 60, 8),
        config.momentum,
        plain_two_sided.projected_exactly,
        -weight * shares / shares.sum(),
    )
    np.testing.assert_array_equal(slates.columns[order], expected)


@pytest.mark.parametrize(
    ("attribute", "weight"),
    # One exposure of the smallest provider moves the minimum by 0.03: λ = 0.1, as in the paper.
    [("popularity", 0.1), ("popularity", 1.0), ("provider", 0.1)],
)
def test_mini_batches_reach_the_objective_of_single_users(market, attribute, weight) -> None:
    config = PMMFConfig(attribute=attribute, weight=weight)
    reranker = config.make(market.knowledge)
    problem = reranker.problem(market.pools, 10)
    single = plain_two_sided.p_mmf(
        problem.relevance,
        problem.codes,
        problem.shares,
        weight,
        10,
        step_size(config.learning_rate, 1000, len(problem.shares)),
        config.momentum,
        plain_two_sided.projected_exactly,
        problem.start,
    )
    reached = problem.objective(reranker.solve(problem).columns)
    assert reached == pytest.approx(problem.objective(single), rel=1e-3)


def test_a_mini_batch_is_as_many_steps_as_it_has_users(make_pools, knowledge) -> None:
    config = PMMFConfig(weight=2.0, capacity=4.0)  # so loose that no mini-batch ends early
    problem = config.make(knowledge).problem(make_pools(8, 20), 5)
    start = np.array([0.1, -0.2])
    both = dual_pass(problem, start, rate=0.03, momentum=0.2, batch=4)
    first = replace(problem, codes=problem.codes[:4])
    usage = first.exposure(both.columns[:4])  # the first four users' slots over ρ
    weight_of_newest = 1 - (1 - 0.2) ** 4
    second = start - 0.03 * 4 * weight_of_newest * (4.0 - usage)
    assert np.minimum(second, 0).sum() > -2.0  # inside: the projection changes nothing
    np.testing.assert_allclose(both.dual, (start + second) / 2)


@pytest.mark.parametrize("capacity", [None, 1.0])
def test_no_objective_exceeds_the_offline_programme_and_its_bound(market, capacity) -> None:
    pools = market.first(150).pools
    config = PMMFConfig(attribute="provider", weight=0.3, capacity=capacity, batch=4)
    problem = config.make(market.knowledge).problem(pools, 10)
    best = plain_two_sided.p_mmf_optimum(
        problem.relevance, problem.codes, problem.shares, 0.3, capacity, 10
    )
    base = problem.objective(np.tile(np.arange(10), (150, 1)))
    online = config.make(market.knowledge).solve(problem)
    offline = config.changed(mode="offline").make(market.knowledge).solve(problem)
    reached = [problem.objective(one.columns) for one in (online, offline)]
    assert base + 0.05 < reached[0] <= reached[1] <= best + 1e-9
    assert best <= problem.bound(online.dual) + 1e-9
    assert reached[1] > 0.95 * best


def test_the_offline_mode_closes_the_gap_where_providers_are_few(market) -> None:
    config = PMMFConfig(weight=1.0, mode="offline")
    problem = config.make(market.knowledge).problem(market.first(250).pools, 10)
    best = plain_two_sided.p_mmf_optimum(
        problem.relevance, problem.codes, problem.shares, 1.0, 1.0, 10
    )
    found = config.make(market.knowledge).solve(problem)
    assert problem.objective(found.columns) == pytest.approx(best, abs=2e-3)


def test_regret_shrinks_with_the_number_of_users(market) -> None:
    """The paper's theorem: the regret of the online algorithm is O(√T) of T users."""

    def mean_regret(n_users: int) -> float:
        config = PMMFConfig(attribute="popularity", weight=0.5, batch=1)
        reranker = config.make(market.knowledge)
        regrets = []
        for start in range(0, 700, max(n_users, 160)):
            pools = market.pools.take(np.arange(start, start + n_users))
            pools = replace(pools, items=pools.items[:, :50], scores=pools.scores[:, :50])
            problem = reranker.problem(pools, 10)
            best = plain_two_sided.p_mmf_optimum(
                problem.relevance, problem.codes, problem.shares, 0.5, 1.0, 10
            )
            regrets.append(best - problem.objective(reranker.solve(problem).columns))
        return float(np.mean(regrets))

    few, some, many = (mean_regret(n) for n in (20, 80, 320))
    assert 0 < many < some / 1.5 < few / 2.25


def test_no_user_meets_a_provider_without_capacity(market) -> None:
    """As in the authors' code a provider may overshoot by what one user's slate takes of it."""
    for batch in (1, 16, 64):
        config = PMMFConfig(attribute="provider", weight=0.1, batch=batch)
        problem = config.make(market.knowledge).problem(market.first(300).pools, 10)
        columns = dual_pass(problem, problem.start, 1e-4, 0.2, batch).columns
        shown = np.take_along_axis(problem.codes, columns, axis=1)
        ones = (shown[:, :, None] == np.arange(50)).sum(axis=1)
        before = ones.cumsum(axis=0) - ones
        met_spent = (before >= 300 * 10 * problem.shares) & (ones > 0)
        assert not met_spent[:250].any()  # the last users may have nobody else left


def test_a_larger_weight_lifts_the_worst_provider(market) -> None:
    worst = []
    for weight in (0.0, 0.02, 0.2, 1.0):
        config = PMMFConfig(attribute="provider", weight=weight, capacity=None, mode="offline")
        slates = config.make(market.knowledge).rerank(market.pools, 10, np.random.default_rng(0))
        problem = config.make(market.knowledge).problem(market.pools, 10)
        worst.append(problem.exposure(np.sort(slates.columns, axis=1)).min())
    assert worst[0] + 0.1 < worst[1] < worst[2] <= worst[3]


def test_strength_moves_from_the_base_order_without_a_jump(market) -> None:
    config = PMMFConfig(attribute="provider", weight=0.5)
    kept = []
    for strength in (0.0, 0.05, 0.5, 1.0):
        reranker = config.at_strength(strength).make(market.knowledge)
        slates = reranker.rerank(market.first(200).pools, 10, np.random.default_rng(0))
        kept.append((np.sort(slates.columns, axis=1) == np.arange(10)).mean())
    assert kept[0] == 1.0 and kept[1] > 0.7 and kept[0] > kept[1] > kept[2] > kept[3]


def test_a_weight_of_0_is_the_base_order(make_pools, knowledge) -> None:
    slates = (
        PMMFConfig(weight=0.0)
        .make(knowledge)
        .rerank(make_pools(9, 12), 5, np.random.default_rng(0))
    )
    np.testing.assert_array_equal(slates.columns, np.tile(np.arange(5), (9, 1)))


def test_items_of_no_provider_are_neither_priced_nor_limited(make_pools, knowledge) -> None:
    pools = make_pools(40, 20)
    problem = PMMFConfig(attribute="era", weight=2.0).make(knowledge).problem(pools, 5)
    unknown = knowledge.catalogue.groups["era"].codes[pools.items] == MISSING
    assert unknown.any() and (problem.codes[unknown] == 2).all()
    priced = problem.bound(np.array([0.0, 0.0]))
    raised = np.where(unknown, 5.0, problem.relevance)  # so they are shown wherever they occur
    columns = dual_pass(replace(problem, relevance=raised), problem.start, 0.01, 0.2, 8).columns
    for row in range(40):
        assert set(np.flatnonzero(unknown[row])) <= set(columns[row])
    assert priced > 0


def test_providers_without_a_candidate_are_left_out(make_pools, labelled) -> None:
    pools = make_pools(30, 20)
    codes = labelled.catalogue.groups["label"].codes
    without = pools.keep(codes != 2)
    without = replace(without, items=without.items[:, :10], scores=without.scores[:, :10])
    problem = PMMFConfig(attribute="label").make(labelled).problem(without, 3)
    assert len(problem.shares) == 7
    assert problem.shares.sum() == pytest.approx(1 + 1 / 7)
    assert problem.codes.max() < 7


def test_shares_may_be_equal_or_given(labelled) -> None:
    def shares(**settings) -> np.ndarray:
        return PMMFConfig(attribute="popularity", **settings).make(labelled)._shares

    np.testing.assert_allclose(shares(), [0.2, 0.8])
    np.testing.assert_allclose(shares(resources="equal"), [0.5, 0.5])
    np.testing.assert_allclose(shares(targets={"head": 0.3}), [0.3, 0.7])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"attribute": "taste"}, "no item groups named 'taste'"),
        ({"targets": {"head": 0.7, "tail": 0.3}}, "no group named 'tail'"),
        ({"targets": {"head": 1.0}}, "'long_tail' has a share of 0"),
        ({"targets": {"head": 1.3}}, "sum to 1.3"),
    ],
)
def test_bad_settings_are_refused_by_name(knowledge, settings, words) -> None:
    with pytest.raises(InvalidValue, match=words) as caught:
        PMMFConfig(**settings).make(knowledge)
    assert caught.value.field and caught.value.mend


def test_an_empty_provider_is_refused(knowledge) -> None:
    groups = {"label": Groups("label", ("a", "b"), np.zeros(120, int))}
    empty = replace(knowledge, catalogue=replace(knowledge.catalogue, groups=groups))
    with pytest.raises(InvalidValue, match="'b' of 'label' holds no items"):
        PMMFConfig(attribute="label").make(empty)


@pytest.mark.parametrize(
    "settings", [{"weight": -0.1}, {"capacity": 0.9}, {"batch": 0}, {"momentum": 0.0}, {"speed": 1}]
)
def test_settings_out_of_range_are_refused(settings) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        PMMFConfig(**settings)
