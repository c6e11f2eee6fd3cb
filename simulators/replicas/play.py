"""Policies for replicas, and episodes played with them."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...arrays import FloatArray, IntArray
from ..randomness import POLICY
from .base import ReplicaPopulation

_CELLS = 1 << 22  # scores held at a time


class ReplicaPolicy(Protocol):
    """Chooses a slate for every user of a replica."""

    @property
    def name(self) -> str:
        """Short name for tables."""
        ...

    def slates(self, population: ReplicaPopulation[Any], rng: np.random.Generator) -> IntArray:
        """Distinct columns for each user, top position first, shape ``(U, k)``."""
        ...


class RandomColumns:
    """Candidates drawn uniformly without replacement."""

    name = "random"

    def slates(self, population: ReplicaPopulation[Any], rng: np.random.Generator) -> IntArray:
        """Uniform draws: a row with a repeat is drawn again as a whole, so all are as likely."""
        n, k, size = len(population), population.world.slate_size, population.world.n_candidates
        if k * k > size:  # repeats would be the rule
            return rng.permuted(np.tile(np.arange(size), (n, 1)), axis=1)[:, :k]
        columns = rng.integers(0, size, (n, k))
        again = np.arange(n)
        while len(again):
            ranked = np.sort(columns[again], axis=1)
            again = again[(ranked[:, 1:] == ranked[:, :-1]).any(axis=1)]
            columns[again] = rng.integers(0, size, (len(again), k))
        return columns


class GreedyColumns:
    """The candidates with the highest true scores now: knows everything, plans nothing."""

    name = "greedy on the truth"

    def slates(self, population: ReplicaPopulation[Any], rng: np.random.Generator) -> IntArray:
        """The ``k`` highest scores, best first; ties as they come."""
        size = population.world.n_candidates
        step = max(1, _CELLS // size)
        if len(population) <= step:
            return _top(population.scores(), population.world.slate_size)
        parts = [
            np.arange(a, min(a + step, len(population))) for a in range(0, len(population), step)
        ]
        return np.concatenate([self.slates(population.take(rows), rng) for rows in parts])


def _top(scores: FloatArray, k: int) -> IntArray:
    """Columns of the ``k`` highest scores of each row, best first."""
    columns = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)


@dataclass(frozen=True, slots=True)
class Episodes:
    """What one episode of each user brought, each of shape ``(U,)``.

    Attributes:
        reward: Sum of the original's reward.
        expected_reward: Sum of its expectation given each slate and state.
        clicks: Number of clicks.
        steps: Number of slates.
    """

    reward: FloatArray
    expected_reward: FloatArray
    clicks: FloatArray
    steps: FloatArray


def play(
    population: ReplicaPopulation[Any],
    policy: ReplicaPolicy,
    seed: int = 0,
    max_steps: int | None = None,
) -> Episodes:
    """Let every user come until their episode ends.

    Args:
        population: At the start of an episode; used up.
        policy: Makes the slates.
        seed: Root of the policy's own draws.
        max_steps: Stop after as many slates; no limit by default.
    """
    rng = np.random.default_rng([seed, POLICY])
    sums = np.zeros((4, len(population)))
    step = 0
    while population.alive.any() and (max_steps is None or step < max_steps):
        outcome = population.step(policy.slates(population, rng))
        sums += (
            outcome.engagement,
            outcome.expected_engagement * outcome.active,
            outcome.clicks.sum(axis=1),
            outcome.active,
        )
        step += 1
    return Episodes(*sums)
