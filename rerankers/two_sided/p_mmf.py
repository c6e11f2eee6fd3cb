"""P-MMF: provider max-min re-ranking (Xu, Chen, Xu, Shen, Zhang, Wang & Dong, WWW 2023)."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import MISSING
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge, column_codes, target_shares
from ..order import serving_order
from ..randomness import draw_seed
from ..relevance import RelevanceScale, relevance
from ..topk import TopKReranker
from .provider_dual import Pass, ProviderProblem, dual_pass, repeated_passes
from .selection import by_score


class PMMFConfig(RerankerSettings):
    """What the worst-off provider weighs, and how prices are learned.

    Attributes:
        attribute: Item attribute whose groups are the providers.
        weight: λ of the paper: how much the worst-off provider's exposure, over its resource,
            counts against the mean relevance of what is shown. (The paper sums relevance over the
            k items, so its λ is k times this one.) 0 keeps the base order.
        resources: What γ is proportional to: each provider's number of ``"items"`` (the paper's),
            or ``"equal"`` ones.
        targets: Shares of the slots by provider, in place of ``resources``; one may be left out.
        capacity: Most that a provider may get, in multiples of its γ; None for no limit. As in
            the paper, γ sums to 1 + 1/P times the slots, so with 1 all but a 1/P-th is bound.
        mode: ``"online"``: one pass, every user is served with the prices of that moment.
            ``"offline"``: the batch is known as a whole; several passes, the best of them shown.
        passes: Passes of the offline mode.
        learning_rate: Step size, divided by P^1.5 · √U (see `step_size`).
        momentum: Weight of the newest gradient, α of the paper.
        batch: Users served between two corrections of the prices; 1 is the paper's algorithm.
        relevance: Scale of the base scores.
    """

    algorithm: Literal["p-mmf"] = "p-mmf"
    attribute: str = "popularity"
    weight: Annotated[float, Field(ge=0.0)] = 0.5
    resources: Literal["items", "equal"] = "items"
    targets: dict[str, float] | None = None
    capacity: Annotated[float, Field(ge=1.0)] | None = 1.0
    mode: Literal["online", "offline"] = "online"
    passes: Annotated[int, Field(ge=1)] = 8
    learning_rate: Annotated[float, Field(gt=0.0)] = 0.2
    momentum: Annotated[float, Field(gt=0.0, le=1.0)] = 0.2
    batch: Annotated[int, Field(ge=1)] = 8
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return PMMFReranker(self, knowledge.item_groups(self.attribute))

    def _scaled(self, strength: float) -> Self:
        loose = None if self.capacity is None else self.capacity / max(strength, 1e-9)
        return self.changed(weight=strength * self.weight, capacity=loose)


class PMMFReranker:
    """Shows the k items of largest ``relevance − price``, prices learned by dual mirror descent.

    Providers without a candidate in the batch cannot be shown by anyone; they are left out, and the
    others' resources fill the slots. Items of no provider have no price and no limit. Slates are
    ordered by base score, as in the authors' code. O(U · N + U / batch · P log P) a pass.
    """

    name = "p-mmf"

    def __init__(self, config: PMMFConfig, providers: Groups) -> None:
        """Take the providers.

        Raises:
            InvalidValue: ``targets`` are not shares of the providers, or leave one nothing.
        """
        self._config = config
        self._providers = providers
        if config.targets is None and config.resources == "equal":
            self._shares = np.full(len(providers.names), 1.0 / len(providers.names))
        else:
            self._shares = target_shares(providers, config.targets)
        if (self._shares <= 0).any():
            name = providers.names[int(self._shares.argmin())]
            raise InvalidValue(
                f"provider {name!r} has a share of 0",
                field="targets",
                mend="Give every provider a positive share, or leave its items without a group.",
            )

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        if self._config.weight == 0.0:
            return TopKReranker().rerank(pools, k, rng)
        order = serving_order(pools.users, draw_seed(rng))
        ordered = pools.take(order)
        problem = self.problem(ordered, k)
        if len(problem.shares) == 0:  # no users, or items of no provider only
            return TopKReranker().rerank(pools, k, rng)
        columns = np.empty((len(pools), k), np.intp)
        columns[order] = by_score(self.solve(problem).columns, ordered.scores)
        return Slates.from_columns(pools, columns)

    def problem(self, pools: CandidatePools, k: int) -> ProviderProblem:
        """The batch as an allocation problem, users in the order of the pools."""
        codes = column_codes(self._providers, pools)
        live = np.bincount(codes[codes != MISSING], minlength=len(self._shares)) > 0
        shares = self._shares[live]
        if len(shares):
            shares = shares / shares.sum() * (1.0 + 1.0 / len(shares))
        # MISSING is -1: it reads the last entry, which stands for no provider.
        renumbered = np.append(np.where(live, np.cumsum(live) - 1, 0), len(shares))
        return ProviderProblem(
            np.where(pools.valid, relevance(pools, self._config.relevance), -np.inf),
            renumbered[codes],
            shares,
            self._config.weight,
            self._config.capacity,
            k,
        )

    def solve(self, problem: ProviderProblem) -> Pass:
        """Choose the slates, in the configured mode."""
        config = self._config
        rate = step_size(config.learning_rate, len(problem.relevance), len(problem.shares))
        if config.mode == "online":
            return dual_pass(problem, problem.start, rate, config.momentum, config.batch)
        return repeated_passes(problem, rate, config.momentum, config.batch, config.passes)


def step_size(learning_rate: float, n_users: int, n_providers: int) -> float:
    """Learning rate over P^1.5 · √U.

    1/√U is the paper's. The duals of P providers are of size 1/P, and the noise of one user's
    gradient is of size √P: with this scale, one learning rate serves 2 providers as well as 50.
    """
    return learning_rate / (n_providers**1.5 * np.sqrt(n_users))
