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


def test_satiation_acts_beyond_its_threshold_only() -> None:
    load = np.array([[0.0, 1.0, 3.0]], np.float32)
    np.testing.assert_allclose(d.satiation(load, column(2.0), 1.0), [[0, 0, 2 * (3 - 1)]])


def test_topic_sums() -> None:
    topics = np.array([[[1, 0], [0.5, 0.5], [0, 0]]], np.float32)
    per_topic = np.array([[[2, 4], [0, 1]]], np.float32)
    np.testing.assert_allclose(d.topic_effects(per_topic, topics), [[[2, 3, 0], [0, 0.5, 0]]])
    weights = np.array([[[1, 2, 5], [0, 1, 0]]], np.float32)
    met = d.consumed_topics(weights, topics)
    np.testing.assert_allclose(met, [[[1 + 2 / 2, 2 / 2], [1 / 2, 1 / 2]]])


def test_half_life() -> None:
    np.testing.assert_allclose(d.decay(column(0, 4, 8), 4.0), [1, 1 / 2, 1 / 4], rtol=1e-6)


def test_drift_moves_towards_what_was_enjoyed_and_away_from_the_rest() -> None:
    """The sign that a scalar added to all topics gets wrong: one topic up, the others down."""
    start = np.zeros((1, 3), np.float32)
    usual = np.full(3, 1 / 3, np.float32)
    enjoyed = np.array([[0.0, 0.8, 0.0]], np.float32)
    after = start + d.drift_step(start, enjoyed, usual, column(0.1))
    np.testing.assert_allclose(after, [[-0.1 / 3, 0.1 * 2 / 3, -0.1 / 3]], rtol=1e-5)
    np.testing.assert_allclose(after.sum(), 0.0, atol=1e-7)


def test_no_drift_without_enjoyment() -> None:
    start = np.array([[0.2, -0.2]], np.float32)
    step = d.drift_step(start, np.zeros((1, 2), np.float32), column(0.5, 0.5), column(0.9))
    np.testing.assert_array_equal(step, 0.0)


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
    np.testing.assert_allclose(d.experience(column(0.2 + 0.6, 0.0), column(2, 0)), [0.4, 0.0])


def test_leaving_falls_and_returning_rises_with_mood() -> None:
    mood = np.linspace(0, 1, 11, dtype=np.float32)
    slopes = np.full((2, 11), 3.0, np.float32) * column(-1.0, 1.0)[:, None]
    base = d.log_odds(column(0.03, 1 / 2.0))[:, None]
    leaving, hazard = d.mood_odds(mood, 0.4, base, slopes)
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


@pytest.mark.parametrize("hazard", [1e-2, 1e-4, 1e-6])
def test_days_until_a_rare_return(hazard: float) -> None:
    """The median of a geometric law; single precision holds six digits of it."""
    median = np.ceil(np.log(0.5) / np.log1p(-hazard))
    assert d.days_until_return(column(hazard), column(0.5))[0] == pytest.approx(median, rel=1e-5)


def test_dwell_has_its_median_at_half_satisfaction_and_grows_with_it() -> None:
    z = np.linspace(-3, 3, 1001, dtype=np.float32)
    half = d.dwell_minutes(np.full(1001, 0.5, np.float32), z, 20.0, 2.0, 0.5)
    better = d.dwell_minutes(np.full(1001, 0.9, np.float32), z, 20.0, 2.0, 0.5)
    assert np.median(half) == pytest.approx(20.0, rel=1e-5)
    np.testing.assert_allclose(better / half, np.exp(2.0 * (0.9 - 0.5)), rtol=1e-5)
