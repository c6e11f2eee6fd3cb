import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.stochastic.birkhoff import birkhoff
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_stochastic


def rebuilt(rankings: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    placement = np.zeros((n, rankings.shape[1]))
    for ranking, weight in zip(rankings, weights, strict=True):
        placement[ranking, np.arange(len(ranking))] += weight
    return placement


def random_placement(n: int, k: int, n_rankings: int, rng: np.random.Generator) -> np.ndarray:
    rankings = np.argsort(rng.random((n_rankings, n)), axis=1)[:, :k]
    return rebuilt(rankings, rng.dirichlet(np.full(n_rankings, 0.5)), n)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(0, 8), st.integers(1, 30), st.integers(0, 10**6))
def test_few_rankings_rebuild_the_matrix(n, spare, n_rankings, seed) -> None:
    k = max(n - spare, 1)
    placement = random_placement(n, k, n_rankings, np.random.default_rng(seed))
    rankings, weights = birkhoff(placement)
    assert all(len(set(ranking)) == k for ranking in rankings.tolist())
    assert (weights > 0).all() and weights.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(rebuilt(rankings, weights, n), placement, atol=1e-9)
    assert len(weights) <= (n - 1) * min(k, n - 1) + 1


def test_the_uniform_matrix_needs_as_many_rankings_as_items() -> None:
    # Each ranking shows an item at most once per position, and every cell holds 1/n.
    rankings, weights = birkhoff(np.full((7, 4), 1 / 7))
    assert len(rankings) == 7
    np.testing.assert_allclose(weights, 1 / 7)


def test_a_ranking_is_its_own_decomposition() -> None:
    rankings, weights = birkhoff(rebuilt(np.array([[2, 0, 3]]), np.ones(1), 4))
    assert rankings.tolist() == [[2, 0, 3]] and weights.tolist() == [1.0]


def test_what_a_solver_leaves_is_forgiven() -> None:
    rng = np.random.default_rng(0)
    placement = random_placement(12, 5, 6, rng)
    rankings, weights = birkhoff(placement + rng.uniform(-1e-9, 1e-9, placement.shape))
    np.testing.assert_allclose(rebuilt(rankings, weights, 12), placement, atol=2e-8)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_it_needs_no_more_rankings_than_the_textbook_loop() -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        placement = random_placement(15, 6, 10, rng)
        plain_rankings, plain_weights = plain_stochastic.birkhoff(placement)
        np.testing.assert_allclose(rebuilt(plain_rankings, plain_weights, 15), placement, atol=1e-9)
        assert len(birkhoff(placement)[1]) <= len(plain_weights)


@pytest.mark.parametrize(
    "placement",
    [
        np.ones((2, 3)) / 2,  # more positions than items
        np.ones(3),
        np.array([[0.5], [0.4]]),  # a position that is empty at times
        np.array([[0.9, 0.9], [0.1, 0.1]]),  # an item shown 1.8 times
        np.array([[1.2], [-0.2]]),
        np.array([[np.nan], [1.0]]),
    ],
)
def test_what_is_no_placement_is_refused(placement) -> None:
    with pytest.raises(InvalidValue, match="placement"):
        birkhoff(placement)
