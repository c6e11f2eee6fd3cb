"""The learner on environments that Fairloop did not write, and on its own."""

import random
import runpy
from pathlib import Path
from typing import ClassVar

import gymnasium
import numpy as np
import pytest
import torch
from fairloop.agents.library.adapter import GymnasiumVecEnv, adapted
from fairloop.agents.library.limits import Limit
from fairloop.agents.library.train import Agent, AgentConfig, train_on
from fairloop.errors import InvalidValue
from fairloop.simulators.envs.slate import SlateVectorEnv
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from stable_baselines3 import PPO

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "any_environment.py"
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED]


class Counter(gymnasium.Env):
    """Ends after ``length`` steps, the odd episodes by truncation; tells all that happened."""

    observation_space = spaces.Box(-100.0, 100.0, (2,), np.float32)
    action_space = spaces.Box(np.array([0.0, -3.0]), np.array([4.0, 3.0]), (2,), np.float64)

    def __init__(self, length: int = 3) -> None:
        self.length, self.episode, self.at = length, -1, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.at = self.episode + 1, 0
        return self._seen(), {"cost": -1.0}

    def step(self, action):
        self.at += 1
        over = self.at == self.length
        odd = self.episode % 2 == 1
        info = {"cost": float(10 * self.episode + self.at)}
        return self._seen(), float(action[0]), over and not odd, over and odd, info

    def _seen(self):
        return np.array([self.episode, self.at], np.float32)


def counters(mode: AutoresetMode) -> GymnasiumVecEnv:
    makers = [lambda n=n: Counter(n) for n in (2, 3)]
    return GymnasiumVecEnv(SyncVectorEnv(makers, autoreset_mode=mode), ["cost"])


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_resets_becomes_the_same_one(mode):
    """Against what two environments alone would show, step by step."""
    env = counters(mode)
    env.seed(3)
    assert env.reset().tolist() == [[0, 0], [0, 0]]
    for step in range(1, 13):
        seen, rewards, dones, infos = env.step(np.zeros((2, 2), np.float32))
        assert rewards.tolist() == [2.0, 2.0]  # the middle of [0, 4]
        for row, length in enumerate((2, 3)):
            episode, at = divmod(step, length)
            over = at == 0
            assert dones[row] == over
            assert seen[row].tolist() == [episode, at]
            final = [episode - 1, length] if over else [episode, at]
            assert env.last_measured[row, 0] == 10 * final[0] + final[1]
            if over:
                assert infos[row]["terminal_observation"].tolist() == final
                assert infos[row]["TimeLimit.truncated"] == (final[0] % 2 == 1)
                assert infos[row]["episode"] == {"r": 2.0 * length, "l": length}
            else:
                assert infos[row] == {}


def test_fairloops_own_vector_environment_is_the_same_in_every_mode():
    slates = []
    for mode in MODES:
        env = adapted(SlateVectorEnv(num_envs=6, autoreset_mode=mode))
        env.seed(5)
        rng, trace = np.random.default_rng(0), [env.reset()]
        for _ in range(70):
            picks = rng.integers(0, env.action_space.nvec, (6, len(env.action_space.nvec)))
            seen, rewards, dones, _ = env.step(picks)
            trace += [seen, rewards, dones]
        slates.append(np.concatenate([part.ravel() for part in trace]))
    assert np.array_equal(slates[0], slates[1]) and np.array_equal(slates[0], slates[2])


def test_weights_are_laid_onto_their_box_and_clipped_to_it():
    lay = counters(AutoresetMode.SAME_STEP).laid
    actions = np.array([[-1.0, -1.0], [0.0, 0.5], [7.0, -7.0]], np.float32)
    assert lay(actions).tolist() == [[0.0, -3.0], [2.0, 1.5], [4.0, -3.0]]


def of_spaces(observation: spaces.Space, action: spaces.Space) -> gymnasium.Env:
    env = Counter()
    env.observation_space, env.action_space = observation, action
    return env


BOX = spaces.Box(-1.0, 1.0, (1,), np.float32)


class Paid(gymnasium.vector.VectorEnv):
    """The first weight costs what it brings; under a limit on the cost, the best is the limit."""

    metadata: ClassVar = {"autoreset_mode": AutoresetMode.DISABLED}

    def __init__(self, num_envs: int = 32) -> None:
        self.num_envs = num_envs
        self.single_observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.single_action_space = spaces.Box(0.0, 4.0, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.at = np.zeros(num_envs, int)

    def reset(self, *, seed=None, options=None):
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        self.at[mask] = 0
        return np.zeros((self.num_envs, 1), np.float32), {}

    def step(self, actions):
        self.at += 1
        spent, wasted = actions.T.astype(float)
        ends = self.at == 4
        info = {"spent": spent, "_spent": np.ones(self.num_envs, bool)}
        nothing = np.zeros((self.num_envs, 1), np.float32)
        return nothing, spent - 0.5 * wasted**2, ends, np.zeros_like(ends), info


QUICK = AgentConfig(learning_rate=3e-3, hidden=(16,))


@pytest.mark.parametrize(("limit", "expected"), [(None, 4.0), (1.0, 1.0)])
def test_weights_find_the_known_optimum_with_and_without_a_limit(limit, expected):
    limits = () if limit is None else (Limit(name="spent", bound=limit, scale=2.0),)
    agent = train_on(Paid(), 16_000, seed=2, limits=limits, config=QUICK)
    spent, wasted = agent.act(np.zeros((1, 1)))[0].astype(float)
    assert spent == pytest.approx(expected, abs=0.4) and wasted < 0.5
    earned = agent.evaluate(Paid(4), 8)
    assert earned == pytest.approx(np.full(8, 4 * (spent - 0.5 * wasted**2)))
    if limits:
        assert max(point.multipliers[0] for point in agent.curve) > 0.0
        assert agent.curve[-1].measured[0] == pytest.approx(limit, abs=0.3)


def test_an_agent_is_repeatable_and_leaves_the_generators_alone():
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state())
    agents = [train_on(Paid(8), 600, seed=s, config=QUICK) for s in (1, 1, 2)]
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
    first, again, other = (agent.act(np.zeros((1, 1))) for agent in agents)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.fixture(scope="module")
