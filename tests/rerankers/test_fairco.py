from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.catalogue import Groups
from fairloop.errors import InvalidValue
from fairloop.rerankers.amortised.fairco import FairCoConfig, FairCoController, owed
from fairloop.rerankers.knowledge import column_codes
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.topk import TopKReranker
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_amortised

RNG = np.random.default_rng(0)


def three(merit="relevance", gain: float = 0.01) -> FairCoController:
    groups = Groups("kind", ("a", "b", "c"), np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2]))
    return FairCoController(FairCoConfig(attribute="kind", merit=merit, gain=gain), groups)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    gain=st.sampled_from([0.0, 0.01, 0.2]),
    merit=st.sampled_from(["relevance", "size", {"new": 0.7}]),
    block=st.sampled_from([1, 4, 16]),
    ragged=st.booleans(),
)
def test_equals_the_papers_formula(make_pools, knowledge, seed, gain, merit, block, ragged) -> None:
    config = FairCoConfig(attribute="era", merit=merit, gain=gain, block=block)
    groups = knowledge.item_groups("era")
    pools = make_pools(40, 16, seed=seed, ragged=ragged)
    codes = np.where(pools.valid, column_codes(groups, pools), -2)
    sizes = np.bincount(groups.codes[groups.codes != MISSING])
    fixed = {"relevance": None, "size": sizes}.get(str(merit), np.array([0.3, 0.7]))
    expected = plain_amortised.fairco(
        relevance(pools), codes, 2, serving_order(pools.users, 0), block, gain, 5, fixed
    )
    slates = config.make(knowledge).rerank(pools, 5, RNG)
    np.testing.assert_array_equal(slates.columns, expected)


def test_what_is_owed_by_hand() -> None:
    # Exposure per merit: 6/.5 = 12, 3/.3 = 10, 1/.2 = 5; the first is served best.
    np.testing.assert_allclose(
        owed(np.array([6.0, 3.0, 1.0]), np.array([0.5, 0.3, 0.2])), [0, 12 - 10, 12 - 5]
    )
    # A group without merit is owed nothing, and what it has received is everyone's loss.
    np.testing.assert_allclose(
        owed(np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.0])), [0.0, 0.0, 0.0]
    )
    # Merit counts as at least a ten-thousandth.
    np.testing.assert_allclose(owed(np.array([1.0, 1.0]), np.array([1e-30, 1.0])), [0.0, 1e4 - 1])


def test_the_bonus_is_lambda_times_slates_times_the_largest_disparity() -> None:
    controller = three(gain=0.1)
    assert (controller.bonuses == 0).all() and controller.disparity == 0.0
    controller.update(np.array([6.0, 3.0, 1.0]), 10, relevance=np.array([50.0, 30.0, 20.0]))
    # E per slate .6, .3, .1 and M .5, .3, .2: D(a, b) = 1.2 − 1, D(a, c) = 1.2 − 0.5.
    assert controller.disparity == pytest.approx(0.6 / 0.5 - 0.1 / 0.2)
    np.testing.assert_allclose(controller.bonuses, [0.0, 0.1 * 10 * (1.2 - 1.0), 0.1 * 10 * 0.7])
    controller.update(np.array([2.0, 2.0, 6.0]), 10, relevance=np.array([0.0, 0.0, 100.0]))
    # Merit shares are .25, .15, .6 by now, exposures 8, 5, 7: per merit 32, 100/3, 35/3.
    np.testing.assert_allclose(controller.bonuses, 0.1 * np.array([4 / 3, 0.0, 65 / 3]))


def test_merit_by_size_or_by_choice() -> None:
    np.testing.assert_allclose(three("size").merit, [0.5, 0.3, 0.2])
    np.testing.assert_allclose(three({"a": 0.2, "c": 0.7}).merit, [0.2, 0.1, 0.7])
    for bad in ({"a": 0.9, "b": 0.3}, {"d": 0.1}, {"a": 0.1}):
        with pytest.raises(InvalidValue):
            three(bad)


@pytest.mark.parametrize("merit", ["relevance", "size"])
def test_disparity_falls_with_the_number_of_slates(make_pools, knowledge, merit) -> None:
    reranker = FairCoConfig(attribute="era", merit=merit).make(knowledge)
    moments, disparity = [], []
    for turn in range(40):
        reranker.rerank(make_pools(160, 30, seed=turn), 6, RNG)
        moments.append(reranker.controller.n_slates)
        disparity.append(reranker.controller.disparity)
    # Theorem of the paper: O(1/t). A straight line of slope −1 on logarithmic scales.
    late = np.array(moments) >= 640
    slope = np.polyfit(np.log(np.array(moments)[late]), np.log(np.array(disparity)[late]), 1)[0]
    assert -1.4 < slope < -0.7
    # What is owed stays bounded meanwhile, where nothing but top-k lets it grow.
    debt = np.array(disparity) * moments
    assert debt[20:].max() < 2 * debt[:20].max()
    base = FairCoConfig(attribute="era", merit=merit, gain=0.0).make(knowledge)
    for turn in range(40):
        base.rerank(make_pools(160, 30, seed=turn), 6, RNG)
    assert base.controller.disparity > 5 * disparity[-1]


def test_many_groups_come_to_exposure_in_proportion_to_merit(make_pools, knowledge, catalogue):
    codes = np.random.default_rng(3).integers(0, 8, catalogue.n_items)
    groups = Groups("maker", tuple("abcdefgh"), codes)
    richer = replace(catalogue, groups={**catalogue.groups, "maker": groups})
    config = FairCoConfig(attribute="maker", merit="size", gain=0.03)
    reranker = config.make(replace(knowledge, catalogue=richer))
    for turn in range(20):
        reranker.rerank(make_pools(200, 60, seed=turn), 6, RNG)
    sizes = np.bincount(codes) / len(codes)
    np.testing.assert_allclose(reranker.controller.shares, sizes, rtol=0.03)


def test_without_gain_it_is_top_k(make_pools, knowledge) -> None:
    reranker = FairCoConfig(gain=0.0).make(knowledge)
    for seed in range(3):
        pools = make_pools(60, 30, seed=seed, ragged=True)
        top = TopKReranker().rerank(pools, 6, RNG)
        np.testing.assert_array_equal(reranker.rerank(pools, 6, RNG).columns, top.columns)
    assert reranker.controller.n_slates == 180  # it still watches


def test_pools_without_relevance_or_without_groups_do_no_harm(make_pools, knowledge) -> None:
    pools = make_pools(30, 12)
    pools.scores[:] = 1.0
    reranker = FairCoConfig().make(knowledge)
    for _ in range(3):
        slates = reranker.rerank(pools, 4, RNG)
    np.testing.assert_array_equal(slates.columns, np.tile(np.arange(4), (30, 1)))


def test_relevance_must_be_told_where_it_is_merit() -> None:
    shown = np.array([1.0, 1.0, 1.0])
    for bad in (None, np.array([1.0, -1.0, 0.0]), np.array([1.0, np.nan, 0.0])):
        with pytest.raises(InvalidValue, match="relevance"):
            three().update(shown, 3, bad)
    three("size").update(shown, 3)


def test_bad_settings_are_refused(knowledge) -> None:
    for values in ({"gain": -0.1}, {"merit": "fame"}, {"block": 0}, {"workers": 0}):
        with pytest.raises(ValueError):
            FairCoConfig(**values)
    with pytest.raises(InvalidValue, match="no item groups named"):
        FairCoConfig(attribute="shape").make(knowledge)
