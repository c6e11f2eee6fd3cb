import numpy as np
import pytest
from fairloop.simulators.item_memory import DenseMemory, ItemMemory, SparseMemory, make_memory
from hypothesis import given, settings
from hypothesis import strategies as st

U, N, K, HALF_LIFE = 5, 60, 4, 3.0


def add(memory: ItemMemory, rows: np.ndarray | None, columns: np.ndarray, day: np.ndarray) -> None:
    cells = memory.locate(rows, columns, keep=True)
    memory.write(cells, day, memory.read(cells, day) + np.float32(1.0))


@pytest.mark.parametrize("dense", [True, False])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_it_remembers_what_a_dictionary_does(dense: bool, seed: int) -> None:
    """Random visits, subsets and new episodes; tables start too small and have to grow."""
    rng = np.random.default_rng(seed)
    memory = make_memory(U, N, HALF_LIFE, shown=3, dense=dense)
    day = np.zeros(U, np.int32)
    plain: list[dict[int, tuple[float, int]]] = [{} for _ in range(U)]
    everything = np.tile(np.arange(N), (U, 1))
    for _ in range(25):
        rows = np.sort(rng.choice(U, rng.integers(1, U + 1), replace=False))
        columns = np.stack([rng.choice(N, K, replace=False) for _ in rows])
        add(memory, rows, columns, day[rows])
        for row, slate in zip(rows.tolist(), columns.tolist(), strict=True):
            for column in slate:
                amount, then = plain[row].get(column, (0.0, 0))
                left = amount * 0.5 ** ((int(day[row]) - then) / HALF_LIFE)
                plain[row][column] = (left + 1.0, int(day[row]))
        day += rng.integers(0, 4, U).astype(np.int32)
        if rng.random() < 0.2:
            gone = np.array([int(rng.integers(U))])
            day[gone] = memory.restart(gone, day[gone])
            plain[int(gone[0])] = {}
        expected = np.zeros((U, N))
        for row in range(U):
            for column, (amount, then) in plain[row].items():
                expected[row, column] = amount * 0.5 ** ((int(day[row]) - then) / HALF_LIFE)
        cells = memory.locate(None, everything, keep=False)
        np.testing.assert_allclose(memory.read(cells, day), expected, rtol=1e-5, atol=1e-30)


def test_both_layouts_hold_the_same_to_the_last_bit() -> None:
    rng = np.random.default_rng(1)
    layouts = [make_memory(U, N, HALF_LIFE, shown=3, dense=dense) for dense in (True, False)]
    day = np.zeros(U, np.int32)
    for _ in range(40):
        columns = np.stack([rng.choice(N, K, replace=False) for _ in range(U)])
        seen = []
        for memory in layouts:
            cells = memory.locate(None, columns, keep=True)
            seen.append(memory.read(cells, day))
            memory.write(cells, day, seen[-1] * np.float32(0.7) + np.float32(0.1))
        np.testing.assert_array_equal(*seen)
        day += rng.integers(1, 5, U).astype(np.int32)


def test_looking_does_not_leave_a_trace() -> None:
    memory = make_memory(2, 1000, HALF_LIFE, shown=8, dense=False)
    assert isinstance(memory, SparseMemory)
    columns = np.arange(20).reshape(2, 10)
    for _ in range(50):
        cells = memory.locate(None, columns, keep=False)
        assert not memory.read(cells, np.zeros(2, np.int32)).any()


def test_the_smaller_layout_is_chosen() -> None:
    assert isinstance(make_memory(3, 100, HALF_LIFE, shown=300), DenseMemory)
    assert isinstance(make_memory(3, 100_000, HALF_LIFE, shown=300), SparseMemory)
    assert make_memory(3, 100_000, HALF_LIFE, shown=300).bytes_per_user == 512 * 16


@pytest.mark.parametrize("dense", [True, False])
def test_an_amount_fades_until_single_precision_ends(dense: bool) -> None:
    memory = make_memory(1, 50, HALF_LIFE, shown=10, dense=dense)
    day, columns = np.zeros(1, np.int32), np.arange(K)[None]
    add(memory, None, columns, day)
    for half_lives in (1, 20, 100):
        later = np.full(1, half_lives * 3, np.int32)
        left = memory.read(memory.locate(None, columns, keep=False), later)
        np.testing.assert_allclose(left, 0.5**half_lives, rtol=1e-5)


def test_a_table_grows_with_what_was_shown_in_an_episode_and_not_with_time() -> None:
    """The same items again, and other ones in each new episode, need no more room."""
    one_more = K  # before a slate is looked up, nobody knows what of it is new
    memory = make_memory(2, 10_000, HALF_LIFE, shown=3 * K + one_more, dense=False)
    room, day = memory.bytes_per_user, np.zeros(2, np.int32)
    for episode in range(30):
        for slate in (0, 1, 2, 1, 0):
            columns = np.tile(np.arange(K), (2, 1)) + K * (3 * episode + slate)
            add(memory, None, columns, day)
        day = memory.restart(slice(None), day)
    assert memory.bytes_per_user == room
    add(memory, None, np.arange(2 * room // 16).reshape(2, -1), day)
    assert memory.bytes_per_user > room


@pytest.mark.parametrize("dense", [True, False])
def test_a_new_episode_forgets_even_after_many(dense: bool) -> None:
    memory = make_memory(1, 50, 0.1, shown=10, dense=dense)
    day, columns = np.full(1, 2**30 - 40, np.int32), np.arange(K)[None]
    for _ in range(10):
        add(memory, None, columns, day)
        day = memory.restart(slice(None), day)
        assert 0 <= day[0] <= 2**30
        cells = memory.locate(None, columns, keep=False)
        assert not memory.read(cells, day).any()


@pytest.mark.parametrize("dense", [True, False])
def test_taken_rows_are_a_copy(dense: bool) -> None:
    memory = make_memory(3, 50, HALF_LIFE, shown=10, dense=dense)
    day, columns = np.zeros(3, np.int32), np.tile(np.arange(K), (3, 1))
    add(memory, np.array([1]), columns[:1], day[:1])
    part = memory.take(np.array([2, 1]))
    amounts = part.read(part.locate(None, columns[:2], keep=False), day[:2])
    np.testing.assert_array_equal(amounts, [[0] * K, [1] * K])
    add(part, None, columns[:2], day[:2])
    cells = memory.locate(None, columns, keep=False)
    assert memory.read(cells, day).sum() == K
