"""One round of a draft: users choose in turn, and what they choose from runs out.

FairRec hands out its guaranteed copies this way, TFROM the slates rank by rank. Said as a loop it
is: for each user in turn, take the best candidate whose producer has something left. Here all
users propose at once and each producer keeps the first by turn; those refused propose again, until
nobody is. That is deferred acceptance (Gale & Shapley 1962), and where all producers rank the
users alike, as by turn, it has one stable outcome: the loop's.
"""

import numpy as np

from ...arrays import MISSING, IntArray

BLOCK = 4096
"""Users whose candidates are looked through together."""


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


def draft_round(producer: IntArray, left: IntArray) -> tuple[IntArray, IntArray]:
    """Give each user one candidate at most: the best that is left when it is their turn.

    O(U · N) for the first proposals, O(N) for each one after a refusal.

    Args:
        producer: Producer of every candidate, shape ``(U, N)``: users by turn, best candidate
            first. What a user has already belongs to one who has nothing left.
        left: How many users each producer can still take, shape ``(P,)``.

    Returns:
        Rows that got a candidate, and its column, shape ``(R,)`` each.
    """
    n_users, n_producers = len(producer), len(left)
    # A producer takes nobody from this row on; it only ever moves forward.
    closes = np.where(left > 0, n_users, 0)
    room = np.append(left, n_users)  # the last is where those are who found nothing
    choice, wanted = np.empty(n_users, np.intp), np.empty(n_users, np.intp)
    for start in range(0, n_users, BLOCK):
        part = slice(start, start + BLOCK)
        rows = np.arange(start, min(start + BLOCK, n_users))
        choice[part], wanted[part] = _best_open(producer[part], closes, rows)
    while True:
        crowded = np.bincount(wanted, minlength=n_producers + 1) > room
        rows = np.flatnonzero(crowded[wanted])
        if len(rows) == 0:
            break
        # Stable, so that the rows of each producer stay by turn.
        rows = rows[np.argsort(wanted[rows], kind="stable")]
        by_producer = wanted[rows]
        place = np.arange(len(rows)) - np.searchsorted(by_producer, by_producer)
        too_many = place - left[by_producer]
        first = too_many == 0
        closes[by_producer[first]] = rows[first]
        refused = rows[too_many >= 0]
        choice[refused], wanted[refused] = _best_open(producer[refused], closes, refused)
    rows = np.flatnonzero(wanted < n_producers)
    return rows, choice[rows]


def _best_open(producer: IntArray, closes: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """First column of each row that would be accepted, and its producer; P where there is none."""
    is_open = closes.take(producer) > rows[:, None]
    best = is_open.argmax(axis=1)
    nth = np.arange(len(rows))
    return best, np.where(is_open[nth, best], producer[nth, best], len(closes))
