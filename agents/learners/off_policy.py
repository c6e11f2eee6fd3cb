"""Off-policy learning of the weights: every visit is learned from many times.

Twin delayed deep deterministic policy gradient (Fujimoto, van Hoof & Meger 2018, "Addressing
Function Approximation Error in Actor-Critic Methods") in the implementation of stable-baselines3.
The actor's last layer is a tanh and starts at 0, so that learning starts as the tuned weights; the
critics see the simulator's hidden state.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3 import TD3
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnvWrapper

from ...arrays import FloatArray
from ...simulators.actions import ActionMap
from ...simulators.envs.rerank_sb3 import RerankVecEnv
from ..jobs import Serve
from ..lagrange import Multipliers
from ..luck import luck_of_return
from ..outcomes import Arena, MakePolicy
from ..storage import CurvePoint
from ..train import Learned, Progress
from .config import TD3Settings
from .footing import Footing, measure, require_shapes, spread_rows, starting_policy
from .off_policy_networks import ResidualPolicy, TailMean, actor_parameters, exported
from .replay import PricedReplay
from .torch_setting import torch_setting


class TD3Learner:
    """TD3 on the weights, from the tuned ones on.

    Args:
        settings: Budget and settings.
    """

    name = "td3"

    def __init__(self, settings: TD3Settings) -> None:
        self.settings = settings

    def learn(
        self,
        arena: Arena,
        start: FloatArray,
        units: FloatArray,
        margins: FloatArray,
        seed: int,
        progress: Progress | None = None,
    ) -> Learned:
        """See `Learner.learn`."""
        require_shapes(arena, start, units, margins)
        arena.constraints.refuse_engagement_gaps(f"the learner {self.name!r}")
        settings = self.settings
        streams = np.random.SeedSequence(seed).spawn(5)
        measuring, living, drawing, replaying, torch_seed = (
            int(s.generate_state(1)[0]) for s in streams
        )
        rng = np.random.default_rng(drawing)
        footing = measure(arena, start, measuring, settings.n_envs)
        # Its layers are not learned from here: torch draws its own.
        frame = starting_policy(arena, start, units, footing, settings.reach, (), rng)
        if settings.total_steps == 0:
            return Learned(frame, (), footing.steps)
        rows = spread_rows(len(arena), settings.n_envs, rng)
        around = ActionMap(frame.centre, frame.reach, frame.response)
        users = RerankVecEnv(arena.world, arena.constraints, living, rows, around)
        multipliers = Multipliers(margins, settings.lagrange)
        with torch_setting(torch_seed):
            env = CountedEnv(users, footing)
            model = _td3(env, users, footing, multipliers, settings, replaying)
            recorder = _Recorder(env, multipliers, settings, progress)
            model.learn(settings.total_steps, callback=recorder, log_interval=None)  # pyright: ignore[reportArgumentType] - SB3 takes None, and types int
            policy = exported(recorder.tail.into(model.actor), frame)
        return Learned(policy, tuple(recorder.curve), model.num_timesteps + footing.steps)

    def serve(self, learned: Learned) -> MakePolicy:
        """See `Learner.serve`."""
        return Serve(learned.policy)


class CountedEnv(VecEnvWrapper):
    """Rewards in units of the start's, the luck of returning taken out, not priced yet.

    The horizon counts as an end, as in `agents.train.PricedEnv`.

    Args:
        env: The users.
        footing: Units of the reward.
    """

    venv: RerankVecEnv

    def __init__(self, env: RerankVecEnv, footing: Footing) -> None:
        super().__init__(env)
        self._footing, self._horizon = footing, float(env.logged.world.config.horizon_days)
        # With empty dicts stable-baselines3 neither replaces the last observation at the horizon
        # nor keeps statistics of episodes, both of which cost time.
        self._infos: list[dict[str, Any]] = [{} for _ in range(env.num_envs)]
        self._rewards: list[float] = []
        self._costs: list[FloatArray] = []

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Ignored: the users' luck has a seed of its own."""
        return [None] * self.num_envs

    def reset(self) -> FloatArray:
        """Start all users anew."""
        return self.venv.reset()

    def step_wait(self) -> tuple[FloatArray, FloatArray, Any, list[dict[str, Any]]]:
        """One slate for every user."""
        seen, rewards, dones, _ = self.venv.step_wait()
        outcome = self.venv.last_outcome
        assert outcome is not None  # a step was just made
        self._rewards.append(float(rewards.mean()))
        self._costs.append(self.venv.last_costs.mean(axis=0))
        counted = rewards / self._footing.unit
        counted += self._footing.per_day * luck_of_return(outcome, self._horizon)
        return seen, counted.astype(np.float32), dones, self._infos

    def close_window(self) -> tuple[float, FloatArray]:
        """Mean reward and costs since the last call."""
        reward, costs = float(np.mean(self._rewards)), np.mean(self._costs, axis=0)
        self._rewards, self._costs = [], []
        return reward, costs


