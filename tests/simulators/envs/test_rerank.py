import gymnasium
import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.features import feature_names
from fairloop.simulators.actions import ActionMap
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.envs.rerank import RerankEnv
from fairloop.simulators.world import World
from gymnasium.utils.env_checker import check_env


@pytest.mark.parametrize("with_constraints", [False, True])
def test_check_env_has_nothing_to_say(
    world: World, constraints: Constraints, with_constraints: bool
) -> None:
    name = "fairloop.simulators.envs:fairloop/Rerank-v0"
    env = gymnasium.make(name, world=world, constraints=constraints if with_constraints else None)
    check_env(env.unwrapped)


def episodes(env: RerankEnv, n: int, seed: int) -> list[tuple[float, bool, bool, float]]:
    """Rewards, flags and days of ``n`` episodes with action 0."""
    seen = []
    env.reset(seed=seed)
    for episode in range(n):
        if episode:
            env.reset()
        done = False
        while not done:
            _, reward, left, ended, info = env.step(np.zeros(env.action_space.shape, np.float32))
            assert reward == info["engagement"]
            seen.append((float(reward), left, ended, info["day"]))
            done = left or ended
    return seen


def test_seed_decides_everything(world: World) -> None:
    one, two = RerankEnv(world), RerankEnv(world)
    first = episodes(one, 3, seed=5)
    assert first == episodes(two, 3, seed=5) == episodes(one, 3, seed=5)
    assert first != episodes(one, 3, seed=6)


def test_leaving_terminates_and_the_horizon_truncates(world: World) -> None:
    base = world.config
    stay = base.model_copy(
        update={
            "leaving": base.leaving.model_copy(update={"enabled": False}),
            "horizon_days": 5,
        }
    )
    stayed = episodes(RerankEnv(world.with_dynamics(stay)), 5, seed=1)
    assert sum(ended for _, _, ended, _ in stayed) == 5
    assert not any(left for _, left, _, _ in stayed)
    assert max(day for *_, day in stayed) < 5
    quit_rate = base.leaving.model_copy(update={"base_rate": 0.9, "sensitivity": 0.0})
    flee = base.model_copy(update={"leaving": quit_rate, "horizon_days": 3650})
    fled = episodes(RerankEnv(world.with_dynamics(flee)), 5, seed=1)
    assert sum(left for _, left, _, _ in fled) == 5
    assert not any(ended for _, _, ended, _ in fled)


def test_an_episode_without_dynamics_lasts_the_horizon(world: World) -> None:
    static = WorldConfig.static()
    steps = episodes(RerankEnv(world.with_dynamics(static)), 1, seed=0)
    assert [day for *_, day in steps] == list(range(30))
    assert [ended for _, _, ended, _ in steps] == [False] * 29 + [True]


def test_info_describes_the_slate(world: World, constraints: Constraints) -> None:
    names = [*feature_names(constraints), "diversity"]
    center = np.zeros(len(names), np.float32)
    center[names.index("base")] = 1.0
    env = RerankEnv(world, constraints, row=3, action_map=ActionMap(center, center + 1))
    env.reset(seed=0)
    *_, info = env.step(np.zeros(len(names), np.float32))
    np.testing.assert_array_equal(info["slate"], world.pools.items[3, :10])
    assert info["user"] == world.users[3]
    assert info["exposure"].shape == (1,)
    tail = world.catalogue.group("popularity").mask("long_tail")[info["slate"]]
    v = 1 / np.log2(np.arange(2, 12))
    assert info["exposure"][0] == pytest.approx((v * tail).sum() / v.sum(), rel=1e-5)


def test_an_action_map_of_another_length_is_refused(world: World) -> None:
    with pytest.raises(InvalidValue, match="expected"):
        RerankEnv(world, action_map=ActionMap(np.zeros(3), np.ones(3)))
    with pytest.raises(InvalidValue, match="above 0"):
        ActionMap(np.zeros(3), np.zeros(3))
