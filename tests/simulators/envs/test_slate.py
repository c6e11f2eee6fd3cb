import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.features import observation_names
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.engines import EngineName
from fairloop.simulators.envs.slate import (
    SlateEnv,
    SlateTask,
    SlateVectorEnv,
    slate_observation_names,
)
from fairloop.simulators.envs.vector import TaskVectorEnv
from fairloop.simulators.fit_factors import made_up_factor_world
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.world import World
from gymnasium import spaces


def picks(world: World, n: int, seed: int = 0) -> np.ndarray:
    """Distinct columns of candidates for every user, ``(n, U, k)``."""
    keys = np.random.default_rng(seed).random((n, len(world), world.n_candidates))
    keys[:, ~world.pools.valid] = 2.0
    return np.argsort(keys, axis=2)[:, :, : world.config.slate_size]


@pytest.mark.parametrize("engine_name", ["numpy", "compiled"])
def test_it_is_the_engine_and_the_log_of_a_served_policy(
    world: World, engine_name: EngineName
) -> None:
    """Rewards, ends and items bit by bit; observations as ``rerankers.features`` has them."""
    if engine_name == "compiled":
        pytest.importorskip("numba", reason="the compiled engine needs numba")
    task = SlateTask(world, seed=4, engine=engine_name)
    env = TaskVectorEnv(task, autoreset_mode="SameStep")
    engine = LoggedPopulation(world, Constraints(), seed=4)
    engine.population = UserPopulation(world, seed=4, engine=engine_name)
    names = slate_observation_names(world.catalogue.topic_names)
    theirs = observation_names(world.catalogue.topic_names, Constraints())
    shared = [theirs.index(name) for name in names]
    seen, _ = env.reset()
    gaps = np.zeros(1, np.float32)
    for columns in picks(world, 40):
        np.testing.assert_allclose(seen, engine.observation(gaps)[:, shared], rtol=2e-4, atol=2e-5)
        seen, reward, left, ended, infos = env.step(columns)
        outcome = engine.step(columns)
        np.testing.assert_array_equal(reward, outcome.engagement)
        np.testing.assert_array_equal(left, outcome.left)
        np.testing.assert_array_equal(ended, outcome.ended)
        over = left | ended
        items = np.take_along_axis(world.pools.items, columns, axis=1)
        np.testing.assert_array_equal(infos["slate"][~over], items[~over])
        np.testing.assert_array_equal(infos["clicks"][~over], outcome.clicks[~over])
        assert not infos["replaced"].any()
        engine.reset(over)


def test_a_repeat_is_replaced_counted_and_shown(world: World) -> None:
    env = SlateEnv(world, seed=1, row=3)
    pool, k = world.pools.items[3], world.config.slate_size
    env.reset()
    *_, info = env.step(np.full(k, 2))
    assert info["replaced"] == k - 1
    np.testing.assert_array_equal(info["slate"], pool[[2, 0, 1, *range(3, k)]])
    assert info["user"] == world.users[3]


def test_what_no_slate_can_be_is_refused(world: World) -> None:
    env = SlateEnv(world)
    k, n = world.config.slate_size, world.n_candidates
    for wrong in (np.full(k, n), np.full(k, -1), np.zeros(k + 1, int), np.zeros(k)):
        env.reset()
        with pytest.raises(InvalidValue):
            env.step(wrong)
    with pytest.raises(InvalidValue, match="Use larger pools"):
        SlateTask(world.with_dynamics(WorldConfig(slate_size=n + 1)))


def ends(world: World, **changes: dict[str, object]) -> tuple[int, int, float]:
    """How many of 200 first episodes terminate and truncate, and the latest day of a visit."""
    parts = {
        name: getattr(world.config, name).model_copy(update=update)
        for name, update in changes.items()
    }
    world = world.with_dynamics(world.config.model_copy(update={"horizon_days": 6, **parts}))
    rows = np.arange(200) % len(world)
    env = SlateVectorEnv(world, rows=rows, autoreset_mode="Disabled")
    env.reset(seed=0)
    over, lefts, cuts, latest = np.zeros(200, np.bool_), 0, 0, 0.0
    for _ in range(6):
        _, _, left, ended, infos = env.step(env.action_space.sample())
        latest = max(latest, float(infos["day"][~over].max(initial=0.0)))
        lefts, cuts = lefts + int((left & ~over).sum()), cuts + int((ended & ~over).sum())
        over |= left | ended
        if (left | ended).any():
            env.reset(options={"reset_mask": left | ended})
    return lefts, cuts, latest


def test_leaving_terminates_and_the_horizon_truncates(world: World) -> None:
    stayed = ends(world, leaving={"enabled": False})
    assert stayed[:2] == (0, 200) and stayed[2] <= 5.0
    lefts, cuts, _ = ends(world, leaving={"base_rate": 0.9, "sensitivity": 0.0})
    assert cuts < 20 and lefts + cuts >= 199


def test_the_expected_reward_is_the_mean_of_the_sampled_one(world: World) -> None:
    rows = np.zeros(4000, int)
    columns = np.tile(np.arange(world.config.slate_size), (4000, 1))
    sampled, expected = (
        SlateVectorEnv(world, rows=rows, reward=reward) for reward in ("sampled", "expected")
    )
    for env in (sampled, expected):
        env.reset(seed=0)
    drawn, mean = sampled.step(columns)[1], expected.step(columns)[1]
    assert np.ptp(mean) == 0 and drawn.std() > 0.1
    assert drawn.mean() == pytest.approx(mean[0], abs=4 * drawn.std() / 4000**0.5)


@pytest.mark.parametrize("engine_name", ["numpy", None])
def test_over_users_bring_nothing_until_they_are_reset(
    world: World, engine_name: EngineName | None
) -> None:
    task = SlateTask(world, reward="expected", engine=engine_name)
    over = np.zeros(len(world), np.bool_)
    for columns in picks(world, 60):
        before = task.observe()
        visit = task.step(columns)
        assert not visit.reward[over].any()
        assert not (visit.terminated | visit.truncated)[over].any()
        np.testing.assert_array_equal(task.observe()[over], before[over])
        over |= visit.terminated | visit.truncated
    assert over.all()


def test_a_catalogue_in_factors_has_its_items_for_columns() -> None:
    world = made_up_factor_world(30, 5000, 4, WorldConfig(slate_size=6), seed=2)
    env = SlateVectorEnv(world, num_envs=30)
    assert env.single_action_space == spaces.MultiDiscrete([5000] * 6)
    seen, _ = env.reset(seed=0)
    assert seen.shape == (30, len(slate_observation_names(("a", "b", "c", "d"))) - 4)
    one = SlateEnv(world, row=7)
    one.reset(seed=0)
    act = env.action_space.sample()
    seen, reward, *_, infos = env.step(act)
    alone, earned, *_, info = one.step(act[7])
    np.testing.assert_array_equal(infos["slate"][7], info["slate"])
    np.testing.assert_array_equal(seen[7], alone)
    assert reward[7] == earned
    distinct = infos["replaced"] == 0
    assert distinct.sum() > 20
    np.testing.assert_array_equal(infos["slate"][distinct], act[distinct])
