"""The smallest, the emptiest and the longest populations, in both engines."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.engines import EngineName
from fairloop.simulators.fit_factors import made_up_factor_world
from fairloop.simulators.population import UserPopulation

MODELS = ("position", "cascade", "logit")


def config(**parts: object) -> WorldConfig:
    everything = {"slate_size": 5, "dwell": {"enabled": True}, "session": {"enabled": True}}
    return WorldConfig.model_validate(everything | parts)


def random_slates(n_users: int, n_items: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((n_users, n_items)).argsort(axis=1)[:, :5]


@pytest.mark.parametrize("model", MODELS)
def test_nobody(engine: EngineName, model: str) -> None:
    world = made_up_factor_world(0, 50, 4, config(choice={"model": model}))
    population = UserPopulation(world, engine=engine)
    none = np.zeros((0, 5), np.int64)
    for _ in range(2):
        outcome = population.step(none)
        assert outcome.clicks.shape == outcome.dwell.shape == outcome.examination.shape == (0, 5)
        assert outcome.engagement.shape == outcome.expected_engagement.shape == (0,)
        population.reset()
    assert len(population.privileged()) == len(population.fatigue(none)) == 0
    assert len(population.take([]).step(none).clicks) == 0 and population.bytes_per_user > 0


@pytest.mark.parametrize("model", MODELS)
def test_one_user_and_one_position(engine: EngineName, model: str) -> None:
    world = made_up_factor_world(1, 3, 1, config(choice={"model": model}, slate_size=1))
    population = UserPopulation(world, engine=engine)
    clicks = 0
    for visit in range(60):
        outcome = population.step(np.array([[visit % 3]]))
        clicks += outcome.clicks.sum()
        assert outcome.clicks.shape == (1, 1) and outcome.active.all()
        population.reset(~population.alive)
    assert 0 < clicks < 60


def test_a_slate_of_everything(engine: EngineName) -> None:
    world = made_up_factor_world(20, 5, 2, config())
    population = UserPopulation(world, engine=engine)
    for _ in range(5):
        population.step(np.tile([4, 2, 0, 1, 3], (20, 1)))
    assert (population.fatigue(np.tile(np.arange(5), (20, 1))) > 0).all()


def test_no_topics_at_all(engine: EngineName) -> None:
    """Neither a world without topics nor items without any: nothing to satiate or drift."""
    some = made_up_factor_world(20, 40, 3, config())
    without = replace(some, topics=np.zeros_like(some.topics))
    none = replace(
        some,
        topics=np.zeros((40, 0), np.float32),
        usual_topics=np.zeros(0, np.float32),
        interest=np.zeros((20, 2, 0), np.float32),
    )
    pair = [UserPopulation(world, seed=1, engine=engine) for world in (without, none)]
    for step in range(6):
        a, b = (population.step(random_slates(20, 40, step)) for population in pair)
        np.testing.assert_array_equal(a.satisfaction, b.satisfaction)
    assert pair[0].alive.any() and not pair[0].load.any() and not pair[0].drift.any()
    assert pair[1].load.shape == (20, 0) and pair[1].privileged().shape == (20, 9)


def test_nobody_left_and_nobody_there(engine: EngineName) -> None:
    world = made_up_factor_world(20, 40, 3, config(horizon_days=1, session={"enabled": False}))
    population = UserPopulation(world, seed=1, engine=engine)
    columns = random_slates(20, 40, 0)
    away = population.step(columns, np.zeros(20, np.bool_))
    assert population.alive.all()
    population.step(columns)
    assert not population.alive.any()
    before = population.privileged()
    gone = population.step(columns)
    for outcome in (away, gone):
        assert not outcome.active.any() and not outcome.clicks.any() and not outcome.dwell.any()
        assert not outcome.session_over.any() and not outcome.examination.any()
    np.testing.assert_array_equal(population.privileged(), before)


@pytest.mark.parametrize("n_items", [60, 3000])
def test_the_longest_lives_and_the_clock_that_starts_again(
    engine: EngineName, n_items: int
) -> None:
    """Ten years, memories of a year, and a count of days at the end of its range."""
    settings = config(
        horizon_days=3650,
        fatigue={"half_life": 365.0},
        satiation={"half_life": 365.0},
        leaving={"enabled": False},
        returning={"mean_days": 60.0, "sensitivity": 50.0},
        session={"enabled": False},
    )
    world = made_up_factor_world(30, n_items, 3, settings, seed=1)
    population = UserPopulation(world, seed=1, engine=engine)
    clock = population._lives.state.clock
    late = 2**30 - 60_000  # too late for another episode: the next one starts from day 0 again
    population._lives.memory.restart(np.arange(30), np.full(30, late, np.int32))
    clock[:] = late + 55_000
    fresh = UserPopulation(world, seed=1, engine=engine)
    for step in range(120):
        columns = random_slates(30, n_items, step)
        np.testing.assert_array_equal(population.fatigue(columns), fresh.fatigue(columns))
        a, b = population.step(columns), fresh.step(columns)
        np.testing.assert_array_equal(a.satisfaction, b.satisfaction)
        np.testing.assert_array_equal(a.next_day, b.next_day)
        assert clock.min() >= 0 and np.isfinite(population.privileged()).all()
        again = a.ended | (np.full(30, step % 40 == 39))
        population.reset(again)
        fresh.reset(again)
    assert population.episode.min() >= 2 and clock.min() < late


def test_a_copy_in_mid_flight_grows_its_own_table(engine: EngineName) -> None:
    """Of a hash table that is nearly full: both go on as if nobody had been taken."""
    settings = config(horizon_days=2, session={"enabled": True, "mean_slates": 60.0})
    world = made_up_factor_world(12, 5000, 3, settings, seed=1)
    rows = np.array([4, 4, 9])
    whole, alone = (UserPopulation(world, seed=1, engine=engine) for _ in range(2))
    part: UserPopulation | None = None
    for step in range(25):
        columns = random_slates(12, 5000, step)
        a, b = whole.step(columns), alone.step(columns)
        np.testing.assert_array_equal(a.satisfaction, b.satisfaction)
        if step == 2:
            part = whole.take(rows)
        elif part is not None:
            np.testing.assert_array_equal(
                part.step(columns[rows]).satisfaction, a.satisfaction[rows]
            )
            np.testing.assert_array_equal(part.fatigue(columns[rows]), whole.fatigue(columns)[rows])
    assert part is not None and part.bytes_per_user > UserPopulation(world).bytes_per_user


def test_a_mood_that_is_no_number_is_no_index() -> None:
    """A caller wrote it there: users are lost, memory is not."""
    world = made_up_factor_world(20, 40, 3, config(session={"enabled": False}))
    population = UserPopulation(world, engine="compiled")
    population.mood[:] = np.nan
    outcome = population.step(random_slates(20, 40, 0))
    assert outcome.ended.all() and (population.days_away > 10**6).all()


def test_what_is_off_takes_no_memory() -> None:
    on, off = (config(fatigue={"enabled": on}) for on in (True, False))
    worlds = [made_up_factor_world(2, 100_000, 3, c) for c in (on, off)]
    some, none = (UserPopulation(world).bytes_per_user for world in worlds)
    assert none < 0.1 * some
