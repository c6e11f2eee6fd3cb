"""CP-Fair: gaps between users' groups and between items' groups (Naghiaei et al., SIGIR 2022)."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import MISSING, FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge, column_codes
from ..order import base_order, serving_order
from ..randomness import draw_seed
from ..relevance import RelevanceScale, relevance
from ..topk import TopKReranker
from .gap_solver import Solution, solve
from .gaps import GapProblem
from .selection import by_score

Utility = Literal["ndcg", "dcg", "gain"]
"""What a user has of a slate, on the base model's relevance; see `utilities`."""


class CPFairConfig(RerankerSettings):
    """How much each gap weighs, and between whom.

    Attributes:
        user_attribute: User attribute whose groups' utilities are compared.
        attribute: Item attribute whose groups' exposures are compared.
        consumer_weight: λ₁: weight of the largest difference in mean utility between user groups,
            against the mean relevance of what is shown. 0 leaves users out.
        producer_weight: λ₂: weight of the largest difference in exposure between item groups,
            as a share of all slots. 0 leaves producers out. (The paper sums over users and slots
            where these are means, so its weights are U · k times these.)
        utility: ``"ndcg"``: discounted gain over that of the user's own base list, so that the gap
            is in what re-ranking costs. ``"dcg"`` and ``"gain"``, discounted or not, compare the
            base model's relevance itself; as no slate has more of it than the base list, that
            gap closes by taking from the group that has more.
        parity: Exposure of an item group: ``"total"``, its share of the slots (as in the
            authors' code), or ``"per_item"``, that share over the group's share of the items.
        rounds: Sorts of all users at most.
        tolerance: Stop sorting when the bound on the objective can fall by no more than this.
        swaps: Exchanges of single candidates at most, after rounding.
        relevance: Scale of the base scores; raw ones are divided by the largest of the batch.
    """

    algorithm: Literal["cp-fair"] = "cp-fair"
    user_attribute: str = "activity"
    attribute: str = "popularity"
    consumer_weight: Annotated[float, Field(ge=0.0)] = 0.5
    producer_weight: Annotated[float, Field(ge=0.0)] = 0.5
    utility: Utility = "ndcg"
    parity: Literal["total", "per_item"] = "total"
    rounds: Annotated[int, Field(ge=1)] = 60
    tolerance: Annotated[float, Field(gt=0.0)] = 1e-5
    swaps: Annotated[int, Field(ge=0)] = 100
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        users = knowledge.groups_of_users(self.user_attribute) if self.consumer_weight else None
        items = knowledge.item_groups(self.attribute) if self.producer_weight else None
        return CPFairReranker(self, users, items)

    def _scaled(self, strength: float) -> Self:
        return self.changed(
            consumer_weight=strength * self.consumer_weight,
            producer_weight=strength * self.producer_weight,
        )


