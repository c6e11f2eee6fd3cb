import numpy as np
import pytest
import scipy.sparse as sp
from fairloop.arrays import PAD
from fairloop.candidates import item_weights
from fairloop.candidates.ease import ease_weights
from fairloop.candidates.item_weights import ItemWeights
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.candidates.top_n import top_n
from fairloop.errors import UnknownItem, UnknownUser
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


@pytest.fixture(scope="module")
def candidates():
    return synthetic_candidates()


def test_pools_hold_nothing_that_was_seen(candidates):
    pools = candidates.pools()
    for user, items in zip(pools.users, pools.items, strict=True):
        assert not np.isin(items, candidates.seen(user)).any()
        assert len(set(items)) == len(items)


def test_pools_of_chosen_users_stand_in_their_order(candidates):
    pools = candidates.pools(np.array([5, 2]))
    assert pools.users.tolist() == [5, 2]
    np.testing.assert_array_equal(pools.items, candidates.items[[5, 2]])


def test_scores_fall_and_are_the_sum_of_their_parts(candidates):
    for user in range(10):
        items, scores = candidates.items[user], candidates.scores[user]
        assert (np.diff(scores) <= 0).all()
        parts = candidates.item_weights.contributions(candidates.history(user), items)
        np.testing.assert_allclose(parts.sum(axis=0), scores, atol=1e-5)


def test_public_ids_are_found_or_named(candidates):
    assert candidates.user_ids[candidates.user_index("u7")] == "u7"
    assert candidates.catalogue.item_ids[candidates.item_index("i9")] == "i9"
    with pytest.raises(UnknownUser, match="nobody"):
        candidates.user_index("nobody")
    with pytest.raises(UnknownItem, match="nothing"):
        candidates.item_index("nothing")
    with pytest.raises(UnknownUser):
        candidates.pools(np.array([candidates.n_users]))


def test_splits_share_no_pair(candidates):
    parts = (candidates.train, candidates.valid, candidates.heldout)
    assert sum(map(len, parts)) == len(parts[0].plus(parts[1]).plus(parts[2]))
    for part in parts[1:]:
        assert not candidates.train.contains(part.user, part.item[:, None]).any()


def test_equal_seeds_give_equal_candidates(candidates):
    again, other = synthetic_candidates(), synthetic_candidates(seed=1)
    np.testing.assert_array_equal(candidates.items, again.items)
    assert not np.array_equal(candidates.items, other.items)


def test_ease_minimises_its_objective():
    # B minimises |X - XB|^2 + reg |B|^2 subject to diag(B) = 0 (Steck 2019, equations 1 to 3).
    rng = np.random.default_rng(0)
    x = (rng.random((30, 8)) < 0.4).astype(float)
    best = ease_weights(sp.csr_matrix(x), reg_weight=5.0).astype(float)

    def objective(b):
        return ((x - x @ b) ** 2).sum() + 5.0 * (b**2).sum()

    assert np.diag(best).tolist() == [0.0] * 8
    for _ in range(20):
        step = rng.normal(size=(8, 8)) * 1e-2
        np.fill_diagonal(step, 0.0)
        assert objective(best + step) > objective(best)


@settings(max_examples=80, deadline=None)
@given(
    hnp.arrays(np.float64, (3, 7), elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0])),
    hnp.arrays(np.bool_, (3, 7)),
    st.integers(1, 9),
)
def test_top_n_is_a_sort_that_skips_what_was_seen(scores, seen, n):
    items, best = top_n(scores, sp.csr_matrix(seen.astype(np.float32)), n)
    for row in range(3):
        able = [i for i in range(7) if not seen[row, i] and np.isfinite(scores[row, i])]
        expected = sorted(able, key=lambda i: (-scores[row, i], i))[:n]
        found = items[row][items[row] != PAD].tolist()
        assert found == expected
        assert best[row][: len(found)].tolist() == scores[row, expected].tolist()
        assert (items[row][len(found) :] == PAD).all()


def test_large_catalogues_keep_the_largest_weights_of_each_item(monkeypatch):
    monkeypatch.setattr(item_weights, "DENSE_LIMIT", 5)
    monkeypatch.setattr(item_weights, "KEPT_PER_ITEM", 2)
    full = np.random.default_rng(0).normal(size=(9, 9)).astype(np.float32)
    kept = ItemWeights.of(full)
    assert kept.truncated
    dense = kept.dense
    for column in range(9):
        largest = np.argsort(-np.abs(full[:, column]))[:2]
        assert set(np.flatnonzero(dense[:, column])) == set(largest)
        np.testing.assert_array_equal(dense[largest, column], full[largest, column])
    history, items = np.array([1, 4, 8]), np.array([0, 7])
    np.testing.assert_array_equal(kept.contributions(history, items), dense[np.ix_(history, items)])
    back = ItemWeights.from_arrays(kept.to_arrays())
    assert back is not None
    assert back.truncated
    np.testing.assert_array_equal(back.dense, dense)


def test_small_catalogues_keep_every_weight():
    full = np.random.default_rng(0).normal(size=(9, 9)).astype(np.float32)
    kept = ItemWeights.of(sp.csr_matrix(full))
    assert not kept.truncated
    np.testing.assert_array_equal(kept.dense, full)
