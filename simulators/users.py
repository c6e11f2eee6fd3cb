"""The state of simulated users: one array per quantity, one row per user."""

from dataclasses import dataclass, fields

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from . import randomness

_TOPIC_BLOCK = 8
"""Topics are padded to a multiple of it: products of small matrices are quicker then."""

LOAD, DRIFT = 0, 1
"""Rows of ``UserState.per_topic``."""


@dataclass(slots=True)
class UserState:
    """What changes as users live on; ``Tp`` is the number of topics, padded with zeros.

    Attributes:
        alive: Users that still come, shape ``(U,)``.
        day: Day of the coming visit, shape ``(U,)``, float32.
        clock: The same, int32, counting on over episodes, shape ``(U,)``; see ``item_memory``.
        days_away: Days between the last visit and the coming one, shape ``(U,)``; 0 at first.
        mood: Running satisfaction, shape ``(U,)``.
        per_topic: Recent clicks (``LOAD``) and interest relative to the start (``DRIFT``) by topic,
            shape ``(U, 2, Tp)``.
        tiredness: Sum of item fatigue over all items, shape ``(U,)``.
        root: Key of each user's luck, shape ``(U,)``.
        visit_key: Key of the coming visit, shape ``(U,)``.
        episode: Counts from 0, shape ``(U,)``.
    """

    alive: BoolArray
    day: FloatArray
    clock: IntArray
    days_away: FloatArray
    mood: FloatArray
    per_topic: FloatArray
    tiredness: FloatArray
    root: randomness.Keys
    visit_key: randomness.Keys
    episode: IntArray

    @classmethod
    def unborn(cls, root: randomness.Keys, n_topics: int) -> "UserState":
        """Users before their first episode."""
        n = len(root)

        def zeros() -> FloatArray:
            return np.zeros(n, np.float32)

        return cls(
            alive=np.zeros(n, np.bool_),
            day=zeros(),
            clock=np.zeros(n, np.int32),
            days_away=zeros(),
            mood=zeros(),
            per_topic=np.zeros((n, 2, padded_topics(n_topics)), np.float32),
            tiredness=zeros(),
            root=root,
            visit_key=root.copy(),
            episode=np.full(n, -1, np.int64),
        )

    def take(self, rows: IntArray) -> "UserState":
        """A copy of some rows."""
        return UserState(*(getattr(self, f.name)[rows] for f in fields(self)))

    def put(self, rows: IntArray, part: "UserState") -> None:
        """Write rows that were taken back."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(part, f.name)


@dataclass(frozen=True, slots=True)
class Traits:
    """What does not change: how strongly each user reacts, with the world's strengths.

    Attributes:
        satiation: Log-odds per recent click, shape ``(U,)``.
        fatigue: Factor on item fatigue, shape ``(U, 1)``.
        drift_rate: Share of the way, shape ``(U,)``.
        mood_slopes: On leaving (negative), coming back and asking for another slate, ``(3, U)``.
        interest: Lasting interest, padded, shape ``(U, 2, Tp)``, or None.
    """

    satiation: FloatArray
    fatigue: FloatArray
    drift_rate: FloatArray
    mood_slopes: FloatArray
    interest: FloatArray | None

    def take(self, rows: IntArray) -> "Traits":
        """Some rows."""
        return Traits(
            self.satiation[rows],
            self.fatigue[rows],
            self.drift_rate[rows],
            self.mood_slopes[:, rows],
            None if self.interest is None else self.interest[rows],
        )


def padded_topics(n_topics: int) -> int:
    """``T`` rounded up to a multiple of the block."""
    return -(-n_topics // _TOPIC_BLOCK) * _TOPIC_BLOCK


def pad_topics(values: FloatArray) -> FloatArray:
    """Zeros after the last topic; the last axis is topics."""
    wanted = padded_topics(values.shape[-1])
    padded = np.zeros((*values.shape[:-1], wanted), np.float32)
    padded[..., : values.shape[-1]] = values
    return padded
