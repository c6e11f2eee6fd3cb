"""The gate refuses each kind of report that does not support a deployment."""

import hashlib
import json
import math

import numpy as np
import pytest
from fairloop.agents.deployment.limits import bound
from fairloop.agents.deployment.logged import LoggedComparison, LoggedRule
from fairloop.agents.gate import GateConfig, Verdict, judge, require_passed
from fairloop.agents.ope.evaluate import improvement
from fairloop.agents.ope.logged import LoggedSlates
from fairloop.agents.ope.propensities import Propensities
from fairloop.agents.ope.verdict import Estimate
from fairloop.agents.report import ConstraintFigure, Interval
from fairloop.errors import GateRefused
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm


def test_a_better_policy_within_its_limits_passes(make_report):
    verdict = judge(make_report())
    assert verdict.passed
    assert verdict.figures["ratio"] == 1.05
    require_passed(verdict)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ucb": 0.001}, "exposure:popularity=long_tail"),
        ({"ucb": float("nan")}, "finite"),
        ({"ratio": 0.98, "low": 0.96}, "best baseline"),
        ({"simple": 0.95}, "best simple re-ranker"),
        ({"ratio": float("nan"), "low": float("nan")}, "finite"),
        ({"n_users": 50}, "50 held-out users"),
        ({"seeds": (1, 2, 3)}, "3 simulator seeds"),
        ({"seeds": (1, 1, 1, 1, 1)}, "1 simulator seeds"),
        ({"baselines": ("top-k", "static-state-aware")}, "mmr"),
        ({"best": None}, "No baseline"),
    ],
)
def test_each_kind_of_bad_report_is_refused_with_its_reason(make_report, change, word):
    verdict = judge(make_report(**change))
    assert not verdict.passed
    assert any(word in reason for reason in verdict.reasons)
    assert "refused" in verdict.headline
    with pytest.raises(GateRefused):
        require_passed(verdict)


def test_no_measured_difference_from_the_best_baseline_is_said_and_refused(make_report):
    verdict = judge(make_report(ratio=1.0, low=0.985))
    assert not verdict.passed
    assert any("no difference was measured" in reason for reason in verdict.reasons)


def test_not_being_worse_is_enough_where_the_rule_says_so(make_report):
    rule = GateConfig(min_ratio_low=0.97)
    verdict = judge(make_report(ratio=1.0, low=0.985), rule)
    assert verdict.passed
    assert "not worse" in verdict.headline
    assert not judge(make_report(ratio=0.98, low=0.96), rule).passed


def test_a_policy_that_equals_the_best_baseline_is_not_better(make_report):
    assert not judge(make_report(ratio=1.0, low=1.0)).passed


@settings(max_examples=60, deadline=None)
@given(
    ratio=st.floats(0.5, 1.5),
    width=st.floats(0.0, 0.3),
    ucb=st.floats(-0.2, 0.2),
    needed=st.sampled_from([0.97, 1.0, 1.02]),
)
def test_passing_is_exactly_the_stated_rule(make_report, ratio, width, ucb, needed):
    low = ratio - width
    report = make_report(ratio=ratio, low=low, ucb=ucb)
    beats_simple = report.learned.engagement.low > report.figures("mmr").engagement.high
    verdict = judge(report, GateConfig(min_ratio_low=needed))
    assert verdict.passed == (ucb <= 0.0 and low > needed and beats_simple)
    assert (verdict.canary is not None) == verdict.passed


def test_a_refusal_for_lack_of_power_says_how_many_users_it_takes(make_report):
    """With 200 users the standard error is 0.0306: a true 1.05 passes in 37 % of cases."""
    verdict = judge(make_report(ratio=1.05, low=0.99))
    power = verdict.power
    assert power is not None and not verdict.passed
    error = 0.06 / norm.ppf(0.975)
    assert power.chance == pytest.approx(norm.cdf(0.05 / error - norm.ppf(0.975)))
    ask = math.ceil(200 * (error * (norm.ppf(0.975) + norm.ppf(0.8)) / 0.05) ** 2)
    assert power.users == ask > 200
    assert any(f"evaluate {ask} users" in reason for reason in verdict.reasons)


def test_the_number_of_users_asked_for_gives_the_power_that_was_wanted(make_report):
    power = judge(make_report(ratio=1.05, low=0.99)).power
    assert power is not None
    narrower = 0.06 * math.sqrt(200 / power.users)
    again = judge(make_report(ratio=1.05, low=1.05 - narrower, n_users=power.users)).power
    assert again is not None
    assert again.chance == pytest.approx(0.8, abs=0.005)


