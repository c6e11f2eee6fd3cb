"""Constrained learning: PPO from the tuned weights on, with priced violations.

Constrained policy optimisation by Lagrangian relaxation (Ray, Achiam & Amodei 2019, "Benchmarking
Safe Exploration in Deep Reinforcement Learning"): the reward of a slate is its expected engagement
less the price of what it lacks of each constraint, and the prices follow the measured violations.
"""

import random
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnvWrapper

from ..arrays import BoolArray, FloatArray
from ..rerankers.features import feature_names, observation_names
from ..simulators.actions import ActionMap
from .constraints.pricing import GapPrices
from .lagrange import LagrangeConfig, Multipliers, penalised
from .learner_config import PPOConfig
from .luck import luck_of_return
from .outcomes import Arena
from .policy import Layer, WeightPolicy, size_of
from .ppo import ResidualActorCritic, actor_layers, actor_parameters
from .robustness.many_worlds_sb3 import ManyWorldsVecEnv
from .steering import Steering
from .storage import CurvePoint

Progress = Callable[[int, int], None]
STAYING = 0.7
"""Share of the days ahead that a user is expected to stay for; any value leaves the mean of the
reward as it is, a good one takes more of the noise out."""

REWARD_SCALE = 0.15
"""Mean reward that the learner sees; with it values stay near 1, where networks start."""

WARM_UP = 48
"""Steps with the tuned weights, on which observations are standardised and rewards scaled."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a training seed gave: the policy, not calibrated yet, and how learning went."""

    policy: WeightPolicy
    curve: tuple[CurvePoint, ...]
    steps: int


def learn(
    arena: Arena,
    start: FloatArray,
    units: FloatArray,
    margins: FloatArray,
    seed: int,
    ppo: PPOConfig,
    lagrange: LagrangeConfig,
    threads: int = 1,
    progress: Progress | None = None,
) -> Learned:
    """Improve on tuned weights by acting on the training users.

    Args:
        arena: The training users and the limits. Users are dealt out to its drawn worlds.
        start: Tuned weights, shape ``(A,)``; the policy begins as exactly these.
        units: Weight that moves the score by one standard deviation, shape ``(A,)``.
        margins: Aimed at above each target, shape ``(C,)``.
        seed: Root of the network's start, the exploration and the users' luck.
        ppo: Budget and settings.
        lagrange: Gains of the multipliers.
        threads: Threads torch may use; its former number is restored.
        progress: Called with user-steps done and in all.
    """
    env_seed, draw_seed, torch_seed = (
        int(s.generate_state(1)[0]) for s in np.random.SeedSequence(seed).spawn(3)
    )
    response = arena.context.response
    reach = _reach(start, units, ppo.reach)
    action_map = ActionMap(start.astype(np.float32), reach, response)
    users = _training_rows(len(arena), ppo.n_envs, np.random.default_rng(draw_seed))
    rows = [users[number :: len(arena.worlds)] for number in range(len(arena.worlds))]
    env = ManyWorldsVecEnv(
        arena.worlds,
        arena.constraints,
        env_seed,
        rows,
        action_map,
        make_controller=partial(Steering, arena.constraints, action_map.scale)
        if ppo.steered
        else None,
        desynchronise=True,
    )
    gap_prices = GapPrices(arena.gaps.take(np.concatenate(rows)), lagrange.gaps)
    with _torch_threads(threads), _global_randomness_restored():
        mean, scale, unit, per_day = _warm_up(env)
        priced = PricedEnv(env, Multipliers(margins, lagrange), unit, per_day, gap_prices)
        model = _ppo(priced, ppo, mean, scale, torch_seed)
        recorder = _Recorder(priced, ppo, progress)
        model.learn(ppo.total_steps, callback=recorder, log_interval=None)  # pyright: ignore[reportArgumentType] - SB3 takes None, and types int
        hidden, head = recorder.averaged()
    n_obs = env.n_actor_obs
    policy = WeightPolicy(
        constraints=arena.constraints,
        feature_names=feature_names(arena.constraints),
        observation_names=observation_names(arena.world.catalogue.topic_names, arena.constraints),
        mean=mean[:n_obs],
        scale=scale[:n_obs],
        hidden=hidden,
        head=head,
        centre=action_map.center,
        reach=action_map.scale,
        offsets=np.zeros(len(start), np.float32),
        response=response,
    )
    return Learned(policy, tuple(recorder.curve), model.num_timesteps + WARM_UP * ppo.n_envs)


