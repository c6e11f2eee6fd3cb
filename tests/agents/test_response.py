"""The model of users' answers: found again where it is known, and learned from the log alone."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.response import Answers, ResponseConfig, fit_response, learn_response
from fairloop.rerankers.features import LOGGED
from scipy.special import expit

LOOKS = np.array([1.0, 0.6, 0.4, 0.25])
CLICK, WORTH = np.array([0.8, -1.2, 0.0]), np.array([-0.5, 0.0, 2.0])


def answers(n: int, seed: int, rated: float = 1.0) -> Answers:
    """Slates whose clicks and ratings follow a known model; the last feature never varies."""
    rng = np.random.default_rng(seed)
    features = np.zeros((n, len(LOOKS), 4), np.float32)
    features[:, :, :3] = rng.normal(size=(n, len(LOOKS), 3)) * [1.0, 0.5, 0.2] + [0.0, 2.0, 0.0]
    features[:, :, 3] = 7.0
    click = LOOKS * expit(features[:, :, :3] @ CLICK + 1.5)
    clicks = rng.random(click.shape) < click
    mean = expit(features[:, :, :3] @ WORTH - 0.3)
    given = clicks & (rng.random(clicks.shape) < rated)
    return Answers(features, clicks, np.where(given, rng.beta(4 * mean, 4 * (1 - mean)), np.nan))


def test_known_models_are_found_again_position_by_position() -> None:
    found = fit_response(answers(60_000, seed=1, rated=0.7))
    np.testing.assert_allclose(found.click[:3], CLICK, atol=0.1)
    np.testing.assert_allclose(found.worth[:3], WORTH, atol=0.1)
    assert found.click_at_zero == pytest.approx(1.5, abs=0.15)
    assert found.worth_at_zero == pytest.approx(-0.3, abs=0.1)
    assert found.click[3] == found.worth[3] == 0.0


def test_looks_are_told_from_attraction() -> None:
    """A model that took low positions for low attraction would call good items bad."""
    good_is_low = answers(40_000, seed=2)
    order = np.argsort(good_is_low.features[:, :, 0], axis=1)
    features = np.take_along_axis(good_is_low.features, order[:, :, None], axis=1)
    click = LOOKS * expit(features[:, :, :3] @ CLICK + 1.5)
    clicks = np.random.default_rng(3).random(click.shape) < click
    found = fit_response(Answers(features, clicks, np.where(clicks, 0.5, np.nan)))
    np.testing.assert_allclose(found.click[:3], CLICK, atol=0.12)


def test_without_a_rating_nothing_is_said_of_worth() -> None:
    given = answers(300, seed=4)
    unrated = replace(given, satisfaction=np.full_like(given.satisfaction, np.nan))
    found = fit_response(unrated)
    assert not found.worth.any() and found.worth_at_zero == 0.0


@pytest.fixture(scope="module")
def learned(arena):
    return learn_response(arena, 5, ResponseConfig(rounds=2, passes=1))


def test_a_seed_gives_the_same_model_and_steps_are_counted(arena, learned) -> None:
    again = learn_response(arena, 5, ResponseConfig(rounds=2, passes=1))
    np.testing.assert_array_equal(again[0].vector(), learned[0].vector())
    assert again[1] == learned[1] > 2 * len(arena)
    other = learn_response(arena, 6, ResponseConfig(rounds=2, passes=1))
    assert not np.array_equal(other[0].vector(), learned[0].vector())


def test_what_was_clicked_lately_is_found_to_tire(learned) -> None:
    assert learned[0].click[LOGGED.index("clicked")] < 0.0
    assert learned[0].worth[LOGGED.index("enjoyment")] > 0.0


def test_learning_reads_what_is_logged_and_no_truth(arena, learned, monkeypatch) -> None:
    """Clicks replaced by coins: a model that peeked at the truth would not notice."""
    from fairloop.simulators.logged import LoggedPopulation

    rng, step = np.random.default_rng(0), LoggedPopulation.step

    def coins(self, columns):
        outcome = step(self, columns)
        clicks = rng.random(outcome.clicks.shape) < 0.5
        return replace(outcome, clicks=clicks, satisfaction=np.where(clicks, 0.5, np.nan))

    monkeypatch.setattr(LoggedPopulation, "step", coins)
    blind, _ = learn_response(arena, 5, ResponseConfig(rounds=1, passes=1))
    base = LOGGED.index("base")
    assert abs(blind.click[base]) < 0.5 * abs(learned[0].click[base]) + 0.1
    np.testing.assert_allclose(blind.worth, 0.0, atol=1e-3)
