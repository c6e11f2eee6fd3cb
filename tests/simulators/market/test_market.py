"""Days of a market: who is frozen, what goes with a provider, what is refused."""

from itertools import pairwise

import numpy as np
import pytest
from fairloop.arrays import MISSING, PAD
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.simulators.config import ReturnConfig, SessionConfig, WorldConfig
from fairloop.simulators.factor_world import FactorWorld
from fairloop.simulators.market.config import (
    ArrivalConfig,
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
from fairloop.simulators.market.outcome import MarketOutcome
from fairloop.simulators.market.policies import RandomOffers, relevance_greedy
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.randomness import Keys
from fairloop.simulators.world import Sensitivities, World


@pytest.fixture(scope="module")
def world() -> World:
    return made_up_world(40, 60, 6, 3, config=users_of_a_market(25), seed=2)


def outcomes(market: Market, seed: int = 0) -> list[MarketOutcome]:
    seen: list[MarketOutcome] = []
    run(market, RandomOffers(), seed, seen.append)
    return seen


def test_without_provider_dynamics_users_live_as_in_a_plain_population(world: World) -> None:
    """Whatever providers need, and visit by visit as if each user were alone in the world."""
    silent = {
        "departure": DepartureConfig(enabled=False),
        "production": ProductionConfig(enabled=False),
    }
    runs = [
        outcomes(Market(world, PROVIDER, MarketConfig(providers=providers), seed=9))
        for providers in (ProviderConfig(need=need, **silent) for need in (0.1, 50.0))
    ]
    shown: dict[int, list[np.ndarray]] = {row: [] for row in range(len(world))}
    earned: dict[int, list[float]] = {row: [] for row in range(len(world))}
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one.items, other.items)
        np.testing.assert_array_equal(one.step.engagement, other.step.engagement)
        for row in np.flatnonzero(one.present).tolist():
            shown[row].append(one.step.columns[row])
            earned[row].append(float(one.step.engagement[row]))
    alone = UserPopulation(world, seed=9)
    k, visits = world.config.slate_size, max(map(len, shown.values()))
    for visit in range(visits):
        columns = np.tile(np.arange(k), (len(world), 1))
        for row, slates in shown.items():
            if visit < len(slates):
                columns[row] = slates[visit]
        alive, outcome = alone.alive.copy(), alone.step(columns)
        for row in range(len(world)):
            assert alive[row] == (visit < len(shown[row]))
            if alive[row]:
                assert outcome.engagement[row] == pytest.approx(earned[row][visit], rel=1e-5)


def test_a_provider_takes_its_items_along_from_the_next_day(world: World) -> None:
    config = MarketConfig(providers=ProviderConfig(need=5.0, departure=DepartureConfig(rate=0.3)))
    market, seen = Market(world, PROVIDER, config, seed=1), []
    days = run(market, RandomOffers(), watch=seen.append)
    owner = market.offers.provider_of_item
    gone = np.zeros(6, np.bool_)
    for outcome in seen:
        assert not outcome.available[gone[owner]].any()
        assert outcome.available[~gone[owner]].all()
        assert not (outcome.providers_left & gone).any()
        gone |= outcome.providers_left
    assert gone.sum() >= 3
    assert days.providers_viable.tolist() == (6 - days.providers_left.cumsum()).tolist()
    assert days.items_on_offer.tolist() == [int(o.available.sum()) for o in seen]


def test_every_sum_over_providers_is_the_sum_over_what_was_shown(world: World) -> None:
    owner = np.arange(60) % 6
    owner[::7] = MISSING
    for outcome in outcomes(Market(world, owner, made_up_config(), seed=3)):
        items, step = outcome.items, outcome.step
        for p in range(6):
            mine = (items != PAD) & (owner[items] == p)
            assert outcome.clicks[p] == step.clicks[mine].sum()
            np.testing.assert_allclose(outcome.exposure[p], step.examination[mine].sum(), 1e-6)
            np.testing.assert_allclose(outcome.engagement[p], step.satisfaction[mine].sum(), 1e-6)
        assert (items[~outcome.present] == PAD).all()
        assert not step.clicks[items == PAD].any()


def test_a_day_without_visits_is_a_day_like_any_other() -> None:
    users = users_of_a_market(25).model_copy(update={"returning": ReturnConfig(mean_days=12.0)})
    two = made_up_world(2, 30, 3, 3, config=users)
    silent = ProviderConfig(departure=DepartureConfig(enabled=False))
    seen = outcomes(Market(two, PROVIDER, MarketConfig(providers=silent)))
    assert [o.day for o in seen] == list(range(25))
    assert sum(not o.present.any() for o in seen) > 5


def test_items_of_a_provider_in_want_come_late(world: World) -> None:
    arrivals = ArrivalConfig(items_at_start=0.3, process="fixed")
    released = {}
    for need in (0.01, 100.0):
        stays = DepartureConfig(enabled=False)
        providers = ProviderConfig(need=need, half_life=1.0, departure=stays)
        market = Market(world, PROVIDER, MarketConfig(providers=providers, arrivals=arrivals))
        run(market, RandomOffers())
        released[need] = market.offers.release_day
        due = market.offers.due_day
    np.testing.assert_array_equal(released[0.01], due)
    came = released[100.0] >= 0
    assert (released[100.0][came] >= due[came]).all() and came.sum() < 40


