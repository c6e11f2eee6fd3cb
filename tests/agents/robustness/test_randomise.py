"""Draws stay where they may be, can be drawn again, and change nothing where nothing may change."""

import numpy as np
import pytest
from fairloop.agents.robustness.parameters import acting, known_parameters, scaled, value_of
from fairloop.agents.robustness.randomise import (
    DrawnWorld,
    FactorRange,
    WorldRanges,
    draw_world,
    draw_world_config,
    draw_worlds,
    randomise_users,
    training_worlds,
)
from fairloop.agents.robustness.worlds import PER_USER
from fairloop.errors import InvalidValue
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.presets import PRESETS
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

BASE = WorldConfig()
NAMES = tuple(known_parameters())


def ranges_of(*factors: tuple[str, float, float], noise=(0.0, 0.0)) -> WorldRanges:
    many = tuple(FactorRange(parameter=n, low=low, high=high) for n, low, high in factors)
    return WorldRanges(factors=many, taste_noise=noise)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    name=st.sampled_from(NAMES),
    ends=st.tuples(st.floats(0.01, 100.0), st.floats(0.01, 100.0)),
)
def test_a_draw_stays_in_its_range_and_in_the_bounds_of_the_parameter(seed, name, ends):
    low, high = min(ends), max(ends)
    drawn = draw_world_config(BASE, ranges_of((name, low, high)), rng(seed))
    value, known, before = value_of(drawn, name), known_parameters()[name], value_of(BASE, name)
    assert known.least <= value <= known.most
    assert known.bounded(low * before) <= value <= known.bounded(high * before)
    others = [n for n in NAMES if n != name]
    assert [value_of(drawn, n) for n in others] == [value_of(BASE, n) for n in others]
    assert drawn == draw_world_config(BASE, ranges_of((name, low, high)), rng(seed))


def test_draws_fill_their_range_evenly_in_the_log():
    ranges = ranges_of(("satiation.strength", 0.5, 2.0))
    drawn = [draw_world_config(BASE, ranges, rng(s)).satiation.strength for s in range(400)]
    log2 = np.sort(np.log2(np.array(drawn) / BASE.satiation.strength))
    # Kolmogorov-Smirnov against the uniform distribution on [-1, 1]; 1.63 is the 1 % point.
    distance = np.abs((log2 + 1) / 2 - (np.arange(400) + 0.5) / 400).max()
    assert distance < 1.63 / np.sqrt(400)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_changes_where_nothing_may(seed):
    to_one = ranges_of(*((name, 1.0, 1.0) for name in NAMES))
    for ranges in (WorldRanges.nothing(), to_one):
        assert draw_world_config(BASE, ranges, rng(seed)) == BASE
        drawn = draw_world(BASE, ranges, seed)
        assert (drawn.config, drawn.taste_noise) == (BASE, 0.0)
        assert drawn.changed(BASE) == {}


def test_a_range_of_one_factor_gives_that_factor():
    ranges = ranges_of(("leaving.base_rate", 3.0, 3.0), ("returning.mean_days", 0.1, 0.1))
    drawn = draw_world_config(BASE, ranges, rng())
    assert drawn.leaving.base_rate == pytest.approx(3.0 * BASE.leaving.base_rate, rel=1e-12)
    assert drawn.returning.mean_days == known_parameters()["returning.mean_days"].least


def test_a_range_more_does_not_change_what_others_are_drawn_as():
    one = ranges_of(("drift.rate", 0.5, 2.0))
    two = ranges_of(("satiation.strength", 0.5, 2.0), ("drift.rate", 0.5, 2.0))
    drawn = [draw_world_config(BASE, r, rng(7)).drift.rate for r in (one, two)]
    assert drawn[0] == drawn[1] != BASE.drift.rate


def test_the_first_worlds_do_not_depend_on_how_many_are_drawn():
    few, many = (draw_worlds(BASE, WorldRanges(), n, 5) for n in (3, 8))
    assert many[:3] == few
    assert len({world.config.model_dump_json() for world in many}) == 8


def test_default_ranges_vary_all_that_acts_in_the_default_world():
    assert {f.parameter for f in WorldRanges().factors} == set(acting(BASE))


