import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers import greedy
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.greedy import FEW, GROUP, build_slates
from fairloop.rerankers.shortlist import CERTAIN, cut_off, holds, shortlists
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers.plain_linear import plain_slate


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    strengths=st.lists(st.floats(-3, 9, width=32), min_size=FEW + 1, max_size=FEW + 3),
    spread=st.sampled_from([0.0, 0.1, 1.0, 30.0]),
    coarse=st.booleans(),
    k=st.integers(1, 7),
    likely=st.sampled_from([0.0, 0.5, 1.0, "compiled"]),
)
def test_slates_are_those_of_the_definition_to_the_last_bit(
    make_pools, catalogue, seed, strengths, spread, coarse, k, likely
):
    """Whatever the shortlist guesses, and however many candidates tie."""
    pools = make_pools(len(strengths), 40, seed=seed, ragged=True)
    context = PoolContext.of(pools, catalogue, Constraints())
    scores = np.random.default_rng(seed).normal(size=pools.items.shape) * spread
    scores = np.round(scores, 1) if coarse else scores
    with pytest.MonkeyPatch.context() as patch:
        if likely == "compiled":
            patch.setattr(greedy, "MANY", 0)
        else:
            patch.setattr(greedy, "LIKELY", likely)
        columns = build_slates(scores, np.array(strengths), context, k)
    for user, strength in enumerate(strengths):
        assert columns[user].tolist() == plain_slate(scores[user], strength, context, user, k)


@pytest.mark.parametrize("compiled", [False, True])
def test_one_by_one_is_as_together(make_pools, catalogue, monkeypatch, compiled) -> None:
    n = GROUP + 5
    monkeypatch.setattr(greedy, "MANY", 0 if compiled else n + 1)
    context = PoolContext.of(make_pools(n, 30, seed=4, ragged=True), catalogue, Constraints())
    rng = np.random.default_rng(4)
    scores = np.round(rng.normal(size=context.items.shape), 1)  # ties abound
    strength = rng.uniform(0, 4, n).astype(np.float32)
    columns = build_slates(scores, strength, context, 6)
    for user in range(n):
        row = np.array([user])
        alone = build_slates(scores[row], strength[row], context.take(row), 6)
        assert alone[0].tolist() == columns[user].tolist()


def test_a_distant_candidate_far_down_is_found(make_pools, catalogue, monkeypatch) -> None:
    """Nine candidates alike on top, one unlike them beyond the likely shortlist."""
    context = PoolContext.of(make_pools(FEW + 1, 30, seed=1), catalogue, Constraints())
    distance, patterns = context.pattern_distance, context.patterns
    patterns[:], unlike = patterns[0, 0], int(distance[patterns[0, 0]].argmax())
    patterns[:, 25] = unlike
    assert distance[patterns[0, 0], unlike] == 1.0
    scores = np.where(np.arange(30) < 9, 1.0, -5.0) * np.ones((FEW + 1, 1))
    scores[:, 25] = 1.0 - 0.9  # gains 1.1 at strength 1, though far below the ninth best
    strength = np.ones(FEW + 1, np.float32)
    short = cut_off(scores.astype(np.float32), strength, 9, greedy.LIKELY)
    assert (scores[:, 25] < short).all()
    for many in (0, 99):
        monkeypatch.setattr(greedy, "MANY", many)
        assert build_slates(scores, 1.0, context, 9)[:, 1].tolist() == [25] * (FEW + 1)


@given(
    seed=st.integers(0, 10**6), k=st.integers(1, 12), n=st.integers(12, 90), size=st.floats(0, 5)
)
def test_a_certain_cut_off_leaves_nobody_within_reach_out(seed, k, n, size):
    scores = np.random.default_rng(seed).normal(size=(6, n)).astype(np.float32)
    strength = np.full(6, size, np.float32)
    cut = cut_off(scores, strength, k, CERTAIN)
    kth_best = np.sort(scores, axis=1)[:, -k]
    assert (cut < kth_best - strength).all() or size == 0
    assert (cut <= kth_best).all()
    cells, start, count = shortlists(scores, cut)
    for user in range(6):
        listed = cells[start[user] : start[user] + count[user]] - user * n
        assert listed.tolist() == np.flatnonzero(scores[user] >= cut[user]).tolist()


def test_without_numba_many_slates_are_filled_all_the_same(
    make_pools, catalogue, monkeypatch
) -> None:
    context = PoolContext.of(make_pools(FEW + 2, 20, seed=2), catalogue, Constraints())
    scores = np.random.default_rng(2).normal(size=context.items.shape)
    expected = build_slates(scores, 0.5, context, 5)
    monkeypatch.setattr(greedy, "MANY", 0)
    monkeypatch.setattr(greedy, "find_spec", lambda name: None)
    greedy.compiled_fill.cache_clear()
    assert greedy.compiled_fill() is None
    np.testing.assert_array_equal(build_slates(scores, 0.5, context, 5), expected)
    greedy.compiled_fill.cache_clear()


def test_without_a_distance_term_the_shortlist_always_holds() -> None:
    scores = np.random.default_rng(3).normal(size=(50, 40)).astype(np.float32) * 1e4
    nothing = np.zeros(50, np.float32)
    cut = cut_off(scores, nothing, 8, 0.5)
    assert holds(np.sort(scores, axis=1)[:, -8], nothing, cut).all()


@pytest.mark.parametrize("many", [0, 99])
def test_scores_without_end_keep_their_order_and_strengths_need_one(
    make_pools, catalogue, monkeypatch, many
) -> None:
    monkeypatch.setattr(greedy, "MANY", many)
    context = PoolContext.of(make_pools(FEW + 2, 20, seed=2), catalogue, Constraints())
    scores = np.random.default_rng(2).normal(size=context.items.shape)
    scores[:, 4], scores[:, 2] = np.inf, -np.inf
    columns = build_slates(scores, 0.5, context, 19)
    assert (columns[:, 0] == 4).all() and not (columns == 2).any()
    scores[:, :8] = np.inf
    assert (build_slates(scores, 0.5, context, 5) == np.arange(5)).all()
    with pytest.raises(InvalidValue, match="not finite"):
        build_slates(scores, np.nan, context, 5)
