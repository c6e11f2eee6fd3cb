"""Impression logs of simulations: they reconcile with what the simulation measured."""

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.catalogue import Groups
from fairloop.simulators import recording
from fairloop.simulators.config import ChoiceConfig, DwellConfig, SessionConfig, WorldConfig
from fairloop.simulators.impressions import ImpressionLog
from fairloop.simulators.policies import RandomSlates
from fairloop.simulators.recording import ExposureTally, ImpressionRecorder
from fairloop.simulators.rollout import simulate, slates_shown
from fairloop.simulators.world import World

CONFIGS = {
    "default": WorldConfig(),
    "sessions": WorldConfig(
        session=SessionConfig(enabled=True),
        dwell=DwellConfig(enabled=True),
        choice=ChoiceConfig(model="cascade"),
    ),
}


def logs_of(world: World, candidates: CandidateSet) -> list[ImpressionLog]:
    recorder = ImpressionRecorder(
        candidates.catalogue.item_ids,
        candidates.user_ids[world.users],
        dwell=world.config.dwell.enabled,
    )
    parts: list[ImpressionLog] = []
    for shown in slates_shown(world, RandomSlates(), seed=3):
        parts += recorder.add(shown)
    return [*parts, *recorder.rest()]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_log_adds_up_to_what_was_measured(world, candidates, name) -> None:
    world = world.with_dynamics(CONFIGS[name])
    (log,) = logs_of(world, candidates)
    out = simulate(world, RandomSlates(), seed=3)
    k = world.config.slate_size
    assert len(log) == k * out.n_slates.sum()
    n = len(world)
    np.testing.assert_array_equal(np.bincount(log.user, log.clicked, n), out.clicks)
    satisfaction = np.nan_to_num(log.satisfaction)
    np.testing.assert_allclose(np.bincount(log.user, satisfaction, n), out.engagement, rtol=1e-5)
    np.testing.assert_array_equal(np.isnan(log.satisfaction), ~log.clicked)
    np.testing.assert_array_equal(np.bincount(log.user, minlength=n), k * out.n_slates)
    assert (np.bincount(log.slate) == k).all()
    assert (log.position.reshape(-1, k) == np.arange(1, k + 1)).all()
    by_user = np.lexsort((log.slate, log.user))
    later = np.diff(log.user[by_user]) == 0
    assert (np.diff(log.day[by_user])[later] >= 0).all()
    assert log.user_ids.tolist() == candidates.user_ids[world.users].tolist()


def test_what_was_shown_and_how_probably(world, candidates) -> None:
    (log,) = logs_of(world, candidates)
    n = world.n_candidates
    np.testing.assert_allclose(log.propensity_item, 1 / n)
    np.testing.assert_allclose(
        log.propensity_slate, 1 / np.prod(np.arange(n - 9, n + 1, dtype=np.float64)), rtol=1e-12
    )
    assert (log.click_probability <= log.examination).all()
    hits = log.clicked - log.click_probability
    assert abs(hits.mean()) < 4 * hits.std() / len(hits) ** 0.5
    in_pool = (world.pools.items[log.user] == log.item[:, None]).any(axis=1)
    assert in_pool.all()


def test_slates_of_a_session_share_the_visit_and_the_day(world, candidates) -> None:
    busy = world.with_dynamics(CONFIGS["sessions"])
    (log,) = logs_of(busy, candidates)
    first = log.take(log.position == 1)
    days = {}
    for user, visit, day in zip(first.user, first.visit, first.day, strict=True):
        assert days.setdefault((user, visit), day) == day
    assert len(days) < len(first)
    for user in range(5):
        visits = np.unique(first.visit[first.user == user])
        np.testing.assert_array_equal(visits, np.arange(len(visits)))
    np.testing.assert_array_equal(np.isnan(log.dwell), ~log.clicked)
    assert (log.dwell[log.clicked] > 0).all()


def test_parts_are_the_whole(world, candidates, monkeypatch) -> None:
    (whole,) = logs_of(world, candidates)
    monkeypatch.setattr(recording, "ROWS_AT_ONCE", 1500)
    parts = logs_of(world, candidates)
    assert len(parts) > 3 and max(len(part) for part in parts) < 3000
    for name in ("item", "user", "slate", "visit", "clicked", "propensity_slate"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))


def test_exposure_of_groups_against_a_plain_loop(world, candidates) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, world.catalogue.n_items)
    codes[::7] = MISSING
    groups = {"kind": Groups("kind", ("a", "b", "c"), codes)}
    tally = ExposureTally(groups, len(world), world.config.slate_size)
    for shown in slates_shown(world, RandomSlates(), seed=3):
        tally.add(shown)
    (log,) = logs_of(world, candidates)
    expected = np.zeros((len(world), 3))
    for user, item, position in zip(log.user, log.item, log.position, strict=True):
        if codes[item] != MISSING:
            expected[user, codes[item]] += 1 / np.log2(position + 1)
    np.testing.assert_allclose(tally.received["kind"], expected, rtol=1e-9)