def slate_agent() -> Agent:
    env = SlateVectorEnv(num_envs=16, seed=1)
    return train_on(env, 1_024, seed=4, config=QUICK)


def test_slates_of_the_simulator_are_learned_on_and_drawn(slate_agent):
    env = adapted(SlateVectorEnv(num_envs=16, seed=9))
    seen = env.reset()
    slates, propensities = slate_agent.sample(seen, seed=3)
    assert all(env.action_space.contains(slate) for slate in slates)
    assert ((propensities > 0) & (propensities < 1)).all()
    assert np.array_equal(slates, slate_agent.sample(seen, seed=3)[0])
    assert not np.array_equal(slates, slate_agent.sample(seen, seed=4)[0])


def test_propensities_are_the_probabilities_of_whole_slates():
    """Six slates: what they say adds up to 1, and they are drawn as often as they say."""
    env = of_spaces(Counter.observation_space, spaces.MultiDiscrete([2, 3]))
    agent = train_on(env, 64, seed=1, config=QUICK)
    slates, propensities = agent.sample(np.zeros((6000, 2)), seed=3)
    codes = slates @ np.array([3, 1])
    found, first, counts = np.unique(codes, return_index=True, return_counts=True)
    assert found.tolist() == [0, 1, 2, 3, 4, 5]
    assert propensities[first].sum() == pytest.approx(1.0, abs=1e-6)
    assert counts / 6000 == pytest.approx(propensities[first], abs=4 * np.sqrt(0.25 / 6000))


def test_a_stored_model_acts_as_the_agent_did(slate_agent, tmp_path):
    """stable-baselines3's own file holds all of it, the standardisation included."""
    slate_agent.model.save(tmp_path / "agent")
    model = PPO.load(tmp_path / "agent", device="cpu")
    seen = adapted(SlateVectorEnv(num_envs=16, seed=9)).reset()
    assert np.array_equal(model.predict(seen, deterministic=True)[0], slate_agent.act(seen))


def test_episodes_are_shared_out_between_rows():
    agent = train_on(Paid(4), 64, seed=1, config=QUICK)

    def nothing(seen):
        return np.zeros((len(seen), 2))

    unequal = SyncVectorEnv([lambda n=n: Counter(n) for n in (1, 5)])
    with pytest.raises(InvalidValue, match="multiple of 2"):
        agent.evaluate(unequal, 3)

    def ones(seen):
        return np.ones((len(seen), 2))

    assert sorted(agent.evaluate(unequal, 4, act=ones).tolist()) == [1.0, 1.0, 5.0, 5.0]
    assert agent.evaluate(lambda: Counter(2), 2, act=nothing).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("env", "field"),
    [
        (of_spaces(BOX, spaces.Discrete(3)), "action_space"),
        (of_spaces(BOX, spaces.Box(-np.inf, 1.0, (1,), np.float32)), "action_space"),
        (of_spaces(spaces.Dict(x=BOX), BOX), "observation_space"),
    ],
)
def test_spaces_that_cannot_be_learned_on_are_refused_by_name(env, field):
    with pytest.raises(InvalidValue) as refused:
        train_on(env, 10)
    assert refused.value.field == field and refused.value.mend


def test_a_limit_on_what_is_not_measured_is_refused():
    with pytest.raises(InvalidValue, match="nowhere"):
        train_on(Paid(), 100, limits=[Limit(name="nowhere", bound=1.0)], config=QUICK)
    with pytest.raises(InvalidValue, match="rows of one environment"):
        train_on(Counter(), 100, num_envs=2)


def test_a_limit_counts_on_its_own_side():
    measured = np.array([0.2, 0.6])
    above = Limit(name="x", bound=0.5, side="above", scale=0.1)
    assert above.violation(measured) == pytest.approx([3.0, -1.0])
    below = Limit(name="x", bound=0.5, scale=0.1)
    assert below.violation(measured) == pytest.approx([-3.0, 1.0])


@pytest.mark.slow
def test_the_example_finds_what_is_best_with_and_without_its_limit(capsys):
    """Ten points for the two liked items that are not local; 8.5 where one must be."""
    runpy.run_path(str(EXAMPLE))
    assert capsys.readouterr().out.splitlines() == [
        "0 limits: return 10.0 local share 0.0",
        "1 limits: return 8.5 local share 0.5",
    ]
