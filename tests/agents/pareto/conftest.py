from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.outcomes import Arena
from fairloop.agents.pareto.conditioned import Axis, ConditionedPolicy
from fairloop.agents.policy import WeightPolicy, static_policy
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.features import feature_names, observation_names
from fairloop.simulators.world import World

EXPOSURE = "exposure:popularity=long_tail"


@pytest.fixture
def conditioned(policy: WeightPolicy) -> ConditionedPolicy:
    """Random offsets at three targets of exposure and two of diversity, all held."""
    axes = (Axis(EXPOSURE, (0.3, 0.4, 0.6)), Axis("diversity", (0.5, 0.7)))
    rng = np.random.default_rng(4)
    offsets = rng.normal(size=(3, 2, policy.n_actions)).astype(np.float32)
    return ConditionedPolicy(policy, axes, offsets, np.ones((3, 2), np.bool_))


@pytest.fixture(scope="session")
def plain(world: World, constraints: Constraints) -> WeightPolicy:
    """The base order less what was seen lately, with room for a controller."""
    names = feature_names(constraints)
    given = {"base": 1.0, "fatigue": -3.0, "diversity": 0.5}
    weights = np.array([given.get(name, 0.0) for name in (*names, "diversity")])
    seen = observation_names(world.catalogue.topic_names, constraints)
    static = static_policy(weights, constraints, names, seen)
    return replace(static, reach=np.full(static.n_actions, 0.5, np.float32))


@pytest.fixture(scope="session")
def halves(world: World, constraints: Constraints) -> tuple[Arena, Arena]:
    """Users to search and to calibrate on, and others to look at."""
    rows = np.arange(len(world))
    return (
        Arena.of(world.take(rows[::2]), constraints),
        Arena.of(world.take(rows[1::2]), constraints),
    )
