"""What ``picks`` does with arrays, row by row in one compiled pass; needs numba."""

from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none

from ...arrays import IntArray

# Numba reads the function below as it stands: scalars, loops and no objects.

_REFUSED = -1


@njit(cache=True)
def make_distinct(columns: IntArray, sizes: IntArray, n_columns: int, replaced: IntArray) -> bool:
    """Make slates of picks in place, and count what gave way; False if a pick is no column.

    Where it is False, some rows were changed.

    Args:
        columns: Picks, shape ``(U, k)``; as in ``picks.distinct_columns``.
        sizes: Candidates of each pool, shape ``(U,)``.
        n_columns: Columns of the pools.
        replaced: Zeros, shape ``(U,)``.
    """
    n_users, k = columns.shape
    for u in range(n_users):
        for j in range(k):
            pick = columns[u, j]
            if pick < 0 or pick >= n_columns:
                return False
            refused = pick >= sizes[u]
            for earlier in range(j):
                refused |= columns[u, earlier] == pick
            if refused:
                columns[u, j] = _REFUSED
                replaced[u] += 1
        free = 0
        for j in range(k if replaced[u] else 0):
            if columns[u, j] == _REFUSED:
                while (columns[u] == free).any():
                    free += 1
                columns[u, j] = free
    return True
