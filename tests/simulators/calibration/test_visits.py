from dataclasses import replace

import numpy as np
import pytest
from fairloop.errors import NotIdentified
from fairloop.simulators.calibration.visits import find_visits, fit_returns, fit_session
from fairloop.simulators.impressions import ImpressionLog


def log_at(user: list[int], day: list[float], visit: list[int] | None = None) -> ImpressionLog:
    n = len(user)
    return ImpressionLog(
        item_ids=np.array(["a"]),
        item=np.zeros(n, int),
        position=np.ones(n, int),
        clicked=np.zeros(n, bool),
        slate=np.arange(n),
        user_ids=np.array([f"u{i}" for i in range(max(user) + 1)]),
        user=np.array(user),
        day=np.array(day, float),
        visit=None if visit is None else np.array(visit),
    )


def test_half_an_hour_ends_a_session() -> None:
    minute = 1 / 1440
    log = log_at([0, 0, 0, 1, 0], [0.1, 0.1 + 29 * minute, 0.1 + 60 * minute, 0.1, 3.5])
    visits = find_visits(log)
    assert visits.user.tolist() == [0, 0, 0, 1]
    assert visits.slates.tolist() == [2, 1, 1, 1]
    assert visits.gaps().tolist() == [3.0]


def test_whole_days_are_visits_and_named_visits_are_kept() -> None:
    user, day = [0, 0, 0, 0, 1], [0, 0, 0, 2, 1]
    assert find_visits(log_at(user, day)).slates.tolist() == [3, 1, 1]
    named = find_visits(log_at(user, day, [0, 0, 1, 2, 0]))
    assert named.slates.tolist() == [2, 1, 1, 1]
    assert named.gaps().tolist() == [2.0]  # two visits on one day are no return on a later one


def test_hazard_and_leaving_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    user: list[int] = []
    day: list[float] = []
    for u in range(1_500):
        at = 0.0
        while at <= 29:
            user.append(u)
            day.append(at)
            if rng.random() < 0.06:
                break
            at += float(rng.geometric(0.4))
    found = fit_returns(find_visits(log_at(user, day)))
    assert abs(np.log(found.mean_days * 0.4)) < 3 * found.mean_days_error < 0.05
    odds = np.log(found.leaving / (1 - found.leaving)) - np.log(0.06 / 0.94)
    assert abs(odds) < 3 * found.leaving_error < 0.3


def test_too_little_is_refused_by_name() -> None:
    log = log_at([0, 0, 1], [0, 1, 0])
    nameless = replace(log, user=None, user_ids=None)
    with pytest.raises(NotIdentified, match="nobody"):
        find_visits(nameless)
    with pytest.raises(NotIdentified, match="neither"):
        find_visits(replace(log, day=None))
    with pytest.raises(NotIdentified, match="1 returns"):
        fit_returns(find_visits(log))
    with pytest.raises(NotIdentified, match="3 visits"):
        fit_session(find_visits(log))
