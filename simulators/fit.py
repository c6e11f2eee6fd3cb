"""From candidates and ratings to a world.

What is fit from the data: item quality, each user's taste for topics, and how much of both holds
on ratings not used to estimate them (slopes and the size of the unexplained rest); topic affinity
and popularity, from how often things were rated; each user's base scores.

What ratings cannot identify, and where a default of ``WorldConfig`` stands: click rates and
position bias (no impressions were logged), how click appeal weighs model score, affinity,
popularity and hidden taste, which part of the unexplained variance is lasting taste, and all of
satiation, fatigue, drift, leaving and returning. A user's own rating level is taken as their use
of the scale, not as more or less satisfaction. Ratings exist for items that people chose, so
quality and satisfaction are those of chosen items.

The truth is not a copy of the base model's scores: these are one part of four in the appeal and a
small one in the satisfaction, so that ranking by them is not optimal even without dynamics.
"""

from typing import cast

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from ..arrays import FloatArray, IntArray
from ..candidates import tastes
from ..candidates.candidate_set import CandidateSet
from ..candidates.interactions import Interactions
from ..candidates.pools import CandidatePools
from ..candidates.tastes import topic_shares
from ..errors import EmptyData
from . import randomness
from .config import TasteConfig, WorldConfig
from .dynamics import log_odds
from .world import NEVER, Sensitivities, World


def fit_world(
    candidates: CandidateSet,
    config: WorldConfig | None = None,
    seed: int = 0,
    pools: CandidatePools | None = None,
) -> World:
    """The world of the given pools, or of all users that have a full one.

    Only training interactions are read: neither validation nor held-out ones shape the truth.

    Args:
        candidates: Pools, catalogue and ratings.
        config: The parameters; defaults when None.
        seed: Decides hidden tastes, sensitivities and the split that the slopes are fit on. A
            user's hidden taste for an item does not depend on the other users and items present.
        pools: Users and items to give a truth to, if not ``candidates.pools()``.

    Raises:
        EmptyData: There is no user with a full pool, or no training interaction.
    """
    config = config or WorldConfig()
    pools = candidates.pools() if pools is None else pools
    train = candidates.train
    if len(pools) == 0 or len(train) == 0:
        raise EmptyData(
            f"{len(pools)} users with a full pool, {len(train)} training interactions",
            field="candidates",
            mend="Make candidates with a smaller top-N, or from more data.",
        )
    topics = topic_shares(candidates.catalogue.topics)
    usual = tastes.usual_topics(train, topics)
    hidden = hidden_taste(pools, seed)
    popularity = candidates.catalogue.popularity
    model = tastes.rating_model(train, topics, config.tastes.shrinkage)
    appeal = _appeal(pools, train, topics, usual, popularity, model.quality, hidden, config)
    worth = _worth(pools, train, topics, model, hidden, config.tastes, seed)
    return World(
        config=config,
        pools=pools,
        catalogue=candidates.catalogue,
        topics=topics.astype(np.float32),
        usual_topics=usual.astype(np.float32),
        appeal=np.where(pools.valid, appeal, NEVER).astype(np.float32),
        worth=np.where(pools.valid, worth, NEVER).astype(np.float32),
        sensitivities=draw_sensitivities(pools.users, config.heterogeneity, seed),
    )


def hidden_taste(pools: CandidatePools, seed: int) -> FloatArray:
    """Lasting taste that no model knows: N(0, 1) per user and item, shape ``(U, N)``."""
    keys = randomness.stream_keys(seed, randomness.WORLD, pools.users)
    return randomness.normals(randomness.derive(keys[:, None], np.maximum(pools.items, 0)))


def draw_sensitivities(users: IntArray, heterogeneity: float, seed: int) -> Sensitivities:
    """Log-normal factors with median 1, from their own stream."""
    keys = randomness.stream_keys(seed, randomness.SENSITIVITIES, users)
    drawn = randomness.normals(randomness.derive(keys, np.arange(5)[:, None]))
    return Sensitivities(*np.exp(np.float32(heterogeneity) * drawn))


def base_scores(pools: CandidatePools) -> FloatArray:
    """Base scores standardised within each pool, shape ``(U, N)``, 0 in padding."""
    valid, n = pools.valid, np.maximum(pools.sizes, 1)[:, None]
    scores = np.where(valid, pools.scores, 0.0).astype(np.float64)
    centred = np.where(valid, scores - scores.sum(axis=1, keepdims=True) / n, 0.0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / n)
    return centred / np.maximum(spread, 1e-12)


def _appeal(
    pools: CandidatePools,
    train: Interactions,
    topics: FloatArray,
    usual: FloatArray,
    popularity: FloatArray,
    quality: FloatArray,
    hidden: FloatArray,
    config: WorldConfig,
) -> FloatArray:
    """Click log-odds at rest: a mixture of four parts, scaled, around the base attraction."""
    t, valid, items = config.tastes, pools.valid, np.maximum(pools.items, 0)
    affinity = tastes.topic_affinity(train, topics, usual, t.shrinkage)[pools.users]
    liking = np.einsum("ut,unt->un", affinity, topics[items])
    mixture = (
        t.appeal_model * base_scores(pools)
        + t.appeal_topics * _standardised(liking, valid)
        + t.appeal_clickbait * _standardised(clickbait(popularity, quality)[items], valid)
        + t.appeal_hidden * hidden
    )
    spread = config.choice.attraction_spread * _standardised(mixture, valid)
    return spread + intercept(spread[valid], config.choice.base_attraction)


def intercept(log_odds_at_rest: FloatArray, mean: float) -> float:
    """The constant that gives the log-odds the wanted mean probability."""

    def excess(constant: float) -> float:
        return float(expit(constant + log_odds_at_rest).mean()) - mean

    return float(cast(float, brentq(excess, -40.0, 40.0)))


def clickbait(popularity: FloatArray, quality: FloatArray) -> FloatArray:
    """Popularity that quality does not explain, shape ``(I,)``.

    The residual of log popularity regressed on quality: it draws clicks and satisfies nobody.
    """
    log_popularity = np.log1p(popularity.astype(np.float64))
    predictors = np.stack([np.ones(len(quality)), quality], axis=1)
    slopes = np.linalg.lstsq(predictors, log_popularity, rcond=None)[0]
    return log_popularity - predictors @ slopes


def _worth(
    pools: CandidatePools,
    train: Interactions,
    topics: FloatArray,
    model: tastes.RatingModel,
    hidden: FloatArray,
    config: TasteConfig,
    seed: int,
) -> FloatArray:
    """Log-odds of mean satisfaction: the expected rating's place between lowest and highest."""
    low, high = float(train.rating.min()), float(train.rating.max())
    if high <= low:
        return log_odds(config.unrated_satisfaction) + 0.5 * hidden
    rng = np.random.default_rng([seed, randomness.WORLD])
    slopes = tastes.held_out_slopes(train, topics, config.shrinkage, rng)
    items = np.maximum(pools.items, 0)
    liking = np.einsum("ut,unt->un", model.taste[pools.users], topics[items])
    rating = (
        model.mean
        + slopes.quality * model.quality[items]
        + slopes.taste * liking
        + config.worth_model * base_scores(pools)
        + np.sqrt(config.hidden_share) * slopes.residual * hidden
    )
    return log_odds(np.clip((rating - low) / (high - low), 0.02, 0.98))


def _standardised(values: FloatArray, valid: np.ndarray) -> FloatArray:
    """Zero mean and unit variance over all valid cells."""
    chosen = values[valid]
    return (values - chosen.mean()) / max(float(chosen.std()), 1e-12)
