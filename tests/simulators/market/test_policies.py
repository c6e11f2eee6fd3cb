"""What policies choose, and what it does to providers and users in the long run."""

from functools import cache

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.simulators.market import slates
from fairloop.simulators.market.config import (
    DepartureConfig,
    MarketConfig,
    ProductionConfig,
    ProviderConfig,
)
from fairloop.simulators.market.history import run
from fairloop.simulators.market.made_up import (
    PROVIDER,
    made_up_config,
    made_up_world,
    users_of_a_market,
)
from fairloop.simulators.market.market import Market
from fairloop.simulators.market.policies import (
    RandomOffers,
    ScorePolicy,
    ScoreWeights,
    popularity_greedy,
    provider_aware,
    relevance_greedy,
)
from fairloop.simulators.market.slates import best_columns, filled_blanks
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

SEEDS = range(3)
SCORES = arrays(np.float32, (3, 7), elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0, 9.0]))


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@settings(deadline=None)  # the first call compiles
@given(scores=SCORES, k=st.integers(1, 9))
def test_the_best_columns_come_best_first_and_never_what_is_not_on_offer(
    engine: str, scores: np.ndarray, k: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slates, "usual_engine", lambda: engine)
        best = best_columns(scores, k)
    for row, columns in zip(scores.tolist(), best.tolist(), strict=True):
        usable = sorted((-score, n) for n, score in enumerate(row) if score > -np.inf)[:k]
        assert columns == [n for _, n in usable] + [PAD] * (k - len(usable))


@given(st.integers(1, 6), st.integers(0, 20), st.integers(0, 99))
def test_stand_ins_for_blanks_are_distinct_and_leave_the_rest_alone(
    k: int, more: int, seed: int
) -> None:
    rng, n = np.random.default_rng(seed), k + more
    columns = np.array([rng.permutation(n)[:k] for _ in range(5)])
    blank = rng.random((5, k)) < 0.5
    given_ = np.where(blank, PAD, columns)
    filled = filled_blanks(given_, blank, n)
    assert all(len(set(row)) == k for row in filled.tolist())
    assert filled.min() >= 0 and filled.max() < n
    np.testing.assert_array_equal(filled[~blank], columns[~blank])


def test_each_weight_does_what_it_says() -> None:
    world = made_up_world(50, 60, 6, 3, config=users_of_a_market(20), seed=1)

    def first_slates(**weights: float) -> tuple[Market, np.ndarray, np.ndarray]:
        market, rng = Market(world, PROVIDER, made_up_config(), seed=1), np.random.default_rng(0)
        for _ in range(8):
            market.step(relevance_greedy().slates(market, rng))
        columns = ScorePolicy(ScoreWeights(**weights)).slates(market, rng)[market.present]
        rows = np.flatnonzero(market.present)
        return market, rows, world.pools.items[rows[:, None], columns]

    market, rows, items = first_slates(newness=1.0)
    newest = np.sort(market.record.newness()[market.available])[-5:]
    np.testing.assert_allclose(np.sort(market.record.newness()[items]), [newest] * len(rows))
    market, rows, items = first_slates(popularity=1.0)
    best = np.sort(market.record.popularity()[market.available])[-5:]
    np.testing.assert_allclose(np.sort(market.record.popularity()[items]), [best] * len(rows))
    market, rows, items = first_slates(shortfall=1.0)
    lacking = market.observed_shortfall[market.offers.provider_of_item]
    most = np.sort(lacking[market.available])[-5:]
    np.testing.assert_allclose(np.sort(lacking[items]), [most] * len(rows))
    market, rows, items = first_slates(item_repeat=-1.0)
    repeats = np.take_along_axis(market.record.item_repeats[rows], _columns(world, rows, items), 1)
    assert (repeats == 0).all()
    market, rows, items = first_slates(topic_repeat=-1.0)
    load = np.einsum("rt,rkt->rk", market.record.topic_repeats[rows], world.topics[items])
    assert (load <= market.record.topic_repeats[rows].min(axis=1, keepdims=True) + 1e-6).all()


def _columns(world, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
    return (world.pools.items[rows][:, None] == items[..., None]).argmax(axis=2)


def test_random_offers_are_uniform_over_what_is_on_offer() -> None:
    world = made_up_world(400, 20, 4, 2, config=users_of_a_market(5), seed=1)
    market = Market(world, PROVIDER, made_up_config(), seed=1)
    columns = RandomOffers().slates(market, np.random.default_rng(3))[market.present]
    items = world.pools.items[np.flatnonzero(market.present)[:, None], columns]
    counts = np.bincount(items.ravel(), minlength=20)
    assert set(np.flatnonzero(counts)) == set(np.flatnonzero(market.available))
    expected = items.size / 10
    assert np.abs(counts[market.available] - expected).max() < 5 * expected**0.5


SILENT = MarketConfig(
    arrivals=made_up_config().arrivals,
    providers=ProviderConfig(
        departure=DepartureConfig(enabled=False), production=ProductionConfig(enabled=False)
    ),
)
POLICIES = {
    "relevance": relevance_greedy(),
    "newness": provider_aware(shortfall=0.0, newness=0.2),
    "aware": provider_aware(shortfall=2.0, newness=0.2),
}


@cache
def long_run(policy: str, alive: bool) -> tuple[np.ndarray, np.ndarray]:
    """Engagement per user over 120 days, and providers left over, by seed."""
    config, found = made_up_config() if alive else SILENT, []
    for seed in SEEDS:
        world = made_up_world(100, 240, 12, 4, config=users_of_a_market(120), seed=seed)
        days = run(Market(world, PROVIDER, config, seed), POLICIES[policy])
        found.append((days.engagement.sum() / 100, days.providers_viable.iloc[-1]))
    engagement, viable = np.array(found).T
    return engagement, viable


def test_ranking_by_relevance_loses_providers_and_with_them_engagement() -> None:
    """Mladenov et al. 2020: matching under minimum receipts is better for users, too."""
    greedy, greedy_viable = long_run("relevance", True)
    aware, aware_viable = long_run("aware", True)
    assert (aware_viable > greedy_viable).all() and greedy_viable.mean() < 8
    assert (aware > greedy).all()
    assert aware.mean() > 1.08 * greedy.mean()


@pytest.mark.slow
def test_the_gain_comes_from_the_shortfall_and_from_providers_who_leave() -> None:
    """Beyond trying new items out; and were nobody to leave, there would be none."""
    greedy, aware = (long_run(policy, True)[0] for policy in ("relevance", "aware"))
    assert aware.mean() > 1.04 * long_run("newness", True)[0].mean()
    stays, unchanged = long_run("newness", False)[0], long_run("aware", False)[0]
    assert unchanged.mean() == pytest.approx(stays.mean(), rel=0.03)
    assert long_run("relevance", False)[0].mean() > 1.05 * greedy.mean()


def test_relevance_beats_popularity_and_popularity_beats_chance() -> None:
    world = made_up_world(80, 120, 12, 4, config=users_of_a_market(30), seed=0)
    earned = [
        run(Market(world, PROVIDER, made_up_config(), seed=0), policy).engagement.sum()
        for policy in (relevance_greedy(), popularity_greedy(), RandomOffers())
    ]
    assert earned[0] > 1.5 * earned[1] and earned[1] > 1.2 * earned[2]
