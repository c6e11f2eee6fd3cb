"""What a visit does, through the whole of either engine, against the equations by hand."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from fairloop.simulators.choice import discount
from fairloop.simulators.config import (
    ChoiceConfig,
    DriftConfig,
    DwellConfig,
    FatigueConfig,
    LeavingConfig,
    ReturnConfig,
    SatiationConfig,
    SatisfactionConfig,
    SessionConfig,
    WorldConfig,
)
from fairloop.simulators.engines import EngineName
from fairloop.simulators.outcome import StepOutcome
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.world import World
from scipy.special import expit, logit

WorldMaker = Callable[..., World]

K = 3
SLATE = [2, 0, 3]
APPEAL, WORTH = np.array([0.5, -0.3, 1.0, 0.0]), np.array([0.2, 0.8, -0.5, 0.0])
CHOICES = {
    "position": ChoiceConfig(),
    "cascade": ChoiceConfig(model="cascade", continue_after_click=0.5, continue_after_skip=0.9),
    "logit": ChoiceConfig(model="logit", no_click=0.7),
}


def plain(**parts: object) -> WorldConfig:
    """Everything off but what is given."""
    return WorldConfig.static().model_copy(update={"slate_size": K, **parts})


def slates(n: int, columns: list[int] = SLATE) -> np.ndarray:
    return np.tile(columns, (n, 1))


def enumerated(model: str) -> tuple[np.ndarray, np.ndarray]:
    """Looks and clicks by position, summed over every course that a visit can take."""
    choice, a = CHOICES[model], expit(APPEAL[SLATE])
    looks, clicks = np.zeros(K), np.zeros(K)
    if model == "logit":
        odds = np.exp(APPEAL[SLATE]) / np.log2(np.arange(2, K + 2))
        return np.ones(K), odds / (odds.sum() + np.exp(choice.no_click))
    for would, stays in product(product([0, 1], repeat=K), repeat=2):
        if model == "cascade":
            going = np.where(would, choice.continue_after_click, choice.continue_after_skip)
            looked = np.cumprod([1, *stays[:-1]])
        else:
            going = looked = 1 / np.log2(np.arange(2, K + 2))
            looked = np.array(stays)
        weight = np.prod(np.where(would, a, 1 - a)) * np.prod(np.where(stays, going, 1 - going))
        looks += weight * looked
        clicks += weight * looked * would
    return looks, clicks


# choice


@pytest.mark.parametrize("model", CHOICES)
def test_probabilities_are_exact_and_clicks_follow_them(
    make_world: WorldMaker, engine: EngineName, model: str
) -> None:
    """Against enumeration; 20,000 users' clicks and engagement within 4 standard errors."""
    n, (looks, clicks) = 20_000, enumerated(model)
    world = make_world(plain(choice=CHOICES[model]), n_users=n)
    outcome = UserPopulation(world, seed=11, engine=engine).step(slates(n))
    np.testing.assert_allclose(outcome.examination, np.tile(looks, (n, 1)), rtol=1e-5)
    np.testing.assert_allclose(outcome.click_probability, np.tile(clicks, (n, 1)), rtol=1e-5)
    error = np.sqrt(clicks * (1 - clicks) / n)
    assert (np.abs(outcome.clicks.mean(axis=0) - clicks) < 4 * error).all()
    expected = clicks @ expit(WORTH[SLATE])
    np.testing.assert_allclose(outcome.expected_engagement, expected, rtol=1e-5)
    assert abs(outcome.engagement.mean() - expected) < 4 * outcome.engagement.std() / n**0.5


def test_a_logit_clicks_once_at_most(make_world: WorldMaker, engine: EngineName) -> None:
    config = plain(choice=ChoiceConfig(model="logit", no_click=-2.0))
    population = UserPopulation(make_world(config, n_users=500), seed=1, engine=engine)
    n_clicks = np.stack([population.step(slates(500)).clicks.sum(axis=1) for _ in range(10)])
    assert n_clicks.max() == 1 and 0.5 < n_clicks.mean() < 1.0


def test_a_cascade_without_patience_ends_at_the_first_item(
    make_world: WorldMaker, engine: EngineName
) -> None:
    choice = ChoiceConfig(model="cascade", continue_after_click=0.0, continue_after_skip=0.0)
    world = make_world(plain(choice=choice), n_users=500)
    outcome = UserPopulation(world, seed=1, engine=engine).step(slates(500))
    assert outcome.clicks[:, 0].any() and not outcome.clicks[:, 1:].any()


