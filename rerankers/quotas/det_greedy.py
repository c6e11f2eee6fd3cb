"""DetGreedy, DetCons and DetRelaxed (Geyik, Ambler & Kenthapadi, KDD 2019), many users at once."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from ...arrays import FloatArray, IntArray
from .queues import GroupQueues, ceilings, floors

GreedyMethod = Literal["det-greedy", "det-cons", "det-relaxed"]


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits and urgency of each group at every place.

    Attributes:
        minimum: Shape ``(k + 1, G)``, row j for the first j places.
        maximum: Likewise.
        due: Likewise: the lower, the sooner a group is wanted where no minimum forces one.
    """

    minimum: IntArray
    maximum: IntArray
    due: FloatArray

    @classmethod
    def of(cls, shares: FloatArray, strength: float, k: int, method: GreedyMethod) -> Self:
        """The paper's quotas, loosened by the strength.

        ``due`` is 0 for DetGreedy, ⌈p j⌉ / p for DetCons, the place at which the next minimum falls
        due, and ⌈⌈p j⌉ / p⌉ for DetRelaxed. At a lower strength the upper share stands for p.
        """
        lengths = np.arange(k + 1)
        upper = 1.0 - strength * (1.0 - shares)
        maximum = ceilings(upper, lengths)
        due = np.zeros(maximum.shape)
        if method != "det-greedy":
            # Rounded, so that equally urgent groups are told apart by their candidates.
            np.divide(maximum, upper, out=due, where=upper > 0)
            due = np.round(due, 9)
        if method == "det-relaxed":
            due = np.ceil(due)
        return cls(floors(strength * shares, lengths), maximum, due)


def fill_between(queues: GroupQueues, quotas: Quotas) -> IntArray:
    """Choose a group for each place by its quotas, and its best candidate.

    Args:
        queues: One for each group, then one for items of none. They are emptied.
        quotas: Limits and urgency.

    Returns:
        Places in the base order, shape ``(U, k)``.
    """
    n_users, none = len(queues.heads), queues.none
    k, n_groups = len(quotas.minimum) - 1, quotas.minimum.shape[1]
    users = np.arange(n_users)
    places = np.empty((n_users, k), np.intp)
    for i in range(k):
        heads, held = queues.heads[:, :n_groups], queues.taken[:, :n_groups]
        length = i + 1 - queues.taken[:, n_groups]
        left = heads < none
        short = left & (held < quotas.minimum[length])
        below_maximum = left & (held < quotas.maximum[length])
        due = np.where(below_maximum, quotas.due[length], np.inf)
        wanted = below_maximum & (due == due.min(axis=1, keepdims=True))
        forced, any_wanted = short.any(axis=1), wanted.any(axis=1)
        eligible = np.where(any_wanted[:, None], wanted, left)
        keys = np.where(np.where(forced[:, None], short, eligible), heads, none)
        chosen = keys.argmin(axis=1)
        unknown = ~forced & (queues.heads[:, n_groups] < keys[users, chosen])
        chosen[unknown] = n_groups
        places[:, i] = queues.take(chosen)
    return places
