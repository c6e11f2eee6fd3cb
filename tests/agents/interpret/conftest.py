"""Hand-made policies that read what they are told to, and nothing else."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from fairloop.agents.interpret.sample import Sample, observe_policy
from fairloop.agents.outcomes import Arena
from fairloop.agents.policy import Layer, WeightPolicy
from fairloop.rerankers.features import feature_names, observation_names

MakePolicy = Callable[..., WeightPolicy]


@pytest.fixture(scope="session")
def make_policy(arena: Arena) -> MakePolicy:
    """A linear policy: ``{weight: {column: slope}}`` around a base order with some diversity."""

    def make(
        slopes: Mapping[str, Mapping[str, float]], centre: Mapping[str, float] | None = None
    ) -> WeightPolicy:
        features = feature_names(arena.constraints)
        columns = observation_names(arena.world.catalogue.topic_names, arena.constraints)
        actions = (*features, "diversity")
        head = np.zeros((len(actions), len(columns)), np.float32)
        for weight, by_column in slopes.items():
            for column, slope in by_column.items():
                head[actions.index(weight), columns.index(column)] = slope
        start = {"base": 1.0, "diversity": 1.0} | dict(centre or {})
        return WeightPolicy(
            constraints=arena.constraints,
            feature_names=features,
            observation_names=columns,
            mean=np.zeros(len(columns), np.float32),
            scale=np.ones(len(columns), np.float32),
            hidden=(),
            head=Layer(head / 100.0, np.zeros(len(actions), np.float32)),
            centre=np.array([start.get(name, 0.0) for name in actions], np.float32),
            reach=np.full(len(actions), 100.0, np.float32),  # so that nothing is clipped
            offsets=np.zeros(len(actions), np.float32),
        )

    return make


@pytest.fixture(scope="session")
def topics(arena: Arena) -> tuple[str, ...]:
    return arena.world.catalogue.topic_names


@pytest.fixture(scope="session")
def varied(make_policy: MakePolicy, topics: tuple[str, ...]) -> WeightPolicy:
    """Choices of the first topic raise diversity; satisfaction raises the weight of popularity."""
    return make_policy(
        {
            "diversity": {f"clicks_lately:{topics[0]}": 2.0},
            "popularity": {"satisfaction": 1.0, f"taste:{topics[1]}": 0.5},
        }
    )


@pytest.fixture(scope="session")
def sample(varied: WeightPolicy, arena: Arena) -> Sample:
    return observe_policy(varied, arena, seed=1, n_users=40)
