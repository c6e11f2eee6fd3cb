"""Shortfalls as stated: groups against everybody, small ones left out and listed."""

import numpy as np
import pytest
from fairloop.agents.constraints.figures import gap_columns, gap_figures
from fairloop.agents.constraints.user_groups import UserGaps
from fairloop.candidates.catalogue import Groups
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import EngagementGap
from hypothesis import given, settings
from hypothesis import strategies as st

GROUPS = {
    "side": Groups("side", ("left", "right"), np.array([0, 0, 1, 1, 1, -1])),
    "age": Groups("age", ("young", "old"), np.array([0, 1, 1, 1, 1, 1])),
}
USERS = np.arange(6)


def gaps_of(*limits: EngagementGap) -> UserGaps:
    return UserGaps.of(limits, USERS, GROUPS)


def test_shortfalls_by_hand():
    gaps = gaps_of(EngagementGap(attribute="side", limit=0.25, min_users=2))
    engagement = np.array([1.0, 3.0, 4.0, 5.0, 6.0, 5.0])  # 24 / 6 = 4; left 2, right 5
    assert gaps.names == ("engagement:side=left", "engagement:side=right")
    np.testing.assert_allclose(gaps.shortfalls(engagement), [0.5, -0.25])
    np.testing.assert_allclose(gaps.excess(engagement), [0.25, -0.5])
    assert gaps.left_out == ("side not known: 1 users",)


def test_small_groups_are_left_out_and_listed_and_still_count_among_all():
    gaps = gaps_of(EngagementGap(attribute="age", limit=0.1, min_users=2))
    assert gaps.names == ("engagement:age=old",)
    assert gaps.left_out == ("age=young: 1 users, fewer than 2",)
    (short,) = gaps.shortfalls(np.array([13.0, 1, 1, 1, 1, 1]))
    assert short == pytest.approx(1 - 1 / 3)


def test_a_limit_that_would_measure_nobody_is_refused():
    with pytest.raises(InvalidValue, match="no group by 'side' has 4 of 6 users"):
        gaps_of(EngagementGap(attribute="side", limit=0.1, min_users=4))


def test_rows_follow_the_users_they_stand_for():
    limits = (EngagementGap(attribute="side", limit=0.1, min_users=2),)
    some = UserGaps.of(limits, np.array([4, 0, 1, 4]), GROUPS)
    assert some.member.tolist() == [[False, True, True, False], [True, False, False, True]]
    assert gaps_of(*limits).take(np.array([4, 0, 1, 4])).member.tolist() == some.member.tolist()


def test_an_empty_group_is_not_known_and_costs_nothing():
    gaps = gaps_of(EngagementGap(attribute="side", limit=0.1, min_users=2)).take(np.array([0, 1]))
    engagement = np.array([1.0, 2.0])
    assert np.isnan(gaps.shortfalls(engagement)[1])
    assert gaps.excess(engagement)[1] == 0.0
    assert np.isnan(gaps.shortfalls(np.zeros(2))).all()  # nobody enjoyed anything


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=6, max_size=6), st.floats(0.1, 10))
def test_the_unit_of_engagement_does_not_matter_and_equal_users_have_no_gap(values, unit):
    gaps = gaps_of(*(EngagementGap(attribute=a, limit=0.1, min_users=2) for a in GROUPS))
    engagement = np.array(values)
    np.testing.assert_allclose(
        gaps.shortfalls(engagement), gaps.shortfalls(unit * engagement), atol=1e-9
    )
    np.testing.assert_allclose(gaps.shortfalls(np.full(6, unit)), 0.0, atol=1e-12)


def test_the_bound_covers_the_truth_as_often_as_it_says():
    """Users of two groups drawn anew 400 times: the upper bound is below the truth in about 5 %."""
    rng = np.random.default_rng(0)
    n, missed = 120, 0
    codes = np.repeat([0, 1], n // 2)
    gaps = UserGaps.of(
        (EngagementGap(attribute="side", limit=0.1),),
        np.arange(n),
        {"side": Groups("side", ("left", "right"), codes)},
    )
    truth = 1 - 4.0 / 5.0
    for _ in range(400):
        engagement = rng.gamma(4.0, np.where(codes == 0, 1.0, 1.5))  # means 4 and 6
        columns = gap_columns(gaps, engagement)
        draws = rng.integers(0, n, (400, n))
        figure = gap_figures(
            gaps,
            columns.mean(axis=0),
            float(engagement.mean()),
            columns[draws].mean(axis=1),
            engagement[draws].mean(axis=1),
            0.95,
        )[0]
        missed += figure.violation_ucb < truth - 0.1
    assert 0.02 < missed / 400 < 0.09


def test_a_resample_without_the_group_leaves_the_bound_unknown():
    gaps = gaps_of(EngagementGap(attribute="side", limit=0.1, min_users=2))
    engagement = np.arange(1.0, 7.0)
    columns = gap_columns(gaps, engagement)
    draws = np.array([[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 5, 5]])
    left, right = gap_figures(
        gaps,
        columns.mean(axis=0),
        float(engagement.mean()),
        columns[draws].mean(axis=1),
        engagement[draws].mean(axis=1),
        0.95,
    )
    assert np.isnan(left.violation_ucb) and not left.met
    assert np.isfinite(right.violation_ucb)