class CPFairReranker:
    """Maximises ``mean relevance − λ₁ · DCF − λ₂ · DPF`` over all users' slates together.

    The paper's mixed-integer programme, solved to within a bound that `solve` returns. Groups
    without a user in the batch, or without a candidate, are left out, as are users and items of no
    group; with fewer than two groups left there is no gap. Slates are ordered by base score.
    O(rounds · U · N).
    """

    name = "cp-fair"

    def __init__(self, config: CPFairConfig, users: Groups | None, items: Groups | None) -> None:
        self._config = config
        self._users = users
        self._items = items

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`.

        Raises:
            InvalidValue: ``k`` cannot be filled, or a user lies outside the declared groups.
        """
        require_k(pools, k)
        order = serving_order(pools.users, draw_seed(rng))
        ordered = pools.take(order)
        problem = self.problem(ordered, k)
        if len(problem.n_users) == 0 and len(problem.item_scale) == 0:
            return TopKReranker().rerank(pools, k, rng)
        columns = np.empty((len(pools), k), np.intp)
        columns[order] = by_score(self.solve(problem).columns, ordered.scores)
        return Slates.from_columns(pools, columns)

    def solve(self, problem: GapProblem) -> Solution:
        """Slates, their objective, and a bound on that of any others."""
        config = self._config
        return solve(problem, config.rounds, config.tolerance, config.swaps)

    def problem(self, pools: CandidatePools, k: int) -> GapProblem:
        """The batch as a programme, users in the order of the pools."""
        config, valid = self._config, pools.valid
        scaled = relevance(pools, config.relevance)
        if config.relevance == "raw":
            scaled = scaled / max(float(scaled.max(initial=0.0)), np.finfo(np.float64).tiny)
        gains = utilities(scaled, pools, config.utility, k)
        # A user without any gain has no NDCG, and cannot be helped or harmed.
        user_codes = np.where((gains > 0).any(axis=1), self._codes_of_users(pools), MISSING)
        item_codes = np.full(valid.shape, MISSING)
        scale = np.zeros(0)
        if self._items is not None:
            item_codes = column_codes(self._items, pools)
            scale = exposure_scale(self._items, config.parity)
        user_codes, kept = renumbered(user_codes, len(self._users.names) if self._users else 0)
        sizes = np.bincount(user_codes, minlength=len(kept) + 1)[:-1].astype(np.float64)
        item_codes, present = renumbered(item_codes, len(scale))
        return GapProblem(
            np.where(valid, scaled, -np.inf),
            gains,
            user_codes,
            item_codes,
            sizes,
            scale[present],
            config.consumer_weight,
            config.producer_weight,
            k,
        )

    def _codes_of_users(self, pools: CandidatePools) -> IntArray:
        if self._users is None or len(pools) == 0:
            return np.full(len(pools), MISSING)
        last = int(pools.users.max())
        if last >= len(self._users.codes):
            raise InvalidValue(
                f"user index {last}, but {len(self._users.codes)} users in the groups of "
                f"{self._users.attribute!r}",
                field="user_attribute",
                mend="Declare a group, or none, for every user of the data set.",
            )
        return self._users.codes[pools.users]


def renumbered(codes: IntArray, n_groups: int) -> tuple[IntArray, IntArray]:
    """Codes of the groups that occur; none where fewer than two do, as there is no gap then.

    Args:
        codes: Any shape, ``MISSING`` where not known.
        n_groups: Number of groups declared.

    Returns:
        The codes, the number of groups kept where not known; and the groups kept.
    """
    counts = np.bincount(codes[codes != MISSING], minlength=n_groups)
    present = np.flatnonzero(counts)
    present = present if len(present) > 1 else present[:0]
    table = np.full(n_groups + 1, len(present))  # MISSING is -1: it reads the last entry
    table[present] = np.arange(len(present))
    return table[codes], present


def exposure_scale(items: Groups, parity: Literal["total", "per_item"]) -> FloatArray:
    """Exposure of an item group when it fills all slots, shape ``(G,)``."""
    if parity == "total":
        return np.ones(len(items.names))
    sizes = np.bincount(items.codes[items.codes != MISSING], minlength=len(items.names))
    return sizes.sum() / sizes


def utilities(relevance: FloatArray, pools: CandidatePools, utility: Utility, k: int) -> FloatArray:
    """What a user has of being shown each candidate; sums to the slate's utility.

    The base model's relevance stands for what is not known, the user's taste, as in the paper.
    A candidate is discounted by 1/log2(1 + its base rank), wherever it is shown: this keeps the
    programme linear.

    Args:
        relevance: Not negative, 0 in padding, shape ``(U, N)``.
        pools: The pools.
        utility: ``"gain"`` (mean over the slots), ``"dcg"``, or ``"ndcg"`` (over the base list's).
        k: Slate length.

    Returns:
        Shape ``(U, N)``; 0 for a user whose base list has none.
    """
    if utility == "gain":
        return relevance / k
    order = base_order(pools)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
    gains = relevance / np.log2(rank + 2.0)
    if utility == "dcg":
        return gains
    ideal = np.where(rank < k, gains, 0.0).sum(axis=1, keepdims=True)
    return np.divide(gains, ideal, out=np.zeros_like(gains), where=ideal > 0)
