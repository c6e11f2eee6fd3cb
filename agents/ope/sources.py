"""Logged slates out of impression logs, and out of decisions that a platform stored."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...arrays import MISSING, PAD, BoolArray, FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...errors import EmptyData, InvalidValue, MissingColumn, UnknownItem
from ...simulators.impressions import ImpressionLog
from .logged import LoggedSlates
from .propensities import Propensities

Reward = Literal["click", "engagement"]
Known = Literal["slate", "item"]

UNKNOWN_GROUP = "not known"
"""Name of the group of users whose attribute is missing."""


def from_impressions(
    log: ImpressionLog,
    reward: Reward = "click",
    known: Sequence[Known] = ("slate",),
    user_groups: Groups | None = None,
) -> LoggedSlates:
    """Slates of an impression log, as ``fairloop simulate`` writes it. O(R log R).

    Where every slate is one item, its probability is that of the slate, and both ways round.

    Args:
        log: The log. Where nobody is named, each slate counts as a user of its own.
        reward: ``click`` counts clicks, ``engagement`` sums satisfaction over them.
        known: Which logged probabilities are taken; each must then be there for every row. Prefixes
            are not in the schema: the logging policy's law gives them (`plackett_luce`).
        user_groups: Groups of ``log.user_ids``, in their order.

    Raises:
        EmptyData: There is no row.
        MissingColumn: The log lacks a column that is asked for.
        InvalidValue: Rows of one slate contradict each other, or a probability is missing or 0.
    """
    if len(log) == 0:
        raise EmptyData("the log holds no row", field="log", mend="Give at least one slate.")
    grid = _Grid(log.slate, log.position)
    users = grid.of_slate(log.user, "user") if log.user is not None else np.arange(grid.n)
    found: dict[str, FloatArray] = {}
    for kind in known:
        column: FloatArray | None = getattr(log, f"propensity_{kind}")
        if column is None:
            raise MissingColumn(
                "the log does not hold this probability",
                field=f"propensity_{kind}",
                mend="Log it when slates are drawn; the others cannot be put in its place.",
            )
        _refuse_missing(column, f"propensity_{kind}")
        found[kind] = (
            grid.of_slate(column, "propensity_slate")
            if kind == "slate"
            else grid.table(column, fill=1.0)
        )
    if grid.k == 1 and found:
        one = next(iter(found.values())).reshape(grid.n)
        logging = single_items(one)
    else:
        logging = Propensities(**found)
    groups, names = _groups_of(users, log, user_groups)
    return LoggedSlates(
        users=users,
        items=grid.table(log.item, fill=PAD),
        rewards=grid.table(_rewards(log, reward), fill=0.0),
        logging=logging,
        positions=grid.table(log.position, fill=0),
        groups=groups,
        group_names=names,
    )


def from_decisions(
    decisions: pd.DataFrame, feedback: pd.DataFrame, worth: Mapping[str, float] | None = None
) -> LoggedSlates:
    """Slates that a platform recorded, with what came back.

    Args:
        decisions: One row for each item shown: ``recommendation_id``, ``user_id``, ``position``
            (from 1), ``item_id`` and ``propensity``, that of the whole slate.
        feedback: One row for each event that names its slate: ``recommendation_id``, ``item_id``
            and ``kind``. Events of other slates, or of none, are left out.
        worth: Reward of each kind of event, others being worth nothing; the best event of an item
            in a slate counts, once. A click or a like is worth 1 unless said otherwise.

    Raises:
        EmptyData: There is no decision.
        MissingColumn: A column is absent.
        UnknownItem: An event names an item that its slate did not show.
        InvalidValue: Rows of one slate contradict each other, or a propensity is missing or 0.
    """
    _require_columns(decisions, "decisions", _DECISION_COLUMNS)
    _require_columns(feedback, "feedback", _FEEDBACK_COLUMNS)
    if decisions.empty:
        raise EmptyData("no decision is recorded", field="decisions", mend="Recommend first.")
    slate, slate_ids = pd.factorize(decisions["recommendation_id"])
    item, item_ids = pd.factorize(decisions["item_id"])
    user, _ = pd.factorize(decisions["user_id"])
    grid = _Grid(slate, decisions["position"].to_numpy())
    items = grid.table(item, fill=PAD)
    propensity = decisions["propensity"].to_numpy(np.float64)
    _refuse_missing(propensity, "propensity")
    probability = grid.of_slate(propensity, "propensity")

    values = {"click": 1.0, "like": 1.0} if worth is None else worth
    rewards = _worth_of_events(feedback, values, slate_ids, item_ids, items)
    return LoggedSlates(
        users=grid.of_slate(user, "user_id"),
        items=items,
        rewards=rewards,
        logging=single_items(probability) if grid.k == 1 else Propensities(slate=probability),
        positions=grid.table(decisions["position"].to_numpy(), fill=0),
    )


def single_items(probability: FloatArray) -> Propensities:
    """Of slates of one item, shape ``(n,)``: the four kinds are one."""
    column = probability[:, None]
    return Propensities(slate=probability, prefix=column, item=column, anywhere=column)


_DECISION_COLUMNS = ("recommendation_id", "user_id", "position", "item_id", "propensity")
_FEEDBACK_COLUMNS = ("recommendation_id", "item_id", "kind")


class _Grid:
    """From rows to slates by positions.

    Args:
        slate: Rows with one number belong together, shape ``(R,)``.
        position: Where each stood, shape ``(R,)``.
    """

    def __init__(self, slate: IntArray, position: IntArray) -> None:
        _, codes = np.unique(slate, return_inverse=True)
        self._order = np.lexsort((position, codes))
        self._row = codes[self._order]
        starts = np.flatnonzero(np.diff(self._row, prepend=-1))
        self._first = self._order[starts]
        self._column = np.arange(len(codes)) - starts[self._row]
        self.n, self.k = len(starts), int(self._column.max()) + 1
        places = position[self._order]
        again = (np.diff(self._row) == 0) & (np.diff(places) == 0)
        if again.any():
            raise InvalidValue(
                f"{int(again.sum()):,} rows stand at a position that is taken in their slate",
                field="position",
                mend="Give each slate its own number, and each position one row.",
            )

    def table(self, values: np.ndarray, fill: float) -> np.ndarray:
        """Values by slate and place, shape ``(n, k)``."""
        out = np.full((self.n, self.k), fill, dtype=values.dtype)
        out[self._row, self._column] = values[self._order]
        return out

    def of_slate(self, values: np.ndarray, name: str) -> np.ndarray:
        """Values that all rows of a slate share, shape ``(n,)``."""
        found = values[self._first]
        if (found[self._row] != values[self._order]).any():
            raise InvalidValue(
                "rows of one slate differ",
                field=name,
                mend="Give each slate its own number; user and slate's probability are its own.",
            )
        return found


def _rewards(log: ImpressionLog, reward: Reward) -> FloatArray:
    if reward == "click":
        return log.clicked.astype(np.float64)
    if log.satisfaction is None:
        raise MissingColumn(
            "the log does not say how satisfied users were",
            field="satisfaction",
            mend="Use clicks as the reward.",
        )
    seen = log.satisfaction[log.clicked]
    if np.isnan(seen).any():
        raise InvalidValue(
            f"{int(np.isnan(seen).sum()):,} of {len(seen):,} clicks are not rated",
            field="satisfaction",
            mend="Use clicks as the reward: those who rate are not like those who do not.",
        )
    return np.where(log.clicked, log.satisfaction, 0.0).astype(np.float64)


def _worth_of_events(
    feedback: pd.DataFrame,
    worth: Mapping[str, float],
    slate_ids: Any,
    item_ids: Any,
    items: IntArray,
) -> FloatArray:
    """What each position earned: its best event, or 0; the shape of ``items``."""
    value = feedback["kind"].map(worth).to_numpy(np.float64)
    row = pd.Index(slate_ids).get_indexer(pd.Index(feedback["recommendation_id"]))
    rows = np.flatnonzero((row >= 0) & ~np.isnan(value))
    events, row, value = feedback.iloc[rows], row[rows], value[rows]
    item = pd.Index(item_ids).get_indexer(pd.Index(events["item_id"]))
    at = (items[row] == item[:, None]) & (item >= 0)[:, None]
    stray = np.flatnonzero(~at.any(axis=1))
    if len(stray):
        event = events.iloc[int(stray[0])]
        raise UnknownItem(
            f"item {event['item_id']!r} was not shown in slate {event['recommendation_id']!r}",
            field="feedback",
            mend="Record feedback against the slate that showed the item.",
        )
    best = np.full(items.shape, -np.inf)
    np.maximum.at(best, (row, at.argmax(axis=1)), value)
    return np.where(np.isfinite(best), best, 0.0)


def _groups_of(
    users: IntArray, log: ImpressionLog, groups: Groups | None
) -> tuple[IntArray | None, tuple[str, ...]]:
    """Group of each slate's user, and the names; who has none is in a group of its own."""
    if groups is None:
        return None, ()
    if log.user_ids is None or groups.codes.shape != (len(log.user_ids),):
        raise InvalidValue(
            f"{len(groups.codes)} users in groups, and another number in the log",
            field="user_groups",
            mend="Give the group of each of the log's users, in the order of its user_ids.",
        )
    codes = groups.codes[users]
    missing: BoolArray = codes == MISSING
    if not missing.any():
        return codes, groups.names
    return np.where(missing, len(groups.names), codes), (*groups.names, UNKNOWN_GROUP)


def _refuse_missing(values: FloatArray, field: str) -> None:
    missing = int(np.isnan(values).sum())
    if missing:
        raise InvalidValue(
            f"{missing:,} of {len(values):,} rows have no probability",
            field=field,
            mend="Log it when the slate is drawn; leave whole slates out where it is not, and say "
            "so.",
        )


def _require_columns(frame: pd.DataFrame, name: str, columns: Sequence[str]) -> None:
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise MissingColumn(
            f"`{name}` lacks {', '.join(absent)}",
            field=absent[0],
            mend=f"Give {', '.join(columns)}.",
        )
