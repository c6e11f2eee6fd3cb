"""Policies for replicas, and episodes played with them."""

from collections.abc import Callable
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


def true_scores(population: ReplicaPopulation[Any]) -> FloatArray:
    """What users choose by now, shape ``(U, N)``."""
    return population.scores()


class GreedyColumns:
    """The candidates with the highest scores now: knows everything, plans nothing.

    Args:
        score: Scores of all candidates, shape ``(U, N)``.
        name: Name for tables.
    """

    def __init__(
        self,
        score: Callable[[Any], FloatArray] = true_scores,
        name: str = "greedy on the truth",
    ) -> None:
        self._score = score
        self.name = name

    def slates(self, population: ReplicaPopulation[Any], rng: np.random.Generator) -> IntArray:
        """The ``k`` highest scores, best first; ties as they come."""
        n, k = len(population), population.world.slate_size
        step = max(1, _CELLS // population.world.n_candidates)
        if n <= step:
            return _top(self._score(population), k)
        blocks = [np.arange(start, min(start + step, n)) for start in range(0, n, step)]
        return np.concatenate([_top(self._score(population.take(rows)), k) for rows in blocks])


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
