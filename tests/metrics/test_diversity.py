"""Diversity, popularity and calibration against plain loops and closed forms."""

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics import calibration, diversity, popularity
from fairloop.metrics.lists import in_blocks
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_metrics


@pytest.mark.parametrize("seed", range(3))
def test_intra_list_jaccard_equals_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    topics = rng.random((30, 6)) < 0.3
    lists = rng.permuted(np.tile(np.arange(30), (20, 1)), axis=1)[:, :7]
    lists[rng.random(lists.shape) < 0.3] = -1
    expected = plain_metrics.intra_list_jaccard(lists, topics)
    np.testing.assert_allclose(diversity.intra_list_jaccard(lists, topics), expected, atol=1e-6)


def test_blocks_of_rows_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    topics = rng.random((30, 6)) < 0.3
    lists = rng.integers(0, 30, size=(50, 5))
    whole = diversity.intra_list_jaccard(lists, topics)
    monkeypatch.setattr(diversity, "_ROWS_AT_ONCE", 7)
    np.testing.assert_array_equal(diversity.intra_list_jaccard(lists, topics), whole)


def test_cosine_of_orthogonal_opposite_and_equal_items() -> None:
    embeddings = np.array([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0], [5.0, 0.0], [0.0, 0.0]])
    lists = np.array([[0, 1], [0, 2], [0, 3], [0, 4]])
    assert diversity.intra_list_cosine(lists, embeddings) == pytest.approx([1.0, 2.0, 0.0, 1.0])


def test_lists_too_short_for_a_pair_have_no_diversity() -> None:
    lists = np.array([[0, -1], [-1, -1]])
    assert np.isnan(diversity.intra_list_jaccard(lists, np.ones((1, 2), dtype=bool))).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30), st.floats(0.1, 10))
def test_gini_is_the_mean_difference_and_ignores_scale(amounts: list[float], scale: float) -> None:
    x = np.array(amounts)
    if x.sum() < 1e-3:
        return
    mean_difference = np.abs(x[:, None] - x[None, :]).mean()
    assert diversity.gini(x) == pytest.approx(mean_difference / (2 * x.mean()), abs=1e-9)
    assert diversity.gini(x * scale) == pytest.approx(float(diversity.gini(x)), abs=1e-9)


def test_gini_at_its_ends_and_batched() -> None:
    amounts = np.array([[2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 9.0], [0.0, 0.0, 0.0, 0.0]])
    value = diversity.gini(amounts)
    assert value[:2] == pytest.approx([0.0, 3 / 4])
    assert np.isnan(value[2])


def test_entropy_of_equal_shares_is_the_logarithm_of_their_number() -> None:
    assert diversity.shannon_entropy(np.ones(8)) == pytest.approx(3.0)
    assert diversity.shannon_entropy(np.ones(8), base=np.e) == pytest.approx(np.log(8))
    assert diversity.shannon_entropy(np.array([5.0, 0.0])) == 0.0
    assert np.isnan(diversity.shannon_entropy(np.zeros(3)))


def test_coverage_counts_each_item_once_and_no_empty_position() -> None:
    assert diversity.coverage(np.array([[0, 1], [1, -1]]), 4) == 0.5
    with pytest.raises(InvalidValue, match="empty"):
        diversity.coverage(np.array([[0]]), 0)


def test_profiles_without_interactions_are_left_out_of_the_lift() -> None:
    lift = popularity.popularity_lift(np.array([30.0, 1e9]), np.array([20.0, np.nan]))
    assert lift == pytest.approx(0.5)
    assert np.isnan(popularity.popularity_lift(np.array([1.0]), np.array([np.nan])))


def test_novelty_of_an_unseen_item_is_that_of_an_item_seen_once() -> None:
    value = popularity.novelty(np.array([[0], [1]]), np.array([0.0, 1.0]), 1024)
    assert value.tolist() == [10.0, 10.0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.001, 0.5))
def test_calibration_is_zero_only_for_equal_shares(seed: int, alpha: float) -> None:
    p, q = np.random.default_rng(seed).dirichlet(np.ones(5), size=(2, 8))
    assert calibration.calibration_kl(p, p, alpha) == pytest.approx(0.0, abs=1e-12)
    assert (calibration.calibration_kl(p, q, alpha) > 0).all()


def test_topics_weighted_by_position() -> None:
    topics = np.eye(2, dtype=bool)
    shares = calibration.topic_distribution(np.array([[0, 1]]), topics, np.array([3.0, 1.0]))
    assert shares.tolist() == [[0.75, 0.25]]
    empty = calibration.topic_distribution(np.array([[-1, -1]]), topics)
    assert np.isnan(empty).all()


def test_rows_are_worked_on_in_blocks_without_a_trace() -> None:
    rows = np.arange(10.0)
    doubled = in_blocks(lambda a, b: a + b, rows, rows, rows_at_once=3)
    assert doubled.tolist() == (2 * rows).tolist()
    assert in_blocks(lambda a: a, rows[:0], rows_at_once=3).shape == (0,)
