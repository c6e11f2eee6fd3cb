"""What a user's history with the platform says of each topic, before any new visit."""

import numpy as np

from ..arrays import BoolArray, FloatArray
from .interactions import Interactions
from .tastes import rating_model, topic_affinity, topic_shares, usual_topics

AFFINITY, TASTE = 0, 1
"""Rows of `topic_history`."""

SHRINKAGE = 10.0
"""Interactions, or ratings, at which a user's own figure is believed by half."""


def topic_history(train: Interactions, topics: BoolArray) -> FloatArray:
    """Affinity and taste by topic of each user, from training interactions alone.

    Affinity is the log of how much more often than usual a user met the topic; taste how much
    higher than the items' own means the user rated it, in half ranges of the ratings, beyond the
    user's own level. Both are shrunk towards 0.

    Args:
        train: Interactions of ``U`` users.
        topics: Topic membership, shape ``(I, T)``.

    Returns:
        Shape ``(U, 2, T)``, float32; 0 for users without any interaction.
    """
    history = np.zeros((train.n_users, 2, topics.shape[1]), np.float32)
    if len(train) == 0 or topics.shape[1] == 0:
        return history
    shares = topic_shares(topics)
    known = np.zeros(train.n_users, np.bool_)
    known[train.user] = True
    affinity = topic_affinity(train, shares, usual_topics(train, shares), SHRINKAGE)
    history[known, AFFINITY] = affinity[known]
    half_range = 0.5 * float(np.ptp(train.rating))
    if half_range > 0:
        history[:, TASTE] = rating_model(train, shares, SHRINKAGE).taste / half_range
    return history
