"""The controller that serves with a policy, in simulation as in production.

A policy holds its limits over the visits it was trained on: it may show few items of a floor's
group at a first visit and more later. What is on record right after a start, or after the mix of
users has changed, can then lie below a floor. So a controller watches what was shown lately and
adds to the weights of the floors and of diversity while a limit is missed, and only then. A
ceiling's weight belongs to all but its group, so that adding to it takes from the group.
"""

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..rerankers.base import Reranker, Slates, require_k
from ..rerankers.constraints import Constraints, HardFilters
from ..rerankers.controller import PACE, ConstraintController
from ..rerankers.exposure import measure
from ..rerankers.features import observation
from ..rerankers.filters import FilteredReranker
from ..simulators.gaps import Controller
from ..simulators.logged import LoggedPopulation
from ..simulators.policies import Decision, PolicyLuck, SlatePolicy
from .policy import WeightPolicy
from .serving import PolicyReranker, States, policy_slates


class Steering:
    """A `Controller` whose bonuses count in units of a policy's ``reach``.

    Learning with it, serving with it and evaluating with it are the same.

    Args:
        constraints: Limits, ratios resolved.
        reach: How far the policy may move each weight, shape ``(A,)``.
    """

    def __init__(self, constraints: Constraints, reach: FloatArray) -> None:
        self._constraints, self._reach = constraints, reach
        self.reset()

    @property
    def gaps(self) -> FloatArray:
        """See `Controller.gaps`."""
        return self._controller.gaps

    def offsets(self) -> FloatArray:
        """See `Controller.offsets`."""
        return self._reach * self._controller.offsets()

    def update(self, measured: FloatArray, active: BoolArray) -> None:
        """See `Controller.update`."""
        self._controller.update(measured, active)

    def reset(self) -> None:
        """See `Controller.reset`."""
        self._controller = ConstraintController(self._constraints)


def steering(policy: WeightPolicy, controller: ConstraintController) -> FloatArray:
    """What a controller adds to a policy's weights, shape ``(A,)``, float32.

    Bonuses count in units of the policy's ``reach``, because its weights have a scale of their own.
    """
    return policy.reach * controller.offsets()


class Steered:
    """A learned policy with its controller, anew at the start of each simulation.

    Args:
        inner: Adds the offsets of the controller it is given.
        policy: Whose weights they are.
    """

    def __init__(self, inner: SlatePolicy, policy: WeightPolicy) -> None:
        self._inner = inner
        self.controller = Steering(policy.constraints, policy.reach)
        self.name = inner.name

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The policy's slates, which its own controller takes in; ``controller`` is not read."""
        decision = self._inner.decide(logged, active, self.controller, luck)
        self.controller.update(logged.measured(decision.columns), active)
        return decision


class SteeredReranker:
    """A stored policy with its controller by the `Reranker` protocol.

    It learns as it serves: equal slates need an equal state of ``controller``. Users are served
    `PACE` at a time, so that the controller can answer within a batch.

    Args:
        policy: What chooses the weights.
        catalogue: The items it was trained on.
        states: Gives the users' state, replayed from the log; without it nobody has a past.
        name: Name for tables and records.

    Raises:
        InvalidValue: The catalogue gives other features or observations than the policy reads.
    """

    def __init__(
        self,
        policy: WeightPolicy,
        catalogue: Catalogue,
        states: States | None = None,
        name: str = "policy",
    ) -> None:
        self._inner = PolicyReranker(policy, catalogue, states, name=name)
        self.controller = ConstraintController(policy.constraints)

    @property
    def name(self) -> str:
        """Short name for tables and records."""
        return self._inner.name

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`; ``rng`` is not used."""
        require_k(pools, k)
        policy, controller = self._inner.policy, self.controller
        context, state = self._inner.situation(pools)
        columns = np.empty((len(pools), k), np.intp)
        for start in range(0, len(pools), PACE):
            rows = np.arange(start, min(start + PACE, len(pools)))
            part, known = context.take(rows), state.take(rows)
            seen = observation(part, known, controller.gaps)
            weights = policy.weights(seen, steering(policy, controller))
            columns[rows] = policy_slates(part, known, weights, k)
            controller.update(measure(part, columns[rows]))
        return Slates.from_columns(pools, columns)


def served_reranker(
    policy: WeightPolicy, catalogue: Catalogue, states: States | None = None, name: str = "policy"
) -> Reranker:
    """A policy as it is served: steered, and within the hard filters of its constraints."""
    served = SteeredReranker(policy, catalogue, states, name)
    filters = policy.constraints.filters
    if filters == HardFilters():
        return served
    return FilteredReranker(served, filters.allowed(catalogue))
