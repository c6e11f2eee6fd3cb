import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics.diversity import intra_list_jaccard
from fairloop.metrics.exposure import exposure_share
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.greedy import BLOCK, build_slates, slate_diversity, slate_exposure_share
from fairloop.rerankers.patterns import jaccard_distance
from hypothesis import given, settings
from hypothesis import strategies as st


def slow_slate(scores, topics, valid, diversity: float, k: int) -> list[int]:
    """One user, one position at a time, straight from the definition."""
    distance = jaccard_distance(topics, topics)
    chosen: list[int] = []
    for _ in range(k):
        gains = [
            -np.inf
            if column in chosen or not valid[column]
            else scores[column]
            + (diversity * np.mean([distance[column, c] for c in chosen]) if chosen else 0.0)
            for column in range(len(scores))
        ]
        chosen.append(int(np.argmax(gains)))
    return chosen


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    diversity=st.floats(-2, 8),
    k=st.integers(1, 8),
    n_users=st.integers(1, 6),
)
def test_equals_the_plain_loop(make_pools, catalogue, constraints, seed, diversity, k, n_users):
    pools = make_pools(n_users, 16, seed=seed, ragged=True)
    context = PoolContext.of(pools, catalogue, constraints)
    scores = np.random.default_rng(seed).normal(size=pools.items.shape)
    columns = build_slates(scores, diversity, context, k)
    for user in range(n_users):
        expected = slow_slate(scores[user], context.topics[user], context.valid[user], diversity, k)
        assert columns[user].tolist() == expected


def test_users_may_differ_in_strength_and_blocks_leave_no_seam(make_pools, catalogue, constraints):
    n = BLOCK + 7
    context = PoolContext.of(make_pools(n, 12, seed=1), catalogue, constraints)
    scores = np.random.default_rng(1).normal(size=context.items.shape)
    strength = np.linspace(0, 5, n)
    columns = build_slates(scores, strength, context, 5)
    for user in (0, 100, BLOCK - 1, BLOCK, n - 1):
        row = np.array([user])
        alone = build_slates(scores[row], strength[row], context.take(row), 5)
        np.testing.assert_array_equal(columns[user], alone[0])


def test_without_diversity_it_sorts_and_ties_go_to_the_lowest_column(
    make_pools, catalogue, constraints
):
    context = PoolContext.of(make_pools(3, 10), catalogue, constraints)
    scores = np.array([[1.0, 3.0, 3.0, 2.0, 0, 0, 0, 0, 0, 0]] * 3)
    assert build_slates(scores, 0.0, context, 5).tolist() == [[1, 2, 3, 0, 4]] * 3


def test_measures_agree_with_the_metrics_room(make_pools, catalogue, constraints) -> None:
    pools = make_pools(9, 15, seed=3)
    context = PoolContext.of(pools, catalogue, constraints)
    columns = build_slates(pools.scores, 1.0, context, 6)
    lists = np.take_along_axis(pools.items, columns, axis=1)
    np.testing.assert_allclose(
        slate_diversity(context, columns), intra_list_jaccard(lists, catalogue.topics), atol=1e-5
    )
    shares = exposure_share(lists, catalogue.groups["popularity"].codes, 2)
    measured = slate_exposure_share(context, columns)
    assert measured.shape == (1, 9)
    assert measured.mean() == pytest.approx(shares[1], abs=1e-5)
    assert (slate_diversity(context, columns[:, :1]) == 0).all()


def test_bad_input_is_refused(make_pools, catalogue, constraints) -> None:
    pools = make_pools(3, 10, ragged=True)
    context = PoolContext.of(pools, catalogue, constraints)
    smallest = int(pools.sizes.min())
    with pytest.raises(InvalidValue, match=f"between 1 and {smallest}"):
        build_slates(pools.scores, 0.0, context, smallest + 1)
    with pytest.raises(InvalidValue, match="NaN"):
        build_slates(np.full(pools.items.shape, np.nan), 0.0, context, 2)
    with pytest.raises(InvalidValue, match="scores for pools"):
        build_slates(pools.scores[:2], 0.0, context, 2)
