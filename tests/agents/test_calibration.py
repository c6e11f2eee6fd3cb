"""Knobs end where every level reaches its aim, and the aims are high enough for other users."""

from types import SimpleNamespace

import numpy as np
import pytest
from fairloop.agents import calibration
from fairloop.agents.calibration import CalibrationConfig, calibrate, margins
from fairloop.agents.outcomes import UserTotals
from scipy.stats import norm

USERS, VISITS = 400, 10.0


def totals(measured: np.ndarray, slates: np.ndarray, engagement: float = 1.0) -> UserTotals:
    n = len(slates)
    return UserTotals(
        engagement=np.full(n, engagement),
        expected_engagement=np.full(n, engagement),
        slates=slates,
        measured=measured,
        retained=np.ones(n),
        n_slates=round(float(slates.sum())),
    )


class Linear:
    """Stands for the simulator: levels follow the knobs by a matrix, engagement falls with them."""

    def __init__(self, slopes: list[list[float]], at_zero: list[float], ceiling: float = 1.0):
        self.slopes, self.at_zero, self.ceiling = np.array(slopes), np.array(at_zero), ceiling
        self.seen: list[np.ndarray] = []
        self.noise = np.random.default_rng(0).normal(0, 0.05, (USERS, len(at_zero)))
        self.noise -= self.noise.mean(axis=0)

    def levels(self, knobs: np.ndarray) -> np.ndarray:
        return np.minimum(self.at_zero + self.slopes @ knobs, self.ceiling)

    def run(self, arena, knobs, seeds) -> UserTotals:
        self.seen.append(knobs.copy())
        measured = VISITS * (self.levels(knobs) + self.noise)
        return totals(measured, np.full(USERS, VISITS), 10.0 - float(knobs.sum()))


@pytest.fixture
def solve(monkeypatch):
    def solve(world: Linear, targets: list[float], least: float = -np.inf, **config):
        monkeypatch.setattr(calibration, "run", world.run)
        arena, config = SimpleNamespace(targets=np.array(targets)), CalibrationConfig(**config)
        return calibrate(lambda knobs: knobs.copy(), arena, 300, 1, config, least)

    return solve


def test_finds_the_knobs_of_a_linear_world_whose_levels_hang_together(solve):
    world = Linear([[0.08, -0.02], [0.03, 0.1]], [0.30, 0.55])
    end = solve(world, [0.4, 0.6])
    margin = margins(world.run(None, np.zeros(2), []), 300, CalibrationConfig())
    assert np.allclose(end.aims, np.array([0.4, 0.6]) + margin)
    excess = world.levels(end.knobs) - end.aims
    assert end.held
    # No further than the tolerated band: what lies beyond costs engagement for nothing.
    assert ((excess >= 0.0) & (excess <= CalibrationConfig().tolerance)).all()
    assert end.engagement == pytest.approx(10.0 - end.knobs.sum())
    assert end.steps == len(world.seen[:-1]) * USERS * VISITS


def test_knobs_fall_where_a_floor_is_exceeded(solve):
    world = Linear([[0.08, 0.0], [0.0, 0.1]], [0.9, 0.9])
    end = solve(world, [0.4, 0.6])
    assert end.held and (end.knobs < 0).all()


def test_a_price_is_not_paid_for_a_limit_that_is_kept_with_room(solve):
    """Complementary slackness: one knob ends at its least, the other where its own level holds."""
    world = Linear([[0.08, 0.01], [0.03, 0.1]], [0.9, 0.5])
    end = solve(world, [0.4, 0.6], least=0.0)
    assert end.held and end.knobs[0] == 0.0
    assert all((knobs >= 0.0).all() for knobs in world.seen)
    assert 0.0 <= world.levels(end.knobs)[1] - end.aims[1] <= CalibrationConfig().tolerance


