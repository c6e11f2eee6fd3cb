"""The gate refuses each kind of report that does not support a deployment."""

import pytest
from fairloop.agents.gate import GateConfig, judge, require_passed
from fairloop.errors import GateRefused
from hypothesis import given, settings
from hypothesis import strategies as st


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


def test_no_measured_difference_from_the_best_baseline_passes_and_is_said(make_report):
    verdict = judge(make_report(ratio=1.0, low=0.985))
    assert verdict.passed
    assert any("no difference was measured" in reason for reason in verdict.reasons)


def test_the_rule_is_configurable(make_report):
    report = make_report(ratio=0.97, low=0.95)
    assert not judge(report).passed
    assert judge(report, GateConfig(min_ratio_low=0.95)).passed
    assert not judge(make_report(ratio=1.0, low=0.99), GateConfig(min_ratio_low=1.0)).passed


@settings(max_examples=60, deadline=None)
@given(
    ratio=st.floats(0.5, 1.5),
    width=st.floats(0.0, 0.3),
    ucb=st.floats(-0.2, 0.2),
)
def test_passing_is_exactly_the_stated_rule(make_report, ratio, width, ucb):
    low = ratio - width
    report = make_report(ratio=ratio, low=low, ucb=ucb)
    beats_simple = report.learned.engagement.low > report.figures("mmr").engagement.high
    assert judge(report).passed == (ucb <= 0.0 and low >= 0.97 and beats_simple)
