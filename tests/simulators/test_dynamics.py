import numpy as np
import pytest
from fairloop.simulators import dynamics as d
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

quick = settings(max_examples=50, deadline=None)
unit = st.floats(0.0, 1.0, width=32)


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@quick
@given(arrays(np.float32, 20, elements=st.floats(-1e6, 1e6, width=32)))
def test_sigmoid_is_a_probability_and_never_overflows(x: np.ndarray) -> None:
    p = d.sigmoid(x)
    assert ((p >= 0) & (p <= 1)).all()


def test_sigmoid_and_log_odds_are_inverse() -> None:
    p = np.array([0.01, 0.3, 0.5, 0.99])
    np.testing.assert_allclose(d.sigmoid(d.log_odds(p)), p, rtol=1e-5)


@quick
@given(st.integers(1, 50), st.floats(0.0, 5.0))
def test_examination_starts_at_one_and_falls(k: int, bias: float) -> None:
    p = d.examination(k, bias)
    assert p[0] == 1.0 and ((p > 0) & (p <= 1)).all() and (np.diff(p) <= 0).all()


def test_examination_is_the_exposure_discount_at_bias_one_and_flat_at_zero() -> None:
    np.testing.assert_allclose(d.examination(3, 1.0), [1, 1 / np.log2(3), 1 / 2], rtol=1e-6)
    np.testing.assert_array_equal(d.examination(3, 0.0), [1, 1, 1])


def test_satiation_acts_beyond_its_threshold_only() -> None:
    load = np.array([[0.0, 1.0, 3.0]], np.float32)
    np.testing.assert_allclose(d.satiation(load, column(2.0), 1.0), [[0, 0, 2 * (3 - 1)]])


def test_topic_sums() -> None:
    topics = np.array([[[1, 0], [0.5, 0.5], [0, 0]]], np.float32)
    np.testing.assert_allclose(d.topic_effect(np.array([[2, 4]], np.float32), topics), [[2, 3, 0]])
    weights = np.array([[1, 2, 5]], np.float32)
    np.testing.assert_allclose(d.consumed_topics(weights, topics), [[1 + 2 / 2, 2 / 2]])


def test_half_life() -> None:
    np.testing.assert_allclose(d.decay(column(0, 4, 8), 4.0), [1, 1 / 2, 1 / 4], rtol=1e-6)


def test_drift_moves_towards_what_was_enjoyed_and_away_from_the_rest() -> None:
    """The sign that a scalar added to all topics gets wrong: one topic up, the others down."""
    start = np.zeros((1, 3), np.float32)
    usual = np.full(3, 1 / 3, np.float32)
    after = d.drifted(start, np.array([[0.0, 0.8, 0.0]], np.float32), usual, column(0.1))
    np.testing.assert_allclose(after, [[-0.1 / 3, 0.1 * 2 / 3, -0.1 / 3]], rtol=1e-5)
    np.testing.assert_allclose(after.sum(), 0.0, atol=1e-7)


def test_no_drift_without_enjoyment() -> None:
    start = np.array([[0.2, -0.2]], np.float32)
    after = d.drifted(start, np.zeros((1, 2), np.float32), column(0.5, 0.5), column(0.9))
    np.testing.assert_array_equal(after, start)


@quick
@given(arrays(np.float32, 30, elements=unit), arrays(np.float32, 30, elements=unit), unit)
def test_satisfaction_stays_in_bounds(mean: np.ndarray, u: np.ndarray, noise: float) -> None:
    s = d.noisy_satisfaction(mean, u, noise)
    assert ((s >= -1e-6) & (s <= 1 + 1e-6)).all()


def test_satisfaction_noise_has_mean_zero() -> None:
    u = ((np.arange(1000) + 0.5) / 1000).astype(np.float32)
    for mean in (0.1, 0.5, 0.9):
        drawn = d.noisy_satisfaction(np.full(1000, mean, np.float32), u, 0.7)
        assert drawn.mean() == pytest.approx(mean, abs=1e-6)
        assert np.ptp(drawn) == pytest.approx(2 * 0.7 * min(mean, 1 - mean), rel=0.01)


def test_experience_is_the_mean_over_clicks() -> None:
    satisfaction = np.array([[0.2, 0.0, 0.6], [0.0, 0.0, 0.0]], np.float32)
    np.testing.assert_allclose(d.experience(satisfaction, satisfaction > 0), [0.4, 0.0])


def test_leaving_falls_and_returning_rises_with_mood() -> None:
    mood = np.linspace(0, 1, 11, dtype=np.float32)
    strength = np.full(11, 3.0, np.float32)
    leaving = d.leaving_probability(mood, 0.03, strength, 0.4)
    hazard = d.return_hazard(mood, 2.0, strength, 0.4)
    assert (np.diff(leaving) < 0).all() and (np.diff(hazard) > 0).all()
    assert leaving[4] == pytest.approx(0.03, rel=1e-4)
    assert hazard[4] == pytest.approx(1 / 2, rel=1e-4)


@pytest.mark.parametrize("hazard", [0.05, 0.5, 0.95])
def test_days_until_return_are_geometric(hazard: float) -> None:
    u = ((np.arange(100_000) + 0.5) / 100_000).astype(np.float32)
    days = d.days_until_return(np.full(len(u), hazard, np.float32), u)
    assert days.min() == 1.0
    for n in (1, 2, 5):  # P(days > n) = (1 - hazard)^n
        assert (days > n).mean() == pytest.approx((1 - hazard) ** n, abs=1e-3)


@quick
@given(unit, st.floats(0.0, 1.0, width=32, exclude_max=True))
def test_days_until_return_are_finite_and_at_least_one(hazard: float, u: float) -> None:
    days = d.days_until_return(column(hazard), column(u))
    assert np.isfinite(days).all() and days[0] >= 1.0
