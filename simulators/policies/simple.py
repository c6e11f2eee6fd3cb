"""Policies that know nothing of the user: chance, and popularity."""

import numpy as np

from ...arrays import BoolArray, FloatArray
from ..gaps import Controller
from ..logged import LoggedPopulation
from .base import Decision, PolicyLuck


class RandomSlates:
    """Candidates drawn uniformly without replacement, in uniformly random order.

    Every ordered slate of a pool of N has probability (N − k)! / N!, and every item is at every
    position with probability 1 / N.
    """

    name = "random"

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """Uniform draws over the valid columns."""
        k, context = logged.world.config.slate_size, logged.context
        keys = luck.keys_of(np.maximum(context.items, 0))
        keys[~context.valid] = np.iinfo(np.uint64).max
        nearest = np.argpartition(keys, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(keys, nearest, axis=1), axis=1)
        sizes = context.valid.sum(axis=1)
        return Decision.drawn(
            np.take_along_axis(nearest, order, axis=1),
            np.exp(_log_uniform(sizes, k)),
            np.broadcast_to(1.0 / sizes[:, None], (len(logged), k)),
        )


class PopularitySlates:
    """The most popular candidates, the same order for everybody; ties go to the lowest column."""

    name = "popularity"

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The top of the pool by training interactions."""
        context = logged.context
        popularity = logged.world.catalogue.popularity[np.maximum(context.items, 0)]
        cost = np.where(context.valid, -popularity, np.inf)
        k = logged.world.config.slate_size
        return Decision.certain(np.argsort(cost, axis=1, kind="stable")[:, :k])


def _log_uniform(sizes: np.ndarray, k: int) -> FloatArray:
    """Log (N − k)! / N! for each pool size N, shape of ``sizes``."""
    return -np.log(sizes[:, None] - np.arange(k)).sum(axis=1)
