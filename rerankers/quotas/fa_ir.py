"""FA*IR (Zehlike, Bonchi, Castillo, Hajian, Megahed & Baeza-Yates, CIKM 2017).

For several protected groups as Zehlike, Sühr, Baeza-Yates, Bonchi, Castillo & Hajian (IP&M 2022).
"""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, IntArray
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge, column_codes, target_shares
from ..order import base_order
from .fair_tables import Level, MinimumTable, adjusted_table, unadjusted_table
from .fair_trees import minimum_path
from .queues import BLOCK, GroupQueues

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class FAIRConfig(RerankerSettings):
    """Whom to protect, and how strict the test is.

    Attributes:
        attribute: Item attribute that holds the groups.
        protected: Names of the protected groups. Every other item is unprotected, also one whose
            group is not known.
        p: Share of each protected group, in their order (one number will do for one group). None
            takes each group's share of the items whose group is known.
        alpha: Significance: how often a ranking drawn at random with shares ``p`` may fail.
        adjusted: Whether ``alpha`` is meant for all prefixes together. If not, each prefix is
            tested with ``alpha``, and the random ranking fails more often.
        level: Whether the adjusted table fails with probability at most ``alpha``, or the nearest
            that there is, above or below, as fairsearchcore has it.
        strength: Multiplies ``p``: 0 protects no one.
    """

    algorithm: Literal["fa-ir"] = "fa-ir"
    attribute: str = "popularity"
    protected: Annotated[tuple[str, ...], Field(min_length=1)] = ("long_tail",)
    p: Share | tuple[Share, ...] | None = None
    alpha: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    adjusted: bool = True
    level: Level = "at-most"
    strength: Share = 1.0

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return FAIRReranker(self, knowledge.item_groups(self.attribute))

    def _scaled(self, strength: float) -> Self:
        return self.changed(strength=strength * self.strength)


class FAIRReranker:
    """The most relevant ranking whose every prefix passes the ranked group fairness test.

    Each place takes the best candidate left, unless the prefix would hold too few of a protected
    group: then it takes the best of that group. Within a group the base order is kept. For one
    protected group no such ranking has more relevance; for several the minima follow the most
    likely path of the tree.

    A group that has run out leaves its places to the best candidates left; `unsatisfied` says for
    whom. O(U · N log N + U · k · P), after a table that is made once for each ``k``.
    """

    name = "fa-ir"

    def __init__(self, config: FAIRConfig, groups: Groups) -> None:
        self._config = config
        self._groups = groups
        self._shares = protected_shares(config, groups)
        # Queue 0 is for all that is not protected, the last entry for code MISSING (−1).
        self._queue_of = np.zeros(len(groups.names) + 1, np.intp)
        for queue, name in enumerate(config.protected, start=1):
            self._queue_of[groups.names.index(name)] = queue

    def table(self, k: int) -> MinimumTable:
        """What each prefix of ``k`` places must hold, minima of shape ``(k, P)``.

        Raises:
            InvalidValue: Too many protected groups for so long a slate.
        """
        config = self._config
        if len(self._shares) > 1:
            return minimum_path(k, self._shares, config.alpha, config.adjusted, config.level)
        share = sum(self._shares)
        if config.adjusted:
            table = adjusted_table(k, share, config.alpha, config.level)
        else:
            table = unadjusted_table(k, share, config.alpha)
        return MinimumTable(table.minima[:, None], table.significance, table.fail_probability)

    def unsatisfied(self, pools: CandidatePools, k: int) -> BoolArray:
        """Users whose pool holds too few protected candidates to pass the test, shape ``(U,)``.

        Raises:
            InvalidValue: ``k`` is below 1 or above the size of a pool.
        """
        require_k(pools, k)
        queues = self._queues(pools)
        held = [(queues == code + 1).sum(axis=1) for code in range(len(self._shares))]
        return (np.stack(held, axis=1) < self.table(k).minima[-1]).any(axis=1)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        minima = self.table(k).minima
        columns = np.empty((len(pools), k), np.intp)
        for start in range(0, len(pools), BLOCK):
            rows = slice(start, start + BLOCK)
            block = pools.take(rows)
            order = base_order(block)
            codes = np.take_along_axis(self._queues(block), order, axis=1)
            places = fill_minima(GroupQueues(codes, len(self._shares) + 1), minima)
            columns[rows] = np.take_along_axis(order, places, axis=1)
        return Slates.from_columns(pools, columns)

    def _queues(self, pools: CandidatePools) -> IntArray:
        """Queue of every column, ``(U, N)``: 0 not protected, then the protected groups."""
        codes = column_codes(self._groups, pools)
        return np.where(pools.valid, self._queue_of[codes], codes)


def fill_minima(queues: GroupQueues, minima: IntArray) -> IntArray:
    """Place the best candidate left, or one of a group that would fall short.

    Args:
        queues: Queue 0 unprotected, then one for each protected group. They are emptied.
        minima: Shape ``(k, P)``; only one group may rise at a time, by one.

    Returns:
        Places in the base order, shape ``(U, k)``.
    """
    n_users = len(queues.heads)
    places = np.empty((n_users, len(minima)), np.intp)
    for i, minimum in enumerate(minima):
        short = (queues.taken[:, 1:] < minimum) & queues.left[:, 1:]
        best = queues.heads.argmin(axis=1)
        chosen = np.where(short.any(axis=1), short.argmax(axis=1) + 1, best)
        places[:, i] = queues.take(chosen)
    return places


def protected_shares(config: FAIRConfig, groups: Groups) -> tuple[float, ...]:
    """Minimum share of each protected group, scaled by the strength.

    Raises:
        InvalidValue: A protected group does not exist or is named twice, or the shares are too
            many, too few, or sum above 1.
    """
    names = config.protected
    unknown = sorted(set(names).difference(groups.names))
    if unknown or len(set(names)) < len(names):
        raise InvalidValue(
            f"no group named {unknown[0]!r} in {groups.attribute!r}"
            if unknown
            else f"a protected group is named twice in {', '.join(names)}",
            field="protected",
            mend=f"Use different names among {', '.join(groups.names)}.",
        )
    if config.p is None:
        of_items = target_shares(groups, None)
        shares = tuple(float(of_items[groups.names.index(name)]) for name in names)
    else:
        shares = config.p if isinstance(config.p, tuple) else (config.p,)
    if len(shares) != len(names) or sum(shares) > 1.0 + 1e-9:
        raise InvalidValue(
            f"{len(shares)} shares that sum to {sum(shares):g} for {len(names)} protected groups",
            field="p",
            mend="Give one share for each protected group, with a sum of at most 1.",
        )
    return tuple(config.strength * share for share in shares)
