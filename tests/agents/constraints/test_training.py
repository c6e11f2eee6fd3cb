"""Limits while learning: a priced engagement gap closes, and the serving controller may act."""

import numpy as np
import pytest
from fairloop.agents.config import TrainConfig
from fairloop.agents.jobs import Serve
from fairloop.agents.lagrange import GapGains, LagrangeConfig
from fairloop.agents.learner_config import PPOConfig
from fairloop.agents.learners.base import learner_names, make_learner
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.pipeline import split_arenas
from fairloop.agents.train import learn
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import (
    Constraints,
    EngagementGap,
    ExposureCeiling,
    ExposureFloor,
    ExposureRatio,
)
from fairloop.rerankers.features import feature_names
from fairloop.rerankers.ratios import resolve
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.world import Sensitivities, World

N, K, FEW, MANY = 12, 3, 16, 48
QUICK = PPOConfig(
    total_steps=40_960,
    critic_steps=4_096,
    n_envs=FEW + MANY,
    rollout_steps=32,
    batch_size=512,
    learning_rate=3e-3,
    reach=20.0,
    log_std=-1.5,
    actor_hidden=(16,),
    critic_hidden=(32,),
)
SIDES = {"side": Groups("side", ("few", "many"), np.repeat([0, 1], [FEW, MANY]))}
JUST_A_FEATURE = ExposureFloor(attribute="popularity", group="head", share=0.0)


@pytest.fixture(scope="module")
def divided() -> World:
    """Many like the last columns and few the first; a slate can serve both only in part."""
    n = FEW + MANY
    catalogue = Catalogue(
        item_ids=np.array([str(i) for i in range(N)]),
        titles=np.array([str(i) for i in range(N)]),
        topics=np.ones((N, 1), bool),
        topic_names=("all",),
        year=np.full(N, np.nan),
        popularity=np.ones(N),
        groups={"popularity": Groups("popularity", ("head", "rest"), np.minimum(np.arange(N), 1))},
    )
    ones = np.ones(n, np.float32)
    rising = np.linspace(-2, 2, N, dtype=np.float32)
    return World(
        config=WorldConfig.static().model_copy(update={"slate_size": K}),
        pools=CandidatePools(
            np.arange(n), np.tile(np.arange(N), (n, 1)), np.tile(np.arange(N, 0, -1.0), (n, 1))
        ),
        catalogue=catalogue,
        topics=np.ones((N, 1), np.float32),
        usual_topics=np.ones(1, np.float32),
        appeal=np.where(SIDES["side"].codes[:, None] == 0, -rising, rising).astype(np.float32),
        worth=np.zeros((n, N), np.float32),
        sensitivities=Sensitivities(ones, ones, ones, ones, ones),
    )


def train(arena: Arena, config: PPOConfig = QUICK, lagrange: LagrangeConfig | None = None):
    """Learn from the slates that many like best."""
    start = np.zeros(len(feature_names(arena.constraints)) + 1)
    start[0] = -1.0
    margins = np.zeros(len(arena.targets))
    lagrange = lagrange or LagrangeConfig()
    return learn(arena, start, np.ones(len(start)), margins, 1, config, lagrange)


@pytest.mark.slow
def test_a_priced_gap_closes_at_the_cost_of_the_mean(divided):
    limit = EngagementGap(attribute="side", limit=0.2, min_users=10)
    arenas = [
        Arena.of(divided, Constraints(exposure=(JUST_A_FEATURE,), engagement_gaps=gaps), SIDES)
        for gaps in ((), (limit,))
    ]
    gains = LagrangeConfig(gaps=GapGains(integral=2.0))
    free, priced = (train(arena, lagrange=gains) for arena in arenas)
    totals = [run(a, Serve(p.policy), [1, 2]) for a, p in zip(arenas, (free, priced), strict=True)]
    gaps = arenas[1].gaps
    before, after = (gaps.shortfalls(t.expected_engagement)[0] for t in totals)
    assert before > 0.35
    assert after < 0.2
    assert totals[1].expected_engagement.mean() < totals[0].expected_engagement.mean()
    prices = np.array([point.multipliers for point in priced.curve])
    assert prices.shape[1] == len(arenas[1].targets) + len(gaps)
    assert prices[:, -2].max() > 0.5 and (prices[:, -1] == 0.0).all()
    assert len(free.curve[0].multipliers) == len(arenas[0].targets)


def test_a_ceiling_is_priced_like_any_floor(divided):
    """Nobody's favourite may fill less of the slates than it would."""
    last = Groups("last", ("yes", "no"), np.where(np.arange(N) == N - 1, 0, 1))
    divided.catalogue.groups["last"] = last
    ceiling = ExposureCeiling(attribute="last", group="yes", share=0.2)
    arena = Arena.of(divided, Constraints(exposure=(ceiling,)))
    config = QUICK.model_copy(update={"total_steps": 20_480})
    learned = train(arena, config)
    costs = np.array([point.costs[0] for point in learned.curve])
    assert costs[0] > 0.05  # it starts in breach: the last column stands first
    assert costs[-3:].mean() < 0.4 * costs[0]


def test_the_serving_controller_can_act_while_learning(divided):
    ceiling = ExposureCeiling(attribute="popularity", group="rest", share=0.7, window=200)
    arena = Arena.of(divided, Constraints(exposure=(ceiling,)))
    config = QUICK.model_copy(update={"total_steps": 8_192, "critic_steps": 2_048})
    alone, steered = (
        train(arena, config.model_copy(update={"steered": on})) for on in (False, True)
    )
    late = [np.mean([p.costs[0] for p in learned.curve[1:]]) for learned in (alone, steered)]
    assert late[0] > 0.1
    assert abs(late[1]) < 0.5 * late[0]


def test_learners_that_do_not_price_gaps_refuse_them(divided):
    limit = EngagementGap(attribute="side", limit=0.2, min_users=10)
    arena = Arena.of(divided, Constraints(engagement_gaps=(limit,)), SIDES)
    n = len(feature_names(arena.constraints)) + 1
    others = [name for name in learner_names() if name != "ppo"]
    assert others
    for name in others:
        with pytest.raises(InvalidValue, match=f"{name}.*engagement gaps"):
            make_learner(name).learn(arena, np.zeros(n), np.ones(n), np.zeros(1), 1)


def test_ratios_are_resolved_on_the_training_users_alone(candidates, world):
    ratio = ExposureRatio(attribute="era", every_group=True, merit="relevance", at_least=0.5)
    config = TrainConfig(
        constraints=Constraints(
            ratios=(ratio,),
            engagement_gaps=(EngagementGap(attribute="gender", limit=0.3, min_users=12),),
        )
    )
    arenas = split_arenas(world, candidates, config, 7)
    expected = resolve(config.constraints, arenas.train.world.pools, world.catalogue)
    for arena in (arenas.train, arenas.validation, arenas.test):
        assert arena.constraints == expected
        assert set(arena.gaps.names) <= {"engagement:gender=F", "engagement:gender=M"}
        assert len(arena.gaps) >= 1
    assert expected.exposure and not expected.ratios
    assert expected != resolve(config.constraints, arenas.test.world.pools, world.catalogue)