def test_items_expire_and_what_cannot_be_filled_stays_blank(world: World) -> None:
    config = MarketConfig(
        arrivals=ArrivalConfig(items_at_start=0.05, lifetime_days=5.0, process="fixed")
    )
    market = Market(world, PROVIDER, config)
    seen: list[MarketOutcome] = []
    days = run(market, relevance_greedy(), watch=seen.append)
    assert days.blanks.sum() > 0
    k = world.config.slate_size
    for outcome in seen:
        age = outcome.day - market.offers.release_day
        assert (age[outcome.available] < 5).all()
        filled = (outcome.items[outcome.present] != PAD).sum(axis=1)
        assert (filled == min(k, int(outcome.available.sum()))).all()
        assert (outcome.step.click_probability[outcome.items == PAD] == 0).all()


def test_a_blank_tires_nobody_and_changes_nothing_else(world: World) -> None:
    """A slate with blanks is, to the user, the same slate with items that are never clicked."""
    market = Market(world, PROVIDER, MarketConfig.static())
    columns = np.tile(np.arange(5), (40, 1))
    columns[:, 2] = PAD
    outcome = market.step(columns)
    whole = UserPopulation(world, 0).click_probabilities(np.tile(np.arange(5), (40, 1)))
    kept = [0, 1, 3, 4]
    np.testing.assert_allclose(outcome.step.click_probability[:, kept], whole[:, kept], 1e-6)
    assert (outcome.step.click_probability[:, 2] == 0).all()
    every = np.tile(np.arange(60), (40, 1))
    tired = market.population.fatigue(every)
    assert (tired[:, [0, 1, 3, 4]] > 0).all() and (tired[:, [2, *range(5, 60)]] == 0).all()


def test_sessions_make_several_rounds_of_one_day_and_providers_act_at_its_end() -> None:
    users = users_of_a_market(10).model_copy(
        update={"session": SessionConfig(enabled=True, mean_slates=2.5)}
    )
    world = made_up_world(40, 60, 6, 3, config=users, seed=2)
    seen: list[MarketOutcome] = []
    market = Market(world, PROVIDER, made_up_config(), seed=1)
    days = run(market, RandomOffers(), watch=seen.append)
    assert len(seen) > 15 and days.day.tolist() == list(range(10))
    assert sum(o.day_over for o in seen) == 10
    for before, outcome in pairwise(seen):
        assert outcome.day == before.day + before.day_over
        if not before.day_over:
            again = outcome.present & ~before.present
            assert not (again | outcome.arrived).any() and not outcome.released.any()
            assert not before.providers_left.any()


def test_episodes_differ_repeat_by_seed_and_are_shared_out(world: World) -> None:
    def engagement(market: Market) -> list[float]:
        return run(market, RandomOffers()).engagement.tolist()

    market = Market(world, PROVIDER, made_up_config(), seed=6)
    lived = []
    for _ in range(4):
        lived.append(engagement(market))
        market.reset()
    assert len({tuple(episode) for episode in lived}) == 4
    second = Market(world, PROVIDER, made_up_config(), seed=6, episodes=(1, 2))
    assert engagement(second) == lived[1]
    second.reset()
    assert engagement(second) == lived[3]


def test_a_world_of_factors_needs_pools_and_shows_the_items_they_name() -> None:
    n_users, n_items = 12, 500
    rng, ones = np.random.default_rng(0), np.ones(n_users, np.float32)
    luck: Keys = np.arange(n_users, dtype=np.uint64)
    truth = FactorWorld(
        config=WorldConfig(horizon_days=6, slate_size=3),
        users=np.arange(n_users),
        topics=np.eye(4, dtype=np.float32)[np.arange(n_items) % 4],
        usual_topics=np.full(4, 0.25, np.float32),
        bias=rng.normal(size=(2, n_items)).astype(np.float32),
        interest=rng.normal(size=(n_users, 2, 4)).astype(np.float32),
        hidden=np.array([0.5, 0.5], np.float32),
        luck=luck,
        sensitivities=Sensitivities(ones, ones, ones, ones, ones),
    )
    owner = np.arange(n_items) % 9
    with pytest.raises(InvalidValue, match="pools"):
        Market(truth, owner)
    with pytest.raises(InvalidValue, match="catalogue"):
        Market(truth, "provider")
    items = np.array([rng.permutation(n_items)[:20] for _ in range(n_users)])
    pools = CandidatePools(np.arange(n_users), items, rng.random((n_users, 20)))
    market = Market(truth, owner, pools=pools)
    seen: list[MarketOutcome] = []
    run(market, relevance_greedy(), watch=seen.append)
    for outcome in seen:
        for row in np.flatnonzero(outcome.present).tolist():
            assert set(outcome.items[row]) <= set(items[row])
            assert outcome.step.columns[row].tolist() == outcome.items[row].tolist()


def test_what_cannot_be_shown_is_refused(world: World) -> None:
    market = Market(world, PROVIDER, MarketConfig(arrivals=ArrivalConfig(items_at_start=0.5)))
    absent = np.flatnonzero(~market.available)
    column = int(np.flatnonzero(np.isin(world.pools.items[0], absent))[0])
    columns = np.full((40, 5), PAD)
    columns[0, 0] = column
    with pytest.raises(InvalidValue, match="not on offer"):
        market.step(columns)
    with pytest.raises(InvalidValue, match="shape"):
        market.step(columns[:, :3])
    for wrong in (np.zeros(3, int), np.full(60, MISSING), np.full(60, -2), np.zeros(60)):
        with pytest.raises(InvalidValue, match="providers"):
            Market(world, wrong)
    with pytest.raises(InvalidValue, match="group"):
        Market(world, "label")
    other = CandidatePools(world.users, world.pools.items[:, ::-1], world.pools.scores)
    with pytest.raises(InvalidValue, match="candidates"):
        Market(world, PROVIDER, pools=other)
