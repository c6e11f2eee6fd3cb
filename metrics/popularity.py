"""How far lists lean on what was popular in the training data."""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .lists import look_up, mean_over_positions, sum_by


def mean_popularity(lists: IntArray, popularity: FloatArray) -> FloatArray:
    """Mean training popularity of each list, shape ``(U,)``.

    Its mean over users is ARP (Abdollahpouri et al. 2019).

    Args:
        lists: Item indices, shape ``(U, k)``.
        popularity: Training interactions of each item, shape ``(I,)``.
    """
    return mean_over_positions(look_up(popularity, lists))


def long_tail_share(lists: IntArray, long_tail: BoolArray) -> FloatArray:
    """Share of each list's items that are long-tail, every position alike, shape ``(U,)``.

    Its mean over users is APLT (Abdollahpouri et al. 2019).
    """
    return mean_over_positions(look_up(long_tail.astype(np.float64), lists))


def profile_popularity(
    users: IntArray, items: IntArray, popularity: FloatArray, n_users: int
) -> FloatArray:
    """Mean popularity of what each user interacted with, shape ``(n_users,)``; NaN for nobody.

    Args:
        users: User index of each training interaction, shape ``(R,)``.
        items: Item index of each training interaction, shape ``(R,)``.
        popularity: Training interactions of each item, shape ``(I,)``.
        n_users: Number of users.
    """
    n_seen = np.bincount(users, minlength=n_users)
    total = sum_by(users, popularity[items], n_users)
    return np.divide(total, n_seen, out=np.full(n_users, np.nan), where=n_seen > 0)


def popularity_lift(list_popularity: FloatArray, profile: FloatArray) -> float:
    """(GAP of lists − GAP of profiles) / GAP of profiles (Abdollahpouri et al. 2020).

    GAP is the group average popularity: the mean over a group's users of a per-user mean.

    Args:
        list_popularity: Mean popularity of each user's lists, shape ``(U,)``.
        profile: Mean popularity of each user's profile, shape ``(U,)``. Users for whom either is
            NaN are left out.

    Returns:
        0 when lists are as popular as profiles; NaN if no user can be compared.
    """
    both = np.isfinite(list_popularity) & np.isfinite(profile)
    if not both.any():
        return float("nan")
    before = profile[both].mean()
    return float((list_popularity[both].mean() - before) / before)


def novelty(lists: IntArray, popularity: FloatArray, n_users: int) -> FloatArray:
    """Mean of −log2(popularity / users) of each list, bits, shape ``(U,)`` (Zhou et al. 2010).

    An item that nobody interacted with counts as if one user had, so that the value is finite.
    """
    if n_users < 1:
        raise InvalidValue(f"n_users is {n_users}", field="n_users")
    surprise = -np.log2(np.maximum(popularity, 1.0) / n_users)
    return mean_over_positions(look_up(surprise, lists))


def serendipity(
    relevance: BoolArray, model_probability: FloatArray, popularity_probability: FloatArray
) -> FloatArray:
    """Relevant and not obvious: mean over relevant positions of max(0, P_model − P_pop).

    This is the form of Ge et al. (2010) as RecTools and Microsoft Recommenders discuss it, with
    a popularity model as the primitive one; other libraries define other things by this name.

    Args:
        relevance: Shape ``(U, k)``.
        model_probability: The model's probability of each shown item, shape ``(U, k)``.
        popularity_probability: A popularity model's probability of it, shape ``(U, k)``.

    Returns:
        Shape ``(U,)``; 0 for a list without a relevant item.
    """
    surprise = np.maximum(model_probability - popularity_probability, 0.0)
    n_relevant = relevance.sum(axis=1)
    return np.where(relevance, surprise, 0.0).sum(axis=1) / np.maximum(n_relevant, 1)
