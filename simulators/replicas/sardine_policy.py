"""A policy that never bores SARDINE's users: the headroom above greedy."""

from typing import Any

import numpy as np

from ...arrays import IntArray
from ...errors import InvalidValue
from .base import ReplicaPopulation
from .sardine import SardinePopulation

_BLOCK = 512  # users ranked at a time


class NeverBoring:
    """The items of the highest true scores, few enough of each main topic to bore nobody.

    Of each main topic it shows at most ``boredom_threshold - 1`` items less the recent clicks on
    it, so that no click can start boredom; then the best of the rest fill the slate. It knows the
    latent state and one rule of the world, and plans no further: a lower bound on the optimum.
    """

    name = "never boring"

    def slates(self, population: ReplicaPopulation[Any], rng: np.random.Generator) -> IntArray:
        """Distinct items for each user, shape ``(U, k)``.

        Raises:
            InvalidValue: The population is not SARDINE's.
        """
        if not isinstance(population, SardinePopulation):
            raise InvalidValue(
                "topics bore nobody in this replica",
                field="population",
                mend="Use it on a population of SardineConfig.",
            )
        n = len(population)
        blocks = [np.arange(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]
        return np.concatenate([_ranked(population.take(rows)) for rows in blocks])


def _ranked(population: SardinePopulation) -> IntArray:
    config = population.world.config
    order = np.argsort(-population.scores(), axis=1, kind="stable")
    topics = population.world.main_topics.take(order)
    room = config.boredom_threshold - 1 - population.recent_counts()
    boring = np.zeros(order.shape, np.bool_)
    for topic in range(config.n_topics):
        own = topics == topic
        boring |= own & (np.cumsum(own, axis=1) > room[:, topic, None])
    first = np.argsort(boring, axis=1, kind="stable")[:, : config.slate_size]
    return np.take_along_axis(order, first, axis=1)
