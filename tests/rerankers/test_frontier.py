"""Sweeping: where strengths are placed, what is measured at each, who is left out and why."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.candidates.catalogue import Groups
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.proposals import Proposals
from fairloop.errors import InvalidValue
from fairloop.metrics.accuracy import ndcg, relevance_of
from fairloop.metrics.diversity import intra_list_jaccard
from fairloop.metrics.exposure import exposure_per_item, parity_ratio
from fairloop.metrics.gaps import gap, group_means
from fairloop.rerankers.diversity.calibrated import CalibratedConfig
from fairloop.rerankers.diversity.mmr import MMRConfig
from fairloop.rerankers.factory import make_reranker
from fairloop.rerankers.frontier import Task, base_slates, next_strength, sweep_all
from fairloop.rerankers.frontier_axes import AGAINST, MIN_GROUP, Judge
from fairloop.rerankers.linear import LinearConfig
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig
from fairloop.rerankers.topk import TopKConfig

K, N_USERS = 5, 90


@pytest.fixture(scope="module")
def judge(catalogue, knowledge, make_pools) -> Judge:
    pools = make_pools(N_USERS, 20, ragged=True)
    rng = np.random.default_rng(5)
    user = np.repeat(np.arange(5, N_USERS), 4)  # the first five have nothing held out
    item = pools.items[user, rng.integers(0, 10, len(user))]
    ones = np.ones(len(user))
    relevant = Interactions.build(user, item, ones, ones, 100, catalogue.n_items)
    half = Groups("half", ("even", "odd"), np.arange(100) % 2)
    groups = {**knowledge.user_groups, "half": half}
    proposals = Proposals(
        name="made up",
        user_ids=np.arange(100).astype(str),
        catalogue=catalogue,
        user_groups=groups,
        pools=pools,
        history=relevant,
        relevant=relevant,
    )
    return Judge(proposals, replace(knowledge, user_groups=groups), "popularity", "half")


@pytest.fixture(scope="module")
def task(judge: Judge) -> Task:
    axes = (judge.accuracy(K), *(judge.against(name, K) for name in AGAINST))
    return Task(judge.proposals.pools, judge.knowledge, K, axes, 5, 7)


def test_measures_equal_those_of_the_metrics_room(judge: Judge, task: Task, catalogue) -> None:
    lists = base_slates(task).items
    users, held = judge.proposals.pools.users, judge.proposals.relevant
    assert held is not None
    value = {a.name: float(a.value(a.per_user(lists).sum(axis=0))) for a in task.axes}

    accuracy = ndcg(*relevance_of(lists, users, held.user, held.item, catalogue.n_items))
    assert value["ndcg"] == pytest.approx(np.nanmean(accuracy))
    assert np.isnan(accuracy[:5]).all()
    codes = catalogue.groups["popularity"].codes
    ratio = parity_ratio(exposure_per_item(lists, codes, 2))
    assert value["exposure-ratio"] == pytest.approx(float(ratio))
    assert value["ild"] == pytest.approx(np.nanmean(intra_list_jaccard(lists, catalogue.topics)))
    means = group_means(accuracy, np.arange(N_USERS) % 2, 2)
    assert value["user-gap"] == pytest.approx(gap(means))
    assert value["worst-user-group"] == pytest.approx(means.min())


def test_a_mixture_of_users_has_the_weighted_sums(task: Task) -> None:
    """What the mixtures rest on: half of the users served one way, half the other."""
    one, two = base_slates(task).items, task.pools.items[:, 2 : 2 + K]
    half = np.arange(N_USERS) % 2 == 0
    mixed = np.where(half[:, None], one, two)
    for axis in task.axes:
        terms = np.where(half[:, None], axis.per_user(one), axis.per_user(two))
        np.testing.assert_allclose(axis.per_user(mixed), terms)


def test_a_sweep_goes_from_the_base_order_to_full_strength(task: Task) -> None:
    (swept,), skipped = sweep_all({"mmr": MMRConfig(trade_off=0.3)}, task)
    assert not skipped
    assert len(swept.strengths) == len(swept.configs) + 1 == task.points
    assert (swept.strengths[0], swept.strengths[-1]) == (0.0, 1.0)
    assert (np.diff(swept.strengths) > 0).all()
    for number, axis in enumerate(task.axes):
        terms = swept.terms[number]
        np.testing.assert_array_equal(terms[0], axis.per_user(base_slates(task).items))
        for strength, config, found in zip(
            swept.strengths[1:], swept.configs, terms[1:], strict=True
        ):
            assert config == MMRConfig(trade_off=0.3).at_strength(float(strength))
            reranker = make_reranker(config, task.knowledge)
            slates = reranker.rerank(task.pools, K, np.random.default_rng(0))
            np.testing.assert_allclose(found, axis.per_user(slates.items))


def test_chance_is_averaged_over_draws_and_repeats_with_the_seed(task: Task) -> None:
    (one,), _ = sweep_all({"a": PlackettLuceConfig()}, task)
    (two,), _ = sweep_all({"a": PlackettLuceConfig()}, task)
    np.testing.assert_array_equal(one.terms[0], two.terms[0])
    config = one.configs[-1]
    draws = []
    for draw in range(3):
        reranker = make_reranker(config, task.knowledge)
        rng = np.random.default_rng([task.seed, draw])
        slates = reranker.rerank(task.pools, K, rng)
        draws.append(task.axes[0].per_user(slates.items))
    np.testing.assert_allclose(one.terms[0][-1], np.mean(draws, axis=0))


def test_a_method_that_cannot_run_is_named_with_the_reason(task: Task) -> None:
    blind = replace(task, knowledge=replace(task.knowledge, profiles=None))
    told: list[tuple[int, int]] = []
    swept, skipped = sweep_all(
        {"calibrated": CalibratedConfig(), "top-k": TopKConfig(), "same": LinearConfig(),
         "mmr": MMRConfig()},
        blind,
        lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert [method.name for method in swept] == ["mmr"]
    assert "profiles" in skipped["calibrated"]
    assert "base order at every strength" in skipped["top-k"]
    assert set(skipped) == {"calibrated", "top-k", "same"}
    assert told[0] == (0, 4) and told[-1] == (4, 4)


def test_strengths_are_placed_where_the_measures_move() -> None:
    strengths = np.array([0.0, 0.5, 1.0])
    values = np.array([[1.0, 5.0], [0.9, 5.1], [0.2, 5.2]])
    # Measure 1 moves by 1/8 and 7/8 of its range, measure 2 by half and half.
    assert next_strength(strengths, values) == 0.75
    assert next_strength(strengths, np.ones((3, 1))) == 0.75  # nothing moves: either half
    uneven = np.array([0.0, 0.2, 1.0])
    assert next_strength(uneven, np.ones((3, 1))) == pytest.approx(0.6)


def test_a_jump_is_not_looked_for_without_end() -> None:
    strengths, values = np.array([0.0, 1.0]), np.array([[0.0], [1.0]])
    for _ in range(30):
        new = next_strength(strengths, values)
        assert new not in strengths
        strengths = np.sort(np.append(strengths, new))
        values = (strengths > 0.3)[:, None].astype(float)
    assert len(strengths) == 32


@pytest.mark.parametrize(
    ("change", "name", "field"),
    [
        ({"user_attribute": None}, "user-gap", "user_attribute"),
        ({"user_attribute": "side"}, "user-gap", "user_attribute"),  # groups below the least size
        ({"item_attribute": None}, "exposure-ratio", "attribute"),
        ({}, "fairness", "against"),
    ],
)
def test_a_measure_that_cannot_be_computed_says_what_is_missing(
    judge: Judge, change, name, field
) -> None:
    with pytest.raises(InvalidValue) as caught:
        replace(judge, **change).against(name, K)
    assert caught.value.field == field and caught.value.mend


def test_small_groups_do_not_make_a_gap(judge: Judge) -> None:
    assert MIN_GROUP == 30
    per_user = judge.against("user-gap", K).per_user(judge.proposals.pools.items[:, :K])
    assert per_user.shape == (N_USERS, 4)  # two groups of 42 and 43 judged users


def test_accuracy_needs_held_out_items_of_these_users(judge: Judge) -> None:
    with pytest.raises(InvalidValue, match="relevance: nothing says what was relevant"):
        replace(judge, proposals=replace(judge.proposals, relevant=None)).accuracy(K)
    held = judge.proposals.relevant
    assert held is not None
    none = np.zeros(0, int)
    empty = Interactions.build(none, none, none, none, 100, held.n_items)
    with pytest.raises(InvalidValue, match="relevance: none of the users"):
        replace(judge, proposals=replace(judge.proposals, relevant=empty)).accuracy(K)


def test_distance_within_a_slate_of_one_is_refused(judge: Judge) -> None:
    with pytest.raises(InvalidValue, match="k: a slate of one"):
        judge.against("ild", 1)


def test_one_point_is_no_sweep(task: Task) -> None:
    with pytest.raises(InvalidValue, match="points"):
        replace(task, points=1)
