"""Probability that independent normal draws come in a given order at the top."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from fairloop.rerankers.amortised.normal_order import order_probability
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from benchmarks.peers import plain_amortised


def probability(mean, spread, columns) -> np.ndarray:
    """Of several slates of one pool."""
    columns = np.asarray(columns)
    n = len(columns)
    return order_probability(np.tile(mean, (n, 1)), np.tile(spread, (n, 1)), columns)


@settings(max_examples=30, deadline=None)
@given(
    means=st.lists(st.floats(-3, 3), min_size=1, max_size=5),
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([1e-5, 0.05, 0.6, 20.0]),
    data=st.data(),
)
def test_all_orders_together_are_certain(means, seed, scale, data) -> None:
    spread = scale * np.random.default_rng(seed).uniform(0.2, 1.0, len(means))
    k = data.draw(st.integers(1, len(means)))
    p = probability(np.array(means), spread, list(permutations(range(len(means)), k)))
    assert (p >= 0).all() and (p <= 1).all()
    assert p.sum() == pytest.approx(1.0, abs=1e-9)


def test_two_draws_have_a_closed_form() -> None:
    m, s = np.array([0.3, -0.4]), np.array([0.5, 0.2])
    ahead = ndtr(0.7 / np.hypot(0.5, 0.2))  # the difference is normal
    np.testing.assert_allclose(probability(m, s, [[0, 1], [1, 0]]), [ahead, 1 - ahead], rtol=1e-12)
    np.testing.assert_allclose(probability(m, s, [[0], [1]]), [ahead, 1 - ahead], rtol=1e-12)


@pytest.mark.parametrize(("n", "k"), [(4, 4), (12, 3), (100, 10)])
def test_equal_draws_make_every_order_alike(n, k) -> None:
    columns = np.random.default_rng(0).permuted(np.tile(np.arange(n), (3, 1)), axis=1)[:, :k]
    p = probability(np.full(n, 1.7), np.full(n, 0.3), columns)
    np.testing.assert_allclose(p, factorial(n - k) / factorial(n), rtol=1e-10)


def test_whole_orders_are_orthants_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(1)
    for _ in range(4):
        m, s = rng.normal(size=4) * 0.5, rng.uniform(0.2, 0.6, 4)
        difference = np.eye(4)[:-1] - np.eye(4)[1:]
        covariance = difference @ np.diag(s**2) @ difference.T
        orthant = multivariate_normal.cdf(
            difference @ m, np.zeros(3), covariance, abseps=1e-7, releps=1e-6, rng=rng
        )
        assert probability(m, s, [[0, 1, 2, 3]])[0] == pytest.approx(orthant, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("scale", [0.05, 0.3, 2.0])
def test_equals_trapezoids_on_a_fine_grid(scale) -> None:
    rng = np.random.default_rng(2)
    mean = -np.sort(-rng.normal(size=(6, 60)), axis=1)
    spread = scale * rng.uniform(0.2, 1.0, mean.shape)
    columns = np.argsort(-rng.normal(mean, spread), axis=1)[:, :8]
    p = order_probability(mean, spread, columns)
    for row in range(6):
        slow = plain_amortised.normal_order(mean[row], spread[row], columns[row], 20_001)
        assert p[row] == pytest.approx(slow, rel=3e-4)


def test_columns_that_are_not_drawn_do_not_count_and_users_do_not_touch() -> None:
    rng = np.random.default_rng(3)
    mean, spread = rng.normal(size=(40, 7)), rng.uniform(0.1, 2.0, (40, 7))
    columns = np.argsort(-rng.normal(mean, spread), axis=1)[:, :3]
    alone = [order_probability(mean[i, None], spread[i, None], columns[i, None]) for i in range(40)]
    np.testing.assert_allclose(
        order_probability(mean, spread, columns), np.ravel(alone), rtol=1e-13
    )
    wider = np.concatenate([mean, np.full((40, 3), -np.inf)], axis=1)
    padded = order_probability(wider, np.concatenate([spread, spread[:, :3]], axis=1), columns)
    np.testing.assert_allclose(padded, np.ravel(alone), rtol=1e-13)


def test_an_order_that_cannot_be_is_next_to_impossible_and_no_users_are_none() -> None:
    far = probability(np.array([0.0, 100.0]), np.array([0.1, 0.1]), [[0, 1], [1, 0]])
    np.testing.assert_allclose(far, [0.0, 1.0], atol=1e-15)
    none = order_probability(np.zeros((0, 3)), np.ones((0, 3)), np.zeros((0, 2), int))
    assert none.shape == (0,)
