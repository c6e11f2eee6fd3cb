"""Learn to choose weights or slates in any Gymnasium environment.

```python
agent = train_on(gymnasium.make_vec("fairloop/Slate-v0", num_envs=64), steps=100_000)
slates = agent.act(observations)
```
"""

import random
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from ...arrays import FloatArray
from ...errors import InvalidValue
from ..lagrange import LagrangeConfig
from .adapter import AnyEnv, GymnasiumVecEnv, MakeEnv, adapted
from .limits import Limit, Priced
from .standardise import Standardised


class AgentConfig(BaseModel):
    """Proximal policy optimisation (Schulman et al. 2017), with stable-baselines3's meanings.

    Attributes:
        rollout_steps: Steps of each row between updates.
        minibatches: Gradient steps per pass; divides ``rollout_steps``.
        epochs: Passes over a rollout.
        learning_rate: At the start; falls linearly to 0.
        gamma: Discount per step.
        gae_lambda: Of generalised advantage estimation.
        entropy: Weight of the entropy bonus.
        log_std: Of the exploration at the start, where actions are weights in [-1, 1]. Limits are
            measured with it: with much of it, the mean action and its draws differ in cost.
        hidden: Widths of the tanh layers, of actor and critic each.
        warm_up: Steps of each row with random actions, on which observations are standardised and
            rewards scaled.
        lagrange: Gains of the multipliers of limits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rollout_steps: int = Field(default=16, ge=1)
    minibatches: int = Field(default=4, ge=1)
    epochs: int = Field(default=6, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    gamma: float = Field(default=0.97, gt=0.0, le=1.0)
    gae_lambda: float = Field(default=0.9, ge=0.0, le=1.0)
    entropy: float = Field(default=0.0, ge=0.0)
    log_std: float = -1.2
    hidden: tuple[int, ...] = (64, 64)
    warm_up: int = Field(default=32, ge=2)
    lagrange: LagrangeConfig = LagrangeConfig()

    @model_validator(mode="after")
    def _whole_minibatches(self) -> "AgentConfig":
        if self.rollout_steps % self.minibatches:
            raise ValueError("minibatches must divide rollout_steps")
        return self


class AgentPoint(NamedTuple):
    """One rollout of learning.

    Attributes:
        steps: Steps done, over all rows.
        reward: Mean reward of a step, as the environment gives it.
        measured: Mean of each limit's entry.
        multipliers: Price of each limit after this rollout.
    """

    steps: int
    reward: float
    measured: tuple[float, ...]
    multipliers: tuple[float, ...]


@dataclass(frozen=True)
class Agent:
    """What was learned.

    Attributes:
        model: stable-baselines3's; ``model.save(path)`` keeps it, standardisation included. It acts
            in [-1, 1] where actions are weights.
        limits: What was priced.
        curve: How learning went.
    """

    model: PPO
    limits: tuple[Limit, ...]
    curve: tuple[AgentPoint, ...]
    _lay: Callable[[NDArray[Any]], NDArray[Any]]

    def act(self, observations: FloatArray) -> NDArray[Any]:
        """The most likely actions, one row per observation, as the environment takes them.

        Args:
            observations: Shape ``(n, …)``.
        """
        actions, _ = self.model.predict(np.asarray(observations, np.float32), deterministic=True)
        return self._lay(actions)

    def sample(self, observations: FloatArray, seed: int) -> tuple[NDArray[Any], FloatArray]:
        """Actions drawn from the policy, and how likely each was.

        Args:
            observations: Shape ``(n, …)``.
            seed: Of the draws; torch's own generator is left as it was.

        Returns:
            Actions as the environment takes them, and propensities ``(n,)``, float64: for slates
            the probability of these picks, for weights the density of the draw in [-1, 1]
            before it is clipped there.
        """
        policy = self.model.policy
        seen, _ = policy.obs_to_tensor(np.asarray(observations, np.float32))
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            distribution = policy.get_distribution(seen)
            drawn = distribution.sample()
            propensities = distribution.log_prob(drawn).double().exp()
        return self._lay(drawn.cpu().numpy()), propensities.cpu().numpy()

    def evaluate(
        self,
        env: AnyEnv | MakeEnv,
        episodes: int,
        seed: int = 0,
        act: Callable[[FloatArray], NDArray[Any]] | None = None,
    ) -> FloatArray:
        """Returns of the first episodes that end, shape ``(episodes,)``, by most likely actions.

        Rows share the episodes out evenly, so that short ones are not counted more often.

        Args:
            env: As for `train_on`, not the one that was trained on.
            episodes: How many.
            seed: Of the environment.
            act: Whose actions, as the environment takes them; this agent's by default.
        """
        found = adapted(env)
        if episodes % found.num_envs:
            raise InvalidValue(
                f"{episodes} episodes over {found.num_envs} rows",
                field="episodes",
                mend=f"Use a multiple of {found.num_envs}.",
            )
        return _returns(found, self.act if act is None else act, episodes, seed)


def train_on(
    env: AnyEnv | MakeEnv,
    steps: int,
    seed: int = 0,
    limits: Sequence[Limit] = (),
    config: AgentConfig | None = None,
    num_envs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Agent:
    """Learn on any Gymnasium environment whose actions are weights or slates.

    Args:
        env: A vector environment, a single one, or what makes a single one. Observations are a
            ``Box``; actions a bounded ``Box`` or a ``MultiDiscrete`` of a candidate a position.
        steps: Steps over all rows; whole rollouts are done, so a few more may be.
        seed: Root of the environment's luck, the network's start and the exploration.
        limits: On means of entries of ``info``; priced while learning, and checked by nobody
            afterwards: measure them.
        config: Settings of the learner.
        num_envs: Rows, where ``env`` makes single environments.
        progress: Called with steps done and in all.

    Raises:
        InvalidValue: A space is of another kind, or an entry of a limit is never in ``info``.
    """
    config, limits = config or AgentConfig(), tuple(limits)
    found = adapted(env, [limit.name for limit in limits], num_envs)
    env_seed, warm_seed, torch_seed = (
        int(s.generate_state(1)[0]) for s in np.random.SeedSequence(seed).spawn(3)
    )
    with _global_randomness_restored():
        found.seed(env_seed)
        mean, scale, unit = _warm_up(found, config.warm_up, np.random.default_rng(warm_seed))
        priced = Priced(found, limits, config.lagrange, unit)
        model = _ppo(priced, config, mean, scale, torch_seed)
        recorder = _Recorder(priced, steps, progress)
        model.learn(steps, callback=recorder, log_interval=None)  # pyright: ignore[reportArgumentType] - SB3 takes None, and types int
    return Agent(model, limits, tuple(recorder.curve), found.laid)


def _ppo(env: Priced, config: AgentConfig, mean: FloatArray, scale: FloatArray, seed: int) -> PPO:
    return PPO(
        "MlpPolicy",
        env,
        learning_rate=lambda remaining: config.learning_rate * remaining,
        n_steps=config.rollout_steps,
        batch_size=env.num_envs * config.rollout_steps // config.minibatches,
        n_epochs=config.epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        ent_coef=config.entropy,
        policy_kwargs={
            "net_arch": list(config.hidden),
            "log_std_init": config.log_std,
            "features_extractor_class": Standardised,
            "features_extractor_kwargs": {"mean": mean.tolist(), "scale": scale.tolist()},
        },
        seed=seed,
        device="cpu",
    )


class _Recorder(BaseCallback):
    """Updates the multipliers after each rollout, and keeps the curve."""

    def __init__(
        self, env: Priced, total: int, progress: Callable[[int, int], None] | None
    ) -> None:
        super().__init__()
        self._env, self._total, self._progress = env, total, progress
        self.curve: list[AgentPoint] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        reward, measured, prices = self._env.close_rollout()
        point = AgentPoint(
            self.num_timesteps, reward, tuple(measured.tolist()), tuple(prices.tolist())
        )
        self.curve.append(point)
        if self._progress is not None:
            self._progress(min(self.num_timesteps, self._total), self._total)


def _warm_up(
    env: GymnasiumVecEnv, steps: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, float]:
    """Mean and inverse deviation of each observed number, and the mean size of a reward.

    Raises:
        InvalidValue: An entry that is limited was in no info.
    """
    seen, rewards = [env.reset()], list[FloatArray]()
    env.action_space.seed(int(rng.integers(2**31)))
    for _ in range(steps):
        env.step_async(np.stack([env.action_space.sample() for _ in range(env.num_envs)]))
        observation, reward, _, _ = env.step_wait()
        seen.append(observation)
        rewards.append(np.abs(reward))
    if env.absent:
        raise InvalidValue(
            f"no info has had {', '.join(map(repr, sorted(env.absent)))} in {steps} steps",
            field="limits",
            mend="Name an entry that the environment puts into `info` at every step.",
        )
    every = np.concatenate(seen).astype(np.float64)
    std = every.std(axis=0)
    # A number that does not vary here tells nothing, and would explode where it does vary.
    scale = np.where(std > 1e-6, 1.0 / np.maximum(std, 1e-6), 0.0)
    return every.mean(axis=0), scale, max(float(np.mean(rewards)), 1e-9)


def _returns(
    env: GymnasiumVecEnv, act: Callable[[FloatArray], NDArray[Any]], episodes: int, seed: int
) -> FloatArray:
    each = episodes // env.num_envs
    env.seed(seed)
    observation = env.reset()
    found: list[list[float]] = [[] for _ in range(env.num_envs)]
    while min(map(len, found)) < each:
        observation, _, dones, infos = env.step_as_given(act(observation))
        for row in np.flatnonzero(dones).tolist():
            found[row].append(infos[row]["episode"]["r"])
    return np.array([of_row[:each] for of_row in found]).ravel()


@contextmanager
def _global_randomness_restored() -> Generator[None]:
    """SB3 seeds the global generators of python, numpy and torch; give them back as they were."""
    python, legacy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
