"""What every re-ranker owes, run over each of them."""

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, HardFilters
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
cases = given(
    seed=st.integers(0, 10**6), n_users=st.integers(1, 9), k=st.integers(1, 8), ragged=st.booleans()
)


@quick
@cases
def test_slates_come_from_the_pool_without_repeats(fresh, make_pools, seed, n_users, k, ragged):
    pools = make_pools(n_users, 16, seed=seed, ragged=ragged)
    slates = fresh().rerank(pools, k, np.random.default_rng(seed))
    assert slates.items.shape == slates.columns.shape == (n_users, k)
    assert slates.propensities.shape == (n_users,)
    assert (slates.items != PAD).all()
    np.testing.assert_array_equal(
        slates.items, np.take_along_axis(pools.items, slates.columns, axis=1)
    )
    for row in slates.columns:
        assert len(set(row.tolist())) == k
    assert ((slates.propensities > 0) & (slates.propensities <= 1)).all()


@quick
@cases
def test_equal_seeds_give_equal_slates(fresh, make_pools, seed, n_users, k, ragged):
    pools = make_pools(n_users, 16, seed=seed, ragged=ragged)
    one = fresh().rerank(pools, k, np.random.default_rng(seed))
    two = fresh().rerank(pools, k, np.random.default_rng(seed))
    np.testing.assert_array_equal(one.columns, two.columns)
    np.testing.assert_array_equal(one.propensities, two.propensities)


@quick
@cases
def test_permuting_users_permutes_slates(fresh, make_pools, seed, n_users, k, ragged):
    pools = make_pools(n_users, 16, seed=seed, ragged=ragged)
    order = np.random.default_rng(seed).permutation(n_users)
    straight = fresh().rerank(pools, k, np.random.default_rng(5))
    moved = fresh().rerank(pools.take(order), k, np.random.default_rng(5))
    np.testing.assert_array_equal(moved.columns, straight.columns[order])
    np.testing.assert_allclose(moved.propensities, straight.propensities[order], rtol=1e-12)


def test_inputs_are_not_modified(fresh, make_pools) -> None:
    pools = make_pools(7, 16, ragged=True)
    arrays = (pools.users, pools.items, pools.scores)
    before = [a.copy() for a in arrays]
    for array in arrays:
        array.setflags(write=False)
    fresh().rerank(pools, 4, np.random.default_rng(0))
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("k", [0, -1, 17])
def test_a_k_that_no_pool_can_fill_is_refused(fresh, make_pools, k) -> None:
    with pytest.raises(InvalidValue) as caught:
        fresh().rerank(make_pools(3, 16), k, np.random.default_rng(0))
    assert caught.value.field == "k" and caught.value.mend


def test_k_above_the_smallest_of_ragged_pools_is_refused(fresh, make_pools) -> None:
    pools = make_pools(8, 16, ragged=True)
    smallest = int(pools.sizes.min())
    fresh().rerank(pools, smallest, np.random.default_rng(0))
    with pytest.raises(InvalidValue, match="k"):
        fresh().rerank(pools, smallest + 1, np.random.default_rng(0))


def test_the_whole_pool_may_be_asked_for(fresh, make_pools) -> None:
    slates = fresh().rerank(make_pools(5, 9), 9, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(slates.columns, axis=1), np.tile(np.arange(9), (5, 1)))


def test_no_users_no_slates(fresh, make_pools) -> None:
    empty = make_pools(3, 9).take(np.zeros(0, int))
    slates = fresh().rerank(empty, 4, np.random.default_rng(0))
    assert slates.items.shape == (0, 4)


def test_scores_of_any_finite_size_and_dtype_work(fresh, make_pools) -> None:
    pools = make_pools(4, 12)
    for scores in (np.zeros((4, 12)), pools.scores * 1e12, pools.scores.astype(np.float32)):
        other = CandidatePools(pools.users, pools.items.astype(np.int32), scores)
        slates = fresh().rerank(other, 5, np.random.default_rng(0))
        assert ((slates.propensities > 0) & (slates.propensities <= 1)).all()


def test_hard_filters_are_honoured_and_columns_stay_the_callers(
    fresh, make_pools, catalogue, constraints
) -> None:
    banned = catalogue.item_ids[::7].tolist()
    filters = HardFilters(exclude_topics=frozenset({"t1"}), exclude_items=frozenset(banned))
    limited = Constraints(
        exposure=constraints.exposure, min_diversity=constraints.min_diversity, filters=filters
    )
    pools = make_pools(10, 40, ragged=True)
    slates = fresh(limited).rerank(pools, 4, np.random.default_rng(0))
    assert filters.allowed(catalogue)[slates.items].all()
    np.testing.assert_array_equal(
        slates.items, np.take_along_axis(pools.items, slates.columns, axis=1)
    )
    with pytest.raises(InvalidValue, match=r"filters: .* fewer than k=30"):
        fresh(limited).rerank(pools, 30, np.random.default_rng(0))


def test_it_says_its_name(fresh, config) -> None:
    assert fresh().name == config.algorithm


def test_one_user_and_one_candidate_are_enough(fresh, make_pools) -> None:
    slates = fresh().rerank(make_pools(1, 1), 1, np.random.default_rng(0))
    assert slates.columns.tolist() == [[0]]