@pytest.mark.parametrize("model", CHOICES)
def test_nothing_happens_at_a_blank(make_world: WorldMaker, engine: EngineName, model: str) -> None:
    """Neither clicks nor fatigue, however little the rest appeals; the others keep their luck."""
    choice = CHOICES[model].model_copy(update={"no_click": -20.0})
    world = make_world(plain(choice=choice, fatigue=FatigueConfig()), n_users=300)
    columns, blank = slates(300), np.tile([True, False, True], (300, 1))
    population = UserPopulation(world, seed=1, engine=engine)
    outcome = population.step(columns, blank=blank)
    assert not outcome.clicks[blank].any() and not outcome.click_probability[blank].any()
    assert outcome.clicks[:, 1].any()
    tired = population.fatigue(columns)
    assert not tired[blank].any() and (tired[:, 1] > 0).all()
    if model == "position":
        full = UserPopulation(world, seed=1, engine=engine).step(columns)
        np.testing.assert_array_equal(outcome.clicks[:, 1], full.clicks[:, 1])


def test_a_blank_is_not_chosen_where_all_else_is_worn_out(
    make_world: WorldMaker, engine: EngineName
) -> None:
    config = plain(choice=ChoiceConfig(model="logit", no_click=-20.0))
    world = make_world(config, n_users=300, appeal=(-60.0,) * 4)
    blank = np.tile([True, False, False], (300, 1))
    outcome = UserPopulation(world, engine=engine).step(slates(300), blank=blank)
    assert not outcome.click_probability[blank].any() and not outcome.clicks[blank].any()


# what a visit leaves behind


def test_one_visit_by_hand(make_world: WorldMaker, engine: EngineName) -> None:
    """Fatigue, satiation, drift, mood, leaving and returning, from what was clicked."""
    config = plain(
        satiation=SatiationConfig(strength=0.7, threshold=0.25, half_life=3.0, on_satisfaction=0.4),
        fatigue=FatigueConfig(per_showing=0.2, per_click=1.5, half_life=5.0),
        drift=DriftConfig(rate=0.3, gain=1.5),
        satisfaction=SatisfactionConfig(memory=0.25, reference=0.45),
        leaving=LeavingConfig(base_rate=0.04, sensitivity=5.0),
        returning=ReturnConfig(mean_days=2.5, sensitivity=2.0),
    )
    n = 400
    population = UserPopulation(make_world(config, n_users=n), seed=5, engine=engine)
    topic = np.eye(2)[np.array(SLATE) % 2]
    one = population.step(slates(n))
    some, felt = one.clicks.any(axis=1), one.satisfaction.sum(axis=1)
    assert 0.1 < some.mean() < 0.95
    gap = one.next_day - one.day
    np.testing.assert_array_equal(population.days_away, gap)

    load = one.clicks @ topic * 0.5 ** (gap / 3.0)[:, None]
    np.testing.assert_allclose(population.load, load, rtol=1e-5)
    share = one.satisfaction @ topic / np.where(some, felt, 1.0)[:, None]
    drift = np.where(some[:, None], 0.3 * (share - 0.5), 0.0)
    np.testing.assert_allclose(population.drift, drift, atol=1e-6)
    mood = 0.45 + 0.25 * (felt / np.maximum(one.clicks.sum(axis=1), 1) - 0.45)
    np.testing.assert_allclose(population.mood, mood, rtol=1e-5)
    tired = (0.2 + 1.5 * one.clicks) * 0.5 ** (gap / 5.0)[:, None]
    np.testing.assert_allclose(population.fatigue(slates(n)), tired, rtol=1e-5)
    leaving = expit(logit(0.04) - 5.0 * (mood - 0.45))
    np.testing.assert_allclose(one.leaving_probability, leaving, rtol=1e-4)
    hazard = expit(logit(1 / 2.5) + 2.0 * (mood - 0.45))
    np.testing.assert_allclose(one.return_hazard, hazard, rtol=1e-4)

    here = population.alive
    lost = 0.7 * np.maximum(load - 0.25, 0.0)
    appeal = APPEAL[SLATE] + (1.5 * drift - lost) @ topic.T - tired
    worth = WORTH[SLATE] + (1.5 * drift - 0.4 * lost) @ topic.T
    two = population.step(slates(n))
    expected = expit(appeal) * discount(K, 1.0)
    np.testing.assert_allclose(two.click_probability[here], expected[here], rtol=1e-4)
    np.testing.assert_allclose(two.mean_satisfaction[here], expit(worth)[here], rtol=1e-4)


PARTS = {
    "satiation": SatiationConfig(threshold=0.0),
    "fatigue": FatigueConfig(),
    "drift": DriftConfig(),
    "leaving": LeavingConfig(),
    "returning": ReturnConfig(),
}


