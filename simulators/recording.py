"""From a simulation to impression logs, and to what each group of items received."""

from collections.abc import Iterator, Mapping

import numpy as np

from ..arrays import MISSING, FloatArray, IntArray
from ..candidates.catalogue import Groups
from ..metrics.exposure import position_discount
from .impressions import ImpressionLog
from .rollout import Shown

ROWS_AT_ONCE = 200_000
"""Impressions held in memory before they are handed on, about 20 MB."""


class ImpressionRecorder:
    """Gathers the slates of one episode of every user into parts of an impression log.

    Rows stand in the order in which slates were shown: everybody's first, everybody's second, and
    so on. A row's propensities are those of the policy's decision: 1 where nothing was left to
    chance, missing where the policy's law does not tell that of a single item.

    Args:
        item_ids: Public ids, shape ``(I,)``.
        user_ids: Public ids of the simulation's rows, shape ``(U,)``.
        dwell: Whether minutes on what was clicked are simulated.
        first_slate: Number of the first slate.
    """

    def __init__(
        self,
        item_ids: np.ndarray,
        user_ids: np.ndarray,
        *,
        dwell: bool = False,
        first_slate: int = 0,
    ) -> None:
        self._item_ids, self._user_ids, self._dwell = item_ids, user_ids, dwell
        self._visit = np.zeros(len(user_ids), np.int32)
        self._parts: list[dict[str, np.ndarray]] = []
        self._held = 0
        self.n_slates = first_slate

    def add(self, shown: Shown) -> Iterator[ImpressionLog]:
        """Take in one slate of each user; gives a part of the log when enough came together."""
        rows = np.flatnonzero(shown.outcome.active)
        self._parts.append(self._columns(shown, rows))
        self._visit[shown.at] += shown.outcome.session_over
        self.n_slates += len(rows)
        self._held += self._parts[-1]["item"].size
        if self._held >= ROWS_AT_ONCE:
            yield from self.rest()

    def rest(self) -> Iterator[ImpressionLog]:
        """What was not handed on yet."""
        if not self._parts:
            return
        names = self._parts[0].keys()
        columns = {name: np.concatenate([part[name] for part in self._parts]) for name in names}
        self._parts, self._held = [], 0
        yield ImpressionLog(self._item_ids, user_ids=self._user_ids, **columns)

    def _columns(self, shown: Shown, rows: IntArray) -> dict[str, np.ndarray]:
        """The columns of the log for these rows of a batch, one entry per impression."""
        decision, outcome, at = shown.decision, shown.outcome, shown.at[rows]
        columns = decision.columns[rows]
        n, k = columns.shape

        def repeated(values: np.ndarray) -> np.ndarray:
            return np.repeat(values, k)

        clicked = outcome.clicks[rows]
        seen = np.where(clicked, outcome.satisfaction[rows], np.float32(np.nan))
        found = {
            "item": shown.world.pools.items[rows[:, None], columns].ravel(),
            "position": np.tile(np.arange(1, k + 1, dtype=np.int32), n),
            "clicked": clicked.ravel(),
            "slate": repeated(np.arange(self.n_slates, self.n_slates + n)),
            "user": repeated(at),
            "day": repeated(outcome.day[rows].astype(np.float64)),
            "visit": repeated(self._visit[at]),
            "satisfaction": seen.ravel(),
            "propensity_item": decision.item[rows].ravel(),
            "propensity_slate": repeated(decision.slate[rows]),
            "examination": outcome.examination[rows].ravel(),
            "click_probability": outcome.click_probability[rows].ravel(),
        }
        if self._dwell:
            minutes = np.where(clicked, outcome.dwell[rows], np.float32(np.nan))
            found["dwell"] = minutes.ravel()
        return found


class ExposureTally:
    """Exposure that each group of items received from each user; 1/log2(j + 1) at position j.

    Args:
        groups: Item groups by attribute.
        n_users: Rows of the simulation.
        k: Slate length.

    Attributes:
        received: By attribute, shape ``(U, G)``.
    """

    def __init__(self, groups: Mapping[str, Groups], n_users: int, k: int) -> None:
        self._codes = {name: of.codes for name, of in groups.items()}
        self._weights: FloatArray = position_discount(k)
        self.received: dict[str, FloatArray] = {
            name: np.zeros((n_users, len(of.names))) for name, of in groups.items()
        }

    def add(self, shown: Shown) -> None:
        """Take in one slate of each user; items whose group is not known count for none."""
        rows = np.flatnonzero(shown.outcome.active)
        items = shown.world.pools.items[rows[:, None], shown.decision.columns[rows]]
        weights = np.broadcast_to(self._weights, items.shape)
        for name, received in self.received.items():
            n_users, n_groups = received.shape
            codes = self._codes[name][items]
            known = codes != MISSING
            cells = (shown.at[rows][:, None] * n_groups + codes)[known]
            sums = np.bincount(cells, weights[known], n_users * n_groups)
            received += sums.reshape(n_users, n_groups)
