"""The search finds a known optimum, and calibration meets its aims and no more."""

import numpy as np
import pytest
from fairloop.agents.baselines import Member, tune, weight_units
from fairloop.agents.calibration import CalibrationConfig, calibrate, margins
from fairloop.agents.families import (
    PRICE_OF_REST,
    StaticLinear,
    TopK,
    baseline_families,
    reward_aware,
)
from fairloop.agents.gate import GateConfig
from fairloop.agents.outcomes import Arena, run, run_side_by_side, run_some
from fairloop.agents.search import SearchConfig, maximise
from fairloop.rerankers.features import FEATURES, LOGGED, REWARD
from fairloop.rerankers.response import ResponseModel
from fairloop.simulators.policies import StaticWeights

BUDGET = SearchConfig(steps=3_000, population=8)


def bowl(points: np.ndarray, generation: int) -> tuple[np.ndarray, int]:
    return -((points - np.array([2.0, -1.0, 0.5])) ** 2).sum(axis=1), 10 * len(points)


def test_finds_the_top_of_a_bowl_and_counts_its_steps():
    found = maximise(bowl, np.zeros(3), BUDGET, np.random.default_rng(0), start_steps=400)
    assert np.allclose(found.point, [2.0, -1.0, 0.5], atol=0.1)
    assert not np.allclose(found.halfway, found.point, atol=1e-3)
    assert found.steps <= 3_000 + 80


def test_same_generator_same_result_and_the_global_one_is_left_alone():
    before = np.random.get_state()[1].tolist()
    a, b = (maximise(bowl, np.zeros(3), BUDGET, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(a.point, b.point)
    assert np.random.get_state()[1].tolist() == before


def test_ends_once_settled():
    plenty = SearchConfig(steps=10**9, population=8, settled=0.05)
    assert maximise(bowl, np.zeros(3), plenty, np.random.default_rng(0)).steps < 20_000


def test_side_by_side_equals_one_after_the_other(arena):
    """Policies that share a batch have the luck they would have had alone."""
    weights = np.random.default_rng(1).normal(0.0, 1.0, (3, len(FEATURES) + 2))
    arena = arena.answered_by(ResponseModel.of_vector(np.linspace(-1, 1, 2 * len(LOGGED) + 2)))
    rows = np.array([2, 3, 11, 40, 41, 79])
    together = run_side_by_side(arena, weights, 7, rows)
    for row, found in zip(weights, together, strict=True):
        alone = run_some(arena, lambda row=row: StaticWeights(row), 7, rows)
        assert found.n_slates == alone.n_slates
        assert np.array_equal(found.engagement, alone.engagement)
        assert np.allclose(found.levels(), alone.levels(), atol=1e-6)
    assert not np.array_equal(together[0].engagement, together[1].engagement)


def test_every_baseline_of_the_gate_is_tuned_and_the_last_sees_all_that_is_logged(arena):
    families = baseline_families(arena.world.catalogue, arena.constraints, np.ones(11))
    names = [family.name for family in families]
    assert set(GateConfig().required_baselines) <= set(names) and len(set(names)) == len(names)
    assert isinstance(families[-1], StaticLinear)
    assert families[-1].searched == LOGGED


def test_a_search_over_rewards_begins_near_the_index_of_the_model(arena):
    n = len(FEATURES) + 2
    units = np.linspace(1.0, 2.0, n)
    response = ResponseModel.of_vector(np.zeros(2 * len(LOGGED) + 2))
    family = reward_aware(units, arena.constraints, response)
    weights = family.weights(family.start, np.zeros(2))
    now, rested = map(FEATURES.index, REWARD)
    assert weights[rested] / weights[now] == pytest.approx(-PRICE_OF_REST)
    assert np.flatnonzero(weights).tolist() == [now, rested]
    assert 0 < family.closeness < 1 == reward_aware(units, arena.constraints, None).closeness


def test_memoryless_weights_leave_state_aware_features_at_zero(arena):
    families = baseline_families(
        arena.world.catalogue, arena.constraints, np.full(len(FEATURES) + 2, 2.0)
    )
    family = next(f for f in families if f.name == "static-memoryless")
    assert isinstance(family, StaticLinear)
    assert len(family.start) == 5
    weights = family.weights(np.ones(5), np.array([0.5, -3.0]))
    unseen = [0.0] * (len(FEATURES) - 3)
    assert weights.tolist() == [2.0, 2.0, 2.0, *unseen, 3.0, 0.0]


def test_knobs_raise_their_levels(arena):
    """For every family that has knobs: more of a knob, more of its level."""
    units = weight_units(arena, 1)
    families = baseline_families(arena.world.catalogue, arena.constraints, units)
    assert [f.name for f in families if not len(f.start)] == ["random", "top-k"]
    for family in (f for f in families if len(f.start)):
        member = Member(family, family.start, np.zeros(2))
        low, share, diverse = (
            run(arena, member.turned(np.array(knobs)), [3]).levels()
            for knobs in ((0.0, 0.0), (2.0, 0.0), (0.0, 2.0))
        )
        assert share[0] > low[0], family.name
        # The exposure controller only lifts: an aim that its slates exceed anyway changes nothing.
        assert diverse[1] > low[1] or (family.name == "exposure" and low[1] > 0.7), family.name


def test_calibration_meets_every_aim_with_its_margin(arena):
    units = weight_units(arena, 1)
    family = baseline_families(arena.world.catalogue, arena.constraints, units)[-1]
    member = Member(family, family.start, np.zeros(2))
    config = CalibrationConfig(rounds=24, tolerance=0.01)
    end = calibrate(member.turned, arena, 50, 7, config)
    assert end.held
    seeds = [int(s) for s in np.random.SeedSequence(7).generate_state(config.seeds)]
    totals = run(arena, member.turned(end.knobs), seeds)
    assert (totals.levels() >= end.aims).all()
    assert np.allclose(end.aims, arena.targets + margins(totals, 50, config))


def test_margins_shrink_with_users_and_grow_with_assurance(arena):
    totals = run(arena, Member(TopK(), np.zeros(0), np.zeros(2)), [1])
    some = margins(totals, 100, CalibrationConfig())
    assert (some > 0).all()
    assert (margins(totals, 400, CalibrationConfig()) < some).all()
    assert (margins(totals, 100, CalibrationConfig(assurance=0.8)) < some).all()


def test_tuning_is_repeatable_and_beats_its_start(world, constraints):
    train = Arena.of(world.take(np.arange(40)), constraints)
    held = Arena.of(world.take(np.arange(40, 80)), constraints)
    units = weight_units(train, 1)
    family = baseline_families(world.catalogue, constraints, units)[-1]
    search = SearchConfig(steps=30_000, users=40, population=8)
    config = CalibrationConfig(seeds=1)
    first, again = (tune(family, train, held, 40, 5, search, config, 5_000) for _ in range(2))
    assert np.array_equal(first.member.point, again.member.point)
    assert np.array_equal(first.member.knobs, again.member.knobs)
    assert not np.array_equal(first.halfway.point, first.member.point)
    begin = calibrate(Member(family, family.start, np.zeros(2)).turned, held, 40, 5, config)
    tuned = calibrate(first.member.turned, held, 40, 5, config)
    assert tuned.engagement > begin.engagement
