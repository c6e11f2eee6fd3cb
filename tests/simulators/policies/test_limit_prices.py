"""Slates under prices: exact against enumeration where they are, and refused where they pay."""

from itertools import permutations

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.greedy import slate_diversity
from fairloop.simulators.config import ChoiceConfig, WorldConfig
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies.best_slate import best_slates
from fairloop.simulators.policies.limit_prices import NO_PRICES, LimitPrices
from fairloop.simulators.policies.oracles import PlanningOracle, odds_now, reward
from fairloop.simulators.rollout import simulate
from fairloop.simulators.world import World

TAIL = ExposureFloor(attribute="popularity", group="long_tail", share=0.4)
LIMITS = Constraints(exposure=(TAIL,), min_diversity=0.7)


def test_with_a_bonus_alone_the_slate_is_the_best_of_all(make_world) -> None:
    """Every ordered slate, its value being what its looks bring plus the price of its exposure."""
    appeal, worth = (0.5, -0.3, 1.0, 0.0, 0.2, -1.0), (0.2, 0.8, -0.5, 0.0, 0.4, 1.0)
    world = make_world(WorldConfig(slate_size=3), appeal=appeal, worth=worth)
    logged = LoggedPopulation(world, LIMITS)
    odds = odds_now(logged)
    value, looks = reward(odds)[0], 1.0 / np.log2(np.arange(2, 5))
    member = logged.context.floors[0, 0]
    for bonus in (0.0, 0.05, 0.2, 1.0):
        (found,) = LimitPrices((bonus,)).slates(logged, odds[0], reward(odds))
        worths = {s: looks @ (value + bonus * member)[list(s)] for s in permutations(range(6), 3)}
        assert worths[tuple(found.tolist())] == pytest.approx(max(worths.values()), rel=1e-6)


@pytest.mark.parametrize("bias", [0.0, 0.5, 1.0])
def test_value_exposure_and_diversity_are_bought_together(make_world, bias: float) -> None:
    """Every ordered slate: the mean value of a look, and both prices on what the slate has."""
    appeal, worth = (0.5, -0.3, 1.0, 0.0, 0.2, -1.0), (0.2, 0.8, -0.5, 0.0, 0.4, 1.0)
    config = WorldConfig(slate_size=3, choice=ChoiceConfig(position_bias=bias))
    logged = LoggedPopulation(make_world(config, appeal=appeal, worth=worth), LIMITS)
    odds, context = odds_now(logged), logged.context
    value, looks = reward(odds)[0], (1.0 / np.log2(np.arange(2, 5))) ** bias
    lifted = value + 0.05 * context.floors[0, 0]
    every = np.array(list(permutations(range(6), 3)))
    alike = context.take(np.zeros(len(every), np.intp))
    diversity = slate_diversity(alike, every)
    assert np.ptp(diversity) > 0.1
    for price in (0.02, 0.1, 0.5, 2.0):
        (found,) = LimitPrices((0.05,), price).slates(logged, odds[0], reward(odds))
        worths = lifted[every] @ looks / looks.sum() + price * diversity
        assert worths[(every == found).all(axis=1)] == pytest.approx(worths.max(), abs=1e-6)


def test_a_bias_that_a_cascade_does_not_have_changes_nothing(world: World) -> None:
    def slates(bias: float):
        choice = ChoiceConfig(model="cascade", position_bias=bias)
        logged = LoggedPopulation(world.with_dynamics(WorldConfig(choice=choice)), LIMITS)
        odds = odds_now(logged)
        return LimitPrices((0.05,), 0.2).slates(logged, odds[0], reward(odds))

    np.testing.assert_array_equal(slates(0.0), slates(1.0))


@pytest.mark.parametrize("model", ["position", "cascade", "logit"])
def test_without_prices_it_is_the_best_slate_of_the_choice_model(world: World, model) -> None:
    world = world.with_dynamics(WorldConfig(choice=ChoiceConfig(model=model)))
    logged = LoggedPopulation(world, LIMITS)
    odds, config = odds_now(logged), world.config
    value = reward(odds)
    free = best_slates(odds[0], value, logged.context.valid, config.choice, config.slate_size)
    for prices in (NO_PRICES, LimitPrices((0.0,))):
        np.testing.assert_array_equal(prices.slates(logged, odds[0], value), free)


def test_an_oracle_without_prices_is_the_planning_oracle(world: World) -> None:
    priced = simulate(world, PlanningOracle(limits=LimitPrices((0.0,), 0.0)), LIMITS, seed=1)
    free = simulate(world, PlanningOracle(), LIMITS, seed=1)
    np.testing.assert_array_equal(priced.engagement, free.engagement)


@pytest.mark.parametrize("which", [0, 1])
def test_a_higher_price_raises_its_level_and_costs_engagement(world: World, which: int) -> None:
    levels, engagement = [], []
    for price in (0.0, 0.05, 0.2, 0.8):
        prices = LimitPrices((price,)) if which == 0 else LimitPrices((0.0,), price)
        found = simulate(world, PlanningOracle(limits=prices), LIMITS, seed=1)
        measured = (found.exposure, found.diversity)[which]
        levels.append(float(measured.sum() / found.n_slates.sum()))
        engagement.append(float(found.expected_engagement.mean()))
    assert (np.diff(levels) > 0.005).all()
    assert engagement[-1] < engagement[0]


def test_prices_go_through_their_names(world: World) -> None:
    prices = LimitPrices((0.25, 0.5), 0.125)
    labels = ("popularity=long_tail", "popularity!=head")
    named = prices.named(labels)
    assert named["bonus:popularity=long_tail"] == 0.25 and named["diversity"] == 0.125
    assert LimitPrices.of({"price": 0.5, **named}, labels) == prices
    assert LimitPrices.of({"price": 0.5}, labels) == LimitPrices((0.0, 0.0))


@pytest.mark.parametrize("bad", [((-0.1,), 0.0), ((0.0,), -1.0), ((np.nan,), 0.0), ((), np.inf)])
def test_prices_that_pay_for_a_breach_are_refused(bad) -> None:
    with pytest.raises(InvalidValue, match="limits"):
        LimitPrices(*bad)


def test_as_many_bonuses_as_limits_are_needed(world: World) -> None:
    with pytest.raises(InvalidValue, match="bonuses"):
        simulate(world, PlanningOracle(limits=LimitPrices((0.1, 0.1))), LIMITS, seed=0)
