"""Ratios to merit become the very shares they stand for, on pools small enough to count by hand."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import EmptyData, InvalidValue, UnreachableConstraint
from fairloop.rerankers.constraints import (
    Constraints,
    ExposureCeiling,
    ExposureFloor,
    ExposureRatio,
    HardFilters,
    RatioOrigin,
)
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.controller import ConstraintController
from fairloop.rerankers.feasibility import check_reachable
from fairloop.rerankers.ratios import MOST_LIMITS, merit_shares, resolve
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError


def catalogue_of(providers: list[int], names: tuple[str, ...]) -> Catalogue:
    n = len(providers)
    return Catalogue(
        item_ids=np.array([f"i{i}" for i in range(n)]),
        titles=np.array([f"Item {i}" for i in range(n)]),
        topics=np.ones((n, 1), bool),
        topic_names=("t0",),
        year=np.full(n, np.nan),
        popularity=np.ones(n),
        groups={"provider": Groups("provider", names, np.array(providers))},
    )


TINY = catalogue_of([0, 0, 1, 2, -1, 0], ("a", "b", "c"))
POOLS = CandidatePools(
    users=np.array([0, 1]),
    items=np.array([[0, 2, 3, 4], [1, 2, PAD, PAD]]),
    scores=np.array([[5.0, 4.0, 2.0, 1.0], [3.0, 2.0, 0.0, 0.0]]),
)
SHARES = {
    # Two users count the same, whatever the size of their pools.
    "pool": [(1 / 4 + 1 / 2) / 2, (1 / 4 + 1 / 2) / 2, (1 / 4) / 2],
    # Above the lowest score of each pool: 4, 3, 1, 0 of 8; 1, 0 of 1.
    "relevance": [(4 / 8 + 1) / 2, (3 / 8) / 2, (1 / 8) / 2],
    "catalogue": [3 / 6, 1 / 6, 1 / 6],
}


@pytest.mark.parametrize("merit", SHARES)
def test_merit_is_exact_on_tiny_pools(merit):
    found = merit_shares(POOLS, TINY.group("provider"), merit)
    np.testing.assert_allclose(found, SHARES[merit], rtol=1e-15)


@pytest.mark.parametrize("merit", SHARES)
def test_a_ratio_resolves_to_its_share_and_says_how(merit):
    ratio = ExposureRatio(
        attribute="provider", group="a", merit=merit, at_least=0.8, at_most=1.25, window=77
    )
    before = Constraints(ratios=(ratio,), min_diversity=0.0)
    after = resolve(before, POOLS, TINY)
    share = SHARES[merit][0]
    floor, ceiling = after.exposure
    assert isinstance(floor, ExposureFloor) and isinstance(ceiling, ExposureCeiling)
    assert floor.share == pytest.approx(0.8 * share, rel=1e-15)
    assert ceiling.share == pytest.approx(1.25 * share, rel=1e-15)
    assert floor.window == ceiling.window == 77
    assert floor.origin == RatioOrigin(merit=merit, merit_share=floor.origin.merit_share, ratio=0.8)
    assert floor.origin.merit_share == pytest.approx(share, rel=1e-15)
    assert after.ratios == () and after.min_diversity == 0.0
    assert Constraints.model_validate_json(after.model_dump_json()) == after
    assert resolve(after, POOLS, TINY) is after


def test_every_group_with_enough_merit_gets_a_limit_and_the_others_are_listed():
    ratio = ExposureRatio(attribute="provider", every_group=True, at_least=0.5, min_merit=0.2)
    after = resolve(Constraints(ratios=(ratio,)), POOLS, TINY)
    assert [limit.group for limit in after.exposure] == ["a", "b"]
    (left_out,) = after.left_out
    assert (left_out.group, left_out.merit_share) == ("c", 0.125)
    assert "0.2" in left_out.reason


def test_a_ceiling_that_nothing_can_break_is_left_out():
    ratio = ExposureRatio(attribute="provider", group="a", merit="catalogue", at_most=2.0)
    after = resolve(Constraints(ratios=(ratio,)), POOLS, TINY)
    assert after.exposure == () and "more than 2" in after.left_out[0].reason


def test_merit_is_that_of_what_may_be_shown():
    """Without items 0 and 5, "a" is down to item 1: 1 of 4 items, none and half of the pools."""
    filters = HardFilters(exclude_items=frozenset({"i0", "i5"}))
    for merit, share in (("catalogue", 1 / 4), ("pool", 1 / 4)):
        ratio = ExposureRatio(attribute="provider", group="a", merit=merit, at_least=1.0)
        after = resolve(Constraints(ratios=(ratio,), filters=filters), POOLS, TINY)
        assert after.exposure[0].share == pytest.approx(share, rel=1e-15)


def test_equal_scores_count_alike():
    flat = replace(POOLS, scores=np.ones_like(POOLS.scores))
    by_score = merit_shares(flat, TINY.group("provider"), "relevance")
    np.testing.assert_allclose(by_score, SHARES["pool"], rtol=1e-15)


def test_what_has_no_answer_is_refused():
    absent = catalogue_of([0, 0, 1, 1, 1, 2], ("a", "b", "c"))
    one = ExposureRatio(attribute="provider", group="c", at_least=0.5)
    with pytest.raises(InvalidValue, match="no pool merit"):
        resolve(Constraints(ratios=(one,)), POOLS, absent)
    with pytest.raises(InvalidValue, match="no group 'd'"):
        resolve(Constraints(ratios=(one.model_copy(update={"group": "d"}),)), POOLS, TINY)
    greedy = ExposureRatio(attribute="provider", group="a", merit="relevance", at_least=1.5)
    with pytest.raises(UnreachableConstraint, match="more than all"):
        resolve(Constraints(ratios=(greedy,)), POOLS, TINY)
    with pytest.raises(EmptyData):
        merit_shares(POOLS.keep(np.zeros(6, bool)), TINY.group("provider"), "pool")
    many = catalogue_of(list(range(100)), tuple(f"p{i}" for i in range(100)))
    ratio = ExposureRatio(attribute="provider", every_group=True, merit="catalogue", at_least=0.5)
    with pytest.raises(InvalidValue, match=f"more than {MOST_LIMITS}"):
        resolve(Constraints(ratios=(ratio,)), POOLS, many)


@pytest.mark.parametrize(
    "wrong",
    [
        {"group": "a"},
        {"at_least": 0.5},
        {"group": "a", "every_group": True, "at_least": 0.5},
        {"group": "a", "at_least": 0.9, "at_most": 0.8},
        {"group": "a", "at_least": -0.1},
    ],
)
def test_a_ratio_says_whom_and_how_much(wrong):
    with pytest.raises(ValidationError):
        ExposureRatio.model_validate({"attribute": "provider", **wrong})


def test_nothing_that_holds_limits_takes_ratios_unresolved():
    ratio = ExposureRatio(attribute="provider", group="a", at_least=0.5)
    loose = Constraints(ratios=(ratio,))
    for use in (
        lambda: PoolContext.of(POOLS, TINY, loose),
        lambda: ConstraintController(loose),
        lambda: check_reachable(POOLS, loose, TINY, 2),
    ):
        with pytest.raises(InvalidValue, match="name no share yet"):
            use()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), ratio=st.floats(0.0, 1.0))
def test_what_a_random_slate_gives_can_always_be_asked_for(seed, ratio):
    """At a ratio to the pool of at most 1 every group can be served together."""
    rng = np.random.default_rng(seed)
    catalogue = catalogue_of(rng.integers(-1, 4, 30).tolist(), ("a", "b", "c", "d"))
    items = np.argsort(rng.random((6, 30)), axis=1)[:, :12]
    scores = np.sort(rng.normal(size=items.shape))[:, ::-1]
    pools = CandidatePools(np.arange(6), items, scores)
    every = ExposureRatio(attribute="provider", every_group=True, at_least=ratio, at_most=1.0)
    after = resolve(Constraints(ratios=(every,)), pools, catalogue)
    check_reachable(pools, after, catalogue, 4)