@pytest.mark.parametrize(
    ("name", "in_world"),
    [
        ("choice.position_bias", {"default", "static", "captive", "sessions", "logit"}),
        ("choice.continue_after_skip", {"cascade"}),
        ("choice.no_click", {"logit"}),
        ("satiation.strength", set(PRESETS) - {"static"}),
        ("leaving.base_rate", set(PRESETS) - {"static", "captive"}),
        ("session.mean_slates", {"sessions"}),
    ],
)
def test_a_parameter_acts_where_its_part_is_switched_on(name, in_world):
    assert {preset for preset, config in PRESETS.items() if name in acting(config)} == in_world


@pytest.mark.parametrize(
    "wrong",
    [
        {"factors": [{"parameter": "satiation.strenght", "low": 0.5, "high": 2.0}]},
        {"factors": [{"parameter": "tastes.appeal_hidden", "low": 0.5, "high": 2.0}]},
        {"factors": [{"parameter": "horizon_days", "low": 0.5, "high": 2.0}]},
        {"factors": [{"parameter": "drift.rate", "low": 2.0, "high": 0.5}]},
        {"factors": [{"parameter": "drift.rate", "low": 0.0, "high": 0.5}]},
        {"factors": 2 * [{"parameter": "drift.rate", "low": 0.5, "high": 2.0}]},
        {"taste_noise": [0.3, 0.1]},
        {"taste_noise": [0.3, 1.1]},
    ],
)
def test_ranges_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        WorldRanges.model_validate(wrong)


def test_an_unknown_parameter_is_named_with_what_could_be_meant():
    with pytest.raises(InvalidValue, match=r"no parameter 'x\.y'.*satiation\.strength"):
        scaled(BASE, {"x.y": 2.0})
    with pytest.raises(InvalidValue, match="part of the fit"):
        value_of(BASE, "tastes.shrinkage")


def test_a_stored_world_is_made_again(world):
    drawn = draw_world(world.config, WorldRanges(taste_noise=(0.2, 0.3)), 11)
    again = DrawnWorld.model_validate_json(drawn.model_dump_json())
    first, second = drawn.of(world), again.of(world)
    assert again == drawn and first.config == second.config == drawn.config
    for name in ("appeal", "worth"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
        assert not np.array_equal(getattr(first, name), getattr(world, name))
    factors = drawn.changed(world.config)
    restored = scaled(world.config, factors)
    assert all(value_of(restored, n) == pytest.approx(value_of(drawn.config, n)) for n in NAMES)


def test_every_user_has_a_draw_of_their_own_that_belongs_to_them(world):
    ranges = ranges_of(("satiation.strength", 0.5, 2.0), ("leaving.sensitivity", 3.0, 3.0))
    many = randomise_users(world, ranges, 4)
    before, after = world.sensitivities, many.sensitivities
    factor = after.satiation / before.satiation
    assert 0.5 * 0.999 <= factor.min() < 0.7 and 1.4 < factor.max() <= 2.0 * 1.001
    assert len(np.unique(factor.round(4))) > 0.9 * len(world)
    assert np.allclose(after.leaving, 3.0 * before.leaving, rtol=1e-6)
    for trait in ("fatigue", "drift", "returning"):
        assert getattr(after, trait) is getattr(before, trait)
    rows = np.array([40, 3, 3])
    some = randomise_users(world.take(rows), ranges, 4)
    assert np.array_equal(some.sensitivities.satiation, after.satiation[rows])
    assert not np.allclose(
        randomise_users(world, ranges, 5).sensitivities.satiation, after.satiation
    )
    assert randomise_users(world, WorldRanges.nothing(), 4) is world


def test_training_worlds_differ_in_what_users_share_and_in_what_is_their_own(world):
    ranges = WorldRanges()
    worlds = training_worlds(world, ranges, 3, 9)
    for one in worlds:
        for name in PER_USER.values():
            assert value_of(one.config, name) == value_of(world.config, name)
        assert value_of(one.config, "leaving.base_rate") != world.config.leaving.base_rate
    rates = [w.sensitivities.leaving for w in worlds]
    # Their contrast is a world's, so compare the draws of users by their order of size.
    assert all(abs(np.corrcoef(np.log(rates[0]), np.log(r))[0, 1]) < 0.99 for r in rates[1:])
    assert [w.config for w in training_worlds(world, ranges, 2, 9)] == [
        w.config for w in worlds[:2]
    ]
    with pytest.raises(InvalidValue, match="0 worlds"):
        training_worlds(world, ranges, 0, 9)
