"""The controller beside a served policy: idle while the limits hold, at work while they do not."""

import numpy as np
from fairloop.agents.policy import WeightPolicy
from fairloop.agents.steering import Steered, steering
from fairloop.rerankers.controller import ConstraintController
from fairloop.rerankers.features import FEATURES
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies import ObservationPolicy


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
        columns = acting.slates(logged, np.ones(8, np.bool_), idle, rng)
        measured.append(logged.measured(columns))
    return np.concatenate(measured[100:]).mean(axis=0)


def still(policy: WeightPolicy) -> WeightPolicy:
    head = policy.head
    return policy.__class__(
        **{
            **{name: getattr(policy, name) for name in policy.__dataclass_fields__},
            "head": head.__class__(np.zeros_like(head.weight), np.zeros_like(head.bias)),
        }
    )


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
    steered = Steered(ObservationPolicy(policy.weights), policy)
    logged = LoggedPopulation(arena.world, arena.constraints, 1, context=arena.context)
    nobody = np.zeros(len(logged), np.bool_)
    rng = np.random.default_rng(0)
    steered.slates(logged, nobody, RunningGaps(arena.constraints), rng)
    assert not steered.gaps.any()
    steered.slates(logged, ~nobody, RunningGaps(arena.constraints), rng)
    assert steered.gaps.any()
    steered.reset()
    assert not steered.gaps.any()
    assert not steered.offsets().any()
