"""The price of a gap: a weight on rewards that is the Lagrangian, and never below its least."""

import numpy as np
import pytest
from fairloop.agents.constraints.pricing import GapPrices, reward_weights, within_reach
from fairloop.agents.constraints.user_groups import UserGaps
from fairloop.agents.lagrange import GapGains
from hypothesis import given, settings
from hypothesis import strategies as st


def gaps_of(codes: list[int], limit: float = 0.1, n_groups: int = 2) -> UserGaps:
    member = np.array(codes) == np.arange(n_groups)[:, None]
    names = tuple(f"engagement:side={g}" for g in range(n_groups))
    return UserGaps(names, np.full(n_groups, limit), member)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-1, 2), min_size=4, max_size=30),
    st.lists(st.floats(0, 3), min_size=3, max_size=3),
    st.integers(0, 10**6),
)
def test_weighted_engagement_is_the_lagrangian(codes, multipliers, seed):
    gaps = gaps_of(codes, n_groups=3)
    limits, prices = np.array([0.0, 0.1, 0.4]), np.array(multipliers)
    engagement = np.random.default_rng(seed).gamma(2.0, 1.0, len(codes))
    mean = engagement.mean()
    lagrangian = mean
    for g in range(3):
        if gaps.member[g].any():
            behind = (1 - limits[g]) * mean - engagement[gaps.member[g]].mean()
            lagrangian -= prices[g] * behind
    weights = reward_weights(gaps.member, limits, prices)
    assert (weights * engagement).mean() == pytest.approx(lagrangian, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 100), min_size=2, max_size=2),
    st.floats(0.0, 0.9),
    st.floats(0.05, 1.0),
)
def test_nobody_ever_counts_for_less_than_the_least(multipliers, limit, least):
    gaps = gaps_of([0, 0, 1, 1, 1, -1], limit)
    prices = within_reach(np.array(multipliers), gaps.limits, least)
    assert (reward_weights(gaps.member, gaps.limits, prices) >= least - 1e-9).all()
    assert (prices <= np.array(multipliers)).all()


def test_without_a_price_everybody_counts_the_same():
    gaps = gaps_of([0, 1, 1, -1])
    assert (reward_weights(gaps.member, gaps.limits, np.zeros(2)) == 1.0).all()
    nobody = gaps_of([0, 1], n_groups=0)
    assert (GapPrices(nobody, GapGains()).weights == 1.0).all()


def test_engagement_by_group_is_that_of_whole_episodes():
    """Rows of 3 to 7 visits an episode, cut at first: in the long run an episode's mean sum."""
    gaps = gaps_of([0, 0, 1, 1, -1], limit=0.1)
    prices = GapPrices(gaps, GapGains(memory=1.0 - 1e-12))
    reward, length = np.array([1.0, 0.5, 1.0, 2.0, 1.0]), np.array([3, 4, 5, 6, 7])
    visit = np.zeros(5, int)
    for step in range(840):  # a multiple of every length
        visit += 1
        ended = visit == length
        cut = (step == 1) & np.ones(5, bool)  # everybody's first episode is cut after 2 visits
        prices.record(reward, ended, ended | cut)
        visit[ended | cut] = 0
    per_user = reward * length
    m = per_user.mean()
    expected = [1 - per_user[:2].mean() / m, 1 - per_user[2:4].mean() / m]
    np.testing.assert_allclose(prices.shortfalls(), expected, atol=0.01)


def test_a_group_that_falls_behind_is_lifted_until_it_no_longer_does():
    """A toy learner gives its effort to whom the weights favour; in the end the gap is held."""
    codes = [0] * 10 + [1] * 30
    gaps = gaps_of(codes, limit=0.05)
    prices = GapPrices(gaps, GapGains(proportional=2.0, integral=0.5, memory=0.0))
    hard = np.where(np.array(codes) == 0, 0.5, 1.0)
    effort, everyone = 0.5, np.ones(40, bool)
    prices.record(np.ones(40), everyone, everyone)
    shortfalls = []
    for _ in range(300):
        lean = prices.weights @ hard_gain(codes, hard)
        effort = float(np.clip(effort + 0.01 * lean, 0.0, 1.0))
        rewards = hard * (1.0 + np.where(np.array(codes) == 0, 3 * effort, 2 * (1 - effort)))
        prices.record(rewards, everyone, everyone)
        prices.close_rollout()
        shortfalls.append(prices.gaps.shortfalls(rewards)[0])
    assert shortfalls[0] > 0.3
    assert np.mean(shortfalls[-100:]) <= 0.05 + 0.02
    assert prices.values[0] > 0.0 and prices.values[1] == 0.0


def hard_gain(codes: list[int], hard: np.ndarray) -> np.ndarray:
    """What a little more effort for the first group brings each user, on average."""
    return hard * np.where(np.array(codes) == 0, 3.0, -2.0) / len(codes)


def test_a_margin_prices_what_is_just_within_the_limit():
    gaps = gaps_of([0, 1], limit=0.1)
    prices = GapPrices(gaps, GapGains(margin=0.05))
    everyone = np.ones(2, bool)
    for _ in range(2):
        prices.record(np.array([0.92, 1.08]), everyone, everyone)  # 8 % behind
    excess, values = prices.close_rollout()
    assert excess[0] == pytest.approx(-0.02)
    assert values[0] > 0.0


def test_before_an_episode_has_ended_nothing_is_priced():
    prices = GapPrices(gaps_of([0, 1]), GapGains())
    prices.record(np.ones(2), np.zeros(2, bool), np.zeros(2, bool))
    excess, values = prices.close_rollout()
    assert (values == 0.0).all() and np.isfinite(excess).all()
