"""Fairness-of-exposure constraints on each user's expected ranking (Singh & Joachims, KDD 2018)."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ...metrics.exposure import position_discount
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge, column_codes
from ..order import best_first
from ..relevance import RelevanceScale, relevance
from .birkhoff import birkhoff
from .group_rates import GroupRates, ParityConstraint
from .group_simplex import MOST_GROUPS, best_within_gap
from .mixture import RankingMixture, blocks, draw_slates, join, with_rows
from .parity_programme import best_placement
from .two_rankings import best_under_bound

REACHED = 1e-6
"""Share of the base order's gap by which a solver may miss the one that is allowed."""


class ExposureParityConfig(RerankerSettings):
    """Which groups' exposure is brought together, how it is counted, and how far.

    Attributes:
        attribute: Item attribute whose groups are compared.
        constraint: Equal exposure per item (``"demographic-parity"``), equal exposure per relevance
            (``"disparate-treatment"``) or equal expected clicks per relevance
            (``"disparate-impact"``).
        reduction: Share of the base order's gap that is taken away; 0 keeps the base order, 1
            closes the gap, as far as rankings of the pool can.
        relevance: Scale of the gains. ``"raw"`` for scores that are probabilities of relevance, as
            in the paper.
    """

    algorithm: Literal["exposure-lp"] = "exposure-lp"
    attribute: str = "popularity"
    constraint: ParityConstraint = "demographic-parity"
    reduction: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return ExposureParityReranker(self, knowledge.item_groups(self.attribute))

    def _scaled(self, strength: float) -> Self:
        return self.changed(reduction=strength)


@dataclass(frozen=True, slots=True)
class ParitySolution:
    """Each user's lottery, and what it does to the gap between the groups.

    The gap is the largest rate of a group in the user's pool minus the smallest (see
    `GroupRates`); NaN for a user whose pool holds fewer than two groups with a rate, who keeps the
    base order.

    Attributes:
        mixture: The lotteries.
        gap_before: Gap of the base order, shape ``(U,)``.
        gap_allowed: ``(1 − reduction)`` times that, shape ``(U,)``.
        gap_after: Expected gap of the lottery, shape ``(U,)``; above the allowed one where no
            lottery over the pool's rankings reaches it, and then the smallest there is.
        n_programmes: Users whose programme was solved one by one.
    """

    mixture: RankingMixture
    gap_before: FloatArray
    gap_allowed: FloatArray
    gap_after: FloatArray
    n_programmes: int

    @property
    def n_unconstrained(self) -> int:
        """Users with fewer than two groups to compare."""
        return int(np.isnan(self.gap_before).sum())

    @property
    def n_out_of_reach(self) -> int:
        """Users whose allowed gap no lottery reaches."""
        return int((self.gap_after > self.gap_allowed + REACHED * self.gap_before).sum())


