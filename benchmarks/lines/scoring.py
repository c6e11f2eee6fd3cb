"""Top-k, MMR, linear scoring, the exposure controller and Plackett-Luce."""

import numpy as np
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.diversity.mmr import MMRConfig
from fairloop.rerankers.exposure import ExposureConfig
from fairloop.rerankers.features import feature_names, scoring_features
from fairloop.rerankers.linear import LinearConfig, linear_slates
from fairloop.rerankers.state import new_state
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig
from fairloop.rerankers.topk import TopKConfig

from benchmarks.lines.setting import N_TOPICS, Line, Setting, equal_slates
from benchmarks.peers import plain_loops

MMR_BAR = 0.03  # processor seconds per 1,000 users
TRADE_OFF, DIVERSITY, TEMPERATURE = 0.7, 1.0, 0.5


def lines(setting: Setting) -> list[Line]:
    pools, k, topics = setting.pools, setting.k, setting.topics
    limits = setting.knowledge.constraints
    member = setting.codes("popularity") == 1
    weights, features, vector = _linear(setting, limits)

    def mmr() -> np.ndarray:
        return plain_loops.mmr(pools.scores, topics, TRADE_OFF, k)

    def linear() -> np.ndarray:
        return plain_loops.linear(features.astype(float), vector, topics, DIVERSITY, k)

    def controller() -> np.ndarray:
        share = limits.exposure[0].share
        return plain_loops.exposure_controller(
            pools.scores, member, topics, share, limits.min_diversity or 0.0, k
        )

    def plackett_luce() -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(setting.seed)
        return plain_loops.plackett_luce(pools.scores, TEMPERATURE, k, rng)

    def top_k() -> np.ndarray:
        return plain_loops.top_k(pools.scores, k)

    return [
        Line(
            "top-k",
            lambda: setting.slates(TopKConfig()),
            top_k,
            agree=lambda ours: equal_slates(ours, top_k()),
        ),
        Line(
            "mmr",
            lambda: setting.slates(MMRConfig(trade_off=TRADE_OFF)),
            mmr,
            bar=MMR_BAR,
            agree=lambda ours: equal_slates(ours, mmr()),
        ),
        Line(
            "linear",
            lambda: setting.slates(LinearConfig(weights=weights, diversity=DIVERSITY)),
            linear,
            agree=lambda ours: equal_slates(ours, linear()),
        ),
        Line("exposure-controller", lambda: setting.slates(ExposureConfig()), controller),
        Line(
            "plackett-luce",
            lambda: setting.slates(PlackettLuceConfig(temperature=TEMPERATURE)),
            plackett_luce,
        ),
    ]


def linear_step(setting: Setting):
    """Features and slates with one weight vector per user: the hot path of training."""
    context = PoolContext.of(
        setting.pools, setting.knowledge.catalogue, setting.knowledge.constraints
    )
    state = new_state(len(setting.pools), context.n_candidates, N_TOPICS)
    _, _, vector = _linear(setting, setting.knowledge.constraints)
    per_user = np.tile(vector.astype(np.float32), (len(setting.pools), 1))
    strength = np.full(len(setting.pools), DIVERSITY, np.float32)
    return lambda: linear_slates(context, state, per_user, strength, setting.k)


def _linear(setting: Setting, limits: Constraints):
    """Weights by name, the features of new users, and the weights as a vector."""
    context = PoolContext.of(setting.pools, setting.knowledge.catalogue, limits)
    state = new_state(len(setting.pools), context.n_candidates, N_TOPICS)
    names = feature_names(limits)
    weights = {"base": 1.0, "satiation": -1.0, "fatigue": -2.0, names[-1]: 0.4}
    vector = np.array([weights.get(name, 0.0) for name in names])
    return weights, scoring_features(context, state), vector
