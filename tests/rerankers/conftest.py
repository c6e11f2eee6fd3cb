"""A small catalogue, pools and constraints that every test of the room can ask for."""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.amortised.epsilon_greedy import EpsilonGreedyConfig
from fairloop.rerankers.amortised.fairco import FairCoConfig
from fairloop.rerankers.amortised.mirror_descent import DualMirrorDescentConfig
from fairloop.rerankers.amortised.pid import PIDConfig
from fairloop.rerankers.amortised.thompson import ThompsonConfig
from fairloop.rerankers.base import Reranker
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.controller import ControllerConfig
from fairloop.rerankers.diversity.calibrated import CalibratedConfig
from fairloop.rerankers.diversity.dpp import DPPConfig
from fairloop.rerankers.diversity.mmr import MMRConfig
from fairloop.rerankers.diversity.pm2 import PM2Config
from fairloop.rerankers.diversity.xquad import XQuADConfig
from fairloop.rerankers.exposure import ExposureConfig
from fairloop.rerankers.factory import RerankerConfig, make_reranker
from fairloop.rerankers.knowledge import Knowledge
from fairloop.rerankers.linear import LinearConfig
from fairloop.rerankers.quotas.det import (
    DetConsConfig,
    DetConstSortConfig,
    DetGreedyConfig,
    DetRelaxedConfig,
)
from fairloop.rerankers.quotas.fa_ir import FAIRConfig
from fairloop.rerankers.state import ObservedState, new_state
from fairloop.rerankers.stochastic.expohedron import ExpohedronConfig
from fairloop.rerankers.stochastic.parity import ExposureParityConfig
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig
from fairloop.rerankers.two_sided.cp_fair import CPFairConfig
from fairloop.rerankers.two_sided.fair_rec import FairRecConfig
from fairloop.rerankers.two_sided.fair_rec_plus import FairRecPlusConfig
from fairloop.rerankers.two_sided.p_mmf import PMMFConfig
from fairloop.rerankers.two_sided.tfrom import TFROMOfflineConfig
from fairloop.rerankers.two_sided.tfrom_online import TFROMOnlineConfig
from fairloop.rerankers.two_sided.welf import WelfConfig


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """120 items in 7 topics; the least popular four fifths are the long tail."""
    rng = np.random.default_rng(7)
    n, t = 120, 7
    topics = rng.random((n, t)) < 0.25
    topics[:3] = False  # items without any topic do occur
    popularity = np.sort(rng.gamma(0.5, 60.0, n))[::-1].copy()
    year = rng.integers(1930, 1999, n).astype(float)
    year[5] = np.nan
    tail = (np.arange(n) >= n // 5).astype(int)
    decade = np.where(np.isnan(year), -1, (np.nan_to_num(year) >= 1980).astype(int))
    return Catalogue(
        item_ids=np.array([f"i{i}" for i in range(n)]),
        titles=np.array([f"Item {i}" for i in range(n)]),
        topics=topics,
        topic_names=tuple(f"t{i}" for i in range(t)),
        year=year,
        popularity=popularity,
        groups={
            "popularity": Groups("popularity", ("head", "long_tail"), tail),
            "era": Groups("era", ("old", "new"), decade),
        },
    )


@pytest.fixture(scope="session")
def make_pools(catalogue: Catalogue) -> Callable[..., CandidatePools]:
    """Random pools, best first; popular items tend to score higher. Some may be ragged."""

    def make(
        n_users: int = 12, n_columns: int = 20, seed: int = 0, ragged: bool = False
    ) -> CandidatePools:
        rng = np.random.default_rng(seed)
        items = np.argsort(rng.random((n_users, catalogue.n_items)), axis=1)[:, :n_columns]
        lean = np.log1p(catalogue.popularity) * 0.3
        scores = rng.normal(size=items.shape) + lean[items]
        order = np.argsort(-scores, axis=1)
        items = np.take_along_axis(items, order, axis=1)
        scores = np.take_along_axis(scores, order, axis=1)
        if ragged:
            sizes = rng.integers(n_columns // 2, n_columns + 1, n_users)
            empty = np.arange(n_columns) >= sizes[:, None]
            items[empty], scores[empty] = PAD, 0.0
        known = np.random.default_rng([seed, 1]).normal(
            size=(n_users, 2, len(catalogue.topic_names))
        )
        return CandidatePools(np.arange(n_users), items, scores, known.astype(np.float32))

    return make


@pytest.fixture(scope="session")
def constraints() -> Constraints:
    """One floor for the long tail and one on diversity."""
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.5, window=200)
    return Constraints(exposure=(floor,), min_diversity=0.7)


def user_state(pools: CandidatePools, context: PoolContext) -> ObservedState:
    """A state that follows from each user's index, as one looked up in a store would."""
    state = new_state(len(pools), context.n_candidates, context.n_topics)
    for row, user in enumerate(pools.users):
        rng = np.random.default_rng(int(user))
        state.topic_clicks[row] = rng.random(context.n_topics)
        state.satisfaction[row] = rng.random()
    return state


VARIANTS: tuple[RerankerConfig, ...] = (
    MMRConfig(trade_off=0.6, floor_bonus=0.1),
    ExposureConfig(block=4, controller=ControllerConfig(start_bonus=0.5, start_diversity=1.0)),
    LinearConfig(
        weights={"base": 1.0, "satiation": -2.0, "base_when_dissatisfied": 0.5}, diversity=0.7
    ),
    PlackettLuceConfig(temperature=0.8),
    CPFairConfig(
        user_attribute="side", attribute="era", utility="gain", parity="per_item", swaps=5
    ),
    PMMFConfig(attribute="era", mode="offline", capacity=None, batch=3, passes=2),
    DPPConfig(theta=0.3, similarity="embeddings", shrinkage=0.0),  # of rank 7, below some k
    XQuADConfig(strength=0.8, aspects="era", targets={"old": 0.6}, coverage="smooth"),
    PM2Config(strength=0.9, focus=0.7, aspects="popularity"),
    CalibratedConfig(strength=0.7, method="exact", aspects="era"),
    FAIRConfig(attribute="era", protected=("old", "new"), p=(0.4, 0.3), alpha=0.15),
    DetGreedyConfig(attribute="era", targets={"old": 0.3}, strength=0.8),
    DetConsConfig(attribute="era", targets={"old": 0.3}),
    DetRelaxedConfig(attribute="era", strength=0.5),
    DetConstSortConfig(attribute="era", targets={"old": 0.3}, strength=0.7),
    FairRecConfig(alpha=1.0, attribute="era"),
    TFROMOfflineConfig(attribute="era", fairness="quality", strictness=0.9, first="best-off"),
    TFROMOnlineConfig(attribute="era", fairness="quality", strictness=0.8),
    FairRecPlusConfig(alpha=0.9, attribute="era", relevance="scaled", block=3),
    FairCoConfig(attribute="era", merit={"new": 0.7}, gain=0.5, block=3, workers=2),
    PIDConfig(attribute="era", ratios={"old": 1.0, "new": 2.0}, derivative=0.5, block=1),
    DualMirrorDescentConfig(floors={}, caps={"long_tail": 0.4}, mirror="entropy", horizon=9),
    EpsilonGreedyConfig(
        epsilon=0.6, inner=PlackettLuceConfig(temperature=0.4), temperature=0.7, keep=2
    ),
    ExposureParityConfig(attribute="era", constraint="disparate-impact", reduction=0.6),
    ExpohedronConfig(merit="relevance", weight=0.5),
    WelfConfig(item_weight=0.9, user_power=-1.0, item_power=0.5, iterations=15, draw=False),
    ThompsonConfig(scale=0.8, inner=FairCoConfig(gain=0.5, block=2), keep=1),
)
"""Settings other than the defaults, for which the contract must hold as well."""

KINDS: tuple[type[RerankerConfig], ...] = get_args(get_args(RerankerConfig)[0])
DEFAULTS: tuple[RerankerConfig, ...] = tuple(kind() for kind in KINDS)


def config_id(config: RerankerConfig) -> str:
    return config.algorithm + ("" if config in DEFAULTS else " (variant)")


@pytest.fixture(params=[*DEFAULTS, *VARIANTS], ids=config_id)
def config(request: pytest.FixtureRequest) -> RerankerConfig:
    """Each re-ranker's configuration in turn: all that the factory knows, and the variants."""
    return request.param


@pytest.fixture(scope="session")
def knowledge(catalogue: Catalogue, constraints: Constraints) -> Knowledge:
    """Everything a re-ranker may know, for the user indices 0 to 99."""
    rng = np.random.default_rng(11)
    profiles = rng.dirichlet(np.full(len(catalogue.topic_names), 0.5), size=100)
    profiles[3] = np.nan  # a user without a history
    thirds = Groups("activity", ("low", "medium", "high"), rng.integers(0, 3, 100))
    sides = Groups("side", ("left", "right"), rng.integers(-1, 2, 100))  # some not known
    return Knowledge(
        catalogue,
        constraints,
        user_groups={"activity": thirds, "side": sides},
        profiles=profiles,
        item_embeddings=rng.normal(size=(catalogue.n_items, 6)),
    )


@pytest.fixture
def fresh(config: RerankerConfig, knowledge: Knowledge) -> Callable[..., Reranker]:
    """Makes the re-ranker under test anew, so that no test meets a state left by another."""

    def make(
        constraints: Constraints = knowledge.constraints, config: RerankerConfig = config
    ) -> Reranker:
        def states(pools: CandidatePools) -> ObservedState:
            return user_state(pools, PoolContext.of(pools, knowledge.catalogue, constraints))

        return make_reranker(config, replace(knowledge, constraints=constraints, states=states))

    return make
