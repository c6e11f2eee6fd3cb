"""A canary rolls back what is bad, promotes what is good, and cries wolf no more than promised."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.deployment.canary import CanaryConfig, CanaryLimit, CanaryPlan, CanarySpread
from fairloop.agents.deployment.hypotheses import Units, gains, hypotheses
from fairloop.agents.deployment.monitor import CanaryMonitor
from fairloop.agents.deployment.planning import (
    plan_canary,
    seen_in,
    spread_of_report,
    with_seen,
)
from fairloop.agents.ope.logged import LoggedSlates
from fairloop.agents.ope.propensities import Propensities
from fairloop.errors import InvalidValue
from hypothesis import given, settings
from hypothesis import strategies as st

W = 4
FLOOR = CanaryLimit(name="exposure:a=b", direction="floor", target=0.3, slack=0.05, sd=0.15)
CEILING = CanaryLimit(name="ceiling:a=c", direction="ceiling", target=0.5, slack=0.06, sd=0.15)
SPREAD = CanarySpread(
    slates_per_user=W,
    engagement=3.0,
    engagement_sd=1.2,
    limits=(FLOOR, CEILING),
    source="a made-up world",
)
CONFIG = CanaryConfig(share=0.3, tolerance=0.1)


@pytest.fixture(scope="module")
def plan() -> CanaryPlan:
    return plan_canary(SPREAD, CONFIG)


def draw(
    rng: np.random.Generator,
    n: int,
    ratio: float = 1.0,
    floor: float = 0.05,
    ceiling: float = 0.06,
    share: float = 0.3,
    trend: float = 0.0,
) -> Units:
    """Users of both sides: skewed engagement, levels this far inside their limits."""
    new = rng.random(n) < share
    shape = (3.0 / 1.2) ** 2
    season = 1.0 + trend * np.arange(n) / n
    engagement = rng.gamma(shape, 1.0 / shape, n) * 3.0 * np.where(new, ratio, 1.0) * season

    def level(mean: float) -> np.ndarray:
        strength = mean * (1.0 - mean) / 0.15**2 - 1.0
        return rng.beta(mean * strength, (1.0 - mean) * strength, n) * W

    measured = np.stack([level(0.3 + floor), level(0.5 - ceiling)], axis=1)
    return Units(new, engagement, np.full(n, float(W)), measured)


def run(plan: CanaryPlan, runs: int, seed: int, batch: int = 300, **world: float):
    """How many canaries ended which way, and how many of them by an alarm."""
    ends = {"promote": 0, "roll back": 0, "alarm": 0}
    for i in range(runs):
        rng, monitor = np.random.default_rng([seed, i]), CanaryMonitor(plan)
        while monitor.move == "continue":
            monitor.update(draw(rng, batch, **world))
        ends[monitor.move] += 1
        ends["alarm"] += monitor.reason.startswith("Alarm")
    return ends


def test_a_good_policy_is_promoted_as_often_as_planned(plan) -> None:
    ends = run(plan, 60, 1)
    assert ends["promote"] >= 0.8 * 60
    assert ends["alarm"] <= 6  # 5 % promised, at any time


@pytest.mark.parametrize(
    ("world", "question"),
    [
        ({"ratio": 0.85}, "engagement lower"),
        ({"floor": -0.05}, "exposure:a=b below its floor"),
        ({"ceiling": -0.05}, "ceiling:a=c above its ceiling"),
        ({"share": 0.15}, "fewer users than planned"),
        ({"share": 0.5}, "more users than planned"),
    ],
)
def test_each_kind_of_bad_news_raises_an_alarm_that_names_it(plan, world, question) -> None:
    named = 0
    for i in range(20):
        rng, monitor = np.random.default_rng([5, i]), CanaryMonitor(plan)
        while monitor.move == "continue":
            monitor.update(draw(rng, 200, **world))
        assert monitor.move == "roll back"
        named += question in monitor.reason
    assert named >= 18


@pytest.mark.slow
@pytest.mark.parametrize("trend", [0.0, 0.5])
def test_false_alarms_stay_below_the_promised_rate_at_every_look(trend: float) -> None:
    """As good as the control and exactly at every limit, looked at after each 100 users."""
    at_the_edge = plan_canary(SPREAD, CONFIG.model_copy(update={"limit_tolerance": 0.05}))
    ends = run(at_the_edge, 200, 2, batch=100, floor=0.0, ceiling=0.0, trend=trend)
    assert ends["alarm"] <= 0.05 * 200 + 2 * np.sqrt(200 * 0.05 * 0.95)


@pytest.mark.slow
@pytest.mark.parametrize("world", [{"ratio": 0.9}, {"floor": -0.01}, {"ceiling": -0.01}])
def test_what_is_at_the_edge_of_the_tolerance_is_hardly_ever_promoted(plan, world) -> None:
    ends = run(plan, 150, 3, batch=200, **world)
    assert ends["promote"] <= 0.05 * 150 + 2 * np.sqrt(150 * 0.05 * 0.95)


def test_gains_have_the_expectation_they_are_said_to_have() -> None:
    """Over the chance of being assigned, exactly: contrasts, shares and limits of one user each."""
    share, cap, before = 0.3, 10.0, np.array([2.5])
    names = [one.question for one in hypotheses(SPREAD, CONFIG, share, cap)]

    def gain(new: bool, engagement: float) -> np.ndarray:
        units = Units(
            np.array([new]), np.array([engagement]), np.array([4.0]), np.array([[1.4, 1.6]])
        )
        return gains(units, SPREAD, CONFIG, share, cap, before)[0]

    mean = share * gain(True, 2.0) + (1.0 - share) * gain(False, 3.0)
    expected = {
        "is engagement lower than the control's": 3.0 - 2.0,
        "are more users than planned on the new policy": 0.0,
        "are fewer users than planned on the new policy": 0.0,
        "is exposure:a=b below its floor": share * -(1.4 - 1.2) / 4,
        "is ceiling:a=c above its ceiling": share * -(2.0 - 1.6) / 4,
        "is engagement at least 90% of the control's": 2.0 - 0.9 * 3.0,
        "is exposure:a=b held": share * ((1.4 - 1.2) / 4 + 0.01),
        "is ceiling:a=c held": share * ((2.0 - 1.6) / 4 + 0.01),
    }
    assert dict(zip(names, mean, strict=True)) == pytest.approx(expected)


@settings(max_examples=200, deadline=None)
@given(
    new=st.booleans(),
    engagement=st.floats(0, 50),
    slates=st.integers(0, W),
    levels=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    before=st.floats(0, 8.0),
    share=st.sampled_from([0.01, 0.3, 0.5, 0.9]),
)
def test_no_possible_user_costs_more_than_the_bet_allows(
    new, engagement, slates, levels, before, share
) -> None:
    cap = 8.0
    units = Units(
        np.array([new]),
        np.array([engagement]),
        np.array([float(slates)]),
        np.array([levels]) * slates,
    )
    found = gains(units, SPREAD, CONFIG, share, cap, np.array([before]))[0]
    worst = [one.worst for one in hypotheses(SPREAD, CONFIG, share, cap)]
    assert (found >= -np.array(worst) - 1e-9).all()


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_batches_of_any_size_and_a_restart_change_nothing(plan, batch: int) -> None:
    units = draw(np.random.default_rng(9), 200)
    whole = CanaryMonitor(plan)
    whole.update(units)
    parts = CanaryMonitor(plan)
    for start in range(0, 200, batch):
        rows = slice(start, start + batch)
        parts.update(
            Units(
                units.canary[rows], units.engagement[rows], units.slates[rows], units.measured[rows]
            )
        )
        parts = CanaryMonitor.restore(plan, parts.to_json())
    assert parts.state.users == whole.state.users == 200
    assert np.allclose(parts.state.capital, whole.state.capital)
    assert np.allclose(parts.state.proofs, whole.state.proofs)
    assert parts.state.alarm == pytest.approx(whole.state.alarm)
    assert parts.reason == whole.reason
    assert parts.evidence() == pytest.approx(whole.evidence())


def test_a_state_belongs_to_its_plan(plan) -> None:
    text = CanaryMonitor(plan).to_json()
    other = plan_canary(SPREAD, CONFIG.model_copy(update={"tolerance": 0.2}))
    cut = json.loads(text)
    cut["capital"] = cut["capital"][:-1]
    for where, what in ((other, text), (plan, "{}"), (plan, json.dumps(cut))):
        with pytest.raises(InvalidValue) as caught:
            CanaryMonitor.restore(where, what)
        assert caught.value.field == "canary"


def test_doubt_at_the_end_works_against_the_policy(plan) -> None:
    monitor = CanaryMonitor(plan)
    rng = np.random.default_rng(4)
    # too noisy to prove anything, no worse than the control
    while monitor.move == "continue":
        units = draw(rng, 500)
        monitor.update(replace(units, engagement=rng.choice([0.0, 7.0], 500)))
    assert monitor.state.users >= plan.users
    assert monitor.move == "roll back"
    assert "as many as were planned" in monitor.reason
    with pytest.raises(InvalidValue, match="has ended"):
        monitor.update(draw(rng, 1))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"engagement": np.array([np.nan])}, "units.engagement"),
        ({"engagement": np.array([-1.0])}, "units.engagement"),
        ({"engagement": np.ones(2)}, "units.engagement"),
        ({"slates": np.array([W + 1.0])}, "units.slates"),
        ({"slates": np.array([-1.0])}, "units.slates"),
        ({"measured": np.array([[W + 0.1, 0.0]])}, "units.measured"),
        ({"measured": np.array([[-0.1, 0.0]])}, "units.measured"),
        ({"measured": np.ones((1, 3))}, "units.measured"),
    ],
)
def test_what_cannot_have_happened_is_refused_and_changes_nothing(plan, change, field) -> None:
    monitor = CanaryMonitor(plan)
    before = monitor.to_json()
    with pytest.raises(InvalidValue) as caught:
        monitor.update(replace(draw(np.random.default_rng(0), 1), **change))
    assert caught.value.field == field
    assert monitor.to_json() == before


def test_the_plan_of_a_verdict_is_complete(make_report) -> None:
    spread = spread_of_report(make_report(), slates_per_user=10)
    plan = plan_canary(spread, CanaryConfig(users_per_day=100_000))
    assert CanaryPlan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.users == max(size.users for size in plan.sizes)
    assert plan.decisions == plan.canary_users * 10
    assert plan.days == pytest.approx(plan.users / 100_000)
    assert f"{plan.users:,} users" in plan.sentence
    CanaryMonitor(plan)


def test_the_smallest_share_that_ends_in_time_is_taken() -> None:
    """Fewer users a day need a larger share; where none is enough, the quickest is named."""
    shares = [
        plan_canary(SPREAD, CanaryConfig(users_per_day=traffic)).share
        for traffic in (1e6, 3e3, 1e3, 300.0, 1.0)
    ]
    assert shares == sorted(shares)
    assert shares[0] == 0.01 and shares[-1] == 0.5
    slow = plan_canary(SPREAD, CanaryConfig(users_per_day=1.0))
    assert slow.days is not None and slow.days > CanaryConfig().max_days
    assert plan_canary(SPREAD, CanaryConfig()).share == 0.1


def test_a_reports_spread_is_never_below_that_of_the_users_behind_it(make_report) -> None:
    """Intervals of means over S seeds hide at most a factor of sqrt(S) of one life's spread."""
    one = spread_of_report(make_report(seeds=(1,)), 100)
    five = spread_of_report(make_report(seeds=(1, 2, 3, 4, 5)), 100)
    assert five.engagement_sd == pytest.approx(one.engagement_sd * np.sqrt(5))
    short = spread_of_report(make_report(seeds=(1,)), 3)
    assert short.engagement == pytest.approx(one.engagement * 3 / 12)
    cv = short.engagement_sd / short.engagement
    assert cv == pytest.approx(one.engagement_sd / one.engagement * np.sqrt(12 / 3))
    [limit] = short.limits
    assert (limit.direction, limit.target) == ("floor", 0.4) and limit.slack > 0


def test_what_users_of_a_log_brought_takes_the_place_of_what_was_expected(make_report) -> None:
    """Users 7 and 3 with slates in turn: the first two of each count, 1 + 2 and 4 + 8."""
    logged = LoggedSlates(
        users=np.array([7, 3, 7, 3, 7, 3]),
        items=np.arange(6)[:, None],
        rewards=np.array([1.0, 4.0, 2.0, 8.0, 100.0, 200.0]),
        logging=Propensities(slate=np.ones(6)),
    )
    seen = seen_in(logged, 2, "a log")
    assert seen is not None and seen.users == 2
    assert seen.engagement == pytest.approx(7.5)
    assert seen.sd == pytest.approx(np.std([3.0, 12.0], ddof=1))
    spread = spread_of_report(make_report(), 2)
    known = with_seen(spread, seen)
    assert (known.engagement, known.engagement_sd) == (seen.engagement, seen.sd)
    assert known.limits == spread.limits and "a log" in known.source
    assert with_seen(spread, None) == spread
    assert with_seen(spread_of_report(make_report(), 3), seen).engagement != seen.engagement
    nothing = replace(logged, rewards=np.zeros(6))
    assert seen_in(nothing, 2, "a log") is None
