"""What is measured in each round of a study."""

from collections.abc import Iterator

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.interactions import Interactions
from ..metrics.accuracy import ndcg, relevance_of
from ..metrics.diversity import coverage, gini, intra_list_jaccard
from ..metrics.exposure import exposure_per_item, exposure_share, item_exposure, parity_ratio
from ..metrics.popularity import mean_popularity, popularity_lift, profile_popularity
from .study_users import Reaction

Measure = tuple[str, str, float]
"""Name of the measure, what it is of (``attribute=group``, or empty), and its value."""

MEASURES = {
    "clicks_per_user": "clicks per user in the round",
    "coverage": "share of the catalogue that was shown to someone",
    "data_gini": "Gini coefficient of training interactions over items",
    "exposure_parity": "smallest over largest mean exposure per item of the attribute's groups",
    "exposure_share": "share of the exposure that the group received",
    "gini": "Gini coefficient of exposure over all items",
    "ild": "mean pairwise Jaccard distance of the topics in a slate",
    "ndcg": "NDCG of the slate on held-out interactions that were not clicked before",
    "popularity_lift": "relative rise of mean popularity from profiles to slates, both counted in "
    "the interactions before the study",
    "satisfaction": "mean satisfaction of clicked items",
}


def measure_round(
    base: CandidateSet,
    train: Interactions,
    users: IntArray,
    items: IntArray,
    reaction: Reaction,
) -> Iterator[Measure]:
    """Measures of one round.

    Popularity and groups are those before the first round, so that rounds can be compared.

    Args:
        base: The candidate set before the study.
        train: Training interactions at the time of the recommendation, clicks included.
        users: User indices, shape ``(U,)``.
        items: Items shown, shape ``(U, k)``.
        reaction: What they brought.
    """
    popularity = base.catalogue.popularity
    profile = profile_popularity(base.train.user, base.train.item, popularity, base.n_users)
    lift = popularity_lift(mean_popularity(items, popularity), profile[users])
    yield "popularity_lift", "", lift
    for attribute, groups in base.catalogue.groups.items():
        share = exposure_share(items, groups.codes, len(groups.names))
        for name, value in zip(groups.names, share, strict=True):
            yield "exposure_share", f"{attribute}={name}", float(value)
        per_item = exposure_per_item(items, groups.codes, len(groups.names))
        yield "exposure_parity", attribute, float(parity_ratio(per_item))
    yield "gini", "", float(gini(item_exposure(items, base.n_items)))
    yield "data_gini", "", float(gini(train.counts_per_item().astype(float)))
    yield "coverage", "", float(coverage(items, base.n_items))
    yield "ild", "", float(np.nanmean(intra_list_jaccard(items, base.catalogue.topics)))
    yield "clicks_per_user", "", float(reaction.clicks.sum(axis=1).mean())
    yield "satisfaction", "", _mean(reaction.satisfaction)
    yield "ndcg", "", _mean(_ndcg(base.heldout, train, users, items))


def _ndcg(
    heldout: Interactions, train: Interactions, users: IntArray, items: IntArray
) -> FloatArray:
    """NDCG on what is still held out: an item that was clicked is known, and no longer proposed."""
    left = ~train.contains(heldout.user, heldout.item[:, None])[:, 0]
    relevance, n_relevant = relevance_of(
        items, users, heldout.user[left], heldout.item[left], heldout.n_items
    )
    return ndcg(relevance, n_relevant)


def _mean(values: FloatArray) -> float:
    """Mean of the known values; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
