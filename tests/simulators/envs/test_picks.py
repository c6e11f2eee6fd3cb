import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators.envs.picks import distinct_columns
from hypothesis import given, settings
from hypothesis import strategies as st


def plain(row: list[int], size: int) -> list[int]:
    """Refused picks wait; then each takes the lowest column that is still free."""
    slate: list[int | None] = []
    for column in row:
        slate.append(column if column < size and column not in slate else None)
    for position, column in enumerate(slate):
        if column is None:
            slate[position] = min(c for c in range(size) if c not in slate)
    return [column for column in slate if column is not None]


@st.composite
def batches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    k = draw(st.integers(1, 6))
    n_columns = draw(st.integers(k, 9))
    n_users = draw(st.integers(1, 12))
    rows = st.lists(st.integers(0, n_columns - 1), min_size=k, max_size=k)
    picks = draw(st.lists(rows, min_size=n_users, max_size=n_users))
    sizes = draw(st.lists(st.integers(k, n_columns), min_size=n_users, max_size=n_users))
    return np.array(picks), np.array(sizes), n_columns


@settings(deadline=None)  # the first call compiles
@given(batches())
def test_refused_picks_give_way_to_the_best_free_columns(
    batch: tuple[np.ndarray, np.ndarray, int],
) -> None:
    picks, sizes, n_columns = batch
    given = picks.copy()
    expected = [plain(row, size) for row, size in zip(picks.tolist(), sizes.tolist(), strict=True)]
    for compiled in (False, True):
        columns, replaced = distinct_columns(picks, sizes, n_columns, compiled)
        assert columns.tolist() == expected
        np.testing.assert_array_equal(replaced, (columns != picks).sum(axis=1))
    np.testing.assert_array_equal(picks, given)


def test_by_hand() -> None:
    picks = np.array([[4, 4, 0, 4], [3, 2, 1, 0], [5, 5, 5, 5]])
    columns, replaced = distinct_columns(picks, np.array([6, 6, 4]), 6)
    assert columns.tolist() == [[4, 1, 0, 2], [3, 2, 1, 0], [0, 1, 2, 3]]
    assert replaced.tolist() == [2, 0, 4]


@pytest.mark.parametrize("n_users", [1, 8])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("wrong", [-1, 6])
def test_picks_outside_the_pool_are_refused(n_users: int, wrong: int, compiled: bool) -> None:
    picks, sizes = np.zeros((n_users, 3), int), np.full(n_users, 6)
    picks[-1, 1] = wrong
    with pytest.raises(InvalidValue, match="from 0 to 5"):
        distinct_columns(picks, sizes, 6, compiled)


@pytest.mark.parametrize(
    "picks", [np.zeros(3, int), np.zeros((2, 3)), np.zeros((3, 3), int), np.zeros((2, 0), int)]
)
def test_picks_of_another_form_are_refused(picks: np.ndarray) -> None:
    with pytest.raises(InvalidValue, match="action"):
        distinct_columns(picks, np.full(2, 6), 6)
