import numpy as np
import pytest
from fairloop.rerankers.constraints import Constraints
from fairloop.simulators.actions import action_size
from fairloop.simulators.envs.rerank import RerankEnv
from fairloop.simulators.envs.rerank_sb3 import RerankVecEnv
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.population import privileged_names
from fairloop.simulators.world import World
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize


def zeros(venv: RerankVecEnv) -> np.ndarray:
    return np.zeros((venv.num_envs, *venv.action_space.shape), np.float32)


def test_every_api_gives_the_same_trajectory(world: World) -> None:
    """Two episodes of some users: single environment, vector environment and engine."""
    rows = np.array([7, 0, 31])
    venv = RerankVecEnv(world, seed=4, rows=rows, reward="sampled", privileged=False)
    venv.reset()
    seen: list[list[tuple[float, bool, bool]]] = [[] for _ in rows]
    for _ in range(70):
        _, reward, done, infos = venv.step(zeros(venv))
        for i in range(len(rows)):
            cut = bool(infos[i].get("TimeLimit.truncated", False))
            seen[i].append((float(reward[i]), bool(done[i]) and not cut, cut))
    for i, row in enumerate(rows.tolist()):
        env = RerankEnv(world, row=row)
        env.reset(seed=4)
        engine = LoggedPopulation(world, Constraints(), seed=4, rows=np.array([row]))
        action = np.zeros(env.action_space.shape, np.float32)
        for reward, left, ended in seen[i]:
            _, r, terminated, truncated, _ = env.step(action)
            outcome = engine.step(engine.slates(action[None]))
            assert (r, terminated, truncated) == (reward, left, ended)
            assert (outcome.engagement[0], outcome.left[0], outcome.ended[0]) == (
                reward, left, ended,
            )  # fmt: skip
            if terminated or truncated:
                env.reset()
                engine.reset()


def test_the_terminal_observation_is_the_one_before_the_reset(world: World) -> None:
    rows = np.arange(20)
    venv = RerankVecEnv(world, seed=4, rows=rows)
    twin = LoggedPopulation(world, Constraints(), seed=4, rows=rows)
    observation = venv.reset()
    checked = 0
    for _ in range(40):
        gaps = venv.controller.gaps
        twin.step(twin.slates(zeros(venv)))
        observation, _, done, infos = venv.step(zeros(venv))
        gaps = venv.controller.gaps
        before = np.concatenate([twin.observation(gaps), twin.population.privileged()], axis=1)
        for row in np.flatnonzero(done).tolist():
            np.testing.assert_array_equal(infos[row]["terminal_observation"], before[row])
            checked += 1
        twin.reset(np.flatnonzero(done))
        after = np.concatenate([twin.observation(gaps), twin.population.privileged()], axis=1)
        np.testing.assert_array_equal(observation, after)
        assert all(info == {} for info, d in zip(infos, done, strict=True) if not d)
    assert checked > 20


def test_episode_statistics_add_the_rewards_up(world: World) -> None:
    venv = RerankVecEnv(world, seed=1, reward="sampled")
    venv.reset()
    total, visits = np.zeros(venv.num_envs), np.zeros(venv.num_envs)
    for _ in range(40):
        _, reward, done, infos = venv.step(zeros(venv))
        total += reward
        visits += 1
        for row in np.flatnonzero(done).tolist():
            assert infos[row]["episode"]["r"] == pytest.approx(total[row], rel=1e-5)
            assert infos[row]["episode"]["l"] == visits[row]
        total[done] = visits[done] = 0


def test_costs_are_target_minus_measured(world: World, constraints: Constraints) -> None:
    venv = RerankVecEnv(world, constraints, seed=0)
    venv.reset()
    venv.step(zeros(venv))
    np.testing.assert_allclose(venv.last_costs[:, 0], 0.4 - venv.last_exposure[:, 0], rtol=1e-5)
    np.testing.assert_allclose(venv.last_costs[:, 1], 0.7 - venv.last_diversity, atol=1e-6)
    assert venv.last_columns.shape == (venv.num_envs, 10)


def test_no_target_no_cost(world: World) -> None:
    venv = RerankVecEnv(world)
    venv.reset()
    venv.step(zeros(venv))
    assert venv.last_costs.shape == (venv.num_envs, 1) and not venv.last_costs.any()


def test_expected_reward_is_the_default(world: World) -> None:
    venv = RerankVecEnv(world, seed=0)
    venv.reset()
    _, reward, _, _ = venv.step(zeros(venv))
    np.testing.assert_array_equal(reward, venv.last_expected_engagement)
    assert not np.array_equal(reward, venv.last_engagement)


def test_observation_slices(world: World, constraints: Constraints) -> None:
    both = RerankVecEnv(world, constraints)
    actor = RerankVecEnv(world, constraints, privileged=False)
    seen, blind = both.reset(), actor.reset()
    np.testing.assert_array_equal(seen[:, both.actor_slice], blind)
    assert seen[:, both.privileged_slice].shape[1] == len(privileged_names(world))
    assert seen.dtype == np.float32 and both.observation_space.contains(seen[0])


def test_offsets_shift_the_weights(world: World, constraints: Constraints) -> None:
    plain, shifted = RerankVecEnv(world, constraints), RerankVecEnv(world, constraints)
    shifted.weight_offsets[-2] = 50.0  # the long tail's membership
    for venv in (plain, shifted):
        venv.reset()
        venv.step(zeros(venv))
    assert shifted.last_exposure.mean() > plain.last_exposure.mean() + 0.1
    assert action_size(constraints) == len(shifted.weight_offsets)


def test_first_episodes_can_be_desynchronised(world: World) -> None:
    venv = RerankVecEnv(world, seed=0, desynchronise=True)
    venv.reset()
    first = np.zeros(venv.num_envs, int)
    for step in range(1, 32):
        _, _, done, infos = venv.step(zeros(venv))
        for row in np.flatnonzero(done & (first == 0)).tolist():
            first[row] = step
            assert infos[row]["TimeLimit.truncated"] == (not venv.last_left[row])
    assert (first > 0).all() and len(np.unique(first)) > 10


def test_stable_baselines_trains_on_it_and_wrappers_fit(
    world: World, constraints: Constraints
) -> None:
    venv = VecNormalize(VecMonitor(RerankVecEnv(world, constraints, desynchronise=True)))
    model = PPO("MlpPolicy", venv, n_steps=8, batch_size=240, n_epochs=1, seed=0, device="cpu")
    model.learn(8 * 60 * 2)
    assert model.num_timesteps == 960
    assert venv.get_attr("n_actor_obs") == [model.env.get_attr("n_actor_obs")[0]] * 60
    assert venv.env_is_wrapped(VecMonitor) == [False] * 60 or all(venv.env_is_wrapped(VecMonitor))
    venv.close()


def test_rows_share_attributes(world: World) -> None:
    venv = RerankVecEnv(world)
    venv.set_attr("weight_offsets", np.ones(10, np.float32))
    assert (venv.weight_offsets == 1).all()
    with pytest.raises(NotImplementedError):  # as SB3's interface has it: rows share attributes
        venv.set_attr("weight_offsets", 0, indices=[1])
