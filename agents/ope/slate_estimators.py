"""Estimators that use how a user reads a slate, so that fewer things must agree by chance.

Shapes are ``(n, k)``: ``r`` what each position earned, ``w`` the ratio of target to logging
probabilities, of each item at its position (`iips`) or of each prefix (`rips`, `cascade_dr`). All
take O(n k).
"""

import numpy as np

from ...arrays import FloatArray
from .terms import Terms


def iips(w: FloatArray, r: FloatArray) -> Terms:
    """Independent IPS, mean of Σ_j w_j r_j.

    Unbiased where what a position earns depends on its own item alone (the item-position click
    model). Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay & Wen 2018, "Offline Evaluation of
    Ranking Policies with Click Models".

    Args:
        w: Ratios of the item's probability at its position.
        r: Rewards.
    """
    return Terms.mean((w * r).sum(axis=1))


def rips(w: FloatArray, r: FloatArray) -> Terms:
    """Reward-interaction IPS, mean of Σ_j w_{1:j} r_j.

    Unbiased where what a position earns depends on the items down to it (users read from the top).
    McInerney, Brost, Chandar, Mehrotra & Carterette 2020, "Counterfactual Evaluation of Slate
    Recommendations with Sequential Reward Interactions".

    Args:
        w: Ratios of the prefixes' probabilities.
        r: Rewards.
    """
    return Terms.mean((w * r).sum(axis=1))


def self_normalised(w: FloatArray, r: FloatArray) -> Terms:
    """`iips` or `rips` with each position normalised by its own weights, Σ_j (Σ w_j r_j / Σ w_j).

    Consistent under the same assumption; the form that McInerney et al. 2020 recommend.
    """
    return Terms.ratio(w * r, w)


def cascade_dr(w: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray) -> Terms:
    """Cascade doubly robust, mean of Σ_j [w_{1:j} (r_j − q_j) + w_{1:j−1} v_j].

    Unbiased under the assumption of `rips`, for any model that did not see the rewards; the better
    the model, the smaller the variance. Kiyohara, Saito, Matsuhiro, Narita, Shimizu & Yamamoto
    2022, "Doubly Robust Off-Policy Evaluation for Ranking Policies under the Cascade Behavior
    Model".

    Args:
        w: Ratios of the prefixes' probabilities.
        r: Rewards.
        q: Guess, given the first j items, of what positions j to k earn under the target.
        v: Mean of q over the target's choice of the j-th item, given the j − 1 items above.
    """
    above = np.concatenate([np.ones((len(w), 1)), w[:, :-1]], axis=1)
    return Terms.mean((w * (r - q) + above * v).sum(axis=1))
