"""What ratings tell of quality and taste: shrunk means and how far they can be trusted."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..arrays import FloatArray
from .interactions import Interactions


def topic_shares(membership: np.ndarray) -> FloatArray:
    """Topic membership ``(I, T)`` with rows that sum to 1, or to 0 without any topic."""
    counts = membership.sum(axis=1, keepdims=True)
    return membership / np.maximum(counts, 1)


@dataclass(frozen=True, slots=True)
class RatingModel:
    """Rating ≈ mean + quality of the item + the user's level + the user's taste for its topics.

    Baseline predictors with shrunk means, as in Koren & Bell 2015, "Advances in collaborative
    filtering", section 3.2.1, with topics in place of single items for the taste.

    Attributes:
        mean: Mean rating.
        quality: Item effect, shape ``(I,)``, rating points.
        level: User effect, shape ``(U,)``, rating points.
        taste: User's effect per topic, shape ``(U, T)``, rating points.
    """

    mean: float
    quality: FloatArray
    level: FloatArray
    taste: FloatArray


@dataclass(frozen=True, slots=True)
class Slopes:
    """How much of each shrunk mean holds on ratings it was not computed from.

    Attributes:
        quality: Regression slope on the item effect.
        taste: Regression slope on the topic taste.
        residual: Standard deviation of what is left, rating points.
    """

    quality: float
    taste: float
    residual: float


def rating_model(interactions: Interactions, topics: FloatArray, shrinkage: float) -> RatingModel:
    """Shrunk means of the ratings.

    Args:
        interactions: Ratings of ``U`` users on ``I`` items.
        topics: Topic shares, shape ``(I, T)``.
        shrinkage: Ratings that pull a mean half-way to zero.
    """
    user, item = interactions.user, interactions.item
    n_users, n_items = interactions.n_users, interactions.n_items
    rating = interactions.rating.astype(np.float64)
    mean = float(rating.mean())
    left = rating - mean
    quality = _shrunk(left, item, n_items, shrinkage)
    left = left - quality[item]
    level = _shrunk(left, user, n_users, shrinkage)
    left = left - level[user]
    amount = sp.csr_matrix((np.ones(len(left)), (user, item)), shape=(n_users, n_items)) @ topics
    total = sp.csr_matrix((left, (user, item)), shape=(n_users, n_items)) @ topics
    return RatingModel(mean, quality, level, total / (amount + shrinkage))


def held_out_slopes(
    interactions: Interactions, topics: FloatArray, shrinkage: float, rng: np.random.Generator
) -> Slopes:
    """Fit the means on a random half of the ratings and regress the other half on them.

    The slopes are then used with the means of all ratings. Those are shrunk less (which makes the
    slopes too steep for them) and less noisy (too flat); neither is corrected for.
    """
    first = rng.random(len(interactions)) < 0.5
    model = rating_model(_subset(interactions, first), topics, shrinkage)
    user, item = interactions.user[~first], interactions.item[~first]
    taste = (model.taste[user] * topics[item]).sum(axis=1)
    predictors = np.stack([np.ones(len(user)), model.quality[item], model.level[user], taste], 1)
    target = interactions.rating[~first].astype(np.float64) - model.mean
    slopes = np.linalg.lstsq(predictors, target, rcond=None)[0]
    residual = float(np.std(target - predictors @ slopes))
    return Slopes(float(max(slopes[1], 0.0)), float(max(slopes[3], 0.0)), residual)


def topic_affinity(
    interactions: Interactions, topics: FloatArray, usual: FloatArray, shrinkage: float
) -> FloatArray:
    """Log of how much more often than usual each user meets each topic, shape ``(U, T)``.

    Counts get ``shrinkage`` pseudo-interactions of the usual topic shares.
    """
    counts: FloatArray = interactions.matrix().astype(np.float64) @ topics
    totals = np.asarray(counts).sum(axis=1, keepdims=True)
    share = (counts + shrinkage * usual) / (totals + shrinkage)
    return np.log(share / np.maximum(usual, 1e-12), where=usual > 0, out=np.zeros_like(share))


def usual_topics(interactions: Interactions, topics: FloatArray) -> FloatArray:
    """Topic shares of all interactions, shape ``(T,)``; they sum to 1 where there are topics."""
    total = interactions.counts_per_item() @ topics
    return total / max(float(total.sum()), 1e-12)


def _shrunk(values: FloatArray, of: np.ndarray, n: int, shrinkage: float) -> FloatArray:
    counts = np.bincount(of, minlength=n)
    return np.bincount(of, weights=values, minlength=n) / np.maximum(counts + shrinkage, 1e-12)


def _subset(interactions: Interactions, keep: np.ndarray) -> Interactions:
    return Interactions.build(
        interactions.user[keep],
        interactions.item[keep],
        interactions.rating[keep],
        interactions.timestamp[keep],
        interactions.n_users,
        interactions.n_items,
    )