class PricedEnv(VecEnvWrapper):
    """Rewards in units of the mean reward of the start, less the priced violations.

    The horizon counts as an end, not as a cut: the objective is engagement *within* the horizon,
    which is what the evaluation measures. So no value is added for the time after it. The critic
    sees the day, the actor does not.

    Args:
        env: The users.
        multipliers: Price of each constraint, in units of the mean reward.
        unit: Mean reward of the start per slate.
        per_day: What a day in the horizon is worth, in units of the mean reward.
        gap_prices: Whose rewards count for more, where engagement gaps are limited.
    """

    venv: ManyWorldsVecEnv

    def __init__(
        self,
        env: ManyWorldsVecEnv,
        multipliers: Multipliers,
        unit: float,
        per_day: float,
        gap_prices: GapPrices | None = None,
    ) -> None:
        super().__init__(env)
        self.multipliers, self.gap_prices = multipliers, gap_prices
        self._unit, self._per_day = unit, per_day
        self._horizon = float(env.logged.world.config.horizon_days)
        # SB3 wants a dict for each user; with empty ones it neither adds the value of the last
        # state at the horizon nor keeps episode statistics, both of which cost time.
        self._infos: list[dict[str, Any]] = [{} for _ in range(env.num_envs)]
        self._rewards: list[float] = []
        self._costs: list[FloatArray] = []

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Ignored: SB3 passes the network's seed on, and the users' luck has its own."""
        return [None] * self.num_envs

    def reset(self) -> FloatArray:
        """Start all users anew."""
        return self.venv.reset()

    def step_wait(self) -> tuple[FloatArray, FloatArray, Any, list[dict[str, Any]]]:
        """One slate for every user."""
        seen, rewards, dones, _ = self.venv.step_wait()
        costs = self.venv.last_costs
        outcome = self.venv.last_outcome
        assert outcome is not None  # a step was just made
        self._rewards.append(float(rewards.mean()))
        self._costs.append(costs.mean(axis=0))
        # The margin is a constant cost that no action changes, so it is left out of the reward.
        priced = penalised(self._weighted(rewards, dones), costs, self.multipliers.values)
        priced += self._per_day * luck_of_return(outcome, self._horizon)
        return seen, (REWARD_SCALE * priced).astype(np.float32), dones, self._infos

    def close_rollout(self) -> tuple[float, FloatArray, FloatArray]:
        """Mean reward and costs since the last call, and the multipliers that follow from them.

        Limits on slates first, then those on engagement gaps.
        """
        reward, costs = float(np.mean(self._rewards)), np.mean(self._costs, axis=0)
        self._rewards, self._costs = [], []
        prices = self.multipliers.update(costs)
        if self.gap_prices is None:
            return reward, costs, prices
        excess, gap_prices = self.gap_prices.close_rollout()
        return reward, np.append(costs, excess), np.append(prices, gap_prices)

    def _weighted(self, rewards: FloatArray, restarted: BoolArray) -> FloatArray:
        """Rewards in units of the start's, those of groups that fall behind counted for more."""
        prices, outcome = self.gap_prices, self.venv.last_outcome
        if prices is None or not len(prices.gaps) or outcome is None:
            return rewards / self._unit
        prices.record(rewards, outcome.left | outcome.ended, restarted)
        return prices.weights * rewards / self._unit


