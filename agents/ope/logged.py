"""Slates that were shown, what they earned, and how probable they were."""

from dataclasses import dataclass, field

import numpy as np

from ...arrays import PAD, BoolArray, FloatArray, IntArray
from ...errors import EmptyData, InvalidValue
from .propensities import Propensities


@dataclass(frozen=True, slots=True)
class LoggedSlates:
    """``n`` logged slates of at most ``k`` positions.

    Attributes:
        users: Who saw each slate, any integers, shape ``(n,)``. Slates of one user hang together,
            so users are what is resampled.
        items: Items or pool columns, top position first, ``PAD`` behind a shorter slate's end,
            shape ``(n, k)``.
        rewards: What each position earned, shape ``(n, k)`` (0 at padding), or what each slate
            did, shape ``(n,)``.
        logging: The logging policy's probabilities; 1 at padding.
        positions: Where on the page each item stood, from 1, shape ``(n, k)``; 0 at padding. In
            order from 1 unless given.
        groups: Index into ``group_names`` of each slate, shape ``(n,)``, or None.
        group_names: What the groups are called.
    """

    users: IntArray
    items: IntArray
    rewards: FloatArray
    logging: Propensities
    positions: IntArray | None = None
    groups: IntArray | None = None
    group_names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together or that cannot be true.

        Raises:
            EmptyData: There is no slate.
            InvalidValue: Shapes differ, a reward is not finite, an item stands twice in a slate, or
                a logging probability is missing or 0.
        """
        if self.items.ndim != 2 or self.items.size == 0:
            raise EmptyData(
                f"items of shape {self.items.shape} hold no slate",
                field="items",
                mend="Give slates of shape (n, k), with n and k at least 1.",
            )
        n, k = self.items.shape
        _require_shape("users", self.users, (n,))
        if self.rewards.shape != (n,):
            _require_shape("rewards", self.rewards, (n, k))
        if not np.isfinite(self.rewards).all():
            raise InvalidValue(
                "a reward is NaN or infinite", field="rewards", mend="Write 0 where nothing came."
            )
        self.logging.require_valid((n, k), "logging", above_zero=True)
        if self.positions is not None:
            _require_shape("positions", self.positions, (n, k))
        self._require_groups(n)
        self._require_slates()

    def __len__(self) -> int:
        return len(self.items)

    @property
    def k(self) -> int:
        """Positions of the longest slate."""
        return int(self.items.shape[1])

    @property
    def filled(self) -> BoolArray:
        """Positions that hold an item, shape ``(n, k)``."""
        return self.items != PAD

    @property
    def slate_rewards(self) -> FloatArray:
        """What each slate earned, shape ``(n,)``."""
        return self.rewards if self.rewards.ndim == 1 else self.rewards.sum(axis=1)

    def position_rewards(self) -> FloatArray:
        """What each position earned, shape ``(n, k)``.

        Raises:
            InvalidValue: Only whole slates' rewards are known.
        """
        if self.rewards.ndim == 1 and self.k > 1:
            raise InvalidValue(
                "this method weighs each position's reward, and only the slates' are known",
                field="rewards",
                mend="Give rewards of shape (n, k), or use a method that weighs whole slates.",
            )
        return self.rewards.reshape(len(self), self.k)

    def take(self, rows: IntArray | BoolArray) -> "LoggedSlates":
        """Some of the slates."""
        positions, groups = self.positions, self.groups
        return LoggedSlates(
            self.users[rows],
            self.items[rows],
            self.rewards[rows],
            self.logging.take(rows),
            None if positions is None else positions[rows],
            None if groups is None else groups[rows],
            self.group_names,
        )

    def _require_groups(self, n: int) -> None:
        if self.groups is None:
            return
        _require_shape("groups", self.groups, (n,))
        if self.groups.min() < 0 or self.groups.max() >= len(self.group_names):
            raise InvalidValue(
                f"a group is none of the {len(self.group_names)} that are named",
                field="groups",
                mend="Name every group, an `unknown` one among them where there is need.",
            )

    def _require_slates(self) -> None:
        filled = self.filled
        if not filled[:, 0].all() or (filled[:, 1:] & ~filled[:, :-1]).any():
            raise InvalidValue(
                "a slate is empty or has a hole",
                field="items",
                mend="Move items to the front of the row and fill up with PAD behind them.",
            )
        ordered = np.sort(self.items, axis=1)
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != PAD)).any():
            raise InvalidValue(
                "an item stands twice in a slate",
                field="items",
                mend="Where positions draw from lists of their own, number their items apart.",
            )


def _require_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InvalidValue(
            f"shape {array.shape}, expected {shape}",
            field=name,
            mend="Give one row for each slate, and one column for each position.",
        )
