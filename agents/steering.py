"""The controller that serves with a policy, in simulation as in production.

A policy holds its limits over the visits it was trained on: it may show few items of a floor's
group at a first visit and more later. What is on record right after a start, or after the mix of
users has changed, can then lie below a floor. So a controller watches what was shown lately and
adds to the weights of the floors and of diversity while a limit is missed, and only then.
"""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..rerankers.controller import ConstraintController
from ..simulators.gaps import Controller
from ..simulators.logged import LoggedPopulation
from ..simulators.policies import SlatePolicy
from .policy import WeightPolicy


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
        self._inner, self._policy = inner, policy
        self._controller = ConstraintController(policy.constraints)
        self.name = inner.name

    @property
    def gaps(self) -> FloatArray:
        """See `Controller.gaps`."""
        return self._controller.gaps

    def offsets(self) -> FloatArray:
        """See `Controller.offsets`."""
        return steering(self._policy, self._controller)

    def update(self, measured: FloatArray, active: BoolArray) -> None:
        """See `Controller.update`."""
        self._controller.update(measured, active)

    def reset(self) -> None:
        """See `Controller.reset`."""
        self._controller = ConstraintController(self._policy.constraints)

    def slates(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        rng: np.random.Generator,
    ) -> IntArray:
        """The policy's slates, which its own controller takes in; ``controller`` is not read."""
        columns = self._inner.slates(logged, active, self, rng)
        self.update(logged.measured(columns), active)
        return columns
