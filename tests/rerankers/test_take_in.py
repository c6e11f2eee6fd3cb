"""One slate taken in, compiled for many rows and in numpy for few: the same to the last bit."""

from dataclasses import fields

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.rerankers.state import MEMORY, ObservedState, SlateFeedback, new_state
from fairloop.rerankers.take_in import MANY, take_in

N_ROWS, N_COLUMNS, N_TOPICS, K = MANY + 40, 30, 7, 9


def feedback(rng: np.random.Generator, n_rows: int, k: int) -> SlateFeedback:
    """Slates of which some items have left the pool and some clicks were not rated."""
    columns = np.argsort(rng.random((n_rows, N_COLUMNS)), axis=1)[:, :k]
    columns[rng.random(columns.shape) < 0.1] = PAD
    clicks = rng.random(columns.shape) < 0.4
    ratings = np.where(clicks & (rng.random(clicks.shape) < 0.7), rng.random(clicks.shape), np.nan)
    return SlateFeedback(columns, clicks, ratings, rng.integers(0, 4, n_rows).astype(float))


def rows_of(feedback: SlateFeedback, rows: np.ndarray) -> SlateFeedback:
    return SlateFeedback(*(getattr(feedback, f.name)[rows] for f in fields(feedback)))


def assert_same(a: ObservedState, b: ObservedState) -> None:
    for field in fields(a):
        np.testing.assert_array_equal(
            getattr(a, field.name), getattr(b, field.name), err_msg=field.name
        )


@pytest.mark.parametrize("some_away", [False, True])
@pytest.mark.parametrize("topic_type", [np.float32, np.bool_])
@pytest.mark.parametrize("n_topics, k", [(N_TOPICS, K), (1, K), (N_TOPICS, 1)])
def test_many_rows_at_once_are_as_few_at_a_time(some_away, topic_type, n_topics, k) -> None:
    rng = np.random.default_rng(3)
    topics = (rng.random((20, n_topics)) < 0.3).astype(topic_type)
    together, apart = (new_state(N_ROWS + 5, N_COLUMNS, n_topics) for _ in range(2))
    rows = rng.permutation(N_ROWS + 5)[:N_ROWS]
    for _ in range(4):
        given, sets = feedback(rng, N_ROWS, k), rng.integers(0, 20, (N_ROWS, k))
        active = rng.random(N_ROWS) < 0.8 if some_away else None
        take_in(together, rows, given, topics, sets, MEMORY, active)
        for part in np.array_split(np.arange(N_ROWS), 8):
            present = None if active is None else active[part]
            part_of = rows_of(given, part)
            take_in(apart, rows[part], part_of, topics, sets[part], MEMORY, present)
        assert_same(together, apart)
    assert together.topic_satisfaction.any() and together.preference.any()


def test_all_rows_by_slice_are_as_all_rows_by_number() -> None:
    rng = np.random.default_rng(4)
    topics, given = np.eye(N_TOPICS, dtype=np.float32), feedback(rng, N_ROWS, K)
    sets = rng.integers(0, N_TOPICS, (N_ROWS, K))
    by_slice, by_number = (new_state(N_ROWS, N_COLUMNS, N_TOPICS) for _ in range(2))
    take_in(by_slice, slice(None), given, topics, sets, MEMORY)
    take_in(by_number, np.arange(N_ROWS), given, topics, sets, MEMORY)
    assert_same(by_slice, by_number)
    assert by_slice.n_slates.all()
