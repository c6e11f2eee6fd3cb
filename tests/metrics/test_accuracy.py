"""Accuracy against plain loops, RecBole's own code and closed forms."""

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics import accuracy
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_metrics


def draw(seed: int, n_users: int = 40, k: int = 10, n_items: int = 60):
    rng = np.random.default_rng(seed)
    lists = rng.permuted(np.tile(np.arange(n_items), (n_users, 1)), axis=1)[:, :k]
    lists[rng.random(lists.shape) < 0.05] = -1
    held = rng.random((n_users, n_items)) < rng.choice([0.0, 0.05, 0.5], size=(n_users, 1))
    return lists, *np.nonzero(held), n_items


METRICS = ("ndcg", "recall", "precision", "hit", "reciprocal_rank", "average_precision")


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("seed", range(3))
def test_metrics_equal_a_plain_loop(name: str, seed: int) -> None:
    lists, users, items, n_items = draw(seed)
    judged = accuracy.relevance_of(lists, np.arange(len(lists)), users, items, n_items)
    wanted = plain_metrics.held_out(users, items, len(lists))
    fast, slow = getattr(accuracy, name)(*judged), getattr(plain_metrics, name)(lists, wanted)
    np.testing.assert_allclose(fast, slow, atol=1e-12)


def test_lists_of_one_user_are_judged_by_the_same_pairs_and_repeats_count_once() -> None:
    lists = np.array([[0, 1], [2, 0], [0, 2]])
    relevance, n_relevant = accuracy.relevance_of(
        lists, np.array([5, 5, 1]), np.array([5, 5, 5, 1]), np.array([0, 0, 2, 1]), 3
    )
    assert relevance.tolist() == [[True, False], [True, True], [False, False]]
    assert n_relevant.tolist() == [2, 2, 1]


def test_without_held_out_pairs_nothing_can_be_judged() -> None:
    none = np.array([], dtype=int)
    relevance, n_relevant = accuracy.relevance_of(np.array([[0, 1]]), np.array([0]), none, none, 2)
    assert np.isnan(accuracy.ndcg(relevance, n_relevant)).all()


def test_an_unknown_item_is_refused() -> None:
    one = np.array([0])
    with pytest.raises(InvalidValue, match="item index"):
        accuracy.relevance_of(np.array([[0, 7]]), one, one, one, 7)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 30))
def test_relevant_items_first_is_the_ideal(seed: int, k: int, n_relevant: int) -> None:
    top = np.arange(k)[None, :] < n_relevant
    n = np.array([n_relevant])
    assert accuracy.ndcg(top, n)[0] == pytest.approx(1.0)
    assert accuracy.average_precision(top, n)[0] == pytest.approx(1.0)
    shuffled = np.random.default_rng(seed).permuted(top, axis=1)
    assert accuracy.ndcg(shuffled, n)[0] <= 1.0 + 1e-12
    assert accuracy.recall(shuffled, n)[0] == accuracy.recall(top, n)[0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_graded_ndcg_of_binary_gains_is_ndcg(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ideal = (rng.random((6, 15)) < 0.3).astype(float)
    relevance = rng.permuted(ideal, axis=1)[:, :8] > 0
    n_relevant = ideal.sum(axis=1).astype(int)
    np.testing.assert_allclose(
        accuracy.graded_ndcg(relevance.astype(float), ideal), accuracy.ndcg(relevance, n_relevant)
    )


def test_alpha_zero_counts_topics_and_one_counts_each_once() -> None:
    rng = np.random.default_rng(3)
    pool = rng.random((5, 12, 4)) < 0.4
    shown = pool[:, :6]
    log = 1 / np.log2(np.arange(2, 8))
    ideal = -np.sort(-pool.sum(axis=2), axis=1)[:, :6] @ log
    value = accuracy.alpha_ndcg(shown, pool, alpha=0.0)
    np.testing.assert_allclose(value, shown.sum(axis=2) @ log / ideal)
    repeated = np.repeat(pool[:, :1], 6, axis=1)
    once = accuracy.alpha_ndcg(repeated, repeated, alpha=1.0)
    assert once[pool[:, 0].any(axis=1)] == pytest.approx(1.0)
