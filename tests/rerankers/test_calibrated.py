from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.metrics.calibration import calibration_kl, topic_distribution
from fairloop.rerankers.diversity import calibrated_milp
from fairloop.rerankers.diversity.calibrated import CalibratedConfig
from fairloop.rerankers.diversity.calibrated_exact import MAX_EXACT_CANDIDATES, best_subset
from fairloop.rerankers.relevance import relevance
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import OptimizeResult

from benchmarks.peers.plain_diversity import calibrated, calibrated_objective

quick = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10**6)
ALPHA = 0.01


def rerank(config, knowledge, pools, k):
    return config.make(knowledge).rerank(pools, k, np.random.default_rng(0)).columns


def with_single_topics(knowledge, n_none: int = 0):
    """The same catalogue with one topic an item, and none for the first ``n_none``."""
    n_items, n_topics = knowledge.catalogue.topics.shape
    topics = np.eye(n_topics, dtype=bool)[np.random.default_rng(5).integers(0, n_topics, n_items)]
    topics[:n_none] = False
    return replace(knowledge, catalogue=replace(knowledge.catalogue, topics=topics))


def romance_and_action(knowledge):
    """Steck's example: a user with 70 romance and 30 action films, and 30 candidates of each."""
    topics = np.zeros((120, 7), bool)
    topics[:60, 0], topics[60:, 1] = True, True  # the more relevant half is romance
    profiles = np.tile([0.7, 0.3, 0, 0, 0, 0, 0], (1, 1))
    known = replace(
        knowledge, catalogue=replace(knowledge.catalogue, topics=topics), profiles=profiles
    )
    items = np.concatenate([np.arange(30), 60 + np.arange(30)])[None]
    return known, CandidatePools(np.zeros(1, int), items, np.linspace(1.0, 0.5, 60)[None])


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_seventy_thirty_gives_seven_and_three(knowledge, method) -> None:
    known, pools = romance_and_action(knowledge)
    topics, p = known.catalogue.topics, known.profiles
    base = pools.items[:, :10]
    # All romance is the golden value for p (.7, .3) and q (1, 0): 1.133982.
    assert calibration_kl(p, topic_distribution(base, topics)).item() == pytest.approx(1.133982)
    columns = rerank(CalibratedConfig(strength=0.99, method=method), known, pools, 10)
    items = np.take_along_axis(pools.items, columns, axis=1)
    assert topics[items].sum(axis=1)[0, :2].tolist() == [7, 3]
    assert calibration_kl(p, topic_distribution(items, topics)).item() == pytest.approx(0, abs=1e-9)
    # Of each topic, the most relevant ones.
    assert sorted(columns[0].tolist()) == [*range(7), 30, 31, 32]


@quick
@given(seed=seeds, strength=st.floats(0.05, 0.95), ragged=st.booleans())
def test_greedy_equals_the_plain_loop(knowledge, catalogue, make_pools, seed, strength, ragged):
    pools = make_pools(5, 14, seed=seed, ragged=ragged)
    columns = rerank(CalibratedConfig(strength=strength), knowledge, pools, 6)
    worth, wanted = relevance(pools), knowledge.profiles_of(pools)
    for user, size in enumerate(pools.sizes):
        one = slice(user, user + 1)
        members = catalogue.topics[pools.items[one, :size]].astype(float)
        expected = calibrated(worth[one, :size], members, wanted[one], strength, ALPHA, 6)
        assert columns[user].tolist() == expected[0].tolist()


@quick
@given(seed=seeds, strength=st.floats(0.3, 0.95))
def test_the_divergence_is_that_of_the_metrics(knowledge, catalogue, make_pools, seed, strength):
    # The last item is the best one to complete the slate with, by metrics/calibration.py.
    pools = make_pools(3, 12, seed=seed)
    worth, wanted = relevance(pools), knowledge.profiles_of(pools)
    columns = rerank(CalibratedConfig(strength=strength), knowledge, pools, 4)
    for user, row in enumerate(columns):
        rest = [c for c in range(12) if c not in row[:3]]
        slates = np.array([[*row[:3], last] for last in rest])
        q = topic_distribution(pools.items[user, slates], catalogue.topics)
        divergence = calibration_kl(np.tile(wanted[user], (len(slates), 1)), q)
        value = (1 - strength) * worth[user, slates].sum(axis=1) - strength * divergence
        if not np.isnan(value).any():
            assert rest[int(value.argmax())] == row[3]