def test_a_constraint_without_a_target_keeps_its_knob_at_zero(solve):
    world = Linear([[0.08, 0.05], [0.03, 0.1]], [0.3, 0.1])
    end = solve(world, [0.4, 0.0])
    assert end.held and end.aims[1] == 0.0
    assert all(knobs[1] == 0.0 for knobs in world.seen)


def test_without_any_target_one_measurement_is_enough(solve):
    world = Linear([[0.1, 0.0], [0.0, 0.1]], [0.1, 0.1])
    end = solve(world, [0.0, 0.0])
    assert end.held and len(world.seen) == 1 and (end.knobs == 0.0).all()


def test_a_floor_out_of_reach_is_said_and_the_nearest_point_is_kept(solve):
    world = Linear([[0.2]], [0.2], ceiling=0.5)
    end = solve(world, [0.7], rounds=6)
    assert not end.held
    assert world.levels(end.knobs)[0] == pytest.approx(0.5)
    assert len(world.seen) == 6 + len(calibration.LAST_STEPS)


def test_what_is_short_at_the_end_is_raised_until_it_holds(solve):
    world = Linear([[0.1]], [0.2])
    end = solve(world, [0.345], rounds=2)  # the first move is bounded, and falls short
    assert end.held and len(world.seen) > 2
    raises = np.diff([knobs[0] for knobs in world.seen[1:]])
    np.testing.assert_allclose(raises, calibration.LAST_STEPS[: len(raises)])


def test_the_best_of_the_points_that_hold_is_taken_not_the_last(solve):
    """The second point overshoots, because this world answers more steeply than is guessed."""
    world = Linear([[0.6]], [0.9])
    end = solve(world, [0.4], rounds=2)
    assert world.levels(world.seen[-1])[0] < 0.4
    assert end.held and end.knobs[0] == 0.0


def test_no_step_is_longer_than_the_largest_move(solve):
    world = Linear([[0.001]], [0.1])
    solve(world, [0.5], rounds=5)
    moves = np.diff([knobs[0] for knobs in world.seen[:5]])
    assert len(moves) == 4 and (np.abs(moves) <= calibration.LARGEST_MOVE + 1e-12).all()
    assert moves[0] == calibration.LARGEST_MOVE


def test_margins_are_the_formula_of_their_docstring():
    rng = np.random.default_rng(2)
    slates = rng.integers(1, 15, 60).astype(float)
    measured = slates[:, None] * rng.uniform(0.2, 0.8, (60, 2))
    config = CalibrationConfig(confidence=0.9, assurance=0.95)
    found = margins(totals(measured, slates), 40, config)
    level = measured.sum(axis=0) / slates.sum()
    spread = [
        np.sqrt(np.mean([((m - s * level[c]) / slates.mean()) ** 2 for m, s in pairs]))
        for c, pairs in enumerate(list(zip(measured[:, c], slates, strict=True)) for c in (0, 1))
    ]
    expected = np.array(spread) * (
        norm.ppf(0.9) / np.sqrt(40) + norm.ppf(0.95) * np.sqrt(1 / 60 + 1 / 40)
    )
    assert np.allclose(found, expected)


def test_a_margin_holds_the_bound_on_other_users_as_often_as_it_promises():
    """Calibrated users at their aim exactly; how often the bound of fresh users is below 0."""
    rng = np.random.default_rng(3)
    n, m, trials, config = 120, 150, 1000, CalibrationConfig(assurance=0.9)
    held = 0
    for _ in range(trials):
        slates = rng.integers(1, 15, n + m).astype(float)
        # Users who stay longer have other levels: a ratio of sums, not a mean of ratios.
        level = 0.3 + 0.02 * slates + rng.normal(0, 0.1, n + m)
        measured = (slates * level)[:, None]
        here, there = totals(measured[:n], slates[:n]), totals(measured[n:], slates[n:])
        target = here.levels() - margins(here, m, config)
        error = there.spread() / np.sqrt(m)
        held += float((target - there.levels() + norm.ppf(config.confidence) * error)[0]) <= 0.0
    assert 0.87 < held / trials < 0.93
