"""DetGreedy, DetCons, DetRelaxed and DetConstSort (Geyik, Ambler & Kenthapadi, KDD 2019).

With target shares p_g, a ranking is asked to hold at least ⌊p_g · j⌋ and at most ⌈p_g · j⌉ items of
group g in its first j places.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import MISSING, FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge, column_codes, target_shares
from ..order import base_order
from .det_const_sort import const_sort, minimum_rises
from .det_greedy import GreedyMethod, Quotas, fill_between
from .queues import BLOCK, GroupQueues, floors

Method = GreedyMethod | Literal["det-const-sort"]


class DetSettings(RerankerSettings):
    """The groups and their shares.

    Attributes:
        attribute: Item attribute that holds the groups.
        targets: Wanted share by group name, one left out at most: it gets what remains. None
            takes each group's share of the items whose group is known.
        strength: How much of the quotas is imposed: with strength s a group gets at least
            ⌊s p j⌋ and at most ⌈(1 − s (1 − p)) j⌉ of the first j places, from no limits at 0 to
            the paper's at 1.
    """

    attribute: str = "popularity"
    targets: dict[str, float] | None = None
    strength: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0

    def _scaled(self, strength: float) -> Self:
        return self.changed(strength=strength * self.strength)


class DetGreedyConfig(DetSettings):
    """The best candidate of those groups that have not reached their maximum.

    Its attributes are those of `DetSettings`.
    """

    algorithm: Literal["det-greedy"] = "det-greedy"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return DetReranker(self.algorithm, self, knowledge.item_groups(self.attribute))


class DetConsConfig(DetSettings):
    """The group whose next minimum is due soonest.

    Its attributes are those of `DetSettings`.
    """

    algorithm: Literal["det-cons"] = "det-cons"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return DetReranker(self.algorithm, self, knowledge.item_groups(self.attribute))


class DetRelaxedConfig(DetSettings):
    """The best candidate of the groups whose next minimum is due at the soonest place.

    Its attributes are those of `DetSettings`.
    """

    algorithm: Literal["det-relaxed"] = "det-relaxed"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return DetReranker(self.algorithm, self, knowledge.item_groups(self.attribute))


class DetConstSortConfig(DetSettings):
    """Minima first, then sorted by score as far as they allow (see `det_const_sort`).

    Its attributes are those of `DetSettings`; the minima are ⌊s p j⌋, and a share 1 − s of the
    places goes to the best candidates of any group.
    """

    algorithm: Literal["det-const-sort"] = "det-const-sort"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return DetReranker(self.algorithm, self, knowledge.item_groups(self.attribute))


class DetReranker:
    """Keeps group shares between quotas in every prefix. O(U · N log N + U · k · G).

    DetGreedy meets all minima of up to three groups; from four on, two minima can fall due at one
    place, and one is met late. DetCons and DetRelaxed serve the soonest due first, which meets all
    minima of any number of groups at full strength. These three keep to the maxima. DetConstSort
    meets all minima at any strength, but keeps no maxima. All need enough candidates of each group.

    Items whose group is not known are not counted: shares and places are those among the others.
    Such an item takes a place where its score is above that of the candidate the algorithm would
    put there, and no minimum forces that one. A group that has run out leaves its places to
    groups below their maximum, and then to whoever is left, in base order.
    """

    def __init__(self, method: Method, config: DetSettings, groups: Groups) -> None:
        self.name: str = method
        self._method: Method = method
        self._groups = groups
        self._shares = target_shares(groups, config.targets)
        self._strength = config.strength

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        fill = self._filling(k)
        columns = np.empty((len(pools), k), np.intp)
        for start in range(0, len(pools), BLOCK):
            rows = slice(start, start + BLOCK)
            block = pools.take(rows)
            order = base_order(block)
            columns[rows] = np.take_along_axis(order, fill(self._queues(block, order)), axis=1)
        return Slates.from_columns(pools, columns)

    def missed(self, pools: CandidatePools, slates: Slates) -> IntArray:
        """In how many of its prefixes a slate misses a minimum, see `missed_minima`."""
        codes = np.take_along_axis(column_codes(self._groups, pools), slates.columns, axis=1)
        return missed_minima(codes, self._strength * self._shares)

    def _filling(self, k: int) -> Callable[[GroupQueues], IntArray]:
        if self._method == "det-const-sort":
            rises = minimum_rises(self._shares, self._strength, k)
            return partial(const_sort, rises=rises, k=k)
        return partial(
            fill_between, quotas=Quotas.of(self._shares, self._strength, k, self._method)
        )

    def _queues(self, pools: CandidatePools, order: IntArray) -> GroupQueues:
        """A queue for each group, and a last one for the items whose group is not known."""
        n_groups = len(self._shares)
        codes = column_codes(self._groups, pools)
        codes = np.where(pools.valid & (codes == MISSING), n_groups, codes)
        return GroupQueues(np.take_along_axis(codes, order, axis=1), n_groups + 1)


def missed_minima(codes: IntArray, shares: FloatArray) -> IntArray:
    """In how many prefixes a group has fewer than ⌊p j⌋ items: the paper's InfeasibleIndex.

    Args:
        codes: Group at each position, shape ``(U, k)``; an item of group ``MISSING`` is passed over
            and does not count as a place.
        shares: Minimum share of each group, shape ``(G,)``.

    Returns:
        Shape ``(U,)``, 0 to k. O(U · k · G).
    """
    n_users, k = codes.shape
    minima = floors(shares, np.arange(k + 1))
    counts = np.zeros((n_users, len(shares)), np.intp)
    missed = np.zeros(n_users, np.intp)
    for group in codes.T:
        known = np.flatnonzero(group != MISSING)
        counts[known, group[known]] += 1
        held = counts[known]
        missed[known] += (held < minima[held.sum(axis=1)]).any(axis=1)
    return missed
