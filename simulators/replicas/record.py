"""Impression logs of replicas, in the schema of every other log."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..impressions import ImpressionLog
from ..randomness import POLICY
from .base import ReplicaPopulation
from .play import ReplicaPolicy


def record(
    population: ReplicaPopulation[Any],
    policy: ReplicaPolicy,
    seed: int = 0,
    max_steps: int | None = None,
) -> Iterator[ImpressionLog]:
    """Play an episode of every user, and give the log of each step as it happens.

    Rewards are no ratings, so the log has no satisfaction; it has minutes where the reward is in
    minutes. Examination and click probability are exact: an estimator can be held against them.

    Args:
        population: At the start of an episode; used up.
        policy: Makes the slates.
        seed: Root of the policy's own draws.
        max_steps: Stop after as many slates; no limit by default.
    """
    rng = np.random.default_rng([seed, POLICY])
    item_ids = np.arange(population.n_items).astype(str)
    user_ids = np.arange(len(population)).astype(str)
    visit, n_slates, step = np.zeros(len(population), np.int32), 0, 0
    while population.alive.any() and (max_steps is None or step < max_steps):
        columns = policy.slates(population, rng)
        items = population.items(columns)  # before the step: what is on offer changes with it
        outcome = population.step(columns)
        rows = np.flatnonzero(outcome.active)
        k, clicked = columns.shape[1], outcome.clicks[rows]
        minutes = None
        if population.rewards_minutes:
            minutes = np.where(clicked, outcome.dwell[rows], np.nan).ravel()
        yield ImpressionLog(
            item_ids,
            item=items[rows].ravel(),
            position=np.tile(np.arange(1, k + 1, dtype=np.int32), len(rows)),
            clicked=clicked.ravel(),
            slate=np.repeat(np.arange(n_slates, n_slates + len(rows)), k),
            user_ids=user_ids,
            user=np.repeat(rows, k),
            day=np.repeat(outcome.day[rows].astype(np.float64), k),
            visit=np.repeat(visit[rows], k),
            dwell=minutes,
            examination=outcome.examination[rows].ravel(),
            click_probability=outcome.click_probability[rows].ravel(),
        )
        visit += outcome.session_over
        n_slates += len(rows)
        step += 1