@quick
@given(
    seed=seeds,
    strength=st.floats(0.05, 1.0),
    k=st.integers(1, 5),
    n_none=st.sampled_from([0, 60]),
)
def test_exact_is_the_best_of_all_subsets_and_no_worse_than_greedy(
    knowledge, make_pools, seed, strength, k, n_none
):
    known = with_single_topics(knowledge, n_none)
    pools = make_pools(3, 9, seed=seed)
    worth, wanted = relevance(pools), known.profiles_of(pools)
    found = {
        method: rerank(CalibratedConfig(strength=strength, method=method), known, pools, k)
        for method in ("exact", "greedy")
    }
    for user in range(3):
        members = known.catalogue.topics[pools.items[user]].astype(float)

        def value(chosen, user=user, members=members) -> float:
            rows = list(chosen)
            return calibrated_objective(
                worth[user, rows], members[rows], wanted[user], strength, ALPHA
            )

        largest = max(value(subset) for subset in combinations(range(9), k))
        assert value(found["exact"][user]) == pytest.approx(largest, abs=1e-9)
        assert value(found["greedy"][user]) <= largest + 1e-9


@settings(max_examples=25, deadline=None)
@given(seed=seeds, strength=st.floats(0.05, 1.0), k=st.integers(1, 4))
def test_items_of_several_topics_give_the_best_of_all_subsets_too(seed, strength, k):
    rng = np.random.default_rng(seed)
    worth, member = np.sort(rng.random(9))[::-1], rng.random((9, 5)) < 0.4  # some have no topic
    wanted = rng.dirichlet(np.full(5, 0.5))

    def value(chosen) -> float:
        rows = list(chosen)
        return calibrated_objective(worth[rows], member[rows] * 1.0, wanted, strength, ALPHA)

    chosen = best_subset(worth, member, wanted, strength, ALPHA, k)
    assert chosen.tolist() == sorted(set(chosen.tolist())) and len(chosen) == k
    assert value(chosen) == pytest.approx(
        max(value(subset) for subset in combinations(range(9), k)), abs=1e-5
    )


def test_exact_is_better_than_greedy_for_some_users_and_worse_for_none(
    knowledge, catalogue, make_pools
) -> None:
    pools = make_pools(12, 16)
    worth, wanted = relevance(pools), knowledge.profiles_of(pools)
    total = []
    for method in ("exact", "greedy"):
        columns = rerank(CalibratedConfig(strength=0.8, method=method), knowledge, pools, 4)
        members = catalogue.topics[np.take_along_axis(pools.items, columns, axis=1)] * 1.0
        chosen = np.take_along_axis(worth, columns, axis=1)
        total.append(
            [
                calibrated_objective(*user, 0.8, ALPHA)
                for user in zip(chosen, members, wanted, strict=True)
            ]
        )
    difference = np.subtract(*total)
    assert difference.min() > -1e-6 and difference.max() > 0.01


def test_exact_slates_of_several_topics_keep_the_contract(knowledge, make_pools) -> None:
    pools, config = make_pools(6, 16, ragged=True), CalibratedConfig(method="exact")
    columns = rerank(config, knowledge, pools, 5)
    assert (np.diff(columns, axis=1) > 0).all()  # in base order, and so without repeats
    assert np.take_along_axis(pools.valid, columns, axis=1).all()
    order = np.random.default_rng(0).permutation(6)
    moved = rerank(config, knowledge, pools.take(order), 5)
    np.testing.assert_array_equal(moved, columns[order])


