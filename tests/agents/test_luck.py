"""What is taken out of the reward as luck has mean 0, and takes noise out."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.luck import luck_of_return
from fairloop.simulators.config import SessionConfig
from fairloop.simulators.population import UserPopulation


@pytest.mark.parametrize(("sessions", "left_over"), [(False, 0.9), (True, 0.95)])
def test_mean_zero_and_less_noise(world, sessions, left_over):
    """Each visit's luck averages to 0, and its sum explains much of what a user brings."""
    session = SessionConfig(enabled=sessions)
    world = world.with_dynamics(world.config.model_copy(update={"session": session}))
    population = UserPopulation(world, seed=1, rows=np.repeat(np.arange(len(world)), 40))
    columns = np.tile(np.arange(world.config.slate_size), (len(population), 1))
    total, luck = np.zeros(len(population)), np.zeros(len(population))
    while population.alive.any():
        outcome = population.step(columns)
        here = outcome.active
        found = luck_of_return(outcome, world.config.horizon_days) * here
        assert abs(found.sum()) <= 4 * np.sqrt((found**2).sum())
        total += outcome.expected_engagement * here
        luck += found
    slope = -np.cov(total, luck)[0, 1] / luck.var()
    assert slope > 0
    # The visits are a sum of fair games, so their luck is independent of who the user is.
    assert (total + slope * luck).var() < left_over * total.var()


@pytest.mark.parametrize(("day", "hazard"), [(0.0, 0.5), (20.0, 0.1), (29.0, 0.3), (12.0, 1.0)])
def test_expectation_against_the_plain_sum(world, day, hazard):
    """E[max(30 - day - G, 0)] for a geometric G, summed term by term."""
    population = UserPopulation(world, seed=1)
    columns = np.tile(np.arange(world.config.slate_size), (len(population), 1))
    outcome = population.step(columns)
    n = len(population)
    assert outcome.session_over.all()
    fixed = replace(
        outcome,
        day=np.full(n, day),
        next_day=np.full(n, 30.0),
        left=np.zeros(n, bool),
        leaving_probability=np.full(n, 0.2),
        return_hazard=np.full(n, hazard),
    )
    gaps = np.arange(1, 400)
    chance = hazard * (1 - hazard) ** (gaps - 1)
    expected = 0.8 * (chance * np.maximum(30 - day - gaps, 0)).sum()
    assert np.allclose(luck_of_return(fixed, 30.0), expected, atol=1e-6)
