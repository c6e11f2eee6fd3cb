"""What a score loses when one item of the history is left out and the model is asked again.

For models that read the history when they score (autoencoders and sequential ones) this is the
model's own answer to "and without this one?": a counterfactual of the model, not an estimate of it
(leave-one-out attribution; Li, Monroe & Jurafsky 2016, "Understanding Neural Networks through
Representation Erasure"). It is not a sum: what two items say together is counted for both or for
neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue

KEPT = 6
"""Items of a history that are kept for each candidate: those it loses most without."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The items of each user's history that each candidate of the pool loses most without.

    Attributes:
        items: Item indices, largest loss first, shape ``(U, N, M)``; ``PAD`` where there are fewer.
        losses: What the candidate's score loses against the mean of the pool's, shape
            ``(U, N, M)``, positive; 0 where there is no item. What all candidates lose alike
            changes no order, and so counts for none.
        tried: Latest items of each history that were left out, one at a time.
    """

    items: IntArray
    losses: FloatArray
    tried: int

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if self.items.ndim != 3 or self.items.shape != self.losses.shape:
            raise InvalidValue(
                f"items {self.items.shape}, losses {self.losses.shape}", field="left_out"
            )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays, for an npz file; ``from_arrays`` reads them."""
        return {
            "left_out_items": self.items,
            "left_out_losses": self.losses,
            "left_out_tried": np.array(self.tried),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "LeftOut | None":
        """The same among named arrays, or None where there are none."""
        if "left_out_items" not in arrays:
            return None
        items, losses = arrays["left_out_items"], arrays["left_out_losses"]
        return cls(items, losses, int(arrays["left_out_tried"]))

    def weights(self, user: int, pool: IntArray, history: IntArray, items: IntArray) -> FloatArray:
        """What each item of a history does for each listed item, as far as it was kept.

        Args:
            user: User index.
            pool: The user's candidates in the order of the fit, shape ``(N,)``.
            history: Item indices, shape ``(H,)``.
            items: Item indices, shape ``(n,)``; one that is not in the pool has no weights.

        Returns:
            Shape ``(H, n)``, at least 0.
        """
        found = np.zeros((len(history), len(items)), np.float32)
        for place, item in enumerate(items):
            columns = np.flatnonzero(pool == item)
            if len(columns):
                kept, losses = self.items[user, columns[0]], self.losses[user, columns[0]]
                rows, of = np.nonzero((history[:, None] == kept) & (kept != PAD))
                found[rows, place] = losses[of]
        return found


def losses_in_pool(full: FloatArray, without: FloatArray, valid: BoolArray) -> FloatArray:
    """What each candidate loses against the mean of its pool.

    Args:
        full: Scores of a user's candidates, shape ``(N,)``.
        without: The same without one item of the history each, shape ``(T, N)``.
        valid: Which columns hold a candidate, shape ``(N,)``.

    Returns:
        Shape ``(T, N)``; 0 in columns without a candidate.
    """
    lost = np.where(valid, full - without, 0.0)
    return np.where(valid, lost - lost.sum(axis=1, keepdims=True) / max(1, valid.sum()), 0.0)


def keep_largest(
    tried: IntArray, lost: FloatArray, kept: int = KEPT
) -> tuple[IntArray, FloatArray]:
    """The items that each candidate loses most without.

    Args:
        tried: Items left out, shape ``(T,)``.
        lost: Shape ``(T, N)``.
        kept: How many, ``M``.

    Returns:
        Items and losses, each ``(N, M)``: positive losses, largest first, then ``PAD`` and 0.
    """
    n_candidates = lost.shape[1]
    items = np.full((n_candidates, kept), PAD, np.int32)
    losses = np.zeros((n_candidates, kept), np.float32)
    best = np.argsort(-lost, axis=0, kind="stable")[:kept]
    largest = np.take_along_axis(lost, best, axis=0).T
    positive = largest > 0
    items[:, : len(best)] = np.where(positive, tried[best].T, PAD)
    losses[:, : len(best)] = np.where(positive, largest, 0.0)
    return items, losses
