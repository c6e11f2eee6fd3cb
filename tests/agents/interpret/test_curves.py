"""Curves against closed forms; ALE where partial dependence goes wrong."""

import numpy as np
import pytest
from fairloop.agents.interpret.curves import curve
from fairloop.errors import EmptyData, InvalidValue


@pytest.fixture(scope="module")
def hangs_together() -> np.ndarray:
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 1, 4000)
    return np.stack([first, first + 0.05 * rng.normal(size=4000)], axis=1)


def test_a_linear_weight_has_its_slope_in_both(hangs_together):
    found = curve(lambda x: 2.0 * x[:, :1] - 5.0 * x[:, 1:2], hangs_together, 0)
    for values in (found.ale, found.partial):
        slope = np.diff(values[:, 0]) / np.diff(found.at)
        np.testing.assert_allclose(slope, 2.0, atol=1e-6)


def test_only_ale_stays_with_users_who_exist(hangs_together):
    """Apley & Zhu's point: where columns hang together, partial dependence asks about nobody.

    w = x₀ · x₁ with x₁ ≈ x₀: the local effect of x₀ is x₁ ≈ x₀, so ALE is x₀²/2; partial dependence
    holds x₁ at its mean, and is x₀ · E[x₁].
    """
    found = curve(lambda x: x[:, :1] * x[:, 1:2], hangs_together, 0, bins=40)
    half_square = found.at**2 / 2
    np.testing.assert_allclose(
        found.ale[:, 0] - found.ale[0, 0], half_square - half_square[0], atol=0.01
    )
    slope = np.diff(found.partial[:, 0]) / np.diff(found.at)
    np.testing.assert_allclose(slope, hangs_together[:, 1].mean(), atol=1e-6)


def test_curves_have_mean_zero_and_another_column_none(hangs_together):
    found = curve(lambda x: np.stack([np.exp(x[:, 0]), x[:, 1]], axis=1), hangs_together, 0)
    middle = (found.ale[:-1] + found.ale[1:]) / 2
    assert np.average(middle[:, 0], weights=found.count) == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(found.ale[:, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.partial[:, 1], 0.0, atol=1e-12)


def test_equal_to_a_plain_loop_over_bins():
    x = np.random.default_rng(4).normal(size=(50, 2)).round(1)  # with ties

    def weigh(x):
        return np.sin(x[:, :1]) * x[:, 1:2]

    found = curve(weigh, x, 0, bins=6)
    level, levels = 0.0, [0.0]
    counts = []
    for low, high in zip(found.at[:-1], found.at[1:], strict=True):
        inside = (x[:, 0] > low) & (x[:, 0] <= high)
        if low == found.at[0]:
            inside |= x[:, 0] == low
        steps = [weigh(np.array([[high, b]]))[0, 0] - weigh(np.array([[low, b]]))[0, 0]
                 for b in x[inside, 1]]  # fmt: skip
        counts.append(int(inside.sum()))
        level += float(np.mean(steps))
        levels.append(level)
    np.testing.assert_array_equal(found.count, counts)
    assert sum(counts) == len(x)
    np.testing.assert_allclose(found.ale[:, 0] - found.ale[0, 0], levels, atol=1e-12)


def test_a_column_of_one_value_and_bad_input(hangs_together):
    still = curve(lambda x: x, np.ones((5, 2)), 0)
    assert still.at.tolist() == [1.0] and len(still.count) == 0 and (still.ale == 0).all()
    with pytest.raises(InvalidValue):
        curve(lambda x: x, hangs_together, 2)
    with pytest.raises(EmptyData):
        curve(lambda x: x, hangs_together[:0], 0)
