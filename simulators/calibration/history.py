"""Walking through a log as its users lived it: what each impression had behind it.

Three covariates per impression, as the simulator's memory has them (see ``config``):

- recent showings of the item to this user, fading with the half-life of fatigue;
- recent clicks of this user on the item, fading alike;
- recent clicks on the item's topics beyond the threshold of satiation, fading with its half-life.

A walk takes the clicks from the log or, to simulate, draws them.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import NotIdentified
from ..config import FatigueConfig, SatiationConfig
from ..impressions import ImpressionLog
from .click_table import sums

COVARIATES = ("fatigue.per_showing", "fatigue.per_click", "satiation.strength")
"""The parameters of ``WorldConfig`` that the covariates belong to, in order."""


@dataclass(frozen=True, slots=True)
class History:
    """The order in which things happened, ready to be walked through.

    Attributes:
        steps: Rows of each step: the users' first slates, their second ones, and so on.
        user: User of each row, shape ``(R,)``.
        pair: Number of each row's user and item together, shape ``(R,)``.
        item: Item of each row, shape ``(R,)``.
        day: Shape ``(R,)``.
        topics: Topic shares of the items, ``(I, T)``; None where they are not known.
    """

    steps: tuple[IntArray, ...]
    user: IntArray
    pair: IntArray
    item: IntArray
    day: FloatArray
    topics: FloatArray | None

    @classmethod
    def of(cls, log: ImpressionLog, topics: FloatArray | None = None) -> "History":
        """Sort out a log; O(R log R).

        Raises:
            NotIdentified: The log names no users or no days.
        """
        if log.user is None or log.day is None:
            what = "users" if log.user is None else "times"
            raise NotIdentified(f"{what} are not logged", field=what[:-1], mend=f"Log {what}.")
        slates, first, of = np.unique(log.slate, return_index=True, return_inverse=True)
        order = np.lexsort((first, log.day[first], log.user[first]))
        user = log.user[first][order]
        start = np.searchsorted(user, user, side="left")
        number = np.empty(len(slates), np.int64)
        number[order] = np.arange(len(slates)) - start
        step = number[of]
        rows = np.argsort(step, kind="stable")
        bounds = np.searchsorted(step[rows], np.arange(int(step.max()) + 2))
        keys = log.user.astype(np.int64) * log.n_items + log.item
        return cls(
            steps=tuple(rows[a:b] for a, b in itertools.pairwise(bounds)),
            user=log.user,
            pair=np.unique(keys, return_inverse=True)[1],
            item=log.item,
            day=log.day,
            topics=topics,
        )

    def walk(
        self,
        clicks: Callable[[IntArray, FloatArray], BoolArray],
        fatigue: FatigueConfig,
        satiation: SatiationConfig,
    ) -> FloatArray:
        """Go through all slates in order; O(R · T), one vectorised step per slate of a user.

        Args:
            clicks: From rows ``(n,)`` and their covariates ``(n, 3)`` to clicks ``(n,)``.
            fatigue: Whose half-life counts.
            satiation: Whose half-life and threshold count.

        Returns:
            The covariates of all rows, shape ``(R, 3)``.
        """
        n_users = int(self.user.max()) + 1
        n_topics = 0 if self.topics is None else self.topics.shape[1]
        recent = np.zeros((int(self.pair.max()) + 1, 2))  # showings and clicks
        seen = np.zeros(len(recent))
        load, met = np.zeros((n_users, n_topics)), np.zeros(n_users)
        covariates = np.zeros((len(self.user), 3))
        for rows in self.steps:
            pair, user, day = self.pair[rows], self.user[rows], self.day[rows]
            recent[pair] *= np.exp2((seen[pair] - day) / fatigue.half_life)[:, None]
            x = np.zeros((len(rows), 3))
            x[:, :2] = recent[pair]
            if self.topics is not None:
                here, first = np.unique(user, return_index=True)
                load[here] *= np.exp2((met[here] - day[first]) / satiation.half_life)[:, None]
                beyond = np.maximum(load[user] - satiation.threshold, 0.0)
                x[:, 2] = (beyond * self.topics[self.item[rows]]).sum(axis=1)
                met[here] = day[first]
            clicked = clicks(rows, x)
            recent[pair, 0] += 1.0
            recent[pair, 1] += clicked
            seen[pair] = day
            if self.topics is not None:
                for topic, share in enumerate(self.topics[self.item[rows[clicked]]].T):
                    load[:, topic] += sums(user[clicked], n_users, share)
            covariates[rows] = x
        return covariates
