"""A batch of candidate pools: what a base model proposes to each user."""

from dataclasses import dataclass

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue


@dataclass(frozen=True, slots=True)
class CandidatePools:
    """``U`` users with up to ``N`` candidates each.

    Attributes:
        users: User indices, shape ``(U,)``.
        items: Item indices, shape ``(U, N)``, best base score first, ``PAD`` in unused columns.
        scores: Base model scores, shape ``(U, N)``, finite wherever ``items`` is not ``PAD``.
        history: `history.topic_history` of the users, shape ``(U, 2, T)``, where it is known.
    """

    users: IntArray
    items: IntArray
    scores: FloatArray
    history: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse shapes and scores no re-ranker could use."""
        if self.items.ndim != 2 or self.items.shape != self.scores.shape:
            raise InvalidValue(
                f"items {self.items.shape} and scores {self.scores.shape} must be equal (U, N)",
                field="pools",
            )
        if self.users.shape != self.items.shape[:1]:
            raise InvalidValue(
                f"{self.users.shape} users for {self.items.shape[0]} pools", field="pools.users"
            )
        if self.history is not None and len(self.history) != len(self.users):
            raise InvalidValue(
                f"history of {len(self.history)} users for {len(self.users)} pools",
                field="pools.history",
            )
        if not np.isfinite(self.scores[self.valid]).all():
            raise InvalidValue(
                "scores hold NaN or infinity",
                field="pools.scores",
                mend="Drop those candidates or give them a finite score.",
            )

    @property
    def valid(self) -> BoolArray:
        """Which columns hold a candidate, shape ``(U, N)``."""
        return self.items != PAD

    @property
    def sizes(self) -> IntArray:
        """Candidates per user, shape ``(U,)``."""
        return self.valid.sum(axis=1)

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: IntArray | slice) -> "CandidatePools":
        """The pools of the given rows, in that order: a copy for indices, a view for a slice."""
        history = None if self.history is None else self.history[rows]
        return CandidatePools(self.users[rows], self.items[rows], self.scores[rows], history)

    def keep(self, allowed: BoolArray) -> "CandidatePools":
        """The pools without the candidates that a filter forbids.

        Args:
            allowed: Shape ``(I,)`` or ``(U, N)``; False removes the candidate (its column is
                moved to the end and padded, the order of the others is kept).
        """
        ok = self.valid & (allowed[np.maximum(self.items, 0)] if allowed.ndim == 1 else allowed)
        order = np.argsort(~ok, axis=1, kind="stable")
        kept = np.take_along_axis(ok, order, axis=1)
        items = np.where(kept, np.take_along_axis(self.items, order, axis=1), PAD)
        scores = np.where(kept, np.take_along_axis(self.scores, order, axis=1), 0.0)
        return CandidatePools(self.users, items, scores, self.history)
