"""Several worlds stepped as one are those worlds, each stepped by itself."""

import numpy as np
import pytest
from fairloop.agents.lagrange import LagrangeConfig, Multipliers
from fairloop.agents.robustness.many_worlds import ManyWorldsTask
from fairloop.agents.robustness.many_worlds_sb3 import ManyWorldsVecEnv
from fairloop.agents.robustness.parameters import scaled
from fairloop.agents.robustness.randomise import WorldRanges, training_worlds
from fairloop.agents.train import PricedEnv
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators.actions import ActionMap, action_size
from fairloop.simulators.envs.rerank import RerankTask
from fairloop.simulators.envs.rerank_sb3 import RerankVecEnv
from stable_baselines3 import PPO

FLOOR = ExposureFloor(attribute="popularity", group="long_tail", share=0.5)
LIMITS = Constraints(exposure=(FLOOR,))
N_ACTIONS = action_size(LIMITS)
MAP = ActionMap(np.ones(N_ACTIONS, np.float32), np.ones(N_ACTIONS, np.float32))


@pytest.fixture(scope="module")
def worlds(world):
    return training_worlds(world, WorldRanges(), 3, 2)


@pytest.fixture
def limits() -> Constraints:
    return LIMITS


ROWS = (np.array([0, 5, 5]), np.array([7]), np.array([9, 11]))


def actions(n: int, step: int) -> np.ndarray:
    return np.random.default_rng([n, step]).uniform(-1, 1, (n, N_ACTIONS)).astype(np.float32)


def test_every_row_lives_as_in_its_world_alone(worlds, limits):
    """Through leaving, the horizon and resets, with rows of one user in one world and in two."""
    task = ManyWorldsTask(worlds, limits, 4, ROWS, MAP, "expected")
    seeds = np.random.SeedSequence(4).generate_state(3)
    alone = [
        RerankTask(w.take(rows), limits, int(s), MAP, None, "expected")
        for w, rows, s in zip(worlds, ROWS, seeds, strict=True)
    ]
    assert len(task) == 6 and [len(t) for t in alone] == [3, 1, 2]
    ends = 0
    for step in range(60):
        seen = np.concatenate([t.observe() for t in alone])
        np.testing.assert_array_equal(task.observe(), seen)
        chosen = actions(6, step)
        visit = task.step(chosen)
        parts = np.split(chosen, [3, 4])
        visits = [t.step(part) for t, part in zip(alone, parts, strict=True)]
        for i, name in enumerate(("reward", "terminated", "truncated")):
            np.testing.assert_array_equal(visit[i], np.concatenate([v[i] for v in visits]), name)
        for name, value in visit.info.items():
            np.testing.assert_array_equal(value, np.concatenate([v.info[name] for v in visits]))
        np.testing.assert_array_equal(task.measured, np.concatenate([t.measured for t in alone]))
        outcomes = [t.outcome for t in alone]
        for name in ("clicks", "examination", "expected_engagement", "next_day", "left"):
            whole = np.concatenate([getattr(o, name) for o in outcomes])
            np.testing.assert_array_equal(getattr(task.outcome, name), whole, name)
        over = visit.terminated | visit.truncated
        ends += int(over.sum())
        task.reset(over)
        for t, part in zip(alone, np.split(over, [3, 4]), strict=True):
            t.reset(part)
    assert ends > 5


def test_one_world_is_the_environment_of_that_world(worlds, limits):
    many = ManyWorldsVecEnv(worlds[:1], limits, 4, action_map=MAP, desynchronise=True)
    one = RerankVecEnv(worlds[0], limits, 4, action_map=MAP, desynchronise=True)
    np.testing.assert_array_equal(many.reset(), one.reset())
    assert (many.actor_slice, many.privileged_slice) == (one.actor_slice, one.privileged_slice)
    for step in range(40):
        chosen = actions(many.num_envs, step)
        for ours, theirs in zip(many.step(chosen)[:3], one.step(chosen)[:3], strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(many.last_costs, one.last_costs)


def test_a_seed_starts_all_worlds_anew(worlds, limits):
    task = ManyWorldsTask(worlds, limits, 4, ROWS, MAP)
    first = task.step(actions(6, 0)).reward
    task.seed(5)
    other = task.step(actions(6, 0)).reward
    task.seed(4)
    assert np.array_equal(task.step(actions(6, 0)).reward, first)
    assert not np.array_equal(first, other)
    task.reset()
    assert np.array_equal(task.start_info()["day"], np.zeros(6))


def test_a_user_in_two_worlds_has_other_luck_there(world, limits):
    """The same world twice: what users bring differs all the same."""
    task = ManyWorldsTask([world, world], limits, 4, None, MAP)
    reward = task.step(np.zeros((len(task), N_ACTIONS), np.float32)).reward
    assert not np.array_equal(reward[: len(world)], reward[len(world) :])


def test_critics_see_which_world_it_is_and_policies_do_not(worlds, limits):
    seen = {p: ManyWorldsTask(worlds, limits, 4, ROWS, MAP, privileged=p) for p in (False, True)}
    blind, knowing = seen[False].observe(), seen[True].observe()
    n = seen[True].n_actor_obs
    assert blind.shape[1] == n and np.array_equal(knowing[:, :n], blind)
    latent = RerankTask(worlds[0], limits, 4, MAP, privileged=True).observe().shape[1]
    known = knowing[:, latent:]
    assert len(np.unique(known, axis=0)) == 3
    rates = np.log([w.config.leaving.base_rate for w in worlds])
    found = [c for c in known.T if np.allclose(c, np.repeat(rates, [3, 1, 2]), atol=1e-5)]
    assert len(found) == 1
    # A parameter that is the same everywhere tells nothing apart.
    assert not (known == known[0]).all(axis=0).any()


def test_a_learner_trains_on_it(worlds, limits):
    """As `agents.train` does: priced, with the critic's columns, for a rollout."""
    env = ManyWorldsVecEnv(worlds, limits, 4, ROWS, MAP, desynchronise=True)
    none = np.zeros(len(limits.exposure) + 1)
    priced = PricedEnv(env, Multipliers(none, LagrangeConfig()), 1.0, 0.5)
    model = PPO("MlpPolicy", priced, n_steps=8, batch_size=16, n_epochs=1, seed=0, device="cpu")
    before = [p.detach().clone() for p in model.policy.parameters()]
    model.learn(96)
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    reward, costs, _ = priced.close_rollout()
    assert np.isfinite(reward) and costs.shape == none.shape
    env.weight_offsets = np.full(N_ACTIONS, 0.5, np.float32)
    assert all((part.weight_offsets == 0.5).all() for part in env.task.parts)


def test_worlds_that_no_batch_can_hold_are_refused(world, limits):
    with pytest.raises(InvalidValue, match="no world"):
        ManyWorldsTask([], limits)
    longer = world.with_dynamics(world.config.model_copy(update={"horizon_days": 60}))
    with pytest.raises(InvalidValue, match="world 1 has another horizon"):
        ManyWorldsTask([world, longer], limits, 4, None, MAP)
    with pytest.raises(InvalidValue, match="rows for 1 of 2 worlds"):
        ManyWorldsTask([world, world], limits, 4, ROWS[:1], MAP)


def test_parameters_of_worlds_may_differ_alone(world, limits):
    other = world.with_dynamics(scaled(world.config, {"leaving.base_rate": 2.0}))
    task = ManyWorldsTask([world, other], limits, 4, None, MAP, privileged=True)
    latent = RerankTask(world, limits, 4, MAP, privileged=True).observe().shape[1]
    assert task.observe().shape[1] == latent + 1