@pytest.mark.parametrize("name", PARTS)
def test_who_is_twice_as_sensitive_reacts_twice_as_much(
    make_world: WorldMaker, engine: EngineName, name: str
) -> None:
    """To one thing at a time: of 200 pairs of twins, one has a factor of 2 on it."""
    n, twice = 400, np.tile(np.array([1.0, 2.0], np.float32), 200)
    world = make_world(plain(**{name: PARTS[name]}), n_users=n)
    factors = replace(world.sensitivities, **{name: twice})
    pools = replace(world.pools, users=np.arange(n) // 2)
    world = replace(world, pools=pools, sensitivities=factors)
    population = UserPopulation(world, seed=1, twins=True, engine=engine)
    rest = population.log_odds(slates(n))
    outcome = population.step(slates(n))
    np.testing.assert_array_equal(outcome.clicks[::2], outcome.clicks[1::2])
    shift = {
        "leaving": logit(outcome.leaving_probability.astype(float)) - logit(0.03),
        "returning": logit(outcome.return_hazard.astype(float)) - logit(0.5),
    }.get(name, population.log_odds(slates(n)) - rest)
    by_twin = np.moveaxis(shift, -2, 0) if shift.ndim == 3 else shift
    assert np.abs(by_twin).max() > 0.02
    np.testing.assert_allclose(by_twin[1::2], 2 * by_twin[::2], rtol=1e-3, atol=1e-5)


def test_nobody_drifts_beyond_what_they_enjoy(make_world: WorldMaker, engine: EngineName) -> None:
    """However sensitive: a rate is at most 1, all of the way."""
    n = 200
    world = make_world(plain(drift=DriftConfig(rate=0.5)), n_users=n)
    eager = replace(world.sensitivities, drift=np.full(n, 50.0, np.float32))
    population = UserPopulation(replace(world, sensitivities=eager), seed=1, engine=engine)
    outcome = population.step(slates(n))
    some = outcome.clicks.any(axis=1)
    enjoyed = outcome.satisfaction[some] @ np.eye(2)[np.array(SLATE) % 2]
    share = enjoyed / enjoyed.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(population.drift[some], share - 0.5, atol=1e-6)


def test_the_absent_stay_as_they_are_and_keep_their_luck(world: World, engine: EngineName) -> None:
    """Whoever comes to every other call lives the same life as who comes to each."""
    rng = np.random.default_rng(2)
    always = UserPopulation(world, seed=3, engine=engine)
    at_times = UserPopulation(world, seed=3, engine=engine)
    half = np.arange(len(world)) % 2 == 0
    for _ in range(10):
        columns = rng.random((len(world), world.n_candidates)).argsort(axis=1)[:, :10]
        expected = always.step(columns)
        first = at_times.step(columns, half)
        then = at_times.privileged()
        second = at_times.step(columns, ~half)
        np.testing.assert_array_equal(at_times.privileged()[half], then[half])
        for name in ("satisfaction", "next_day", "left", "ended", "active", "columns"):
            one, two = getattr(first, name), getattr(second, name)
            together = np.where(half.reshape(-1, *[1] * (one.ndim - 1)), one, two)
            wanted = getattr(expected, name) * expected.active.reshape(-1, *[1] * (one.ndim - 1))
            np.testing.assert_array_equal(together, wanted, err_msg=name)
            assert not one[~half].any() and not two[half].any()


# sessions


def lived(population: UserPopulation, n_steps: int, columns: np.ndarray) -> list[StepOutcome]:
    return [population.step(columns) for _ in range(n_steps)]


def test_the_slates_of_a_session_are_on_one_day(make_world: WorldMaker, engine: EngineName) -> None:
    """And nobody leaves, ends or comes back before it is over."""
    config = plain(
        session=SessionConfig(enabled=True), leaving=LeavingConfig(base_rate=0.3),
        returning=ReturnConfig(),
    )  # fmt: skip
    population = UserPopulation(make_world(config, n_users=500), seed=1, engine=engine)
    before: StepOutcome | None = None
    n_on = 0
    for outcome in lived(population, 25, slates(500)):
        here, over = outcome.active, outcome.session_over
        on = here & ~over
        assert (outcome.next_day[on] == outcome.day[on]).all()
        assert (outcome.next_day[over] > outcome.day[over]).all()
        assert not (outcome.left | outcome.ended)[on].any() and not over[~here].any()
        if before is not None:
            np.testing.assert_array_equal(outcome.day[here], before.next_day[here])
            gone_by = outcome.day[here] - before.day[here]
            np.testing.assert_array_equal(outcome.days_away[here], gone_by)
        before, n_on = outcome, n_on + int(on.sum())
    assert n_on > 500


def test_a_session_has_its_mean_length_whatever_the_mood_without_sensitivity(
    make_world: WorldMaker, engine: EngineName
) -> None:
    n, mean = 20_000, 3.0
    config = plain(session=SessionConfig(enabled=True, mean_slates=mean, sensitivity=0.0))
    population = UserPopulation(make_world(config, n_users=n), seed=2, engine=engine)
    length, going = np.zeros(n), np.ones(n, np.bool_)
    while going.any():
        outcome = population.step(slates(n), going)
        length += going
        going = going & ~outcome.session_over
    assert abs(length.mean() - mean) < 4 * np.sqrt(mean * (mean - 1) / n)
    for m in (1, 2, 5):  # geometric
        left = (1 - 1 / mean) ** m
        assert abs((length > m).mean() - left) < 4 * np.sqrt(left / n)


def test_another_slate_has_the_documented_chance(
    make_world: WorldMaker, engine: EngineName
) -> None:
    """Nobody clicks, so every mood is the same; those who return twice as readily stay so too."""
    n, factor = 20_000, np.repeat(np.array([1.0, 2.0], np.float32), 10_000)
    config = plain(
        satisfaction=SatisfactionConfig(memory=0.5, reference=0.4),
        session=SessionConfig(enabled=True, mean_slates=4.0, sensitivity=6.0),
    )
    world = make_world(config, n_users=n, appeal=(-20.0,) * 4)
    factors = replace(world.sensitivities, returning=factor, leaving=3 * factor)
    population = UserPopulation(replace(world, sensitivities=factors), seed=1, engine=engine)
    stays = ~population.step(slates(n)).session_over
    for f in (1.0, 2.0):
        chance = expit(logit(1 - 1 / 4.0) + f * 6.0 * (0.2 - 0.4))
        error = np.sqrt(chance * (1 - chance) / 10_000)
        assert abs(stays[factor == f].mean() - chance) < 4 * error


def test_better_slates_make_longer_sessions(make_world: WorldMaker, engine: EngineName) -> None:
    config = plain(session=SessionConfig(enabled=True, sensitivity=4.0))
    share = []
    for worth in (2.0, -2.0):
        world = make_world(config, n_users=1000, appeal=(2.0,) * 4, worth=(worth,) * 4)
        outcomes = lived(UserPopulation(world, seed=6, engine=engine), 5, slates(1000))
        share.append(np.mean([o.session_over for o in outcomes]))
    assert share[0] < share[1] - 0.1


# dwell


def test_dwell_is_on_clicks_up_to_the_length_and_longer_when_it_pleases(
    make_world: WorldMaker, engine: EngineName
) -> None:
    n = 20_000
    dwell = DwellConfig(enabled=True, minutes=20.0, gain=2.0, spread=0.5, length=45.0)
    still = SatisfactionConfig(noise=0.0)
    config = plain(dwell=dwell, satisfaction=still, choice=ChoiceConfig(position_bias=0.0))
    world = make_world(config, n_users=n, appeal=(1.0,) * 4, worth=(0.0, 0.0, 1.0, -1.0))
    outcome = UserPopulation(world, seed=1, engine=engine).step(slates(n))
    np.testing.assert_array_equal(outcome.dwell > 0, outcome.clicks)
    assert outcome.dwell.max() == 45.0
    for position, item in enumerate(SLATE):
        minutes = outcome.dwell[:, position][outcome.clicks[:, position]]
        centre = np.log(20.0) + 2.0 * (expit([0.0, 0.0, 1.0, -1.0][item]) - 0.5)
        error = 0.5 * np.sqrt(np.pi / 2 / len(minutes))  # of a median
        assert abs(np.median(np.log(minutes)) - centre) < 4 * error
        middle = np.log(minutes)[minutes < 45.0]
        assert middle.std() < 0.5
    logs = np.log(np.where(outcome.clicks, outcome.dwell, 1.0))
    both = outcome.clicks[:, 0] & outcome.clicks[:, 1]
    assert abs(np.corrcoef(logs[both, 0], logs[both, 1])[0, 1]) < 4 / both.sum() ** 0.5


def test_dwell_changes_nothing_else(make_world: WorldMaker, engine: EngineName) -> None:
    silent = WorldConfig(slate_size=K)
    told = silent.model_copy(update={"dwell": DwellConfig(enabled=True)})
    worlds = [make_world(config, n_users=200) for config in (silent, told)]
    pair = [lived(UserPopulation(w, seed=1, engine=engine), 8, slates(200)) for w in worlds]
    for a, b in zip(*pair, strict=True):
        np.testing.assert_array_equal(a.satisfaction, b.satisfaction)
        np.testing.assert_array_equal(a.next_day, b.next_day)
        assert a.minutes is None and not a.dwell.any()
