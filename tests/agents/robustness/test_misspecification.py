"""Sweeps: what a curve shows was built in, and what is said of it follows from its points."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.report import ConstraintFigure, Interval
from fairloop.agents.robustness.curves import Curve, Point, departures
from fairloop.agents.robustness.misspecification import (
    TASTE_NOISE,
    MisspecificationReport,
    SweepConfig,
    sweep,
)
from fairloop.agents.robustness.parameters import acting, scaled
from fairloop.agents.robustness.plot import draw_misspecification
from fairloop.errors import InvalidValue
from pydantic import ValidationError

CONFIG = SweepConfig(
    parameters=("fatigue.per_showing", "returning.mean_days"),
    factors=(0.01, 0.5, 10.0),
    taste_noise=(0.5,),
    seeds=2,
    n_bootstrap=200,
)
QUICK = CONFIG.model_copy(update={"factors": (0.5,), "seeds": 1})


@pytest.fixture(scope="module")
def report(loose, mindful, forgetful) -> MisspecificationReport:
    return sweep(loose, mindful, forgetful, 3, CONFIG)


def test_the_gain_rises_with_what_it_is_made_of(report):
    """To avoid what was just shown is worth the more, the more showing tires."""
    curve = report.curve("fatigue.per_showing")
    assert [p.at for p in curve.points] == [0.01, 0.5, 1.0, 10.0]
    assert [p.value for p in curve.points] == pytest.approx([0.003, 0.15, 0.3, 3.0])
    ratios = [p.ratio.value for p in curve.points]
    assert ratios == sorted(ratios)
    assert curve.points[0].ratio.high < curve.points[-1].ratio.low
    assert all(p.ratio.low < p.ratio.value < p.ratio.high for p in curve.points)


def test_every_point_equals_a_run_of_that_world(report, loose, mindful, forgetful):
    for at in (1.0, 10.0):
        config = scaled(loose.world.config, {"fatigue.per_showing": at})
        arena = replace(loose, world=loose.world.with_dynamics(config))
        ours, theirs = (run(arena, e.make, report.seeds) for e in (mindful, forgetful))
        ratio = ours.expected_engagement.sum() / theirs.expected_engagement.sum()
        (point,) = [p for p in report.curve("fatigue.per_showing").points if p.at == at]
        assert point.ratio.value == pytest.approx(ratio)
        assert point.constraints[0].measured.value == pytest.approx(ours.levels()[0])
        assert point.baseline_constraints[0].measured.value == pytest.approx(theirs.levels()[0])


def test_all_curves_meet_in_the_assumed_world(report):
    names = [curve.parameter for curve in report.curves]
    assert names == ["fatigue.per_showing", "returning.mean_days", TASTE_NOISE]
    assumed = [next(p for p in c.points if p.at == c.assumed) for c in report.curves]
    assert len({point.ratio for point in assumed}) == 1
    assert [p.at for p in report.curve(TASTE_NOISE).points] == [0.0, 0.5]


def test_bounds_of_a_parameter_shorten_its_sweep(report):
    """Two days between visits cannot fall below 1.001, which 0.01 and 0.5 both ask for."""
    points = report.curve("returning.mean_days").points
    assert [p.at for p in points] == pytest.approx([0.5005, 1.0, 10.0])
    assert [p.value for p in points] == pytest.approx([1.001, 2.0, 20.0])


def test_equal_policies_have_a_ratio_of_exactly_1_everywhere(loose, make_entrant):
    twins = make_entrant("one", 3.0, "learned"), make_entrant("other", 3.0)
    found = sweep(loose, *twins, 3, QUICK)
    ends = {(p.ratio.low, p.ratio.value, p.ratio.high) for c in found.curves for p in c.points}
    assert ends == {(1.0, 1.0, 1.0)}
    assert {d.gain_not_shown_at for d in found.departures} == {0.0, 1.0}
    assert {d.loss_shown_at for d in found.departures} == {None}


def test_same_seed_same_report_stored_or_not(report, loose, mindful, forgetful):
    first, again = (sweep(loose, mindful, forgetful, 3, QUICK) for _ in range(2))
    assert first == again != report
    assert MisspecificationReport.model_validate_json(report.model_dump_json()) == report


def test_all_that_acts_is_swept_by_default(loose, mindful, forgetful):
    quick = SweepConfig(factors=(2.0,), taste_noise=(), seeds=1, n_bootstrap=100)
    small = Arena.of(loose.world.take(np.arange(4)), loose.constraints)
    found = sweep(small, mindful, forgetful, 1, quick)
    assert tuple(c.parameter for c in found.curves) == acting(loose.world.config)


def test_what_cannot_be_swept_is_refused(loose, mindful):
    with pytest.raises((ValidationError, InvalidValue), match="no parameter"):
        SweepConfig(parameters=("x",))
    with pytest.raises(ValidationError):
        SweepConfig(factors=(0.0,))
    with pytest.raises(InvalidValue, match="2 policies named"):
        sweep(loose, mindful, mindful, 1, CONFIG)


def point(at: float, low: float, high: float, ucb: float = -0.1) -> Point:
    middle = (low + high) / 2
    floor = ConstraintFigure(
        name="diversity",
        target=0.5,
        measured=Interval(value=0.5, low=0.4, high=0.6),
        violation_ucb=ucb,
    )
    ratio = Interval(value=middle, low=low, high=high)
    return Point(at=at, value=at, ratio=ratio, constraints=(floor,), baseline_constraints=())


def curve(*points: Point, assumed: float = 1.0) -> Curve:
    return Curve(parameter="drift.rate", unit="", assumed=assumed, points=points)


def test_departures_are_the_first_points_away_from_what_was_assumed():
    found = departures(
        curve(
            point(0.25, 0.7, 0.9),
            point(0.5, 0.95, 1.05),
            point(1.0, 1.02, 1.1),
            point(2.0, 1.01, 1.1, ucb=0.01),
            point(4.0, 1.01, 1.1),
        )
    )
    less, more = found
    assert (less.direction, less.farthest) == ("less", 0.25)
    assert (less.gain_not_shown_at, less.loss_shown_at) == (0.5, 0.25)
    assert (less.limit_not_shown_at, less.limits) == (None, ())
    assert (more.direction, more.farthest) == ("more", 4.0)
    assert (more.gain_not_shown_at, more.loss_shown_at) == (None, None)
    assert (more.limit_not_shown_at, more.limits) == (2.0, ("diversity",))


def test_a_gain_that_is_not_there_is_lost_where_it_was_assumed():
    found = departures(curve(point(1.0, 0.99, 1.1, ucb=0.2), point(2.0, 1.01, 1.1)))
    (more,) = found
    assert (more.gain_not_shown_at, more.limit_not_shown_at) == (1.0, 1.0)


def test_an_interval_that_is_no_number_shows_no_gain():
    found = departures(curve(point(1.0, 1.01, 1.1), point(2.0, float("nan"), float("nan"))))
    assert found[0].gain_not_shown_at == 2.0


def test_the_picture_is_the_same_for_the_same_report(report):
    small = report.model_copy(update={"curves": report.curves[2:]})
    first, again = draw_misspecification(small), draw_misspecification(small)
    assert first == again and set(first) == {".png", ".svg"}
    text = first[".svg"].decode()
    assert "taste noise" in text and "fatigue" not in text
    assert "mindful against forgetful" in text and "80 users" in text
