"""Estimates against the truth that the simulator knows; the study is that of the benchmark."""

import numpy as np
import pytest
from fairloop.agents.ope.evaluate import estimate

from benchmarks.lines import ope


def test_one_log_holds_the_truth_of_a_world_of_one_visit() -> None:
    world = ope.make_world(600, 1, seed=3)
    truth = ope.true_value(world, ope.TARGET, range(500, 530))
    played = ope.play(world, np.arange(600), seed=8)
    assert len(played.logged) == 600
    for method in ope.METHODS:
        found = estimate(played.logged, played.target, method=method)
        assert not found.refused, found
        assert found.low is not None and found.high is not None
        assert found.low < truth < found.high, (method, truth, found)


def test_the_logging_policy_judged_from_its_own_log_is_the_mean_of_the_log() -> None:
    world = ope.make_world(200, 1, seed=3)
    played = ope.play(world, np.arange(200), seed=8)
    found = estimate(played.logged, played.logged.logging, method="snips")
    assert found.value == pytest.approx(played.logged.slate_rewards.mean())
    assert found.ess == pytest.approx(200)


@pytest.mark.slow
def test_nominal_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Over 120 logs; chance alone gives 0.91 to 0.99."""
    found = ope.one_visit(seed=5, n_logs=120)
    judged = [row for row in found if row["holds"] is not None]
    assert len(judged) == 2 * len(ope.METHODS) + 1
    assert all(row["holds"] for row in judged), judged


@pytest.mark.slow
def test_what_later_visits_change_is_in_no_estimate() -> None:
    """A sharper policy looks better in the log's states, and tires users more in its own."""
    found = {row["name"].split(": ")[1]: row["value"] for row in ope.many_visits(2020, 1000)}
    estimated, half = found["snips from the log"], found["half its interval"]
    assert estimated - half > found["true clicks per slate of the target"]
