"""Slates that are best together: against every slate there is, greedy's, and a plain slow check."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers import joint
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.greedy import build_slates, slate_diversity
from fairloop.rerankers.joint import (
    BLOCK,
    SMALLEST_GAIN,
    joint_objective,
    joint_slates,
    swap_gains,
    swap_while_it_pays,
)
from fairloop.rerankers.patterns import jaccard_distance
from hypothesis import given, settings
from hypothesis import strategies as st

DRAWN = {
    "seed": st.integers(0, 10**6),
    "price": st.floats(0.0, 4.0, width=32),
    "k": st.integers(1, 6),
    "bias": st.sampled_from([0.0, 0.5, 1.0]),
}


def looks_of(k: int, bias: float = 1.0) -> np.ndarray:
    return 1.0 / np.log2(np.arange(2, k + 2)) ** bias


@pytest.fixture(scope="module")
def draw(make_pools, catalogue, constraints):
    """Pools, and values of looks at them."""

    def make(seed: int, n_users: int = 4, n_columns: int = 14):
        pools = make_pools(n_users, n_columns, seed=seed, ragged=True)
        values = np.random.default_rng(seed).normal(size=pools.items.shape).astype(np.float32)
        return PoolContext.of(pools, catalogue, constraints), values

    return make


def worth(values, distance, price: float, looks, shown) -> float:
    """The objective of one set of columns of one user, straight from its definition."""
    k, ordered = len(shown), sorted((float(values[c]) for c in shown), reverse=True)
    mean = sum(w * v for w, v in zip(looks, ordered, strict=True)) / sum(looks)
    pairs = [distance[a, b] for a, b in combinations(shown, 2)]
    return mean + (price * sum(pairs) / len(pairs) if k > 1 else 0.0)


def users_of(context: PoolContext):
    """Index, columns that hold a candidate, and their distances, of each user."""
    for user in range(len(context)):
        topics = context.topics[user]
        yield user, np.flatnonzero(context.valid[user]), jaccard_distance(topics, topics)


def test_it_is_nearly_always_the_best_of_all_slates(draw) -> None:
    """Every set of 3 of up to 9 candidates; where a better one exists, it is hardly better."""
    looks, short = looks_of(3), []
    for seed in range(40):
        price = (0.1, 0.5, 1.0, 3.0)[seed % 4]
        context, values = draw(seed, n_columns=9)
        found = joint_slates(values, price, looks, context)
        for user, columns, distance in users_of(context):
            every = [
                worth(values[user], distance, price, looks, s) for s in combinations(columns, 3)
            ]
            short.append(max(every) - worth(values[user], distance, price, looks, found[user]))
    missed = np.array(short) > 1e-6
    assert (np.array(short) > -1e-6).all()
    assert missed.mean() < 0.03 and max(short) < 0.2


@settings(max_examples=60, deadline=None)
@given(**DRAWN)
def test_it_is_never_worse_than_greedy(draw, seed, price, k, bias) -> None:
    context, values = draw(seed)
    looks = looks_of(k, bias)
    found = joint_slates(values, price, looks, context)
    greedy = build_slates(values, price, context, k)
    after = joint_objective(values, price, looks, context, found)
    before = joint_objective(values, price, looks, context, greedy)
    assert (after >= before - 1e-5).all()


def test_where_diversity_has_a_price_it_mostly_is_better_than_greedy(draw) -> None:
    looks, better = looks_of(6), []
    for seed in range(10):
        context, values = draw(seed, n_columns=30)
        slates = (joint_slates(values, 1.0, looks, context), build_slates(values, 1.0, context, 6))
        after, before = (joint_objective(values, 1.0, looks, context, s) for s in slates)
        better.append(after > before + 1e-4)
    assert np.mean(better) > 0.5


@settings(max_examples=40, deadline=None)
@given(**DRAWN)
def test_no_swap_improves_it(draw, seed, price, k, bias) -> None:
    context, values = draw(seed, n_users=2)
    looks = looks_of(k, bias)
    found = joint_slates(values, price, looks, context)
    for user, columns, distance in users_of(context):
        shown = found[user].tolist()
        assert set(shown) <= set(columns.tolist()) and len(set(shown)) == k
        assert (np.diff(values[user, shown]) <= 0).all()
        now = worth(values[user], distance, price, looks, shown)
        for i in range(k):
            for other in set(columns.tolist()) - set(shown):
                swapped = [*shown[:i], other, *shown[i + 1 :]]
                assert worth(values[user], distance, price, looks, swapped) <= now + 1e-6


@settings(max_examples=30, deadline=None)
@given(**DRAWN)
def test_what_a_swap_brings_is_the_difference_of_the_objective(draw, seed, price, k, bias) -> None:
    context, values = draw(seed, n_users=2)
    looks, values = looks_of(k, bias), values.astype(np.float64)
    slates = build_slates(values, 0.0, context, k)
    pairs = max(k * (k - 1) / 2, 1)
    weight = np.full(2, price * looks.sum() / pairs)
    table = context.pattern_distance.astype(np.float64)
    gains = swap_gains(values, context.patterns, table, weight, looks, slates)
    for user, columns, distance in users_of(context):
        shown = slates[user].tolist()
        now = worth(values[user], distance, price, looks, shown)
        for i in range(k):
            for other in set(columns.tolist()) - set(shown):
                swapped = [*shown[:i], other, *shown[i + 1 :]]
                then = worth(values[user], distance, price, looks, swapped)
                assert gains[user, i, other] / looks.sum() == pytest.approx(then - now, abs=1e-5)


def test_at_price_0_it_is_a_sort_and_ties_go_to_the_lowest_column(draw) -> None:
    context, values = draw(3)
    tied = np.round(values)  # many are equal
    for value in (values, tied):
        order = np.argsort(np.where(context.valid, -value, np.inf), axis=1, kind="stable")
        np.testing.assert_array_equal(joint_slates(value, 0.0, looks_of(5), context), order[:, :5])


def test_ties_resolve_alike_each_time_and_to_low_columns(draw) -> None:
    """All worth the same and equally far apart: nothing to swap, the first columns stay."""
    context, values = draw(4, n_columns=12)
    same = replace(context, pattern_distance=np.zeros_like(context.pattern_distance))
    alike = np.zeros_like(values)
    assert joint_slates(alike, 1.0, looks_of(4), same).tolist() == [[0, 1, 2, 3]] * 4
    tied = np.round(values)
    first, again = (joint_slates(tied, 0.7, looks_of(4), context) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    shown = np.take_along_axis(tied, first, axis=1)
    rising = np.diff(first, axis=1) > 0
    assert rising[np.diff(shown, axis=1) == 0].all()


def test_it_does_not_depend_on_the_other_users(draw) -> None:
    context, values = draw(5, n_users=BLOCK + 3, n_columns=20)
    price = np.linspace(0.0, 2.0, len(context))
    looks = looks_of(5)
    together = joint_slates(values, price, looks, context)
    for user in (0, 1, BLOCK - 1, BLOCK, BLOCK + 2):
        row = np.array([user])
        alone = joint_slates(values[row], price[row], looks, context.take(row))
        np.testing.assert_array_equal(alone[0], together[user])


def arrays(context: PoolContext, values, price: float, looks):
    """What both implementations take, but for the slates to begin with."""
    n, k = len(context), len(looks)
    weight = np.full(n, price * looks.sum() * 2 / max(k * (k - 1), 1))
    table = context.pattern_distance.astype(np.float64)
    values = np.where(context.valid, values, 0.0).astype(np.float64)
    return values, context.valid, context.patterns, table, weight, looks, np.full(n, SMALLEST_GAIN)


@settings(max_examples=30, deadline=None)
@given(tied=st.booleans(), **DRAWN)
def test_compiled_and_plain_are_equal_bit_for_bit(draw, seed, price, k, bias, tied) -> None:
    compiled = pytest.importorskip("fairloop.rerankers.joint_compiled").swap_users
    context, values = draw(seed)
    values = np.round(values) if tied else values
    given_arrays = arrays(context, values, price, looks_of(k, bias))
    start = build_slates(values, price, context, k)
    plain = swap_while_it_pays(*given_arrays, start)
    compiled(*given_arrays, start)
    np.testing.assert_array_equal(start, plain)


def test_without_numba_slates_are_the_same(draw, monkeypatch) -> None:
    context, values = draw(6, n_users=BLOCK + 3, n_columns=20)
    found = joint_slates(values, 0.8, looks_of(5), context)
    monkeypatch.setattr(joint, "compiled_swaps", lambda: None)
    np.testing.assert_array_equal(joint_slates(values, 0.8, looks_of(5), context), found)


def test_a_higher_price_buys_more_diversity_for_less_value(draw) -> None:
    context, values = draw(7, n_users=30, n_columns=30)
    slates = [joint_slates(values, p, looks_of(6), context) for p in (0.0, 0.5, 2.0)]
    diversity = [slate_diversity(context, s).mean() for s in slates]
    value = [joint_objective(values, 0.0, looks_of(6), context, s).mean() for s in slates]
    assert (np.diff(diversity) > 0.01).all() and (np.diff(value) < 0).all()


def test_what_stands_in_padding_plays_no_part(draw) -> None:
    context, values = draw(8)
    found = joint_slates(values, 1.0, looks_of(4), context)
    for filler in (np.inf, np.nan, 1e30):
        filled = np.where(context.valid, values, np.float32(filler))
        np.testing.assert_array_equal(joint_slates(filled, 1.0, looks_of(4), context), found)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"price": -0.1}, "price"),
        ({"price": np.nan}, "price"),
        ({"price": np.inf}, "price"),
        ({"looks": np.array([0.5, 1.0])}, "looks"),
        ({"looks": np.array([1.0, 0.0])}, "looks"),
        ({"looks": np.ones((2, 2))}, "looks"),
        ({"looks": np.ones(0)}, "k=0"),
        ({"values": np.full((4, 14), np.inf)}, "values"),
        ({"values": np.full((4, 14), np.nan)}, "values"),
        ({"values": np.zeros((3, 14))}, "values"),
        ({"looks": np.ones(15)}, "k=15"),
    ],
)
def test_bad_input_is_refused(draw, changed, field: str) -> None:
    context, values = draw(9)
    inputs = {"values": values, "price": 1.0, "looks": looks_of(3), **changed}
    with pytest.raises(InvalidValue, match=field):
        joint_slates(**inputs, context=context)
