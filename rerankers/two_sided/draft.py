"""One round of a draft: users choose in turn, and what they choose from runs out.

FairRec hands out its guaranteed copies this way, TFROM the slates rank by rank. Said as a loop it
is: for each user in turn, take the best candidate whose producer has something left. Here all
users propose at once and each producer keeps the first by turn; those refused propose again, until
nobody is. That is deferred acceptance (Gale & Shapley 1962), and where all producers rank the
users alike, as by turn, it has one stable outcome: the loop's.
"""

import numpy as np

from ...arrays import MISSING, IntArray
from ...candidates.pools import CandidatePools

BLOCK = 4096
"""Users whose candidates are looked through together."""

_NONE = -1


def best_first(pools: CandidatePools) -> IntArray:
    """Columns of each pool, best score first and padding last, shape ``(U, N)``.

    Equal scores keep the order of the pool.
    """
    cost = np.where(pools.valid, -pools.scores, np.inf)
    return np.argsort(cost, axis=1, kind="stable")


def producers(items: IntArray, codes: IntArray, n_producers: int) -> IntArray:
    """Producer of every candidate, shape of ``items``, in [0, P]; P, an extra one, is nobody.

    Args:
        items: Item indices, ``PAD`` where there is none.
        codes: Producer of each item, shape ``(I,)``, ``MISSING`` where it is not known.
        n_producers: P.
    """
    # The entry at the end is the one that PAD, -1, looks up.
    lookup = np.append(np.where(codes == MISSING, n_producers, codes), n_producers)
    return lookup[items]


def draft_round(producer: IntArray, left: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Give each user one candidate at most: the best that is left when it is their turn.

    O(U · N) for the first proposals, O(N) for each one after a refusal.

    Args:
        producer: Producer of every candidate, best candidate first, shape ``(U, N)``. What a user
            has already belongs to one who has nothing left.
        left: How many users each producer can still take, shape ``(P,)``.
        order: Rows by turn, shape ``(U,)``.

    Returns:
        Rows that got a candidate, and its column, shape ``(R,)`` each.
    """
    turn = np.empty(len(order), np.intp)
    turn[order] = np.arange(len(order))
    # A producer takes nobody from this turn on; it only ever moves forward.
    closes = np.where(left > 0, len(order), 0)
    choice = _best_open(producer, closes, turn, np.arange(len(order)))
    new = np.flatnonzero(choice != _NONE)
    while len(new):
        wooed = np.zeros(len(left), np.bool_)
        wooed[producer[new, choice[new]]] = True
        rows = order[choice[order] != _NONE]
        wanted = producer[rows, choice[rows]]
        rows, wanted = rows[wooed[wanted]], wanted[wooed[wanted]]
        # Stable, so that the rows of each producer stay by turn.
        by_producer = np.argsort(wanted, kind="stable")
        rows, wanted = rows[by_producer], wanted[by_producer]
        too_many = np.arange(len(wanted)) - np.searchsorted(wanted, wanted) - left[wanted]
        first_refused = too_many == 0
        closes[wanted[first_refused]] = turn[rows[first_refused]]
        refused = rows[too_many >= 0]
        choice[refused] = _best_open(producer, closes, turn, refused)
        new = refused[choice[refused] != _NONE]
    rows = np.flatnonzero(choice != _NONE)
    return rows, choice[rows]


def _best_open(producer: IntArray, closes: IntArray, turn: IntArray, rows: IntArray) -> IntArray:
    """First column of each of ``rows`` that would be accepted, ``_NONE`` where there is none."""
    columns = np.empty(len(rows), np.intp)
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        is_open = closes.take(producer[part]) > turn[part, None]
        best = is_open.argmax(axis=1)
        found = is_open[np.arange(len(part)), best]
        columns[start : start + BLOCK] = np.where(found, best, _NONE)
    return columns
