"""Policy gradient on slates: the chance of the draws is the exploration, and it is exact.

The policy is `sampled`'s, its weights a network of what is observed. The gradient of a slate's
log-probability is exact, and flows through the scores of all candidates into the network. It is
stepped along by the clipped objective of Schulman et al. 2017, "Proximal Policy Optimization
Algorithms", with a critic that sees the simulator's hidden state, on the expected engagement of the
slate that was drawn. Autoregressive slate policies: Bello et al. 2018, "Seq2Slate"; their gradients
under Plackett-Luce: Singh & Joachims 2019, "Policy Learning for Fairness in Ranking".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ...arrays import FloatArray
from ...errors import InvalidValue
from ..lagrange import Multipliers
from ..outcomes import Arena, MakePolicy
from ..policy import WeightPolicy, size_of
from ..storage import CurvePoint
from ..train import Learned, Progress
from .config import PlackettLuceSettings
from .footing import Footing, measure, require_shapes, starting_policy
from .likelihood import slate_log_probability
from .network import Critic, WeightNetwork
from .rollouts import Rollout, SlateRollouts, advantages, flattened
from .sampled import ServeSampled
from .torch_setting import torch_setting

MAX_GRADIENT = 0.5
"""Norm that gradients are cut to."""


@dataclass(frozen=True, slots=True)
class LearnedSampler(Learned):
    """What was learned, and how it draws.

    Attributes:
        temperature: Divides the scores; in their own units.
    """

    temperature: float


class PlackettLuceLearner:
    """Clipped policy gradient on the slates themselves.

    Args:
        settings: Budget and settings.
    """

    name = "plackett-luce"

    def __init__(self, settings: PlackettLuceSettings) -> None:
        self.settings = settings

    def learn(
        self,
        arena: Arena,
        start: FloatArray,
        units: FloatArray,
        margins: FloatArray,
        seed: int,
        progress: Progress | None = None,
    ) -> LearnedSampler:
        """See `Learner.learn`."""
        require_shapes(arena, start, units, margins)
        arena.constraints.refuse_engagement_gaps(f"the learner {self.name!r}")
        settings = self.settings
        streams = np.random.SeedSequence(seed).spawn(4)
        measuring, living, batches = (int(s.generate_state(1)[0]) for s in streams[:3])
        footing = measure(arena, start, measuring, settings.n_envs)
        policy = starting_policy(
            arena,
            start,
            units,
            footing,
            settings.reach,
            settings.actor_hidden,
            np.random.default_rng(streams[3]),
        )
        temperature = settings.temperature * size_of(start, units)
        multipliers = Multipliers(margins, settings.lagrange)
        rollouts = SlateRollouts(arena, footing, settings.n_envs, temperature, living)
        curve: list[CurvePoint] = []
        done, total = 0, settings.total_steps
        with torch_setting(batches):
            ascent = _Ascent(policy, footing, settings, temperature, batches)
            while done < total:
                rollout = rollouts.collect(ascent.policy, settings.rollout_steps)
                share = 1.0 - done / total
                ascent.step(
                    rollout, multipliers.values, share, critic_only=done < settings.critic_steps
                )
                done += rollout.rewards.size
                if done >= total / 2:
                    ascent.average()
                costs = rollout.costs.mean(axis=(0, 1), dtype=np.float64)
                curve.append(
                    CurvePoint(
                        steps=done,
                        reward=float(rollout.rewards.mean()) * footing.unit,
                        costs=tuple(costs.tolist()),
                        multipliers=tuple(multipliers.update(costs).tolist()),
                    )
                )
                if progress is not None:
                    progress(min(done, total), total)
            learned = ascent.averaged()
        return LearnedSampler(learned, tuple(curve), done + footing.steps, temperature)

    def serve(self, learned: Learned) -> MakePolicy:
        """See `Learner.serve`; slates are drawn at the temperature of learning.

        Raises:
            InvalidValue: It was learned by another learner, and has no temperature.
        """
        if not isinstance(learned, LearnedSampler):
            raise InvalidValue("was not learned as a policy that draws", field="learned")
        return ServeSampled(learned.policy, learned.temperature)


class _Ascent:
    """The networks, and their steps.

    Args:
        policy: Where the actor starts.
        footing: Scales of what the critic sees.
        settings: Of the learner.
        temperature: Of the draws.
        seed: Of the order of the batches.
    """

    def __init__(
        self,
        policy: WeightPolicy,
        footing: Footing,
        settings: PlackettLuceSettings,
        temperature: float,
        seed: int,
    ) -> None:
        self._settings, self._temperature = settings, temperature
        self._n_actor = footing.n_actor
        self._rng = np.random.default_rng(seed)
        self._actor = WeightNetwork(policy)
        self._critic = Critic(footing, settings.critic_hidden)
        self._actor_steps = torch.optim.Adam(self._actor.parameters())
        self._critic_steps = torch.optim.Adam(self._critic.parameters())
        self._mean = [p.detach().clone() for p in self._actor.parameters()]
        self._n_averaged = 0

    @property
    def policy(self) -> WeightPolicy:
        """The actor as it is now."""
        return self._actor.exported()

    def average(self) -> None:
        """Take the actor into the mean that is kept (Polyak & Juditsky 1992)."""
        self._n_averaged += 1
        for mean, parameter in zip(self._mean, self._actor.parameters(), strict=True):
            mean += (parameter.detach() - mean) / self._n_averaged

    def averaged(self) -> WeightPolicy:
        """The mean of the actors that were taken in; the start before any was."""
        with torch.no_grad():
            for mean, parameter in zip(self._mean, self._actor.parameters(), strict=True):
                parameter.copy_(mean)
        return self.policy

    def step(
        self, rollout: Rollout, multipliers: FloatArray, share: float, critic_only: bool
    ) -> None:
        """Some passes over a rollout, with a ``share`` of the learning rate."""
        settings = self._settings
        for optimiser in (self._actor_steps, self._critic_steps):
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * share
        batch = self._prepared(rollout, multipliers)
        n = len(batch["columns"])
        for _ in range(settings.epochs):
            order = self._rng.permutation(n)
            for start in range(0, n, settings.batch_size):
                rows = torch.as_tensor(order[start : start + settings.batch_size])
                part = {name: array[rows] for name, array in batch.items()}
                self._critic_step(part)
                if not critic_only and self._actor_step(part) > 1.5 * settings.target_kl:
                    critic_only = True  # far enough from the policy that drew these slates

    def _prepared(self, rollout: Rollout, multipliers: FloatArray) -> dict[str, torch.Tensor]:
        """Everything that does not change over the passes, flat over time and users."""
        batch = {name: torch.as_tensor(array) for name, array in flattened(rollout).items()}
        seen = torch.as_tensor(np.concatenate([rollout.seen, rollout.last[None]]))
        with torch.no_grad():
            values = self._critic(seen.flatten(0, 1)).reshape(seen.shape[:2]).numpy()
            log_p = [self._log_p(part) for part in _parts(batch, self._settings.batch_size)]
        gains = advantages(
            rollout.priced(multipliers),
            values,
            rollout.ends,
            self._settings.gamma,
            self._settings.gae_lambda,
        )
        batch["returns"] = torch.as_tensor((gains + values[:-1]).ravel().astype(np.float32))
        batch["advantages"] = torch.as_tensor(gains.ravel().astype(np.float32))
        batch["log_p"] = torch.cat(log_p)
        return batch

    def _log_p(self, part: dict[str, torch.Tensor]) -> torch.Tensor:
        """Log-probability of the slates under the actor as it is now, ``(B,)``."""
        weights = self._actor(part["seen"][:, : self._n_actor])
        scores = torch.einsum("bnf,bf->bn", part["features"], weights[:, :-1])
        return slate_log_probability(
            scores,
            weights[:, -1],
            part["distances"],
            part["columns"],
            part["open_columns"],
            self._temperature,
        )

    def _actor_step(self, part: dict[str, torch.Tensor]) -> float:
        """One clipped step; returns how far the actor has moved, as a KL divergence."""
        gain = part["advantages"]
        gain = (gain - gain.mean()) / (gain.std() + 1e-8)
        moved = self._log_p(part) - part["log_p"]
        ratio, clip = torch.exp(moved), self._settings.clip
        loss = -torch.minimum(ratio * gain, ratio.clamp(1.0 - clip, 1.0 + clip) * gain).mean()
        self._descend(loss, self._actor, self._actor_steps)
        # Schulman's low-variance estimate, http://joschu.net/blog/kl-approx.html.
        return float((ratio - 1.0 - moved).detach().mean())

    def _critic_step(self, part: dict[str, torch.Tensor]) -> None:
        error = self._critic(part["seen"]) - part["returns"]
        self._descend((error**2).mean(), self._critic, self._critic_steps)

    def _descend(
        self, loss: torch.Tensor, module: torch.nn.Module, optimiser: torch.optim.Optimizer
    ) -> None:
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), MAX_GRADIENT)
        optimiser.step()


def _parts(batch: dict[str, torch.Tensor], size: int) -> Iterator[dict[str, torch.Tensor]]:
    """The samples in order, some at a time."""
    for start in range(0, len(batch["columns"]), size):
        yield {name: array[start : start + size] for name, array in batch.items()}
