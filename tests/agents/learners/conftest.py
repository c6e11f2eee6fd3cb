import numpy as np
import pytest
from fairloop.agents.outcomes import Arena
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.features import feature_names
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.world import Sensitivities, World

N, K, USERS = 12, 3, 32

QUICK = {
    "ppo": {
        "total_steps": 12_288,
        "critic_steps": 2_048,
        "n_envs": 128,
        "rollout_steps": 16,
        "batch_size": 256,
        "learning_rate": 3e-3,
        "log_std": -1.0,
        "critic_hidden": (16,),
    },
    "evolution": {"total_steps": 22_000, "pairs": 8, "users": 4, "learning_rate": 0.1},
    "td3": {
        "total_steps": 4_608,
        "critic_steps": 1_024,
        "n_envs": 128,
        "batch_size": 128,
        "gradient_steps": 6,
        "learning_rate": 3e-3,
        "critic_hidden": (32,),
    },
    "plackett-luce": {
        "total_steps": 12_288,
        "critic_steps": 2_048,
        "n_envs": 128,
        "rollout_steps": 16,
        "batch_size": 256,
        "learning_rate": 3e-3,
        "temperature": 2.0,
        "critic_hidden": (16,),
    },
}
"""Budgets of about a second for `upside_down`, by learner."""


def quick(name: str, **others: object) -> dict[str, object]:
    return {"actor_hidden": (16,), "reach": 10.0, **QUICK[name], **others}


def tiny(name: str) -> dict[str, object]:
    """A handful of updates in which something is learned."""
    steps = {"ppo": 6_144, "evolution": 3_000, "td3": 1_536, "plackett-luce": 4_096}[name]
    return quick(name, total_steps=steps, reach=0.5)


@pytest.fixture(scope="session")
def upside_down() -> World:
    """No memory, and appeal falls as the base score rises: the last K columns are the best."""
    catalogue = Catalogue(
        item_ids=np.array([str(i) for i in range(N)]),
        titles=np.array([str(i) for i in range(N)]),
        topics=np.ones((N, 1), bool),
        topic_names=("all",),
        year=np.full(N, np.nan),
        popularity=np.ones(N),
        groups={"popularity": Groups("popularity", ("head", "long_tail"), np.arange(N) % 2)},
    )
    ones = np.ones(USERS, np.float32)
    return World(
        config=WorldConfig.static().model_copy(update={"slate_size": K}),
        pools=CandidatePools(
            np.arange(USERS),
            np.tile(np.arange(N), (USERS, 1)),
            np.tile(np.arange(N, 0, -1.0), (USERS, 1)),
        ),
        catalogue=catalogue,
        topics=np.ones((N, 1), np.float32),
        usual_topics=np.ones(1, np.float32),
        appeal=np.tile(np.linspace(-2, 2, N, dtype=np.float32), (USERS, 1)),
        worth=np.zeros((USERS, N), np.float32),
        sensitivities=Sensitivities(ones, ones, ones, ones, ones),
    )


@pytest.fixture(scope="session")
def free(upside_down: World) -> Arena:
    return Arena.of(upside_down, Constraints())


@pytest.fixture(scope="session")
def bound(upside_down: World) -> Arena:
    """The base order shows the long tail 0.3 of the time, half of the best items are in it."""
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.8)
    return Arena.of(upside_down, Constraints(exposure=(floor,)))


def base_order(arena: Arena, diversity: float = 0.0) -> np.ndarray:
    start = np.zeros(len(feature_names(arena.constraints)) + 1)
    start[0], start[-1] = 1.0, diversity
    return start
