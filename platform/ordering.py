"""What orders the candidates: the deployed policy, or one of the package's own re-rankers.

Each keeps a `ConstraintController`, which measures how far the slates shown lately are from the
limits, and adds to the weights of policy and exposure controller while a limit is missed.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..agents.interpret.sentence import Reasoner
from ..agents.policy import WeightPolicy
from ..agents.serving import PolicyReranker, policy_slates
from ..agents.steering import steering
from ..agents.targets import default_constraints
from ..arrays import FloatArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from ..explain.effects import linear_trace
from ..explain.trace import OrderWithout, RankTrace, one_pool, plain_trace
from ..rerankers.base import Reranker, Slates, require_k
from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from ..rerankers.controller import ConstraintController
from ..rerankers.diversity.mmr import MMRConfig, MMRReranker
from ..rerankers.exposure import ExposureConfig, ExposureReranker
from ..rerankers.features import observation
from ..rerankers.policy_reason import PolicyReason
from ..rerankers.state import ObservedState
from ..rerankers.topk import TopKReranker
from .policy_reasons import item_reasons

BUILTINS = ("top-k", "mmr", "exposure-controller")
"""Re-rankers of the package that can serve without training."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What an order depends on, for ``U`` users.

    Attributes:
        pools: Candidates after filters and wishes.
        context: The static arrays of those pools.
        state: What the log tells of the users.
        k: Slate length.
        diversity_factor: Multiplies the strength of diversity; 1 without a wish about it.
    """

    pools: CandidatePools
    context: PoolContext
    state: ObservedState
    k: int
    diversity_factor: float


@dataclass(frozen=True, slots=True)
class Ordered:
    """The slates and, where a policy made them, how.

    Attributes:
        slates: What is shown.
        weights: The policy's weights, shape ``(U, A)``.
        seen: What it saw, shape ``(U, O)``.
        offsets: What its controller added at that time, shape ``(A,)``.
    """

    slates: Slates
    weights: FloatArray | None = None
    seen: FloatArray | None = None
    offsets: FloatArray | None = None


class Orderer(Protocol):
    """Orders candidates, and tells afterwards what moved one user's items."""

    @property
    def version(self) -> str:
        """Policy version that stands in the record."""
        ...

    @property
    def constraints(self) -> Constraints:
        """The limits it works under."""
        ...

    @property
    def controller(self) -> ConstraintController:
        """What was measured lately against those limits."""
        ...

    @property
    def takes_diversity(self) -> bool:
        """Whether a wish for more or less diversity has an effect."""
        ...

    def order(self, situation: Situation, rng: np.random.Generator) -> Ordered:
        """Choose and order ``k`` candidates of each user; the controller is not moved.

        Raises:
            InvalidValue: ``k`` is above the size of a pool.
        """
        ...

    def trace(self, situation: Situation, ordered: Ordered, row: int) -> RankTrace:
        """What the rules did to the slate in ``row``."""
        ...

    def policy_reasons(
        self, situation: Situation, ordered: Ordered, row: int
    ) -> tuple[PolicyReason | None, ...]:
        """Per item of the slate in ``row``, the state that moved weights and it up, if any."""
        ...


