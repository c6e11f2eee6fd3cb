"""Learning and serving as stable-baselines3 alone would do them: the peers of ``agents``."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from fairloop.agents.learner_config import PPOConfig
from fairloop.agents.policy import Layer, WeightPolicy
from fairloop.agents.ppo import ResidualActorCritic
from fairloop.rerankers.constraints import Constraints
from fairloop.simulators.actions import ActionMap
from fairloop.simulators.envs.rerank import RerankEnv
from fairloop.simulators.world import World
from gymnasium import Env, spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from benchmarks.peers import plain_loops


def learn_one_env_per_user(
    world: World,
    constraints: Constraints,
    start: ActionMap,
    ppo: PPOConfig,
    n_users: int,
    rollouts: int,
    seed: int,
) -> int:
    """PPO on a `DummyVecEnv` of single users, without constraints; the user-steps it made."""
    made: list[Callable[[], Env[Any, Any]]] = [
        partial(RerankEnv, world, constraints, seed, start, row % len(world))
        for row in range(n_users)
    ]
    model = PPO(
        "MlpPolicy",
        DummyVecEnv(made),
        n_steps=ppo.rollout_steps,
        batch_size=min(ppo.batch_size, n_users * ppo.rollout_steps),
        n_epochs=ppo.epochs,
        policy_kwargs={"net_arch": {"pi": ppo.actor_hidden, "vf": ppo.critic_hidden}},
        seed=seed,
        device="cpu",
    )
    return model.learn(n_users * ppo.rollout_steps * rollouts).num_timesteps


class PlainPolicy:
    """A learned policy in stable-baselines3's own actor; serves one request at a time."""

    def __init__(self, policy: WeightPolicy) -> None:
        self._policy = policy
        n_obs, n_act = len(policy.observation_names), policy.n_actions
        self._model = ResidualActorCritic(
            spaces.Box(-np.inf, np.inf, (n_obs,), np.float32),
            spaces.Box(-1.0, 1.0, (n_act,), np.float32),
            lambda _: 0.0,
            extractor={
                "n_actor": n_obs,
                "mean": policy.mean,
                "scale": policy.scale,
                "actor_hidden": tuple(len(layer.bias) for layer in policy.hidden),
                "critic_hidden": (),
            },
        )
        actor = self._model.mlp_extractor.actor
        linear = [m for m in actor if isinstance(m, torch.nn.Linear)]
        for module, layer in zip(linear, policy.hidden, strict=True):
            _copy(layer, module)
        _copy(policy.head, self._model.action_net)

    def weights(self, observation: np.ndarray) -> np.ndarray:
        """Observation (O,) to weights (A,)."""
        action, _ = self._model.predict(observation, deterministic=True)
        weights = self._policy.centre + self._policy.offsets + self._policy.reach * action
        weights[-1] = max(weights[-1], 0.0)
        return weights

    def slates(
        self, observations: np.ndarray, features: np.ndarray, topics: np.ndarray, k: int
    ) -> np.ndarray:
        """Observations (U, O), features (U, N, F) and topics (U, N, T) to columns (U, k)."""
        slates = []
        for seen, scored, about in zip(observations, features, topics, strict=True):
            w = self.weights(seen)
            slates.append(plain_loops.linear(scored[None], w[:-1], about[None], w[-1], k)[0])
        return np.array(slates)


def _copy(layer: Layer, module: torch.nn.Module) -> None:
    arrays = {"weight": layer.weight, "bias": layer.bias}
    module.load_state_dict({name: torch.as_tensor(array) for name, array in arrays.items()})