def test_bonferroni_stretches_the_bounds_and_each_leaves_them(make_report):
    report = make_report(ucb=-0.001)
    assert bound(report.learned.constraints[0], 0.95, 3, "each") == -0.001
    # estimate -0.006, bound 0.005 above it at z(0.95); at z(1 - 0.05/3) it lies further up
    wider = -0.006 + 0.005 * norm.isf(0.05 / 3) / norm.isf(0.05)
    assert bound(report.learned.constraints[0], 0.95, 3, "bonferroni") == pytest.approx(wider)
    assert bound(report.learned.constraints[0], 0.95, 1, "bonferroni") == -0.001


def test_a_policy_in_breach_of_one_of_many_limits_passes_no_more_often_than_the_level():
    """Each limit is tested at 5 %; no correction is needed, and Bonferroni's passes fewer."""
    rng, n, passed = np.random.default_rng(3), 4000, {"each": 0, "bonferroni": 0}
    for _ in range(n):
        # one limit exactly at its edge, two held with ease; estimates are normal
        truth = np.array([0.0, -0.05, -0.05])
        found = truth + rng.normal(0, 0.01, 3)
        limits = [
            ConstraintFigure(
                name=str(i),
                target=0.4,
                measured=Interval(value=0.4 - v, low=0.0, high=1.0),
                violation_ucb=v + 0.01 * norm.isf(0.05),
            )
            for i, v in enumerate(found)
        ]
        for how in passed:
            passed[how] += all(bound(c, 0.95, 3, how) <= 0.0 for c in limits)
    assert 0.04 < passed["each"] / n < 0.06
    assert passed["bonferroni"] / n < 0.025


def test_a_verdict_names_what_it_judged_and_comes_back_from_json(make_report):
    report = make_report()
    verdict = judge(report, inputs={"policy": "abc"})
    assert verdict.inputs["policy"] == "abc"
    expected = hashlib.sha256(report.model_dump_json().encode()).hexdigest()
    assert verdict.inputs["report"] == expected
    assert judge(make_report(ratio=1.06)).inputs["report"] != expected
    assert judge(report, GateConfig(min_users=101)).inputs["rule"] != verdict.inputs["rule"]
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize("change", [{"ratio": math.nan, "low": math.nan}, {"ucb": math.nan}])
def test_a_refusal_for_what_is_not_finite_can_be_stored(make_report, change):
    verdict = judge(make_report(**change))
    assert not verdict.passed
    json.dumps(verdict.model_dump(mode="json"), allow_nan=False)


def test_verdicts_of_earlier_versions_are_read():
    old = {"passed": True, "headline": "Yes.", "reasons": [], "figures": {"ratio": 1.1}}
    assert Verdict.model_validate(old).canary is None


def estimate(low: float, high: float, refused: tuple[str, ...] = ()) -> Estimate:
    """What an estimator gave, with another interval."""
    n = 200
    logged = LoggedSlates(
        np.arange(n), np.zeros((n, 1), int), np.ones(n), Propensities(slate=np.full(n, 0.5))
    )
    given = improvement(logged, Propensities(slate=np.full(n, 0.5)), method="ips")
    update = {"value": (low + high) / 2, "low": low, "high": high, "refused_because": refused}
    return given.model_copy(update=update)


@pytest.mark.parametrize(
    ("low", "high", "refused", "use", "passes", "word"),
    [
        (0.01, 0.05, (), "required", True, "needed"),
        (-0.05, 0.05, (), "required", False, "0.950 to 1.050"),
        (-0.05, 0.05, (), "advisory", True, "wanted"),
        (0.01, 0.05, ("Too little.",), "required", False, "Too little."),
        (0.01, 0.05, ("Too little.",), "advisory", True, "Too little."),
        (-0.30, -0.20, (), "advisory", True, "0.700 to 0.800"),
    ],
)
def test_logged_decisions_decide_or_advise(make_report, low, high, refused, use, passes, word):
    compared = LoggedComparison(
        earned=1.0, difference=estimate(low, high, refused), source="the log"
    )
    verdict = judge(make_report(), GateConfig(logged=LoggedRule(use=use)), compared)
    assert verdict.passed == passes
    assert any(word in reason for reason in verdict.reasons)
    assert verdict.logged == compared


def test_a_required_log_that_is_not_there_refuses_and_an_advisory_one_is_not_missed(make_report):
    required = judge(make_report(), GateConfig(logged=LoggedRule(use="required")))
    assert not required.passed and "required" in required.headline
    assert all(finding.part != "logged decisions" for finding in judge(make_report()).findings)
