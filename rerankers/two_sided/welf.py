"""Welf: slates of the largest two-sided welfare, by Frank-Wolfe (Do et al., NeurIPS 2021)."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...metrics.exposure import position_discount
from ...metrics.lists import sum_by
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..order import base_order, serving_order
from ..randomness import draw_seed
from ..relevance import RelevanceScale, relevance
from ..stochastic.mixture import RankingMixture
from .welfare import Utilities, Welfare

BLOCK = 1024
"""Users ranked together, so that their scores stay in the processor's cache."""


class WelfConfig(RerankerSettings):
    """How much the items count, how much the worse-off count, and how long to search.

    Attributes:
        item_weight: λ: weight of the items' welfare against the users'; 0 keeps the base order.
        user_power: α₁ ≤ 1: 1 sums the users' utilities, 0 their logarithms, below 0 the worst-off
            users dominate.
        item_power: α₂ ≤ 1, the same for items.
        offset: Added to utilities, as a share of their mean under the base order: keeps the
            marginal welfare of who has nothing finite.
        iterations: Most Frank-Wolfe steps, each of which adds a ranking to every user's lottery.
        tolerance: The search stops when at most this share of the welfare to be gained over the
            base order can be missing.
        draw: Whether a slate is drawn from the lottery (the paper's), or the items of the largest
            expected exposure are shown for sure (then the welfare is not what was maximised).
        relevance: Scale of the gains.
    """

    algorithm: Literal["welf"] = "welf"
    item_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    user_power: Annotated[float, Field(ge=-10.0, le=1.0)] = 0.0
    item_power: Annotated[float, Field(ge=-10.0, le=1.0)] = 0.0
    offset: Annotated[float, Field(ge=1e-6)] = 0.01
    iterations: Annotated[int, Field(ge=1)] = 100
    tolerance: Annotated[float, Field(ge=0.0)] = 1e-3
    draw: bool = True
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return WelfReranker(self)

    def _scaled(self, strength: float) -> Self:
        return self.changed(item_weight=strength)


@dataclass(frozen=True, slots=True)
class WelfSolution:
    """The lotteries of a batch, and how the search for them went.

    Attributes:
        mixture: The lotteries.
        utilities: Users' and items' expected utilities; users as in the batch, items ascending by
            index, those that are in a pool.
        welfare: Before the first step (the base order) and after each, shape ``(T + 1,)``.
        gaps: Upper bounds of what was missing from the largest welfare at the same moments (the
            duality gap of Frank-Wolfe, Jaggi 2013), shape ``(T + 1,)``; the last is not computed
            anew after the last step, so it is that of one step before.
    """

    mixture: RankingMixture
    utilities: Utilities
    welfare: FloatArray
    gaps: FloatArray


class WelfReranker:
    """Maximises the `Welfare` of the batch over lotteries.

    A Frank-Wolfe step ranks every user's pool by ``∂W/∂u · relevance + ∂W/∂v of the item``, and
    mixes these rankings into the lotteries with the best step size, common to all. The users of a
    batch share the items' exposure, so a lottery depends on the batch; users are summed in
    `serving_order`. O(U · N) a step, and memory for U · T · k columns.
    """

    name = "welf"

    def __init__(self, config: WelfConfig) -> None:
        self._config = config

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        columns, propensities = self.mixture(pools, k).draw(draw_seed(rng), pools.users)
        return Slates.from_columns(pools, columns, propensities)

    def mixture(self, pools: CandidatePools, k: int) -> RankingMixture:
        """See `StochasticReranker.mixture`."""
        lottery = self.solve(pools, k).mixture
        if self._config.draw:
            return lottery
        # Equal exposures, such as none, fall back on the order of the first ranking: the base.
        exposure = lottery.exposure(pools.items.shape[1])
        order = base_order(pools)
        seen = np.where(pools.valid, -exposure, np.inf)
        by_exposure = np.argsort(np.take_along_axis(seen, order, axis=1), axis=1, kind="stable")
        return RankingMixture.certain(np.take_along_axis(order, by_exposure[:, :k], axis=1))

    def solve(self, pools: CandidatePools, k: int) -> WelfSolution:
        """The lotteries, with the course of the search.

        Raises:
            InvalidValue: ``k`` is below 1 or above the size of a pool.
        """
        require_k(pools, k)
        order = serving_order(pools.users, 0)
        solution = _solve(pools.take(order), k, self._config)
        back = np.argsort(order)
        lottery = RankingMixture(solution.mixture.columns[back], solution.mixture.weights[back])
        utilities = Utilities(solution.utilities.users[back], solution.utilities.items)
        return WelfSolution(lottery, utilities, solution.welfare, solution.gaps)


