"""The tuned heuristic: fixed weights over what a platform can observe of its users.

A linear re-ranker whose features follow what each user was shown, clicked and liked lately (see
``rerankers.features``). It looks ahead by its weights alone: they were searched for what they bring
over whole episodes, not at the next visit, and so they rest topics and items that myopic ones
would show again.
"""

import numpy as np

from ...rerankers.constraints import Constraints
from ...rerankers.features import feature_names
from .linear import StaticWeights

WEIGHTS = {
    "base": 0.64,
    "popularity": 0.028,
    "recency": -0.182,
    "satiation": -25.769,
    "satiation_squared": -24.165,
    "topic_taste": 7.787,
    "fatigue": -50.972,
    "clicked": -18.187,
    "base_when_dissatisfied": 2.398,
}
"""Found by ``python -m benchmarks.headroom --tune``: CMA-ES on three made-up data sets and default
worlds, none of which the benchmark measures. They are weights of features that are standardised or
bounded, so they carry over to other data; for the best on one's own, tune again."""

DIVERSITY = 0.0


def heuristic(constraints: Constraints | None = None) -> StaticWeights:
    """The policy of these weights.

    Args:
        constraints: Those of the simulation: their floors add features, which weigh nothing.
    """
    names = feature_names(Constraints() if constraints is None else constraints)
    weights = [WEIGHTS.get(name, 0.0) for name in names]
    return StaticWeights(np.array([*weights, DIVERSITY]), "heuristic")
