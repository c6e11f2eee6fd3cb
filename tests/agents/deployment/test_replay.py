"""A policy that is replayed on its own log shows what it showed; on others' logs it is compared."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.deployment.logged import LoggedRule, compare_with_log, log_finding
from fairloop.agents.deployment.replay import replay
from fairloop.errors import InvalidValue, MissingColumn, UnknownUser
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.impressions import ImpressionLog
from fairloop.simulators.policies import ObservationPolicy, RandomSlates, SlatePolicy
from fairloop.simulators.recording import ImpressionRecorder
from fairloop.simulators.rollout import slates_shown

SEED = 4


class Still(RunningGaps):
    """A controller that neither steers nor tells of gaps, as in a replay."""

    def update(self, measured: np.ndarray, active: np.ndarray) -> None:
        pass


def log_of(arena, candidates, policy: SlatePolicy, suffix: str = "") -> ImpressionLog:
    world = arena.world
    names = np.char.add(candidates.user_ids[world.users].astype(np.str_), suffix)
    recorder = ImpressionRecorder(candidates.catalogue.item_ids, names)
    still = Still(arena.constraints)
    parts = [
        part
        for shown in slates_shown(world, policy, arena.constraints, SEED, still)
        for part in recorder.add(shown)
    ]
    (log,) = [*parts, *recorder.rest()]
    return log


@pytest.fixture(scope="module")
def uniform(arena, candidates) -> ImpressionLog:
    return log_of(arena, candidates, RandomSlates())


@pytest.mark.parametrize("suffix", ["", "#2"])
def test_on_its_own_log_a_policy_shows_what_it_showed(arena, candidates, policy, suffix) -> None:
    """Every slate of every user: state, days away and pools are what they were when it served."""
    log = log_of(
        arena, candidates, ObservationPolicy(policy.weights, response=policy.response), suffix
    )
    again = replay(policy, candidates, log, "snips", "engagement")
    assert again.target.slate is not None and (again.target.slate == 1.0).all()
    assert len(again.logged) == len(np.unique(log.slate)) > len(arena)
    compared = compare_with_log(again.logged, again.target, LoggedRule(), "its own log")
    assert compared.difference.value == pytest.approx(0.0)
    assert compared.earned == pytest.approx(np.nansum(log.satisfaction) / len(again.logged))


def test_rows_in_another_order_are_the_same_log(arena, candidates, policy) -> None:
    log = log_of(arena, candidates, ObservationPolicy(policy.weights, response=policy.response))
    shuffled = log.take(np.random.default_rng(1).permutation(len(log)))
    again = replay(policy, candidates, shuffled, "snips", "engagement")
    assert again.target.slate is not None and (again.target.slate == 1.0).all()


def test_items_and_positions_of_a_log_of_chance_agree_now_and_then(
    candidates, policy, uniform
) -> None:
    """A uniform draw hits each position with probability 1 / 40: the mean weight is 1."""
    again = replay(policy, candidates, uniform, "iips", "click")
    assert again.target.item is not None and again.logged.logging.item is not None
    weights = again.target.item / again.logged.logging.item
    assert weights.mean() == pytest.approx(1.0, abs=0.3)
    rule = LoggedRule(method="sniips", reward="click")
    found = compare_with_log(again.logged, again.target, rule, "chance").difference
    assert found.n / 80 < found.ess < found.n  # it tells a fortieth of what its own log would
    assert found.low is not None and found.value is not None and found.low < found.value


def test_a_log_of_chance_cannot_judge_whole_slates_and_says_so(candidates, policy, uniform) -> None:
    again = replay(policy, candidates, uniform, "snips", "engagement")
    rule = LoggedRule(use="required")
    finding = log_finding(compare_with_log(again.logged, again.target, rule, "chance"), rule)
    assert finding is not None and finding.refuses
    assert finding.holds is None and "chance cannot tell" in finding.sentence


def test_logs_that_do_not_fit_are_refused(candidates, policy, uniform) -> None:
    nameless = replace(uniform, user=None, user_ids=None)
    with pytest.raises(MissingColumn):
        replay(policy, candidates, nameless, "snips", "click")
    strangers = replace(uniform, user_ids=np.char.add("x", uniform.user_ids))
    with pytest.raises(UnknownUser):
        replay(policy, candidates, strangers, "snips", "click")
    renamed = replace(uniform, item_ids=np.roll(uniform.item_ids, 1))
    with pytest.raises(InvalidValue, match="not among its user's candidates"):
        replay(policy, candidates, renamed, "snips", "click")
    ragged = uniform.take(np.flatnonzero(np.arange(len(uniform)) != 4))
    with pytest.raises(InvalidValue, match="differ in length"):
        replay(policy, candidates, ragged, "snips", "click")
