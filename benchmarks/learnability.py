"""Can an untuned learner learn here? PPO with its defaults against random, on every environment.

    python -m benchmarks.learnability --json [--smoke]

For each registered environment, as ``gymnasium.make(id)`` gives it without an argument:
stable-baselines3's PPO, every hyperparameter at its default, learns from one user on one core. Then
it and uniformly random actions play the same episodes, which are new to both: same user, same
luck. What is compared is the difference of each episode's return.
"""

# ruff: noqa: E402 - numpy and torch read the number of threads when they are first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from fairloop.simulators.envs import ENVIRONMENTS
from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO

from benchmarks.report import emit, parser, result, say

TRAINING_STEPS = 10_240
EPISODES = 400
UNSEEN = 1_000_003
"""Root of the luck that is played on, far from any seed that is trained on."""
MINUTE = 60.0

Act = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Learned:
    """Returns of the same unseen episodes, and what learning took.

    Attributes:
        ppo: Shape ``(episodes,)``.
        random: Shape ``(episodes,)``.
        seconds: Of processor time, learning alone.
    """

    ppo: np.ndarray
    random: np.ndarray
    seconds: float

    def gain(self) -> tuple[float, float]:
        """Mean difference of paired returns, and half of its 95 % interval."""
        difference = self.ppo - self.random
        return difference.mean(), 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))

    def beats_random(self) -> bool:
        """Whether the 95 % interval of the difference lies above 0."""
        mean, half = self.gain()
        return mean - half > 0


def learn(name: str, steps: int, episodes: int, seed: int) -> Learned:
    """Let PPO learn, then play against random."""
    torch.set_num_threads(1)
    start = time.process_time()
    model = PPO("MlpPolicy", gymnasium.make(name), seed=seed, device="cpu").learn(steps)
    seconds = time.process_time() - start
    env = episodes_of_one_user(name, episodes)
    env.action_space.seed(seed)
    ppo = returns(env, lambda seen: model.predict(seen, deterministic=True)[0])
    random = returns(env, lambda _: env.action_space.sample())
    return Learned(ppo, random, seconds)


def episodes_of_one_user(name: str, episodes: int) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    """Row r lives through the first user's r-th episode."""
    rows = np.zeros(episodes, np.intp)
    mode = AutoresetMode.SAME_STEP
    return gymnasium.make_vec(name, episodes, rows=rows, autoreset_mode=mode)


def returns(env: gymnasium.vector.VectorEnv[Any, Any, Any], act: Act) -> np.ndarray:
    """Return of every row's first episode, shape ``(n,)``."""
    seen, _ = env.reset(seed=UNSEEN)
    total, running = np.zeros(env.num_envs), np.ones(env.num_envs, np.bool_)
    while running.any():
        seen, reward, left, ended, _ = env.step(act(seen))
        total += reward * running
        running &= ~(left | ended)
    return total


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    steps, episodes = (4_096, 100) if args.smoke else (TRAINING_STEPS, EPISODES)
    results: list[dict[str, Any]] = []
    for name in ENVIRONMENTS:
        say(f"{name}: PPO learns for {steps} steps")
        learned = learn(name, steps, episodes, args.seed)
        mean, half = learned.gain()
        ppo, random = learned.ppo.mean(), learned.random.mean()
        peer = "uniformly random actions"
        results += [
            result(f"{name}: return of PPO", ppo, "per episode", None, None, peer, ppo / random),
            result(f"{name}: return of random", random, "per episode"),
            result(
                f"{name}: gain over random, lower end of 95 %",
                mean - half,
                "per episode",
                0.0,
                learned.beats_random(),
            ),
            result(
                f"{name}: seconds of learning",
                learned.seconds,
                "s of one core",
                MINUTE,
                learned.seconds < MINUTE,
            ),
        ]
    emit(results, args.seed, args.json, steps=steps, episodes=episodes)


if __name__ == "__main__":
    main()
