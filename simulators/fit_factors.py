"""A world in factors, from ratings or made up."""

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates import tastes
from ..candidates.candidate_set import CandidateSet
from ..candidates.tastes import topic_shares
from ..errors import EmptyData
from . import dynamics, randomness
from .config import WorldConfig
from .factor_world import FactorWorld
from .fit import clickbait, draw_sensitivities, intercept

_SAMPLE = 200_000
"""Cells of users times items from which means and spreads are estimated."""


def fit_factor_world(
    candidates: CandidateSet,
    config: WorldConfig | None = None,
    seed: int = 0,
    users: IntArray | None = None,
) -> FactorWorld:
    """A truth about every user and every item of the catalogue.

    As ``fit_world`` on all items, with two differences: the base model's score is no part of it
    (it has no factors in general), and satisfaction is linear in the expected rating on the
    log-odds scale (the tangent at the mean rating).

    Args:
        candidates: Catalogue and ratings; pools are not used.
        config: The parameters; defaults when None.
        seed: Decides hidden tastes, sensitivities, and what is sampled.
        users: User indices; all users with a training interaction by default.

    Raises:
        EmptyData: There is no training interaction.
    """
    config, train = config or WorldConfig(), candidates.train
    if len(train) == 0:
        raise EmptyData("no training interaction", field="candidates", mend="Use more data.")
    users = np.unique(train.user) if users is None else users
    topics = topic_shares(candidates.catalogue.topics)
    usual = tastes.usual_topics(train, topics)
    t, rng = config.tastes, np.random.default_rng([seed, randomness.WORLD])
    model = tastes.rating_model(train, topics, t.shrinkage)
    cells = rng.integers(len(users), size=_SAMPLE), rng.integers(len(topics), size=_SAMPLE)
    affinity = tastes.topic_affinity(train, topics, usual, t.shrinkage)[users]
    bait = clickbait(candidates.catalogue.popularity, model.quality)
    appeal = _appeal(affinity, bait, topics, cells, config)
    worth = _worth(candidates, model, users, seed, config)
    return FactorWorld(
        config=config,
        users=users,
        topics=topics.astype(np.float32),
        usual_topics=usual.astype(np.float32),
        bias=np.stack([appeal[0], worth[0]]).astype(np.float32),
        interest=np.stack([appeal[1], worth[1]], axis=1).astype(np.float32),
        hidden=np.array([appeal[2], worth[2]], np.float32),
        luck=randomness.stream_keys(seed, randomness.WORLD, users),
        sensitivities=draw_sensitivities(users, config.heterogeneity, seed),
    )


def made_up_factor_world(
    n_users: int, n_items: int, n_topics: int, config: WorldConfig | None = None, seed: int = 0
) -> FactorWorld:
    """A world from nothing, in time and memory of users plus items; for tests and benchmarks.

    Items have one to three topics; interests and biases are normal.
    """
    config = config or WorldConfig()
    rng = np.random.default_rng([seed, randomness.WORLD])
    topics = np.zeros((n_items, n_topics), np.float32)
    for _ in range(3):
        topics[np.arange(n_items), rng.integers(n_topics, size=n_items)] = 1.0
    users = np.arange(n_users)
    base = dynamics.log_odds(config.choice.base_attraction)
    bias = 0.5 * rng.standard_normal((2, n_items)) + np.stack([base, np.float32(0.0)])[:, None]
    return FactorWorld(
        config=config,
        users=users,
        topics=topic_shares(topics).astype(np.float32),
        usual_topics=np.full(n_topics, 1.0 / n_topics, np.float32),
        bias=bias.astype(np.float32),
        interest=0.8 * rng.standard_normal((n_users, 2, n_topics), np.float32),
        hidden=np.full(2, 0.5, np.float32),
        luck=randomness.stream_keys(seed, randomness.WORLD, users),
        sensitivities=draw_sensitivities(users, config.heterogeneity, seed),
    )


Part = tuple[FloatArray, FloatArray, float]
"""Log-odds by item ``(I,)``, by user and topic ``(U, T)``, and the spread of the hidden part."""


def _appeal(
    affinity: FloatArray,
    bait: FloatArray,
    topics: FloatArray,
    cells: tuple[IntArray, IntArray],
    config: WorldConfig,
) -> Part:
    """As in ``fit``: a weighted mixture, scaled to the spread, around the base attraction."""
    t, (user, item) = config.tastes, cells
    liking = np.einsum("nt,nt->n", affinity[user], topics[item])
    by_topic = t.appeal_topics / max(float(liking.std()), 1e-12)
    by_bait = t.appeal_clickbait / max(float(bait[item].std()), 1e-12)
    known = by_topic * liking + by_bait * bait[item]
    total = float(np.hypot(known.std(), t.appeal_hidden))
    scale = config.choice.attraction_spread / max(total, 1e-12)
    hidden = np.random.default_rng(0).standard_normal(len(item)) * t.appeal_hidden
    constant = intercept(scale * (known + hidden), config.choice.base_attraction)
    return scale * by_bait * bait + constant, scale * by_topic * affinity, scale * t.appeal_hidden


def _worth(
    candidates: CandidateSet,
    model: tastes.RatingModel,
    users: IntArray,
    seed: int,
    config: WorldConfig,
) -> Part:
    """Log-odds of the expected rating's place on the scale, by its tangent at the mean."""
    train, t = candidates.train, config.tastes
    n_items, n_topics = candidates.n_items, model.taste.shape[1]
    low, high = float(train.rating.min()), float(train.rating.max())
    if high <= low:
        rest = float(dynamics.log_odds(t.unrated_satisfaction))
        return np.full(n_items, rest), np.zeros((len(users), n_topics)), 0.5
    rng = np.random.default_rng([seed, randomness.WORLD])
    topics = topic_shares(candidates.catalogue.topics)
    slopes = tastes.held_out_slopes(train, topics, t.shrinkage, rng)
    mean = float(np.clip((model.mean - low) / (high - low), 0.02, 0.98))
    per_point = 1.0 / ((high - low) * mean * (1.0 - mean))
    return (
        float(dynamics.log_odds(mean)) + per_point * slopes.quality * model.quality,
        per_point * slopes.taste * model.taste[users],
        float(per_point * np.sqrt(t.hidden_share) * slopes.residual),
    )
