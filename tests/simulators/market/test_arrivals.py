"""Who comes and what is due when: rates, shares, and the same under any policy."""

import numpy as np
import pytest
from fairloop.simulators import randomness
from fairloop.simulators.market.arrivals import arrival_days
from fairloop.simulators.market.config import ArrivalConfig, MarketConfig
from fairloop.simulators.market.made_up import PROVIDER, made_up_world, users_of_a_market
from fairloop.simulators.market.market import Market
from fairloop.simulators.market.policies import RandomOffers, relevance_greedy


def keys(n: int, seed: int = 0) -> randomness.Keys:
    return randomness.stream_keys(seed, randomness.ARRIVALS, np.arange(n))


def test_a_fixed_process_has_equal_gaps_and_brings_everybody() -> None:
    days = arrival_days(keys(30), 0.2, horizon=13, process="fixed")
    # 24 of 30 come over 12 days, two a day
    assert (days == 0).sum() == 6
    assert np.bincount(days[days > 0])[1:].tolist() == [2] * 12


def test_a_poisson_process_has_the_rate_and_the_spread_of_one() -> None:
    counts = np.array(
        [
            np.bincount(arrival_days(keys(400, seed), 0.5, 21, "poisson"), minlength=22)[1:21]
            for seed in range(200)
        ]
    )
    # 200 others over 20 days: 10 a day, and in the days before the crowd may run out, Poisson
    early = counts[:, :10]
    assert early.mean() == pytest.approx(10.0, abs=4 * (10 / 2000) ** 0.5)
    assert early.var() == pytest.approx(10.0, rel=0.15)
    assert abs(np.corrcoef(early[:, 0], early[:, 1])[0, 1]) < 4 / 200**0.5


def test_all_at_start_and_at_least_one() -> None:
    assert arrival_days(keys(9), 1.0, 5, "poisson").tolist() == [0] * 9
    assert (arrival_days(keys(9), 0.01, 5, "fixed") == 0).sum() == 1


def test_arrivals_are_the_same_under_any_policy_and_new_in_each_episode() -> None:
    world = made_up_world(30, 40, 6, 2, config=users_of_a_market(12), seed=1)
    config = MarketConfig(arrivals=ArrivalConfig(users_at_start=0.3, items_at_start=0.4))
    came = []
    for policy in (RandomOffers(), relevance_greedy()):
        market, rng = Market(world, PROVIDER, config, seed=4), np.random.default_rng(0)
        first = np.full(len(world), -1)
        while not market.over:
            outcome = market.step(policy.slates(market, rng))
            assert (first[outcome.arrived] == -1).all()
            first[outcome.arrived] = outcome.day
            assert not (outcome.present & (market.arrival_day > outcome.day)).any()
        in_time = market.arrival_day < market.horizon
        np.testing.assert_array_equal(first[in_time], market.arrival_day[in_time])
        came.append((market.arrival_day.copy(), market.offers.due_day.copy()))
        market.reset()
        assert not np.array_equal(market.arrival_day, came[-1][0])
    np.testing.assert_array_equal(came[0][0], came[1][0])
    np.testing.assert_array_equal(came[0][1], came[1][1])
