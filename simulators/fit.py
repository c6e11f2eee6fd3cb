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

from dataclasses import dataclass
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
from .config import WorldConfig
from .dynamics import log_odds
from .known_taste import KnownTaste, KnownWorth
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
    given = _given(candidates, config or WorldConfig(), pools)
    config, pools, hidden = given.config, given.pools, hidden_taste(given.pools, seed)
    mixture = _mixture(given) + config.tastes.appeal_hidden * hidden
    spread = config.choice.attraction_spread * _standardised(mixture, pools.valid)
    appeal = spread + intercept(spread[pools.valid], config.choice.base_attraction)
    worth = _worth(given, seed).log_odds(hidden)
    return World(
        config=config,
        pools=pools,
        catalogue=candidates.catalogue,
        topics=given.topics.astype(np.float32),
        usual_topics=given.usual.astype(np.float32),
        appeal=np.where(pools.valid, appeal, NEVER).astype(np.float32),
        worth=np.where(pools.valid, worth, NEVER).astype(np.float32),
        sensitivities=draw_sensitivities(pools.users, config.heterogeneity, seed),
    )


def fit_known_taste(
    candidates: CandidateSet,
    config: WorldConfig | None = None,
    seed: int = 0,
    pools: CandidatePools | None = None,
) -> KnownTaste:
    """What `fit_world` of the same arguments makes, but for hidden taste: for references alone.

    Raises:
        EmptyData: As `fit_world`.
    """
    given = _given(candidates, config or WorldConfig(), pools)
    config, pools, hidden = given.config, given.pools, hidden_taste(given.pools, seed)
    weight, known = config.tastes.appeal_hidden, _mixture(given)
    mixture = known + weight * hidden
    chosen = mixture[pools.valid]
    scale = config.choice.attraction_spread / max(float(chosen.std()), 1e-12)
    spread = config.choice.attraction_spread * _standardised(mixture, pools.valid)
    constant = intercept(spread[pools.valid], config.choice.base_attraction)
    return KnownTaste(
        users=pools.users,
        appeal=(scale * (known - chosen.mean()) + constant).astype(np.float32),
        appeal_slope=scale * weight,
        worth=_worth(given, seed),
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """What ratings and candidates tell, before anything hidden is added."""

    config: WorldConfig
    pools: CandidatePools
    train: Interactions
    topics: FloatArray
    usual: FloatArray
    popularity: FloatArray
    model: tastes.RatingModel


def _given(candidates: CandidateSet, config: WorldConfig, pools: CandidatePools | None) -> _Given:
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
    model = tastes.rating_model(train, topics, config.tastes.shrinkage)
    popularity = candidates.catalogue.popularity
    return _Given(config, pools, train, topics, usual, popularity, model)


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


def _mixture(given: _Given) -> FloatArray:
    """What is known of click appeal at rest, ``(U, N)``: three parts, in no unit yet."""
    pools, t = given.pools, given.config.tastes
    valid, items = pools.valid, np.maximum(pools.items, 0)
    affinity = tastes.topic_affinity(given.train, given.topics, given.usual, t.shrinkage)
    liking = np.einsum("ut,unt->un", affinity[pools.users], given.topics[items])
    bait = clickbait(given.popularity, given.model.quality)[items]
    return (
        t.appeal_model * base_scores(pools)
        + t.appeal_topics * _standardised(liking, valid)
        + t.appeal_clickbait * _standardised(bait, valid)
    )


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


def _worth(given: _Given, seed: int) -> KnownWorth:
    """Mean satisfaction: the expected rating's place between the lowest and the highest."""
    train, t, model = given.train, given.config.tastes, given.model
    low, high = float(train.rating.min()), float(train.rating.max())
    if high <= low:
        constant = np.full(given.pools.items.shape, log_odds(t.unrated_satisfaction))
        return KnownWorth(constant, 0.5, None)
    rng = np.random.default_rng([seed, randomness.WORLD])
    slopes = tastes.held_out_slopes(train, given.topics, t.shrinkage, rng)
    items = np.maximum(given.pools.items, 0)
    liking = np.einsum("ut,unt->un", model.taste[given.pools.users], given.topics[items])
    rating = (
        model.mean
        + slopes.quality * model.quality[items]
        + slopes.taste * liking
        + t.worth_model * base_scores(given.pools)
    )
    return KnownWorth(rating, float(np.sqrt(t.hidden_share) * slopes.residual), (low, high))


def _standardised(values: FloatArray, valid: np.ndarray) -> FloatArray:
    """Zero mean and unit variance over all valid cells."""
    chosen = values[valid]
    return (values - chosen.mean()) / max(float(chosen.std()), 1e-12)