def test_items_without_a_topic_neither_help_nor_dilute(knowledge) -> None:
    # Two slots of romance (p = 1) are filled; a third item without a topic leaves q as it is, one
    # of another topic would dilute it.
    topics = np.zeros((120, 7), bool)
    topics[[0, 1], 0], topics[3, 1] = True, True
    catalogue = replace(knowledge.catalogue, topics=topics)
    known = replace(knowledge, catalogue=catalogue, profiles=np.eye(7)[:1])
    pools = CandidatePools(np.zeros(1, int), np.array([[0, 1, 3, 2]]), np.array([[4.0, 3, 2, 1]]))
    for method in ("greedy", "exact"):
        columns = rerank(CalibratedConfig(strength=0.9, method=method), known, pools, 3)
        assert sorted(columns[0].tolist()) == [0, 1, 3]


def test_more_strength_comes_nearer_to_the_history(knowledge, catalogue, make_pools) -> None:
    pools = make_pools(90, 40)
    wanted = knowledge.profiles_of(pools)
    divergence = []
    for strength in (0.0, 0.5, 1.0):
        columns = rerank(CalibratedConfig().at_strength(strength), knowledge, pools, 8)
        items = np.take_along_axis(pools.items, columns, axis=1)
        q = topic_distribution(items, catalogue.topics)
        divergence.append(np.nanmean(calibration_kl(wanted, q)))
    assert divergence[0] - 0.1 > divergence[1] > divergence[2]


def test_groups_are_calibrated_to_their_targets(knowledge, make_pools) -> None:
    pools = make_pools(30, 60)
    tail = knowledge.catalogue.groups["popularity"].codes[pools.items]
    for method in ("greedy", "exact"):
        config = CalibratedConfig(
            strength=0.99, method=method, aspects="popularity", targets={"long_tail": 0.4}
        )
        columns = rerank(config, knowledge, pools, 10)
        np.testing.assert_allclose(np.take_along_axis(tail, columns, axis=1).mean(axis=1), 0.4)


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_a_user_without_a_history_keeps_the_base_order(knowledge, make_pools, method) -> None:
    for strength in (0.5, 1.0):
        config = CalibratedConfig(strength=strength, method=method)
        columns = rerank(config, knowledge, make_pools(4, 12), 5)
        assert columns[3].tolist() == list(range(5))


def test_pools_too_large_for_the_exact_method_are_refused_by_name(knowledge) -> None:
    n = MAX_EXACT_CANDIDATES + 1
    items = np.arange(n)[None] % 120
    pools = CandidatePools(np.zeros(1, int), items, np.linspace(1, 0, n)[None])
    with pytest.raises(InvalidValue, match=r"method: .* at most 200 .*, a pool has 201"):
        rerank(CalibratedConfig(method="exact"), knowledge, pools, 5)


def test_a_solve_error_at_the_floor_is_made_good_without_it(monkeypatch) -> None:
    rng = np.random.default_rng(2)
    worth, member = np.sort(rng.random(9))[::-1], rng.random((9, 5)) < 0.4
    wanted = rng.dirichlet(np.full(5, 0.5))
    expected = best_subset(worth, member, wanted, 0.7, ALPHA, 4)
    solve, failed = calibrated_milp.milp, []

    def stumbling(constraints, **common):
        if len(constraints) == 3:  # the floor is the third
            failed.append(True)
            return OptimizeResult(status=4, message="Solve error")
        return solve(constraints=constraints, **common)

    monkeypatch.setattr(calibrated_milp, "milp", stumbling)
    np.testing.assert_array_equal(best_subset(worth, member, wanted, 0.7, ALPHA, 4), expected)
    assert failed


def test_an_optimum_that_is_not_proven_is_refused_by_name(monkeypatch) -> None:
    result = OptimizeResult(status=1, message="Node limit reached")
    monkeypatch.setattr(calibrated_milp, "milp", lambda **_: result)
    with pytest.raises(InvalidValue, match=r"method: .*Node limit reached.* Use the method"):
        best_subset(np.ones(4), np.ones((4, 2), bool), np.array([0.6, 0.4]), 0.5, ALPHA, 2)


@pytest.mark.parametrize(
    "values", [{"strength": 1.1}, {"alpha": 0.0}, {"alpha": 1.0}, {"method": "flow"}]
)
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        CalibratedConfig(**values)
