"""Learning improves on its start where the optimum is known, repeatably, and leaves no traces."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from fairloop.agents.jobs import Serve
from fairloop.agents.lagrange import LagrangeConfig
from fairloop.agents.learner_config import PPOConfig
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.train import learn
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.features import feature_names
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.world import Sensitivities, World

N, K, USERS = 12, 3, 64
QUICK = PPOConfig(
    total_steps=40_960,
    critic_steps=4_096,
    n_envs=USERS,
    rollout_steps=32,
    batch_size=512,
    learning_rate=3e-3,
    reach=10.0,
    log_std=-1.0,
    actor_hidden=(16,),
    critic_hidden=(32,),
)


@pytest.fixture(scope="module")
def upside_down() -> World:
    """No memory, and appeal falls as the base score rises: the last K columns are the best."""
    catalogue = Catalogue(
        item_ids=np.array([str(i) for i in range(N)]),
        titles=np.array([str(i) for i in range(N)]),
        topics=np.ones((N, 1), bool),
        topic_names=("all",),
        year=np.full(N, np.nan),
        popularity=np.ones(N),
        groups={"popularity": Groups("popularity", ("head", "long_tail"), np.arange(N) % 2)},
    )
    ones = np.ones(USERS, np.float32)
    return World(
        config=WorldConfig.static().model_copy(update={"slate_size": K}),
        pools=CandidatePools(
            np.arange(USERS),
            np.tile(np.arange(N), (USERS, 1)),
            np.tile(np.arange(N, 0, -1.0), (USERS, 1)),
        ),
        catalogue=catalogue,
        topics=np.ones((N, 1), np.float32),
        usual_topics=np.ones(1, np.float32),
        appeal=np.tile(np.linspace(-2, 2, N, dtype=np.float32), (USERS, 1)),
        worth=np.zeros((USERS, N), np.float32),
        sensitivities=Sensitivities(ones, ones, ones, ones, ones),
    )


def train(world: World, constraints: Constraints, seed: int = 0, config: PPOConfig = QUICK):
    arena = Arena.of(world, constraints)
    n = len(feature_names(constraints)) + 1
    start = np.zeros(n)
    start[0] = 1.0
    margins = np.zeros(len(arena.targets))
    learned = learn(arena, start, np.ones(n), margins, seed, config, LagrangeConfig())
    return arena, learned


def best_engagement(world: World) -> float:
    examined = 1.0 / np.log2(np.arange(2, K + 2))
    clicks = 1.0 / (1.0 + np.exp(-np.sort(world.appeal[0])[::-1][:K]))
    return float(0.5 * (examined * clicks).sum() * world.config.horizon_days)


def test_finds_the_known_optimum(upside_down):
    arena, learned = train(upside_down, Constraints())
    stuck = replace(learned.policy, reach=np.zeros_like(learned.policy.reach))
    start = run(arena, Serve(stuck), [1])
    end = run(arena, Serve(learned.policy), [1])
    best = best_engagement(upside_down)
    assert start.expected_engagement.mean() < 0.3 * best
    assert end.expected_engagement.mean() > 0.95 * best


def test_holds_a_constraint_that_costs_engagement(upside_down):
    """Half of the best items are in the head: a floor of 0.8 must be paid for, and is."""
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.8)
    no_floor = floor.model_copy(update={"share": 0.0})
    free_arena, free = train(upside_down, Constraints(exposure=(no_floor,)))
    arena, held = train(upside_down, Constraints(exposure=(floor,)))
    unbound = run(free_arena, Serve(free.policy), [1]).levels()[0]
    bound = run(arena, Serve(held.policy), [1]).levels()[0]
    assert unbound < 0.75
    assert bound > unbound + 0.03
    assert held.curve[0].multipliers[0] > 0.0
    assert held.curve[-1].costs[0] < held.curve[0].costs[0]


def test_same_seed_same_policy_other_seed_another(upside_down):
    config = QUICK.model_copy(update={"total_steps": 8_192, "critic_steps": 2_048})
    policies = [train(upside_down, Constraints(), seed, config)[1].policy for seed in (3, 3, 4)]
    seen = np.random.default_rng(0).normal(size=(9, len(policies[0].observation_names)))
    first, again, other = (p.weights(seen) for p in policies)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_before_the_critic_has_learned_the_policy_is_its_start(upside_down):
    config = QUICK.model_copy(update={"total_steps": 4_096, "critic_steps": 10**9})
    _, learned = train(upside_down, Constraints(), 0, config)
    seen = np.random.default_rng(0).normal(size=(5, len(learned.policy.observation_names)))
    start = np.zeros(learned.policy.n_actions, np.float32)
    start[0] = 1.0
    assert np.array_equal(learned.policy.weights(seen), np.tile(start, (5, 1)))


def test_leaves_threads_and_global_generators_as_they_were(upside_down):
    config = QUICK.model_copy(update={"total_steps": 2_048})
    threads = torch.get_num_threads()
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state())
    train(upside_down, Constraints(), 0, config)
    assert torch.get_num_threads() == threads
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
