"""Policies that give weights to a linear re-ranker: fixed ones, or what follows from the log."""

from collections.abc import Callable

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...rerankers.response import ResponseModel
from ..gaps import Controller
from ..logged import LoggedPopulation
from .base import Decision, PolicyLuck


class StaticWeights:
    """Weights of a linear re-ranker that never change.

    Args:
        weights: Feature weights, then the diversity strength, shape ``(A,)`` for everybody, or
            ``(U, A)`` with a row for each user that a simulation starts with.
        name: Name for tables.
        response: What a look is expected to bring, if rewards are weighed.
    """

    def __init__(
        self,
        weights: FloatArray,
        name: str = "static weights",
        response: ResponseModel | None = None,
    ) -> None:
        self._weights, self._response = np.asarray(weights, np.float32), response
        self.name = name

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The linear re-ranker's slates."""
        own = self._weights if self._weights.ndim == 1 else self._weights[logged.row]
        weights = own + controller.offsets()
        everybody = np.broadcast_to(weights, (len(logged), weights.shape[-1]))
        return Decision.certain(logged.slates(everybody, self._response))


class ObservationPolicy:
    """Weights that follow from what is observed.

    Args:
        act: From observations ``(U, O)`` to weights ``(U, A)``.
        name: Name for tables.
        response: What a look is expected to bring, if rewards are weighed.
    """

    def __init__(
        self,
        act: Callable[[FloatArray], FloatArray],
        name: str = "policy",
        response: ResponseModel | None = None,
    ) -> None:
        self._act, self._response = act, response
        self.name = name

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The slates of the weights that the policy gives each user."""
        weights = self._act(logged.observation(controller.gaps))
        return Decision.certain(logged.slates(weights + controller.offsets(), self._response))