class ExposureParityReranker:
    """Largest expected DCG whose expected exposure keeps the gap between groups within bounds.

    The linear programme of the paper, with the positions beyond ``k`` unseen. It is solved for all
    users at once: where a pool holds two groups the optimum mixes two sorts (`best_under_bound`,
    about five sorts of the pools), up to 20 groups it mixes about as many as groups
    (`best_within_gap`, some G² partial sorts). With more groups, or a gap out of reach among more
    than two, a user's programme goes to HiGHS and its solution through `birkhoff`: some 20 ms each
    at N = 100, k = 10.

    Items whose group is not known are shown by relevance and not compared.
    """

    name = "exposure-lp"

    def __init__(self, config: ExposureParityConfig, groups: Groups) -> None:
        self._config, self._groups = config, groups

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        return draw_slates(lambda part: self._solve(part, k).mixture, pools, k, rng)

    def mixture(self, pools: CandidatePools, k: int) -> RankingMixture:
        """See `StochasticReranker.mixture`."""
        return self.solve(pools, k).mixture

    def solve(self, pools: CandidatePools, k: int) -> ParitySolution:
        """The lotteries, with the gaps before and after.

        Raises:
            InvalidValue: ``k`` is below 1 or above the size of a pool.
        """
        require_k(pools, k)
        parts = [self._solve(pools.take(rows), k) for rows in blocks(len(pools))]
        gaps = [(part.gap_before, part.gap_allowed, part.gap_after) for part in parts]
        before, allowed, after = np.concatenate([np.zeros((3, 0)), *gaps], axis=1)
        lotteries = join([part.mixture for part in parts], k)
        by_programme = sum(part.n_programmes for part in parts)
        return ParitySolution(lotteries, before, allowed, after, by_programme)

    def _solve(self, pools: CandidatePools, k: int) -> ParitySolution:
        """`solve` for one block of users; columns are those in base order until the last line."""
        ordered, order = best_first(pools)
        gains = relevance(ordered, self._config.relevance)
        codes = column_codes(self._groups, ordered)
        rates = GroupRates.of(gains, codes, len(self._groups.names), self._config.constraint)
        discount, width = position_discount(k), gains.shape[1]

        mixture = RankingMixture.certain(np.tile(np.arange(k), (len(pools), 1)))
        before = rates.gaps(mixture.exposure(width))
        allowed = (1.0 - self._config.reduction) * before
        by_programme = 0
        if self._config.reduction > 0.0:
            gains = np.where(ordered.valid, gains, -np.inf)
            mixture = _two_groups(gains, rates, allowed, discount)
            many = np.flatnonzero((rates.n_present > 2) & (before > 0.0))
            mixture, left = _some_groups(mixture, many, gains, rates, before, allowed, discount)
            mixture = _many_groups(mixture, left, gains, rates, allowed, discount)
            by_programme = len(left)
        after = rates.gaps(mixture.exposure(width))
        columns = np.take_along_axis(order[:, None, :], mixture.columns, axis=2)
        mixture = RankingMixture(columns, mixture.weights)
        return ParitySolution(mixture, before, allowed, after, by_programme)


def _two_groups(
    gains: FloatArray, rates: GroupRates, allowed: FloatArray, discount: FloatArray
) -> RankingMixture:
    """Lotteries of users with two groups in the pool; the base order for all others."""
    first = rates.present.argmax(axis=1)
    signed = np.where(rates.codes == first[:, None], rates.unit, -rates.unit)
    # The gap of the base order is a difference in one direction; the bound limits that one.
    ahead = (signed[:, : len(discount)] * discount).sum(axis=1)
    signed = np.where(ahead[:, None] < 0.0, -signed, signed)
    bound = np.where(rates.n_present == 2, allowed, np.inf)
    return RankingMixture(*best_under_bound(gains, signed, bound, discount))


def _some_groups(
    mixture: RankingMixture,
    rows: IntArray,
    gains: FloatArray,
    rates: GroupRates,
    before: FloatArray,
    allowed: FloatArray,
    discount: FloatArray,
) -> tuple[RankingMixture, IntArray]:
    """The same with those of ``rows`` that the simplex settles, and the rows that it does not."""
    few = rates.n_present[rows] <= MOST_GROUPS
    tried, left = rows[few], rows[~few]
    if not len(tried):
        return mixture, left
    columns, weights, settled = best_within_gap(
        gains[tried], rates.take(tried), allowed[tried], discount
    )
    # Rates of very different size make bases that rounding spoils: what was promised is checked.
    gaps = rates.take(tried).gaps(RankingMixture(columns, weights).exposure(gains.shape[1]))
    settled &= gaps <= allowed[tried] + REACHED * before[tried]
    part = RankingMixture(columns[settled], weights[settled])
    return with_rows(mixture, tried[settled], part), np.append(left, tried[~settled])


def _many_groups(
    mixture: RankingMixture,
    rows: IntArray,
    gains: FloatArray,
    rates: GroupRates,
    allowed: FloatArray,
    discount: FloatArray,
) -> RankingMixture:
    """The same with those of ``rows``, one programme each."""
    parts: list[RankingMixture] = []
    for row in rows:
        n = int(np.isfinite(gains[row]).sum())
        groups = np.flatnonzero(rates.present[row])
        by_group = np.where(rates.codes[row, :n] == groups[:, None], rates.unit[row, :n], 0.0)
        placement = best_placement(gains[row, :n], by_group, float(allowed[row]), discount)
        rankings, weights = birkhoff(placement)
        parts.append(RankingMixture(rankings[None], weights[None]))
    return with_rows(mixture, rows, join(parts, len(discount)))
