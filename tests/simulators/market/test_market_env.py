"""What is special to ``fairloop/Provider-v0``; what holds of every environment is elsewhere."""

import gymnasium
import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators.envs import register
from fairloop.simulators.market.config import DepartureConfig, MarketConfig, ProviderConfig
from fairloop.simulators.market.env import ACTION_SCALE, MarketTask, ProviderEnv, market_seed
from fairloop.simulators.market.made_up import PROVIDER, brisk_market
from fairloop.simulators.market.market import Market
from fairloop.simulators.market.observation import OBSERVATION_NAMES, lorenz
from fairloop.simulators.market.policies import ScorePolicy, ScoreWeights
from gymnasium.utils.env_checker import check_env

GREEDY = np.array([1.0, 0, 0, 0, 0, -1.0], np.float32)


def test_it_needs_no_argument_and_the_checker_has_nothing_to_say() -> None:
    register()
    check_env(gymnasium.make("fairloop/Provider-v0").unwrapped)


def test_a_step_is_a_day_of_the_market_under_the_weights_of_the_action() -> None:
    env = ProviderEnv(row=3)
    env.reset(seed=7)
    world, config = brisk_market()
    market = Market(world, PROVIDER, config, market_seed(7, 3))
    scale = ACTION_SCALE.array()
    policy, rng = ScorePolicy(ScoreWeights(*(GREEDY * scale).tolist())), np.random.default_rng(0)
    while not market.over:
        n_arrived = int(market.arrived.sum())
        outcome = market.step(policy.slates(market, rng))
        seen, reward, left, ended, info = env.step(GREEDY)
        assert reward == pytest.approx(float(outcome.step.engagement.sum()) / n_arrived)
        assert info["providers_viable"] == market.providers.viable.sum()
        assert info["provider_welfare"] == market.providers.welfare()
        assert info["clicks"] == outcome.step.clicks.sum()
        assert len(seen) == len(OBSERVATION_NAMES)
    assert ended and not left and info["day"] == 18


def test_expected_rewards_have_the_mean_of_the_sampled_ones() -> None:
    expected, sampled = (
        np.array([t.step(np.tile(GREEDY, (40, 1))).reward for _ in range(3)])
        for t in (
            MarketTask(rows=np.arange(40), reward=kind)  # pyright: ignore[reportArgumentType]  on purpose
            for kind in ("expected", "sampled")
        )
    )
    gap = (expected - sampled).ravel()
    assert abs(gap.mean()) < 4 * gap.std() / len(gap) ** 0.5
    assert expected.std() < sampled.std()


def test_several_days_a_step_earn_what_the_days_earn() -> None:
    single, weekly = ProviderEnv(), ProviderEnv(days=7)
    single.reset(seed=1)
    weekly.reset(seed=1)
    for days in (7, 7, 4):
        total = sum(float(single.step(GREEDY)[1]) for _ in range(days))
        _, reward, _, ended, info = weekly.step(GREEDY)
        assert reward == pytest.approx(total)
    assert ended and info["day"] == 18


def test_it_terminates_once_no_provider_is_left() -> None:
    world, _ = brisk_market()
    config = MarketConfig(
        providers=ProviderConfig(
            need=90.0, half_life=0.1, departure=DepartureConfig(rate=1.0, steepness=0.0)
        )
    )
    env = ProviderEnv(world, PROVIDER, config)
    env.reset(seed=0)
    _, _, left, ended, info = env.step(GREEDY)
    assert left and not ended and info["providers_viable"] == 0 and info["provider_welfare"] == 0


def test_the_observation_says_what_its_names_say() -> None:
    task = MarketTask()
    seen = dict(zip(OBSERVATION_NAMES, task.observe()[0].tolist(), strict=True))
    assert seen["day"] == 0.0 and seen["users_arrived"] == 1.0 and seen["items_unseen"] == 1.0
    assert seen["users_today"] == 1.0 and seen["providers_viable"] == 1.0
    assert seen["items_on_offer"] == 0.5 and seen["engagement_per_visit"] == 0.0
    for _ in range(9):
        visit = task.step(GREEDY[None])
    later = dict(zip(OBSERVATION_NAMES, task.observe()[0].tolist(), strict=True))
    assert later["day"] == 0.5 and later["items_unseen"] < 1.0
    assert later["engagement_per_visit"] > 0 and later["largest_shortfall"] > 0
    assert later["providers_viable"] == pytest.approx(visit.info["providers_viable"][0] / 12)


def test_lorenz_by_hand() -> None:
    np.testing.assert_allclose(lorenz(np.full(10, 3.0)), np.arange(1, 10) / 10)
    np.testing.assert_allclose(lorenz(np.array([0.0, 4.0])), [0, 0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(lorenz(np.zeros(5)), np.arange(1, 10) / 10)
    assert lorenz(np.zeros(0)).shape == (9,)


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(InvalidValue, match="providers"):
        ProviderEnv(brisk_market()[0])
    with pytest.raises(InvalidValue, match="days"):
        ProviderEnv(days=0)
    with pytest.raises(InvalidValue, match="actions"):
        MarketTask().step(np.zeros((1, 3)))