class _NoisyTD3(TD3):
    """Explores around its own actor from the first step on, with noise of its own generator.

    Stable-baselines3 would begin with actions all over the space, far from the tuned weights.
    """

    def __init__(self, *args: Any, noise: float, noise_seed: int, **kwargs: Any) -> None:
        self._noise, self._rng = noise, np.random.default_rng([noise_seed, 1])
        super().__init__(*args, **kwargs)

    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[FloatArray, FloatArray]:
        assert isinstance(self._last_obs, np.ndarray)  # the observations are a Box
        mean, _ = self.policy.predict(self._last_obs, deterministic=True)
        noisy = mean + self._noise * self._rng.standard_normal(mean.shape)
        action = np.clip(noisy, -1.0, 1.0).astype(np.float32)
        return action, action


class _Recorder(BaseCallback):
    """Updates the multipliers after each window and keeps the curve; the actor rests at first."""

    def __init__(
        self,
        env: CountedEnv,
        multipliers: Multipliers,
        settings: TD3Settings,
        progress: Progress | None,
    ) -> None:
        super().__init__()
        self._env, self._multipliers = env, multipliers
        self._settings, self._progress = settings, progress
        self.curve: list[CurvePoint] = []
        self.tail = TailMean()

    def _on_rollout_start(self) -> None:
        learning = self.num_timesteps >= self._settings.critic_steps
        for parameter in actor_parameters(self.model):
            parameter.requires_grad_(learning)
        if self.num_timesteps >= self._settings.total_steps / 2:
            self.tail.add(actor_parameters(self.model))

    def _on_step(self) -> bool:
        settings = self._settings
        done, total = self.num_timesteps, settings.total_steps
        if self.n_calls % settings.window == 0 or done >= total:
            reward, costs = self._env.close_window()
            self.curve.append(
                CurvePoint(
                    steps=done,
                    reward=reward,
                    costs=tuple(costs.tolist()),
                    multipliers=tuple(self._multipliers.update(costs).tolist()),
                )
            )
            if self._progress is not None:
                self._progress(min(done, total), total)
        return True


def _td3(
    env: CountedEnv,
    users: RerankVecEnv,
    footing: Footing,
    multipliers: Multipliers,
    settings: TD3Settings,
    seed: int,
) -> TD3:
    return _NoisyTD3(
        ResidualPolicy,
        env,
        noise=settings.noise,
        noise_seed=seed,
        learning_rate=lambda remaining: settings.learning_rate * remaining,
        buffer_size=max(settings.buffer_steps, settings.n_envs),
        learning_starts=0,
        batch_size=settings.batch_size,
        tau=settings.tau,
        gamma=settings.gamma,
        train_freq=1,
        gradient_steps=settings.gradient_steps,
        replay_buffer_class=PricedReplay,
        replay_buffer_kwargs={"users": users, "multipliers": multipliers, "seed": seed},
        target_policy_noise=settings.noise / 2,
        target_noise_clip=settings.noise,
        policy_kwargs={
            "footing": footing,
            "net_arch": {"pi": list(settings.actor_hidden), "qf": list(settings.critic_hidden)},
        },
        device="cpu",
    )
