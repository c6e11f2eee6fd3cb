"""Swapping bundles until no cycle of envy is left.

Rotating bundles along a cycle of users, each of whom would rather have the next one's (Lipton,
Markakis, Mossel & Saberi, EC 2004), may be repeated in any order. Gale's top trading cycles
(Shapley & Scarf, 1974) is an order that ends after one sweep: everyone points at the bundle they
like best; who points at themselves or is on a cycle gets it and leaves, and the others point anew.
Whoever leaves envies nobody who leaves later, so no cycle of envy remains, and the order of
leaving, reversed, puts the envious before the envied.
"""

import numpy as np

from ...arrays import PAD, FloatArray, IntArray

_NOTHING = PAD - 1
"""An empty place in a bundle; no item, and not padding of a pool either."""


def top_trading_cycles(values: FloatArray) -> tuple[IntArray, IntArray]:
    """Swap bundles along cycles of favourites.

    Those who envy nobody leave first, all at once; the others in at most two steps a user, each
    O(b).

    Args:
        values: What the bundle of each user (column) is worth to each (row), shape ``(b, b)``;
            -inf where it is not to be had. A user's own is finite, and wins a tie.

    Returns:
        Whose bundle each user gets, and the users in the order in which they left, ``(b,)`` each.
    """
    own = values.diagonal()
    gone = values.max(axis=1, initial=-np.inf) <= own
    left: list[int] = np.flatnonzero(gone).tolist()
    given = np.arange(len(values))
    barred = np.where(gone, -np.inf, 0.0)
    for start in np.flatnonzero(~gone).tolist():
        path = [start] if barred[start] == 0.0 else []
        while path:
            user = path[-1]
            wish = values[user] + barred
            favourite = int(wish.argmax())
            if wish[favourite] <= own[user]:
                favourite = user
            if favourite not in path:
                path.append(favourite)
                continue
            first = path.index(favourite)
            cycle = path[first:]
            given[cycle] = cycle[1:] + cycle[:1]
            barred[cycle] = -np.inf
            left += cycle
            del path[first:]
    return given, np.array(left, np.intp)


class ExchangeDesk:
    """The bundles of a block of users, and what each is worth to each.

    Attributes:
        rows: Rows of the batch, shape ``(b,)``.
        turns: The same rows, in the order in which they choose next.
        held: Which of their candidates are in their bundle, shape ``(b, N)``.
    """

    def __init__(self, rows: IntArray, items: IntArray, worth: FloatArray) -> None:
        """Empty bundles.

        Args:
            rows: Rows of the batch, shape ``(b,)``.
            items: Their candidates, shape ``(b, N)``, ``PAD`` where there is none.
            worth: Relevance of each, shape ``(b, N)``.
        """
        self.rows = self.turns = rows
        self.held = np.zeros(items.shape, np.bool_)
        self._items, self._worth = items, worth
        self._values = np.zeros((len(rows), len(rows)))
        self._bundles = np.empty((len(rows), 0), np.intp)

    def hand_out(self, columns: IntArray) -> None:
        """Add one of their candidates to each bundle, shape ``(b,)``; ``PAD`` adds nothing."""
        users = np.flatnonzero(columns != PAD)
        self.held[users, columns[users]] = True
        added = np.full(len(self.rows), _NOTHING)
        added[users] = self._items[users, columns[users]]
        self._bundles = np.column_stack([self._bundles, added])
        self._values[:, users] += self._worth_of(added[users])

    def swap(self) -> None:
        """Remove all cycles of envy; the envious choose first next time."""
        given, left = top_trading_cycles(self._values)
        self.turns = self.rows[left[::-1]]
        self._values = self._values[:, given]
        self._bundles = self._bundles[given]
        new = given != np.arange(len(given))
        in_bundle = self._items[new, :, None] == self._bundles[new, None, :]
        self.held[new] = in_bundle.any(axis=2)

    def _worth_of(self, items: IntArray) -> FloatArray:
        """What each of ``n`` items is worth to each user, ``(b, n)``; -inf outside the pool."""
        distinct, code = np.unique(items, return_inverse=True)
        # The entry at the end is the one that PAD, -1, looks up.
        place = np.full(max(int(self._items.max()), 0) + 2, -1)
        place[distinct] = np.arange(len(distinct))
        candidate = place[self._items]
        user, column = np.nonzero(candidate >= 0)
        worth = np.full((len(self.rows), len(distinct)), -np.inf)
        worth[user, candidate[user, column]] = self._worth[user, column]
        return worth[:, code]
