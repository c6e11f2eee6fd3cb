import numpy as np
import pytest
from fairloop.errors import NotIdentified
from fairloop.simulators.calibration.history import History
from fairloop.simulators.calibration.repeats import fit_repeats
from fairloop.simulators.config import FatigueConfig, SatiationConfig
from fairloop.simulators.impressions import ImpressionLog
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers import plain_calibration

FATIGUE, SATIATION = FatigueConfig(half_life=3.0), SatiationConfig(half_life=2.0, threshold=0.3)


def busy_log(seed: int, n_slates: int = 30, k: int = 3) -> ImpressionLog:
    """Few users and items, so that much is seen again; rows in any order."""
    rng = np.random.default_rng(seed)
    item = np.argsort(rng.random((n_slates, 5)), axis=1)[:, :k].ravel()
    log = ImpressionLog(
        item_ids=np.array(list("abcde")),
        item=item,
        position=np.tile(np.arange(1, k + 1), n_slates),
        clicked=rng.random(n_slates * k) < 0.4,
        slate=np.repeat(np.arange(n_slates), k),
        user_ids=np.array(["x", "y", "z"]),
        user=np.repeat(rng.integers(0, 3, n_slates), k),
        day=np.repeat(np.sort(rng.integers(0, 12, n_slates)).astype(float), k),
    )
    return log


@given(seed=st.integers(0, 1000))
def test_the_walk_is_that_of_looking_back_from_every_row(seed: int) -> None:
    log = busy_log(seed)
    topics = np.array([[1, 0], [0, 1], [0.5, 0.5], [1, 0], [0, 0]])
    found = History.of(log, topics).walk(lambda rows, _: log.clicked[rows], FATIGUE, SATIATION)
    plain = plain_calibration.covariates(log, topics, 3.0, 2.0, 0.3)
    assert np.allclose(found, plain)


def test_the_order_of_rows_does_not_matter() -> None:
    log = busy_log(1)
    found = History.of(log).walk(lambda rows, _: log.clicked[rows], FATIGUE, SATIATION)
    # slates of one user on one day keep the order of their first rows
    order = np.argsort(np.random.default_rng(0).permutation(30)[log.user], kind="stable")
    mixed = log.take(order)
    again = History.of(mixed).walk(lambda rows, _: mixed.clicked[rows], FATIGUE, SATIATION)
    assert np.allclose(again, found[order])
    assert (found[:, 2] == 0).all()  # no topics, no satiation


def test_users_and_days_are_needed() -> None:
    log = busy_log(0)
    nameless = ImpressionLog(log.item_ids, log.item, log.position, log.clicked, log.slate)
    with pytest.raises(NotIdentified, match="users"):
        History.of(nameless)


def test_effects_are_recovered_with_honest_errors() -> None:
    z: list[np.ndarray] = []
    truth = np.array([0.4, 1.5, 0.8])
    for seed in range(25):
        rng = np.random.default_rng(seed)
        n = 6_000
        x = rng.exponential(0.7, (n, 3)) * (rng.random((n, 3)) < 0.6)
        looks, odds = rng.uniform(0.3, 1.0, n), rng.normal(0.3, 1.0, n)
        clicked = rng.random(n) < looks / (1 + np.exp(-(odds + 0.2 - x @ truth)))
        found = fit_repeats(x, clicked, looks, odds, rng.integers(0, 500, n))
        assert abs(found.level - 0.2) < 0.25
        z.append((found.effect - truth) / found.error)
    assert 0.7 < np.std(z) < 1.3 and abs(np.mean(z)) < 0.35


def test_a_covariate_without_clicks_is_left_out() -> None:
    rng = np.random.default_rng(0)
    x = np.zeros((2_000, 3))
    x[:, 0] = rng.random(2_000)
    found = fit_repeats(
        x, rng.random(2_000) < 0.3, np.ones(2_000), np.zeros(2_000), np.arange(2_000)
    )
    assert np.isfinite(found.effect[0]) and np.isnan(found.effect[1:]).all()
    assert np.isinf(found.error[1:]).all()
