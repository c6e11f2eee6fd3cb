"""A replica's log tells what happened, in the schema of every other log."""

import numpy as np
from fairloop.simulators.impressions import from_table
from fairloop.simulators.replicas.play import RandomColumns, play
from fairloop.simulators.replicas.record import record
from fairloop.simulators.replicas.recsim import RecSimConfig
from fairloop.simulators.replicas.sardine import SardineConfig


def test_a_log_holds_the_episode_that_was_played() -> None:
    config = SardineConfig(n_items=50, slate_size=4, episode_length=7, slope=5.0)
    parts = list(record(config.make(6, seed=1), RandomColumns(), seed=2))
    played = play(config.make(6, seed=1), RandomColumns(), seed=2)
    clicked = np.concatenate([part.clicked for part in parts])
    user = np.concatenate([part.user for part in parts])
    slate = np.concatenate([part.slate for part in parts])
    np.testing.assert_array_equal(np.bincount(user[clicked], minlength=6), played.clicks)
    np.testing.assert_array_equal(slate, np.repeat(np.arange(6 * 7), 4))
    looks = parts[0].examination
    assert looks is not None
    np.testing.assert_allclose(looks[:4], 0.85 ** np.arange(4), rtol=1e-6)
    assert parts[3].day is not None and (parts[3].day == 3).all()
    again = from_table(parts[0].to_table())
    np.testing.assert_array_equal(again.clicked, parts[0].clicked)


def test_slates_of_one_session_share_a_visit_and_minutes_stand_where_something_was_watched() -> (
    None
):
    parts = list(record(RecSimConfig(time_budget=9.0).make(5), RandomColumns()))
    assert len(parts) > 2
    for part in parts:
        assert part.visit is not None and part.dwell is not None and part.satisfaction is None
        assert (part.visit == 0).all() and part.n_items == 20
        np.testing.assert_array_equal(np.isnan(part.dwell), ~part.clicked)
        assert (part.dwell[part.clicked] > 0).all()