class PolicyOrderer:
    """The deployed policy.

    Args:
        version: Its version.
        policy: Its weights.
        candidates: What it orders.
        reference: What it usually sees (`agents.interpret.reference`); without it there are no
            reasons for its weights.

    Raises:
        InvalidValue: It was trained on another catalogue or by another version.
    """

    takes_diversity = True

    def __init__(
        self,
        version: str,
        policy: WeightPolicy,
        candidates: CandidateSet,
        reference: FloatArray | None = None,
    ) -> None:
        PolicyReranker(policy, candidates.catalogue)  # refuses a catalogue that does not fit
        self.version = version
        self.constraints = policy.constraints
        self.controller = ConstraintController(policy.constraints)
        self._policy = policy
        self._reasoner = None if reference is None else Reasoner(policy, reference)

    def order(self, situation: Situation, rng: np.random.Generator) -> Ordered:
        """See `Orderer.order`; deterministic."""
        context = situation.context.answered_by(self._policy.response)
        state = situation.state
        require_k(situation.pools, situation.k)
        seen = observation(context, state, self.controller.gaps)
        offsets = steering(self._policy, self.controller)
        weights = self._policy.weights(seen, offsets)
        weights[:, -1] *= situation.diversity_factor
        columns = policy_slates(context, state, weights, situation.k)
        return Ordered(Slates.from_columns(situation.pools, columns), weights, seen, offsets)

    def trace(self, situation: Situation, ordered: Ordered, row: int) -> RankTrace:
        """See `Orderer.trace`: the parts of the score, and the order without each rule."""
        assert ordered.weights is not None
        one = np.array([row])
        weights = ordered.weights[row]
        return linear_trace(
            situation.pools.take(one),
            situation.context.take(one).answered_by(self._policy.response),
            situation.state.take(one),
            weights[:-1],
            float(weights[-1]),
            situation.k,
            ordered.slates.items[row],
            self.constraints,
        )

    def policy_reasons(
        self, situation: Situation, ordered: Ordered, row: int
    ) -> tuple[PolicyReason | None, ...]:
        """See `Orderer.policy_reasons`."""
        if self._reasoner is None:
            return (None,) * situation.k
        assert ordered.weights is not None and ordered.seen is not None

        def weigh(seen: FloatArray) -> FloatArray:
            weights = self._policy.weights(seen, ordered.offsets)
            weights[:, -1] *= situation.diversity_factor
            return weights

        one = np.array([row])
        return item_reasons(
            self._reasoner,
            weigh,
            ordered.seen[row],
            ordered.weights[row],
            situation.context.take(one),
            situation.state.take(one),
            ordered.slates.items[row],
        )


class BuiltinOrderer:
    """Top-k, MMR or the exposure controller, under default limits.

    Raises:
        InvalidValue: There is no such re-ranker.
    """

    takes_diversity = False

    def __init__(self, name: str, candidates: CandidateSet, k: int) -> None:
        self.version = name
        self.constraints = default_constraints(candidates, k=k)
        self._reranker = builtin(name, candidates, self.constraints)
        if isinstance(self._reranker, ExposureReranker):
            self.controller = self._reranker.controller
        else:
            self.controller = ConstraintController(self.constraints)

    def order(self, situation: Situation, rng: np.random.Generator) -> Ordered:
        """See `Orderer.order`."""
        before = self.controller.to_json()
        try:
            slates = self._reranker.rerank(situation.pools, situation.k, rng)
        finally:
            # The exposure controller moves as it ranks. What counts is what gets recorded.
            self.controller.restore(before)
        return Ordered(slates)

    def policy_reasons(
        self, situation: Situation, ordered: Ordered, row: int
    ) -> tuple[PolicyReason | None, ...]:
        """See `Orderer.policy_reasons`: there are no weights that could move."""
        return (None,) * situation.k

    def trace(self, situation: Situation, ordered: Ordered, row: int) -> RankTrace:
        """See `Orderer.trace`: these re-rankers have one rule each, beside the base order."""
        pool = situation.pools.take(np.array([row]))
        base_order, _ = one_pool(pool)
        without: tuple[OrderWithout, ...] = ()
        if self.version == "mmr":
            without = (OrderWithout("diversity", base_order),)
        elif self.version == "exposure-controller" and len(self.constraints.exposure) == 1:
            # Its distance term belongs to the diversity limit; with it in force, the base order
            # is the order without both rules and says nothing exact of one of them.
            floor = self.constraints.exposure[0]
            if self.controller.bonuses[-1] == 0.0:
                without = (OrderWithout("exposure", base_order, floor.attribute, floor.group),)
        return plain_trace(pool, ordered.slates.items[row], without)


def builtin(name: str, candidates: CandidateSet, constraints: Constraints) -> Reranker:
    """The re-ranker of one of ``BUILTINS``, under the given limits.

    Raises:
        InvalidValue: There is no such re-ranker.
    """
    if name == "top-k":
        return TopKReranker()
    if name == "mmr":
        return MMRReranker(MMRConfig(), candidates.catalogue, constraints)
    if name == "exposure-controller":
        return ExposureReranker(ExposureConfig(), candidates.catalogue, constraints)
    raise InvalidValue(
        f"no re-ranker named {name!r}", field="policy", mend=f"Use one of {', '.join(BUILTINS)}."
    )
