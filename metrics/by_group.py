"""Named disaggregations: thin functions above ``disaggregate``.

Each takes what its metric takes, then the groups, then the options of ``disaggregate.Options``
(``minimum``, ``n_bootstrap``, ``n_permutations``, ``rng``, ``confidence``). For several attributes
at once give ``intersections.intersect([...])``.
"""

from typing import Unpack

from ..arrays import BoolArray, FloatArray, IntArray
from .accuracy import hit, ndcg, recall
from .calibration import calibration_kl
from .disaggregate import Disaggregated, Options, disaggregate, disaggregate_items
from .diversity import intra_list_jaccard
from .exposure import exposure_matrix
from .gaps import utility_loss
from .intersections import GroupsLike
from .item_statistics import popularity_lift_of
from .policy_exposure import expected_exposure_matrix


def ndcg_by_user_group(
    relevance: BoolArray, n_relevant: IntArray, groups: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """Mean NDCG of each group of users."""
    return disaggregate(ndcg(relevance, n_relevant), groups, **options)


def recall_by_user_group(
    relevance: BoolArray, n_relevant: IntArray, groups: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """Mean recall of each group of users."""
    return disaggregate(recall(relevance, n_relevant), groups, **options)


def hit_rate_by_user_group(
    relevance: BoolArray, n_relevant: IntArray, groups: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """Share of each group's users with a relevant position."""
    return disaggregate(hit(relevance, n_relevant), groups, **options)


def utility_loss_by_user_group(
    before: FloatArray, after: FloatArray, groups: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """What each group of users loses, on average, of a metric against the base order."""
    return disaggregate(utility_loss(before, after), groups, **options)


def diversity_by_user_group(
    lists: IntArray, topics: BoolArray, groups: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """Mean pairwise Jaccard distance within the lists of each group of users."""
    return disaggregate(intra_list_jaccard(lists, topics), groups, **options)


def miscalibration_by_user_group(
    profiles: FloatArray, shown: FloatArray, groups: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """Mean calibration divergence of each group of users, from topic shares ``(U, T)``."""
    return disaggregate(calibration_kl(profiles, shown), groups, **options)


def popularity_lift_by_user_group(
    list_popularity: FloatArray, profile: FloatArray, groups: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """Popularity lift of each group of users (Abdollahpouri et al. 2020), a ratio of sums."""
    return disaggregate(popularity_lift_of(list_popularity, profile), groups, **options)


def exposure_by_provider(
    lists: IntArray, providers: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """Exposure per item and list of each provider, or of any other group of items."""
    shown = exposure_matrix(lists, len(providers.codes))
    return disaggregate_items(shown, providers, **options)


def expected_exposure_by_provider(
    exposure: FloatArray, items: IntArray, providers: GroupsLike, **options: Unpack[Options]
) -> Disaggregated:
    """The same of a stochastic policy, from expected exposure and items, both ``(U, N)``."""
    shown = expected_exposure_matrix(exposure, items, len(providers.codes))
    return disaggregate_items(shown, providers, **options)
