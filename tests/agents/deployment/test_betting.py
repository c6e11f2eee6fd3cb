"""Evidence by betting: equal to a plain loop, valid at any stopping time, of planned power."""

import math

import numpy as np
import pytest
from fairloop.agents.deployment.betting import (
    BOLDEST,
    log_capital,
    log_evidence,
    observations_needed,
    stakes,
)
from hypothesis import given, settings
from hypothesis import strategies as st


def test_capital_by_hand() -> None:
    """Stakes 0.5 and 0.25 on gains 1, -1, 0.5: 1.5, 0.75, 0.9375 and 1.25, 0.9375, 1.0546875."""
    gains = np.array([[1.0], [-1.0], [0.5]])
    capital = log_capital(gains, np.array([[0.5, 0.25]]), np.zeros((1, 2)))
    assert np.exp(capital[:, 0, 0]) == pytest.approx([1.5, 0.75, 0.9375])
    assert np.exp(capital[:, 0, 1]) == pytest.approx([1.25, 0.9375, 1.0546875])
    assert np.exp(log_evidence(capital)[-1, 0]) == pytest.approx((0.9375 + 1.0546875) / 2)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 30))
def test_batches_of_any_size_come_to_the_same_and_equal_a_plain_loop(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    gains = rng.uniform(-1, 1, (30, 3))
    bets = rng.uniform(0, 0.9, (3, 4))
    whole = log_capital(gains, bets, np.zeros((3, 4)))
    first = log_capital(gains[:cut], bets, np.zeros((3, 4)))
    start = first[-1] if cut else np.zeros((3, 4))
    assert np.allclose(np.concatenate([first, log_capital(gains[cut:], bets, start)]), whole)
    capital = np.ones((3, 4))
    for row in gains:
        for p in range(3):
            for j in range(4):
                capital[p, j] *= 1.0 + bets[p, j] * row[p]
    assert np.allclose(np.exp(whole[-1]), capital)


@pytest.mark.parametrize("effect", [1e-4, 0.05, 0.5])
def test_no_observation_takes_all_the_capital(effect: float) -> None:
    assert (stakes(effect, 0.3, 2.0) * 2.0 <= BOLDEST).all()
    assert (stakes(effect, 0.3, 2.0) > 0).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.choice([-1.0, 1.0], n),
        lambda rng, n: np.where(rng.random(n) < 0.02, 1.0, -0.02 / 0.98),  # rare and large
        lambda rng, n: rng.beta(0.3, 0.3, n) - 0.5,
    ],
    ids=["signs", "skewed", "at the ends"],
)
def test_looking_at_every_moment_raises_no_more_alarms_than_promised(draw) -> None:
    """400 runs of 2,000 observations with mean 0, looked at after each: alarms at 10 % at most."""
    bets, alarms, runs = stakes(0.05, 0.3, 1.0)[None], 0, 400
    for i in range(runs):
        gains = draw(np.random.default_rng([7, i]), 2000)[:, None]
        peak = log_evidence(log_capital(gains, bets, np.zeros_like(bets))).max()
        alarms += peak >= math.log(10.0)
    assert 0 < alarms <= runs * 0.1 + 2 * math.sqrt(runs * 0.09)


def test_the_expected_capital_is_one_where_the_hypothesis_is_true() -> None:
    """All 2^8 sequences of signs: an e-process whose mean stays 1 at every moment."""
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 8)).reshape(8, -1)
    bets = stakes(0.3, 1.0, 1.0)[None]
    evidence = [
        np.exp(log_evidence(log_capital(row[:, None], bets, np.zeros_like(bets))))[:, 0]
        for row in signs.T
    ]
    assert np.mean(evidence, axis=0) == pytest.approx(np.ones(8))


@pytest.mark.parametrize(("effect", "sd"), [(0.05, 0.5), (0.2, 0.4), (0.02, 0.2)])
def test_the_planned_number_has_the_planned_power(effect: float, sd: float) -> None:
    needed = int(observations_needed(effect, sd**2, 1.0, 20.0, 0.8))
    bets, found, runs = stakes(effect, sd**2, 1.0)[None], 0, 300
    for i in range(runs):
        rng = np.random.default_rng([11, i])
        gains = np.where(rng.random(needed) < 0.5, sd, -sd)[:, None] + effect
        peak = log_evidence(log_capital(gains, bets, np.zeros_like(bets))).max()
        found += peak >= math.log(20.0)
    assert 0.77 < found / runs < 0.98  # pessimistic: one stake pays for all, steps are not small


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 0.3), st.floats(0.1, 1.0), st.floats(1.1, 2.0))
def test_more_is_needed_for_less_and_for_more_noise(effect: float, sd: float, by: float) -> None:
    def needed(effect: float, sd: float, evidence: float = 20.0, power: float = 0.8) -> float:
        return observations_needed(effect, sd**2, 1.0, evidence, power)

    usual = needed(effect, sd)
    assert needed(effect / by, sd) >= usual <= needed(effect, sd * by)
    assert needed(effect, sd, 40.0) >= usual <= needed(effect, sd, power=0.9)


def test_nothing_to_see_is_never_seen() -> None:
    assert observations_needed(0.0, 1.0, 1.0, 20.0, 0.8) == math.inf
    assert observations_needed(-0.1, 1.0, 1.0, 20.0, 0.8) == math.inf
