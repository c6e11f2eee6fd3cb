"""The controller beside a served policy: idle while the limits hold, at work while they do not."""

from dataclasses import replace

import numpy as np
from fairloop.agents.policy import WeightPolicy
from fairloop.agents.steering import Steered, SteeredReranker, served_reranker, steering
from fairloop.rerankers.constraints import HardFilters
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.controller import ConstraintController
from fairloop.rerankers.exposure import measure
from fairloop.rerankers.features import FEATURES
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies import ObservationPolicy, PolicyLuck


def blind(policy: WeightPolicy, floor: float, diversity: float) -> WeightPolicy:
    """Static weights: the base score, the floor and diversity."""
    weights = np.zeros(policy.n_actions)
    weights[[0, -2, -1]] = 1.0, floor, diversity
    return policy.with_offsets(weights - policy.centre)


def level(policy: WeightPolicy, arena, *, steered: bool) -> np.ndarray:
    """Levels over the later 100 of 200 batches of 8 users at their first visit."""
    inner = ObservationPolicy(policy.weights)
    acting = Steered(inner, policy) if steered else inner
    rng, idle = np.random.default_rng(0), RunningGaps(arena.constraints)
    measured = []
    for seed in range(200):
        rows = rng.choice(len(arena), 8, replace=False)
        logged = LoggedPopulation(arena.world, arena.constraints, seed, rows, arena.context)
        luck = PolicyLuck.at(logged, seed)
        columns = acting.decide(logged, np.ones(8, np.bool_), idle, luck).columns
        measured.append(logged.measured(columns))
    return np.concatenate(measured[100:]).mean(axis=0)


def still(policy: WeightPolicy) -> WeightPolicy:
    """The same policy without its network."""
    return policy.with_gain(0.0)


def test_a_policy_that_ignores_the_limits_is_brought_to_them(policy, arena):
    careless = blind(still(policy), floor=0.0, diversity=0.0)
    left_alone, held = (level(careless, arena, steered=s) for s in (False, True))
    assert (left_alone < arena.targets - 0.2).any()
    assert (held > arena.targets - 0.03).all()


def test_a_policy_that_holds_the_limits_is_left_alone(policy, arena):
    careful = blind(still(policy), floor=6.0, diversity=8.0)
    left_alone, held = (level(careful, arena, steered=s) for s in (False, True))
    assert (left_alone > arena.targets).all()
    assert np.array_equal(left_alone, held)


def test_only_the_floors_and_diversity_are_moved_and_in_units_of_reach(policy):
    controller = ConstraintController(policy.constraints)
    assert not steering(policy, controller).any()
    controller.update(np.array([[0.0, 0.0]] * 8))
    moved = steering(policy, controller)
    assert not moved[: len(FEATURES)].any()
    assert np.allclose(moved[len(FEATURES) :], 0.5 * controller.bonuses)
    assert (controller.bonuses > 0).all()


def test_users_who_are_gone_do_not_count(policy, arena):
    steered = Steered(ObservationPolicy(policy.weights, response=policy.response), policy)
    logged = LoggedPopulation(arena.world, arena.constraints, 1, context=arena.context)
    nobody = np.zeros(len(logged), np.bool_)
    luck = PolicyLuck.at(logged, 1)
    steered.decide(logged, nobody, RunningGaps(arena.constraints), luck)
    assert not steered.controller.gaps.any()
    steered.decide(logged, ~nobody, RunningGaps(arena.constraints), luck)
    assert steered.controller.gaps.any()
    steered.controller.reset()
    assert not steered.controller.gaps.any()
    assert not steered.controller.offsets().any()


def test_a_served_policy_is_brought_to_the_limits_within_a_batch(policy, world, arena):
    careless = blind(still(policy), floor=0.0, diversity=0.0)
    served = SteeredReranker(careless, world.catalogue)
    pools = world.pools.take(np.tile(np.arange(80), 20))
    slates = served.rerank(pools, 5, np.random.default_rng(0))
    context = PoolContext.of(pools, world.catalogue, policy.constraints)
    shares = measure(context, slates.columns)[:, 0]
    target = policy.constraints.exposure[0].share
    assert shares[:16].mean() < target - 0.2
    assert abs(shares[-800:].mean() - target) < 0.05
    assert served.controller.n_slates == 1600


def test_a_policy_made_for_filters_keeps_them_when_served(policy, world):
    banned = frozenset(world.catalogue.item_ids[world.pools.items[:, 0]].tolist())
    filters = HardFilters(exclude_items=banned)
    limited = replace(
        policy, constraints=policy.constraints.model_copy(update={"filters": filters})
    )
    served = served_reranker(limited, world.catalogue)
    slates = served.rerank(world.pools, 5, np.random.default_rng(0))
    assert not banned & set(world.catalogue.item_ids[slates.items].ravel().tolist())
    free = served_reranker(policy, world.catalogue).rerank(world.pools, 5, np.random.default_rng(0))
    assert banned & set(world.catalogue.item_ids[free.items].ravel().tolist())
