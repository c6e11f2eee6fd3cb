"""The evolution strategy: its candidates are policies, and its step points uphill."""

import numpy as np
import pytest
from fairloop.agents.learners.evolution import (
    ascent_direction,
    centred_ranks,
    mean_costs,
    run_candidates,
)
from fairloop.agents.learners.genome import Genome
from fairloop.agents.outcomes import Arena, run_some
from fairloop.agents.policy import WeightPolicy
from fairloop.simulators.policies import ObservationPolicy
from hypothesis import given, settings
from hypothesis import strategies as st


def test_the_point_0_is_the_policy_itself(policy: WeightPolicy) -> None:
    genome = Genome(policy)
    seen = np.random.default_rng(0).normal(size=(7, len(policy.observation_names)))
    same = genome.policy(np.zeros(genome.size))
    np.testing.assert_array_equal(same.weights(seen), policy.weights(seen))
    layers = (*policy.hidden, policy.head)
    assert genome.size == sum(layer.weight.size + layer.bias.size for layer in layers)


def test_every_coordinate_moves_one_number_of_one_layer(policy: WeightPolicy) -> None:
    genome = Genome(policy)
    base = genome.networks(np.zeros((1, genome.size)))
    points = 3.0 * np.eye(genome.size)
    changed = np.zeros(genome.size, int)
    for (weights, biases), (weight, bias) in zip(genome.networks(points), base, strict=True):
        moved = weights - weight
        changed += (moved != 0).sum(axis=(1, 2)) + (biases != bias).sum(axis=1)
        assert moved.max() == pytest.approx(3.0 / np.sqrt(weight.shape[2]), rel=1e-4)
    assert (changed == 1).all()


def test_candidates_side_by_side_fare_as_each_would_alone(
    arena: Arena, policy: WeightPolicy
) -> None:
    genome = Genome(policy)
    points = np.random.default_rng(0).normal(0, 0.3, (5, genome.size))
    rows = np.array([1, 5, 6, 40])
    together = run_candidates(arena, genome, points, 11, rows)
    for point, found in zip(points, together, strict=True):
        found_policy = genome.policy(point)
        served = ObservationPolicy(found_policy.weights, response=found_policy.response)
        alone = run_some(arena, lambda served=served: served, 11, rows)
        assert alone.n_slates == found.n_slates
        np.testing.assert_allclose(found.expected_engagement, alone.expected_engagement, rtol=1e-4)
        np.testing.assert_allclose(found.measured, alone.measured, rtol=1e-5)
        np.testing.assert_allclose(mean_costs(arena, found), arena.targets - found.levels())
    assert len({t.expected_engagement.sum() for t in together}) == 5


def test_ranks_by_hand_with_a_tie() -> None:
    ranks = centred_ranks(np.array([5.0, -1.0, 5.0, 100.0, 0.0]))
    np.testing.assert_allclose(ranks, [0.125, -0.5, 0.125, 0.5, -0.25])


@settings(max_examples=50)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=12))
def test_ranks_sum_to_0_and_follow_no_scale(values: list[int]) -> None:
    ranks = centred_ranks(np.array(values, float))
    assert ranks.sum() == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_array_equal(ranks, centred_ranks(np.exp(np.array(values) / 100.0)))
    assert np.abs(ranks).max() <= 0.5


def test_the_direction_points_uphill() -> None:
    """On a linear slope its mean is the slope's direction."""
    rng = np.random.default_rng(4)
    slope = rng.normal(size=30)
    noise = rng.standard_normal((400, 30))
    brought = np.concatenate([noise, -noise]) @ slope
    direction = ascent_direction(brought, noise)
    assert direction @ slope / np.linalg.norm(direction) / np.linalg.norm(slope) > 0.95


def test_a_flat_objective_gives_no_direction() -> None:
    noise = np.random.default_rng(4).standard_normal((6, 9))
    np.testing.assert_allclose(ascent_direction(np.ones(12), noise), 0.0)
