"""What a policy computes, and that serving it does what the simulation did."""

import numpy as np
import pytest
import torch
from fairloop.agents.policy import CLIP, static_policy
from fairloop.agents.serving import PolicyReranker
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import REWARD
from fairloop.rerankers.observe import replay
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies import ObservationPolicy, PolicyLuck
from torch import nn


def as_torch(policy) -> nn.Module:
    layers: list[nn.Module] = []
    for layer in (*policy.hidden, policy.head):
        linear = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.weight))
            linear.bias.copy_(torch.from_numpy(layer.bias))
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def test_forward_equals_torch(policy):
    seen = np.random.default_rng(2).normal(0, 3, (50, len(policy.observation_names)))
    with torch.no_grad():
        x = torch.from_numpy(seen.astype(np.float32))
        x = ((x - torch.from_numpy(policy.mean)) * torch.from_numpy(policy.scale)).clamp(
            -CLIP, CLIP
        )
        expected = as_torch(policy)(x).numpy()
    assert np.abs(policy.actions(seen) - expected).max() < 1e-5


def test_weights_are_centre_plus_offsets_plus_bounded_moves(policy):
    seen = np.random.default_rng(2).normal(0, 30, (50, len(policy.observation_names)))
    weights = policy.weights(seen)
    assert weights.dtype == np.float32
    moved = np.abs(weights - policy.centre - policy.offsets)[:, :-1]
    assert (moved <= policy.reach[:-1] + 1e-6).all()
    assert moved.max() > 0.1
    shift = np.arange(policy.n_actions) / 10
    assert np.allclose(policy.weights(seen, shift)[:, :-1], (weights + shift)[:, :-1], atol=1e-6)


def test_diversity_is_never_negative(policy):
    offsets = np.zeros(policy.n_actions)
    offsets[-1] = -100.0
    seen = np.zeros((3, len(policy.observation_names)))
    assert (policy.weights(seen, offsets)[:, -1] == 0.0).all()


def test_static_policy_gives_everyone_its_weights(policy):
    weights = np.arange(policy.n_actions, dtype=np.float32)
    names = policy.constraints, policy.feature_names, policy.observation_names
    static = static_policy(weights, *names, policy.response)
    seen = np.random.default_rng(0).normal(size=(4, len(policy.observation_names)))
    assert np.array_equal(static.weights(seen), np.tile(weights, (4, 1)))
    rewards = np.isin(policy.action_names, REWARD)
    without_a_model = static_policy(weights, *names).weights(seen)
    assert np.array_equal(without_a_model, np.tile(np.where(rewards, 0.0, weights), (4, 1)))


def test_other_columns_are_refused(policy):
    with pytest.raises(InvalidValue):
        policy.weights(np.zeros((2, 3)))


def test_a_catalogue_with_other_topics_is_refused(policy):
    other = synthetic_candidates(n_users=40, n_items=120, n_topics=7, seed=1, top_n=20)
    with pytest.raises(InvalidValue):
        PolicyReranker(policy, other.catalogue)


def test_serving_a_replayed_log_shows_what_the_simulation_showed(policy, world, constraints):
    rows = np.arange(6)
    logged = LoggedPopulation(world, constraints, seed=4, rows=rows)
    gaps = RunningGaps(constraints)
    inside = ObservationPolicy(policy.weights, response=policy.response)
    rng = np.random.default_rng(0)
    pools, k = world.pools.take(rows), world.config.slate_size
    log: list = []
    alive = np.ones(len(rows), bool)
    compared = 0
    for _ in range(6):
        columns = inside.decide(logged, alive, gaps, PolicyLuck.at(logged, 4)).columns
        for row in np.flatnonzero(alive):
            state = replayed(log, pools, world, constraints, row)
            served = PolicyReranker(
                policy, world.catalogue, lambda _, state=state: state, gaps=gaps.gaps
            )
            slate = served.rerank(pools.take(np.array([row])), k, rng)
            assert np.array_equal(slate.columns[0], columns[row])
            compared += 1
        outcome = logged.step(columns)
        log.append((columns, outcome.feedback, alive.copy()))
        alive = logged.population.alive.copy()
        assert np.array_equal(gaps.gaps, np.zeros(2))
    assert compared > 2 * len(rows)


def replayed(log, pools, world, constraints, row):
    one = pools.take(np.array([row]))
    context = PoolContext.of(one, world.catalogue, constraints)
    seen = [(columns[row], f, f.days_away[row]) for columns, f, alive in log if alive[row]]
    k = world.config.slate_size
    return replay(
        context,
        world.catalogue.topics,
        np.array([one.items[0][c] for c, _, _ in seen], np.intp).reshape(len(seen), k),
        np.array([f.clicks[row] for _, f, _ in seen], bool).reshape(len(seen), k),
        np.array([f.satisfaction[row] for _, f, _ in seen], np.float64).reshape(len(seen), k),
        np.array([days for _, _, days in seen], np.float64),
    )
