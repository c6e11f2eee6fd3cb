"""Multipliers rise while a constraint is broken, fall while it is held, and stay within bounds."""

import numpy as np
from fairloop.agents.lagrange import LagrangeConfig, Multipliers, penalised
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
    prices = Multipliers(np.zeros(1), LagrangeConfig(proportional=20.0, integral=2.0))
    assert np.isclose(prices.update(np.array([0.1]))[0], 2 * 0.1 + 20 * 0.1)
    assert np.isclose(prices.update(np.array([0.05]))[0], 2 * (0.1 + 0.05) + 20 * 0.05)


def test_a_margin_counts_as_a_violation():
    prices = Multipliers(np.array([0.02]), LagrangeConfig())
    assert prices.update(np.array([-0.01]))[0] > 0.0
    assert Multipliers(np.zeros(1), LagrangeConfig()).update(np.array([-0.01]))[0] == 0.0


def test_a_long_time_on_the_safe_side_is_not_stored_up():
    prices = Multipliers(np.zeros(1), LagrangeConfig())
    for _ in range(100):
        prices.update(np.array([-1.0]))
    assert prices.update(np.array([0.1]))[0] > 0.0


@settings(max_examples=50, deadline=None)
@given(COSTS)
def test_never_negative_never_above_the_ceiling(costs):
    prices = Multipliers(np.zeros(2), LagrangeConfig(ceiling=3.0))
    for cost in costs:
        values = prices.update(np.array(cost))
        assert ((values >= 0.0) & (values <= 3.0)).all()


def test_a_held_constraint_is_rewarded_as_much_as_a_broken_one_is_punished():
    rewards = np.array([1.0, 1.0])
    costs = np.array([[0.2], [-0.2]])
    assert np.allclose(penalised(rewards, costs, np.array([0.5])), [0.9, 1.1])
