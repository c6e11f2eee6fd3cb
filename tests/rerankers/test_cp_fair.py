"""CP-Fair against its mixed-integer programme, a greedy, and its own definition."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import MISSING, PAD
from fairloop.candidates.catalogue import Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.metrics.exposure import exposure_per_item, exposure_share
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.two_sided.cp_fair import CPFairConfig, renumbered, utilities
from fairloop.rerankers.two_sided.gap_solver import solve
from fairloop.rerankers.two_sided.gap_swaps import improved_by_swaps
from fairloop.rerankers.two_sided.gaps import GapProblem
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.lines.setting import make_setting
from benchmarks.peers import plain_two_sided


@pytest.fixture(scope="module")
def market():
    return make_setting(1000, 2020)


def problem_of(seed: int, n_users: int, weights: tuple[float, float], **kind) -> GapProblem:
    """A market in which one user group has half the utility of another, on small pools."""
    setting = make_setting(max(n_users, 60), seed, k=4, n_candidates=15)
    knowledge, pools = setting.knowledge, setting.first(n_users).pools
    activity = Groups("activity", ("low", "high"), np.arange(len(setting.pools)) % 2)
    knowledge = replace(knowledge, user_groups={"activity": activity})
    config = CPFairConfig(consumer_weight=weights[0], producer_weight=weights[1], **kind)
    problem = config.make(knowledge).problem(pools, 4)
    poorer = np.where(np.arange(n_users) % 2 == 0, 0.5, 1.0)[:, None]
    return replace(problem, utility=problem.utility * poorer)


weighted = st.sampled_from([(0.3, 0.3), (0.1, 1.0), (0.05, 0.5), (0.0, 0.4)])


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_users=st.integers(8, 20),
    weights=weighted,
    utility=st.sampled_from(["ndcg", "dcg", "gain"]),
)
def test_the_bound_and_the_slates_enclose_the_papers_optimum(seed, n_users, weights, utility):
    problem = problem_of(seed, n_users, weights, utility=utility)
    found = solve(problem, 60, 1e-7, 100)
    best = plain_two_sided.cp_fair_programme(problem, integer=True, limit_s=3)
    assert found.objective <= best + 1e-6
    assert best <= found.bound + 1e-6
    assert found.objective >= best - 0.03


@pytest.mark.parametrize("utility", ["ndcg", "dcg", "gain"])
@pytest.mark.parametrize("weights", [(0.3, 0.3), (0.1, 1.0)])
def test_the_bound_is_the_value_of_the_fractional_programme(utility, weights) -> None:
    problem = problem_of(5, 60, weights, utility=utility)
    fractional = plain_two_sided.cp_fair_programme(problem, integer=False)
    found = solve(problem, 100, 1e-8, 100)
    assert found.bound == pytest.approx(fractional, abs=1e-6)


@pytest.mark.parametrize("attribute", ["popularity", "provider"])
@pytest.mark.parametrize("utility", ["ndcg", "gain"])
def test_many_users_come_close_to_the_bound(market, attribute, utility) -> None:
    few = attribute == "popularity"
    config = CPFairConfig(attribute=attribute, utility=utility)
    reranker = config.make(market.knowledge)
    found = reranker.solve(reranker.problem(market.first(400).pools, 10))
    assert 0 <= found.bound - found.objective < (2e-4 if few else 0.02)
    assert found.rounds < 40 or not few


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_users", [4, 12, 60])
def test_it_is_at_least_as_good_as_a_greedy(seed, n_users) -> None:
    for weights in ((0.3, 0.3), (0.1, 1.0), (1.0, 0.3)):
        problem = problem_of(seed, n_users, weights)
        greedy = plain_two_sided.cp_fair_greedy(problem)
        ours = solve(problem, 60, 1e-6, 100).objective
        assert ours >= plain_two_sided.cp_fair_objective(problem, greedy) - 1e-9


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), utility=st.sampled_from(["ndcg", "dcg", "gain"]))
def test_the_objective_is_the_definition(seed, utility) -> None:
    problem = problem_of(seed, 9, (0.7, 0.4), utility=utility, parity="per_item")
    rng = np.random.default_rng(seed)
    columns = np.sort(rng.permuted(np.tile(np.arange(15), (9, 1)), axis=1)[:, :4], axis=1)
    by_definition = plain_two_sided.cp_fair_objective(problem, columns)
    assert float(problem.objective(problem.totals(columns))) == pytest.approx(by_definition)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_swaps_end_where_no_exchange_helps(seed) -> None:
    problem = problem_of(seed, 5, (0.4, 0.6), utility="dcg")
    codes = np.where(np.arange(5) == 3, 2, problem.user_codes)  # one user of no group
    problem = replace(problem, user_codes=codes, n_users=np.bincount(codes)[:2].astype(float))
    columns = improved_by_swaps(problem, np.tile(np.arange(4), (5, 1)), 1000)
    reached = plain_two_sided.cp_fair_objective(problem, columns)
    for user in range(5):
        for position in range(4):
            for candidate in set(range(15)) - set(columns[user].tolist()):
                other = columns.copy()
                other[user, position] = candidate
                assert plain_two_sided.cp_fair_objective(problem, other) <= reached + 1e-9


def test_exposures_are_those_of_the_metrics(market) -> None:
    catalogue = market.knowledge.catalogue
    for parity, attribute in (("total", "popularity"), ("per_item", "provider")):
        config = CPFairConfig(attribute=attribute, parity=parity, rounds=5)
        reranker = config.make(market.knowledge)
        slates = reranker.rerank(market.first(100).pools, 10, np.random.default_rng(0))
        problem = reranker.problem(market.first(100).pools, 10)
        found = problem.totals(np.sort(slates.columns, axis=1)).exposure
        codes, flat = catalogue.groups[attribute].codes, np.ones(10)
        if parity == "total":
            expected = exposure_share(slates.items, codes, 2, flat)
        else:
            expected = exposure_per_item(slates.items, codes, 50, flat) * len(codes) / 10
        np.testing.assert_allclose(found, expected)


def test_larger_weights_close_the_gaps(market) -> None:
    """A third of the users is far worse off.

    The gap in the base model's own relevance can only be closed by taking from the others, two
    thirds of the users; that pays where λ₁ is above 2/3.
    """
    codes = market.knowledge.user_groups["activity"].codes
    scores = np.where((codes == 0)[:, None], market.pools.scores**3, market.pools.scores)
    pools = replace(market.pools, scores=scores)
    measured = CPFairConfig(utility="gain").make(market.knowledge).problem(pools, 10)
    gaps = []
    for weight in (0.0, 0.1, 0.25, 0.8):
        config = CPFairConfig(utility="gain", consumer_weight=weight, producer_weight=weight)
        slates = config.make(market.knowledge).rerank(pools, 10, np.random.default_rng(0))
        totals = measured.totals(np.sort(slates.columns, axis=1))
        gaps.append((np.ptp(totals.utility), np.ptp(totals.exposure)))
    consumer, producer = zip(*gaps, strict=True)
    assert consumer[0] > 0.25 and consumer[2] > 0.25 and consumer[3] < 0.005
    assert producer[0] > producer[1] + 0.05 and producer[2] < 0.001


def test_the_cost_of_producer_parity_is_shared_where_users_are_weighed(market) -> None:
    """NDCG against the base list: without λ₁, users who prefer popular items would pay it all."""
    codes = market.knowledge.user_groups["activity"].codes
    tail = market.codes("popularity") == 1
    fond = market.pools.scores + np.where((codes == 0)[:, None] & tail, 1.5, 0.0)
    pools = replace(market.pools, scores=fond)

    def gap(weight: float) -> float:
        config = CPFairConfig(consumer_weight=weight, producer_weight=1.0)
        slates = config.make(market.knowledge).rerank(pools, 10, np.random.default_rng(0))
        measured = CPFairConfig().make(market.knowledge).problem(pools, 10)
        return float(np.ptp(measured.totals(np.sort(slates.columns, axis=1)).utility))

    assert gap(1.0) < gap(0.0) / 2


def test_utilities_by_hand() -> None:
    pools = CandidatePools(
        np.arange(2), np.array([[3, 4, 5], [6, 7, PAD]]), np.array([[9.0, 7, 5], [1, 3, 0]])
    )
    scaled = relevance(pools)
    np.testing.assert_allclose(scaled, [[1, 0.5, 0], [0, 1, 0]])
    np.testing.assert_allclose(utilities(scaled, pools, "gain", 2), scaled / 2)
    second = 0.5 / np.log2(3)
    np.testing.assert_allclose(utilities(scaled, pools, "dcg", 2), [[1, second, 0], [0, 1, 0]])
    ideal = 1 + second
    expected = [[1 / ideal, second / ideal, 0], [0, 1, 0]]
    np.testing.assert_allclose(utilities(scaled, pools, "ndcg", 2), expected)


def test_groups_that_do_not_occur_and_members_of_none_are_left_out() -> None:
    codes, kept = renumbered(np.array([4, MISSING, 1, 4]), 6)
    assert codes.tolist() == [1, 2, 0, 1] and kept.tolist() == [1, 4]
    alone, none = renumbered(np.array([2, MISSING]), 3)
    assert alone.tolist() == [0, 0] and none.tolist() == []


def test_users_and_items_of_no_group_bear_no_price(market) -> None:
    unknown = np.arange(1000) % 4 == 0
    side = Groups("side", ("a", "b"), np.where(unknown, MISSING, np.arange(1000) % 2))
    knowledge = replace(market.knowledge, user_groups={"side": side})
    config = CPFairConfig(user_attribute="side", utility="gain", producer_weight=0.0)
    high = np.where(side.codes[:, None] == 1, market.pools.scores**3, market.pools.scores)
    pools = replace(market.pools, scores=high)
    slates = config.make(knowledge).rerank(pools, 10, np.random.default_rng(0))
    kept = (np.sort(slates.columns, axis=1) == np.arange(10)).all(axis=1)
    assert kept[unknown].all() and not kept[~unknown].all()


def test_raw_relevance_of_any_size_is_solved(market) -> None:
    pools = market.first(60).pools
    shifted = replace(pools, scores=pools.scores - pools.scores.min() + 1.0)
    config = CPFairConfig(relevance="raw", utility="dcg")
    one = config.make(market.knowledge).rerank(shifted, 10, np.random.default_rng(0))
    large = replace(shifted, scores=shifted.scores * 2.0**40)
    two = config.make(market.knowledge).rerank(large, 10, np.random.default_rng(0))
    np.testing.assert_array_equal(one.columns, two.columns)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"attribute": "taste"}, "no item groups named 'taste'"),
        ({"user_attribute": "taste"}, "no user groups named 'taste'"),
    ],
)
def test_unknown_attributes_are_refused_by_name(knowledge, settings, words) -> None:
    with pytest.raises(InvalidValue, match=words) as caught:
        CPFairConfig(**settings).make(knowledge)
    assert caught.value.field and caught.value.mend


def test_empty_groups_and_users_outside_them_are_refused(knowledge, make_pools) -> None:
    nobody = Groups("activity", ("low", "high"), np.zeros(100, int))
    with pytest.raises(InvalidValue, match="'high' of 'activity' holds no users"):
        CPFairConfig().make(replace(knowledge, user_groups={"activity": nobody}))
    few = Groups("activity", ("low", "high"), np.array([0, 1, 0]))
    reranker = CPFairConfig().make(replace(knowledge, user_groups={"activity": few}))
    with pytest.raises(InvalidValue, match="user index 4, but 3 users") as caught:
        reranker.rerank(make_pools(5, 9), 3, np.random.default_rng(0))
    assert caught.value.field == "user_attribute"


def test_a_side_that_weighs_nothing_needs_no_groups(knowledge, make_pools) -> None:
    bare = replace(knowledge, user_groups={})
    CPFairConfig(consumer_weight=0.0).make(bare).rerank(
        make_pools(5, 9), 3, np.random.default_rng(0)
    )


@pytest.mark.parametrize(
    "settings", [{"consumer_weight": -0.1}, {"producer_weight": -1}, {"utility": "joy"}, {"x": 1}]
)
def test_settings_out_of_range_are_refused(settings) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        CPFairConfig(**settings)