def _solve(pools: CandidatePools, k: int, config: WelfConfig) -> WelfSolution:
    """Frank-Wolfe with exact line search from the base order."""
    batch = _Batch(pools, k, config.relevance)
    columns = base_order(pools)[:, :k]
    at = batch.utilities(columns)
    powers = (config.user_power, config.item_power)
    welfare = Welfare.around(at, config.item_weight, powers, config.offset)
    base = welfare.value(at)
    # The smallest type that holds a column: rankings of all steps are kept.
    rankings = [columns.astype(np.min_scalar_type(batch.width))]
    weights, values, gaps = np.ones(1), [base], list[float]()
    most = np.inf
    for _ in range(config.iterations if config.item_weight > 0.0 else 0):
        marginal = welfare.marginal(at)
        columns = batch.best_rankings(marginal)
        way = batch.utilities(columns).minus(at)
        gaps.append(marginal.dot(way))
        most = min(most, values[-1] + gaps[-1])
        if most - values[-1] <= config.tolerance * (most - base):
            break
        step = welfare.best_step(at, way)
        at = at.plus(step, way)
        weights = np.append(weights * (1.0 - step), step)
        rankings.append(columns.astype(rankings[0].dtype))
        values.append(welfare.value(at))
    gaps += gaps[-1:] if len(gaps) < len(values) else []
    kept = np.flatnonzero(weights > 0.0)
    lottery = RankingMixture(
        np.stack([rankings[m] for m in kept], axis=1),
        np.broadcast_to(weights[kept] / weights[kept].sum(), (len(pools), len(kept))),
    )
    return WelfSolution(lottery, at, np.array(values), np.array(gaps))


class _Batch:
    """The pools of a batch with their items renumbered, so that items in no pool cost nothing."""

    def __init__(self, pools: CandidatePools, k: int, scale: RelevanceScale) -> None:
        self.width = pools.items.shape[1]
        self._gains = relevance(pools, scale)
        self._valid = pools.valid
        found, number = np.unique(pools.items[self._valid], return_inverse=True)
        self._n_items = len(found)
        self._items = np.full(pools.items.shape, self._n_items)  # padding: an item more
        self._items[self._valid] = number
        self._discount = position_discount(k)

    def utilities(self, columns: IntArray) -> Utilities:
        """What both sides get from one ranking per user, shape ``(U, k)``."""
        gains = np.take_along_axis(self._gains, columns, axis=1)
        items = np.take_along_axis(self._items, columns, axis=1)
        weights = np.broadcast_to(self._discount, columns.shape)
        users = (gains * self._discount).sum(axis=1)
        return Utilities(users, sum_by(items.ravel(), weights.ravel(), self._n_items))

    def best_rankings(self, marginal: Utilities) -> IntArray:
        """Each user's ranking of the largest marginal welfare, shape ``(U, k)``."""
        k = len(self._discount)
        columns = np.empty((len(self._gains), k), np.intp)
        per_item = np.append(marginal.items, -np.inf)  # padding is shown to no one
        for start in range(0, len(columns), BLOCK):
            rows = slice(start, start + BLOCK)
            cost = self._gains[rows] * -marginal.users[rows, None]
            cost -= per_item[self._items[rows]]
            top = np.argpartition(cost, k - 1, axis=1)[:, :k]
            order = np.argsort(np.take_along_axis(cost, top, axis=1), axis=1, kind="stable")
            columns[rows] = np.take_along_axis(top, order, axis=1)
        return columns
