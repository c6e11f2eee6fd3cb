"""Shapley values by enumeration of all coalitions (Shapley 1953, "A value for n-person games")."""

from collections.abc import Callable, Iterator, Sequence
from math import factorial

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...errors import InvalidValue
from .groups import Group

MAX_PLAYERS = 12
"""Players up to which all 2^G coalitions are tried."""

CELLS_AT_ONCE = 4_000_000
"""Cells of observations held at a time: 16 MB."""


def coalitions(n_players: int) -> BoolArray:
    """Every coalition of ``G`` players, shape ``(2^G, G)``; player g is in row s if bit g of s is.

    Row 0 is nobody, the last row everybody.

    Raises:
        InvalidValue: There are more than `MAX_PLAYERS`.
    """
    if n_players > MAX_PLAYERS:
        raise InvalidValue(
            f"{n_players} groups make {2**n_players:,} coalitions",
            field="groups",
            mend=f"Put columns together into at most {MAX_PLAYERS} groups.",
        )
    return (np.arange(2**n_players)[:, None] >> np.arange(n_players)) % 2 == 1


def shapley_values(worth: FloatArray) -> FloatArray:
    """Each player's mean contribution over all orders in which players can join.

    φ_g = Σ_{S ∌ g} |S|! (G − |S| − 1)! / G! · (worth(S ∪ g) − worth(S)). They sum to the worth of
    everybody less that of nobody, players who add nothing have 0, and players who add the same
    have the same. O(G · 2^G).

    Args:
        worth: Of each coalition in the order of `coalitions`, shape ``(2^G, …)``.

    Returns:
        Shape ``(G, …)``, float64.

    Raises:
        InvalidValue: The number of rows is no power of 2.
    """
    n = len(worth).bit_length() - 1
    if len(worth) != 2**n:
        raise InvalidValue(f"{len(worth)} coalitions, not a power of 2", field="worth")
    worth = np.asarray(worth, np.float64)
    members = coalitions(n)
    size = members.sum(axis=1)
    share = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    values = np.empty((n, *worth.shape[1:]))
    for player in range(n):
        without = np.flatnonzero(~members[:, player])
        gain = worth[without + 2**player] - worth[without]
        values[player] = np.tensordot(share[size[without]], gain, axes=1)
    return values


def mixed(
    base: FloatArray, other: FloatArray, groups: Sequence[Group]
) -> Iterator[tuple[slice, FloatArray]]:
    """Observations in which a coalition's groups come from ``other``, the rest from ``base``.

    Args:
        base: Shape ``(n, O)`` or ``(O,)``.
        other: Shape ``(n, O)`` or ``(O,)``.
        groups: The players.

    Yields:
        Which coalitions, and their observations, shape ``(S, n, O)``: in blocks, because all of
        them at once may be large.
    """
    swap = np.zeros((2 ** len(groups), base.shape[-1]), np.bool_)
    for player, member in enumerate(coalitions(len(groups)).T):
        swap[np.ix_(member, groups[player].columns)] = True
    n_cells = max(base.size, other.size)
    block = max(1, CELLS_AT_ONCE // max(n_cells, 1))
    for start in range(0, len(swap), block):
        rows = slice(start, start + block)
        yield rows, np.where(swap[rows, None, :], other, base)


def worth_of_coalitions(
    function: Callable[[FloatArray], FloatArray],
    base: FloatArray,
    other: FloatArray,
    groups: Sequence[Group],
    summarise: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """A summary of a function's values at the observations of `mixed`, for every coalition.

    Args:
        function: From observations ``(n, O)`` to values ``(n, A)``.
        base: See `mixed`.
        other: See `mixed`.
        groups: The players.
        summarise: From values ``(S, n, A)`` to worths ``(S, …)``.

    Returns:
        Shape ``(2^G, …)``, float64.
    """
    worth: list[FloatArray] = []
    for _, observations in mixed(base, other, groups):
        n_coalitions, n, n_columns = observations.shape
        values = function(observations.reshape(-1, n_columns)).reshape(n_coalitions, n, -1)
        worth.append(summarise(values.astype(np.float64)))
    return np.concatenate(worth)
