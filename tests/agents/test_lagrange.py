"""Multipliers rise while a constraint is broken, fall while it is held, and stay within bounds."""

import numpy as np
import pytest
from fairloop.agents.lagrange import LagrangeConfig, Multipliers, PIDGains, penalised
from hypothesis import given, settings
from hypothesis import strategies as st

COSTS = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=30)


def test_rise_while_broken_and_fall_while_held():
    prices = Multipliers(np.zeros(2), LagrangeConfig())
    rising = [prices.update(np.array([0.05, -0.05])) for _ in range(5)]
    assert (np.diff([v[0] for v in rising]) > 0).all()
    assert [v[1] for v in rising] == [0.0] * 5
    falling = [prices.update(np.array([-0.05, -0.05])) for _ in range(10)]
    assert (np.diff([v[0] for v in falling]) <= 0).all()
    assert falling[-1][0] == 0.0


def test_proportional_and_integral_as_written():
    prices = Multipliers(np.zeros(1), LagrangeConfig(proportional=20.0, integral=2.0, derivative=0))
    assert np.isclose(prices.update(np.array([0.1]))[0], 2 * 0.1 + 20 * 0.1)
    assert np.isclose(prices.update(np.array([0.05]))[0], 2 * (0.1 + 0.05) + 20 * 0.05)


def test_a_trajectory_by_hand():
    """K_P = 2, K_I = 1, K_D = 4, half of the past in the derivative, a quarter in the level."""
    gains = PIDGains(
        proportional=2.0,
        integral=1.0,
        derivative=4.0,
        proportional_smoothing=0.25,
        derivative_smoothing=0.5,
    )
    prices = Multipliers(np.zeros(1), gains)
    # cost, sum, smoothed level, smoothed cost, its rise
    by_hand = [
        (0.1, 0.1, 0.1, 0.1, 0.0),
        (0.3, 0.4, 0.25, 0.2, 0.1),
        (0.1, 0.5, 0.1375, 0.15, 0.0),  # a fall is not counted
        (-0.9, 0.0, -0.640625, -0.375, 0.0),  # the sum ends at 0, not at -0.4
        (0.5, 0.5, 0.21484375, 0.0625, 0.4375),
    ]
    for cost, total, level, _, rise in by_hand:
        value = prices.update(np.array([cost]))[0]
        assert value == pytest.approx(max(0.0, total + 2 * level + 4 * rise), abs=1e-12)


def plant(gains: PIDGains, steps: int = 300, inertia: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """A toy learner under a price: its costs and the multipliers.

    The reward pulls the cost up by a constant, the price pushes it down, and an update carries on
    with part of the last one's move, as optimisers with momentum and clipped steps do. The price at
    which it rests is 1.
    """
    prices, cost, move = Multipliers(np.zeros(1), gains), 0.5, 0.0
    costs, values = [], []
    for _ in range(steps):
        value = float(prices.update(np.array([cost]))[0])
        move = inertia * move + (1 - inertia) * 0.1 * (1.0 - value)
        cost += move
        costs.append(cost)
        values.append(value)
    return np.array(costs), np.array(values)


INTEGRAL = PIDGains(proportional=0.0, integral=0.5, derivative=0.0)


def test_the_whole_controller_overshoots_and_swings_less_than_the_integral_alone():
    alone, _ = plant(INTEGRAL)
    whole, prices = plant(PIDGains(proportional=1.0, integral=0.5, derivative=4.0))
    assert -alone.min() > 0.3  # the integral alone goes far beyond the target
    assert -whole.min() < 0.5 * -alone.min()
    swings = [np.abs(np.diff(costs)).sum() for costs in (alone, whole)]
    assert swings[1] < 0.2 * swings[0]
    assert np.abs(whole[-50:]).max() < 0.01 and prices[-1] == pytest.approx(1.0, abs=0.02)


def test_the_derivative_brakes_before_the_limit_is_passed():
    """Of two controllers that differ in the derivative alone, its owner breaks the limit less."""
    broken = []
    for derivative in (0.0, 4.0):
        gains = PIDGains(proportional=1.0, integral=0.5, derivative=derivative)
        costs, _ = plant(gains)
        broken.append(np.maximum(costs[20:], 0.0).sum())
    assert broken[1] < 0.6 * broken[0]


def test_smoothing_takes_noise_out_of_the_derivative():
    noise = np.random.default_rng(0).normal(0, 0.1, 2000)
    spread = []
    for smoothing in (0.0, 0.8):
        gains = PIDGains(
            proportional=0.0, integral=0.0, derivative=1.0, derivative_smoothing=smoothing
        )
        prices = Multipliers(np.zeros(1), gains)
        spread.append(np.std([prices.update(np.array([cost]))[0] for cost in noise]))
    assert spread[1] < 0.3 * spread[0]


def test_a_margin_counts_as_a_violation():
    prices = Multipliers(np.array([0.02]), LagrangeConfig())
    assert prices.update(np.array([-0.01]))[0] > 0.0
    assert Multipliers(np.zeros(1), LagrangeConfig()).update(np.array([-0.01]))[0] == 0.0


def test_a_long_time_on_the_safe_side_is_not_stored_up():
    prices = Multipliers(np.zeros(1), LagrangeConfig())
    for _ in range(100):
        prices.update(np.array([-1.0]))
    assert prices.update(np.array([0.1]))[0] > 0.0


def test_a_long_time_out_of_reach_is_not_stored_up():
    prices = Multipliers(np.zeros(1), PIDGains(proportional=0.0, integral=1.0), 2.0)
    for _ in range(100):
        prices.update(np.array([1.0]))
    assert prices.update(np.array([-1.0]))[0] == pytest.approx(1.0)


@settings(max_examples=50, deadline=None)
@given(COSTS, st.floats(0, 50), st.floats(0, 0.99))
def test_never_negative_never_above_the_ceiling(costs, derivative, smoothing):
    config = LagrangeConfig(ceiling=3.0, derivative=derivative, derivative_smoothing=smoothing)
    prices = Multipliers(np.zeros(2), config)
    for cost in costs:
        values = prices.update(np.array(cost))
        assert ((values >= 0.0) & (values <= 3.0)).all()


def test_a_held_constraint_is_rewarded_as_much_as_a_broken_one_is_punished():
    rewards = np.array([1.0, 1.0])
    costs = np.array([[0.2], [-0.2]])
    assert np.allclose(penalised(rewards, costs, np.array([0.5])), [0.9, 1.1])
