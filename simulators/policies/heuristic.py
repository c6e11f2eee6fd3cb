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
    "base": 1.481,
    "popularity": -0.093,
    "recency": -0.360,
    "satiation": -43.317,
    "satiation_squared": -11.991,
    "topic_taste": 13.567,
    "fatigue": -99.213,
    "clicked": -29.008,
    "base_when_dissatisfied": 2.178,
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
