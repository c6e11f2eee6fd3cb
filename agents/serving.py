"""A stored policy as a re-ranker that the running system can call."""

from collections.abc import Callable

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from ..rerankers.base import Slates, require_k
from ..rerankers.context import PoolContext
from ..rerankers.features import feature_names, observation, observation_names
from ..rerankers.linear import linear_slates
from ..rerankers.state import ObservedState, new_state
from .policy import WeightPolicy

States = Callable[[CandidatePools], ObservedState]
"""State of the users of a batch of pools, rows in their order."""


class PolicyReranker:
    """Serves a `WeightPolicy` by the `Reranker` protocol; deterministic, so propensities are 1.

    Args:
        policy: What chooses the weights.
        catalogue: The items; it must have the topics and groups that the policy was trained on.
        states: Gives the users' state, replayed from the log; without it nobody has a past.
        gaps: Measured minus target of each constraint lately, shape ``(C,)``; 0 by default.
        offsets: What a controller adds to the weights, shape ``(A,)``; 0 by default.
        name: Name for tables and records.

    Raises:
        InvalidValue: The catalogue gives other features or observations than the policy reads.
    """

    def __init__(
        self,
        policy: WeightPolicy,
        catalogue: Catalogue,
        states: States | None = None,
        *,
        gaps: FloatArray | None = None,
        offsets: FloatArray | None = None,
        name: str = "policy",
    ) -> None:
        _require_same_columns(policy, catalogue)
        self.policy = policy
        self.catalogue = catalogue
        self.states = states
        self.gaps = np.zeros(len(policy.constraints.exposure) + 1) if gaps is None else gaps
        self.offsets = offsets
        self._name = name

    @property
    def name(self) -> str:
        """Short name for tables and records."""
        return self._name

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """Choose and order ``k`` of each user's candidates; ``rng`` is not used.

        Raises:
            InvalidValue: ``k`` is below 1 or above the size of a pool.
        """
        require_k(pools, k)
        context, state = self.situation(pools)
        weights = self._weights(context, state)
        return Slates.from_columns(pools, policy_slates(context, state, weights, k))

    def weights(self, pools: CandidatePools) -> FloatArray:
        """The weights the policy gives each user, shape ``(U, A)``, for records and reasons."""
        return self._weights(*self.situation(pools))

    def situation(self, pools: CandidatePools) -> tuple[PoolContext, ObservedState]:
        """What the policy's choice depends on: the pools' static arrays and the users' state."""
        context = PoolContext.of(pools, self.catalogue, self.policy.constraints)
        context = context.answered_by(self.policy.response)
        if self.states is None:
            return context, new_state(len(pools), context.n_candidates, context.n_topics)
        return context, self.states(pools)

    def _weights(self, context: PoolContext, state: ObservedState) -> FloatArray:
        return self.policy.weights(observation(context, state, self.gaps), self.offsets)


def policy_slates(
    context: PoolContext, state: ObservedState, weights: FloatArray, k: int
) -> IntArray:
    """Slates of the given weights and diversity strengths, ``(U, A)`` to columns ``(U, k)``."""
    return linear_slates(context, state, weights[:, :-1], weights[:, -1], k)


def _require_same_columns(policy: WeightPolicy, catalogue: Catalogue) -> None:
    if policy.feature_names != feature_names(policy.constraints):
        raise InvalidValue(
            "the policy was trained on other scoring features than this version computes",
            field="policy.feature_names",
            mend="Train it again.",
        )
    if policy.observation_names != observation_names(catalogue.topic_names, policy.constraints):
        raise InvalidValue(
            "the policy was trained on another catalogue's topics, or by another version",
            field="policy.observation_names",
            mend="Train it again on these candidates.",
        )