class _Recorder(BaseCallback):
    """Updates the multipliers after each rollout, keeps the curve and averages the actor.

    The actor rests until the critic has learned a little: with an untrained critic its first
    updates would be noise. The policy that is kept is the mean of the actor over the second half
    of learning (Polyak & Juditsky 1992), which has less of the noise of single updates.
    """

    def __init__(self, env: PricedEnv, config: PPOConfig, progress: Progress | None) -> None:
        super().__init__()
        self._env, self._config, self._progress = env, config, progress
        self.curve: list[CurvePoint] = []
        self._mean: list[FloatArray] = []
        self._n_averaged = 0

    def averaged(self) -> tuple[tuple[Layer, ...], Layer]:
        """Hidden layers and head of the averaged actor."""
        self._average()
        pairs = zip(self._mean[::2], self._mean[1::2], strict=True)
        *hidden, head = [Layer(w.astype(np.float32), b.astype(np.float32)) for w, b in pairs]
        return tuple(hidden), head

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        learning = self.num_timesteps >= self._config.critic_steps
        for parameter in actor_parameters(self.model.policy):
            parameter.requires_grad_(learning)
        if self.num_timesteps >= self._config.total_steps / 2:
            self._average()

    def _on_rollout_end(self) -> None:
        reward, costs, multipliers = self._env.close_rollout()
        self.curve.append(
            CurvePoint(
                steps=self.num_timesteps,
                reward=reward,
                costs=tuple(costs.tolist()),
                multipliers=tuple(multipliers.tolist()),
            )
        )
        if self._progress is not None:
            total = self._config.total_steps
            self._progress(min(self.num_timesteps, total), total)

    def _average(self) -> None:
        policy = self.model.policy
        assert isinstance(policy, ResidualActorCritic)  # as `_ppo` asks for
        hidden, head = actor_layers(policy)
        arrays = [a for layer in (*hidden, head) for a in (layer.weight, layer.bias)]
        self._n_averaged += 1
        if self._n_averaged == 1:
            self._mean = [a.astype(np.float64) for a in arrays]
        for mean, array in zip(self._mean, arrays, strict=True):
            mean += (array - mean) / self._n_averaged


def _ppo(env: PricedEnv, config: PPOConfig, mean: FloatArray, scale: FloatArray, seed: int) -> PPO:
    return PPO(
        ResidualActorCritic,
        env,
        learning_rate=lambda remaining: config.learning_rate * remaining,
        n_steps=config.rollout_steps,
        batch_size=config.batch_size,
        n_epochs=config.epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip,
        target_kl=config.target_kl,
        ent_coef=0.0,
        use_sde=config.gsde,
        policy_kwargs={
            "log_std_init": config.log_std,
            "extractor": {
                "n_actor": env.venv.n_actor_obs,
                "mean": mean,
                "scale": scale,
                "actor_hidden": config.actor_hidden,
                "critic_hidden": config.critic_hidden,
            },
        },
        seed=seed,
        device="cpu",
    )


def _warm_up(env: ManyWorldsVecEnv) -> tuple[FloatArray, FloatArray, float, float]:
    """What a few visits with the tuned weights look like.

    Returns:
        Mean and inverse standard deviation of every observation column, both ``(O + L,)``; the mean
        reward per slate; and what a day of the horizon is worth in units of it.
    """
    seen: list[FloatArray] = [env.reset()]
    rewards, gaps = list[FloatArray](), list[float]()
    still = np.zeros((env.num_envs, len(env.weight_offsets)), np.float32)
    for _ in range(WARM_UP):
        env.step_async(still)
        observation, reward, _, _ = env.step_wait()
        seen.append(observation)
        rewards.append(reward)
        outcome = env.last_outcome
        assert outcome is not None  # a step was just made
        gaps.append(float((outcome.next_day - outcome.day).mean()))
    stacked = np.concatenate(seen).astype(np.float64)
    mean, std = stacked.mean(axis=0), stacked.std(axis=0)
    # A column that does not vary here tells nothing, and would explode where it does vary.
    scale = np.where(std > 1e-4, 1.0 / np.maximum(std, 1e-4), 0.0)
    # The gaps to the constraints follow the learner itself; the offsets answer to them instead.
    n_gaps = env.last_costs.shape[1]
    scale[env.n_actor_obs - n_gaps : env.n_actor_obs] = 0.0
    unit = max(float(np.mean(rewards)), 1e-9)
    # Users who come every second day bring half a reward a day, less for those who will leave.
    per_day = STAYING / max(float(np.mean(gaps)), 1.0)
    return mean.astype(np.float32), scale.astype(np.float32), unit, per_day


def _reach(start: FloatArray, units: FloatArray, reach: float) -> FloatArray:
    """How far each weight may move, in proportion to the size of the tuned weights."""
    return (reach * size_of(start, units) * units).astype(np.float32)


def _training_rows(n_users: int, n_envs: int, rng: np.random.Generator) -> np.ndarray:
    """Every user as often as any other, up to one."""
    whole = [rng.permutation(n_users) for _ in range(-(-n_envs // n_users))]
    return np.sort(np.concatenate(whole)[:n_envs])


@contextmanager
def _torch_threads(threads: int) -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _global_randomness_restored() -> Generator[None]:
    """SB3 seeds the global generators of python, numpy and torch; give them back as they were."""
    python, legacy, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(torch_state)
