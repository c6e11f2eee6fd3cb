"""What is measured in each round of a study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.candidate_set import CandidateSet
from ...candidates.interactions import Interactions
from ...candidates.tastes import topic_shares
from ...metrics.accuracy import ndcg, relevance_of
from ...metrics.calibration import calibration_kl
from ...metrics.diversity import coverage, gini, intra_list_jaccard
from ...metrics.exposure import exposure_per_item, exposure_share, item_exposure, parity_ratio
from ...metrics.popularity import mean_popularity, popularity_lift, profile_popularity
from .feedback import FeedbackLog, Visits
from .homogeneity import mean_overlap, most_alike, strangers, total_variation
from .users import StudyUsers

Measure = tuple[str, str, float]
"""Name of the measure, what it is of (``attribute=group``, or empty), and its value."""

MEASURES = {
    "active_users": "users who were shown a slate in the round",
    "clicks_per_user": "clicks in the round per user who was shown a slate",
    "consumption_overlap": "mean Jaccard index of all that two users have clicked so far, over "
    "pairs of users most alike before the study, or of strangers (Chaney et al. 2018)",
    "coverage": "share of the catalogue that was shown to someone",
    "data_gini": "Gini coefficient of training interactions over items",
    "engagement": "sum of the satisfaction with clicks in the round per user of the study; who is "
    "away or has left counts 0",
    "exposure_parity": "smallest over largest mean exposure per item of the attribute's groups",
    "exposure_share": "share of the exposure that the group received",
    "gini": "Gini coefficient of exposure over all items",
    "ild": "mean pairwise Jaccard distance of the topics in a slate",
    "latent_mood": "mean running satisfaction of users who have not left; known to the simulator "
    "alone",
    "ndcg": "NDCG of the slate on held-out interactions that were not clicked before",
    "popularity_lift": "relative rise of mean popularity from profiles to slates, both counted in "
    "the interactions before the study",
    "retention": "share of the study's users who have not left for good by the end of the round",
    "satisfaction": "mean satisfaction of clicked items",
    "slate_overlap": "mean Jaccard index of the items shown to two users in the round, over the "
    "pairs of consumption_overlap (Chaney et al. 2018)",
    "topic_shift": "total variation distance between the topic shares of the first round's clicks "
    "and this round's",
    "topic_shift_kl": "Kullback-Leibler divergence of this round's topic shares of clicks from the "
    "first round's, nats, smoothed as by Steck 2018",
}


@dataclass(frozen=True, slots=True)
class Before:
    """What rounds are compared with: the state before the first one.

    Attributes:
        base: The candidate set before the study.
        users: Who takes part, shape ``(U,)``.
        profile: Mean popularity of what each user had interacted with, shape ``(n_users,)``.
        pairs: Rows of two users each, shape ``(2, P)``, by what pairs them.
    """

    base: CandidateSet
    users: IntArray
    profile: FloatArray
    pairs: dict[str, IntArray]

    @classmethod
    def of(cls, base: CandidateSet, users: IntArray, seed: int = 0) -> Self:
        """Gather it.

        Args:
            base: The candidate set before the study.
            users: Who takes part, at least two.
            seed: Decides who is whose stranger.
        """
        train, popularity = base.train, base.catalogue.popularity
        return cls(
            base,
            users,
            profile_popularity(train.user, train.item, popularity, base.n_users),
            {
                "pairs=alike": most_alike(train, users),
                "pairs=strangers": strangers(len(users), np.random.default_rng(seed)),
            },
        )


def measure_round(
    before: Before, people: StudyUsers, log: FeedbackLog, train: Interactions
) -> Iterator[Measure]:
    """Measures of the day that ends; one that cannot be computed is left out.

    Popularity, groups and pairs of users are those before the first round, so that rounds can be
    compared.

    Args:
        before: The state before the study.
        people: The users, on the day to measure.
        log: All visits up to now.
        train: Training interactions at the time of the recommendation.
    """
    today = [visits for visits in log.visits if visits.day == people.day]
    measures = [
        *_of_people(people, today),
        *_of_data(before, log, train),
    ]
    if today:
        users = np.concatenate([visits.users for visits in today])
        items = np.concatenate([visits.items for visits in today])
        measures += _of_slates(before, users, items, train)
        measures += _of_clicks(before.base, log, people.day)
    yield from (measure for measure in measures if not np.isnan(measure[2]))


def _of_people(people: StudyUsers, today: Sequence[Visits]) -> Iterator[Measure]:
    came = len(np.unique(np.concatenate([[], *(visits.users for visits in today)])))
    known = [visits.satisfaction[visits.clicks] for visits in today]
    satisfaction = np.concatenate([np.zeros(0), *known])
    yield "active_users", "", float(came)
    yield "retention", "", float(1.0 - people.left.mean())
    yield "engagement", "", float(satisfaction.sum() / len(people))
    yield "latent_mood", "", _mean(people.population.mood[~people.left])
    yield "satisfaction", "", _mean(satisfaction)
    yield "clicks_per_user", "", len(satisfaction) / came if came else float("nan")


def _of_data(before: Before, log: FeedbackLog, train: Interactions) -> Iterator[Measure]:
    yield "data_gini", "", float(gini(train.counts_per_item().astype(float)))
    chosen = [(visits.users, visits.items, visits.clicks) for visits in log.visits]
    yield from _overlaps("consumption_overlap", before, chosen)


def _of_slates(
    before: Before, users: IntArray, items: IntArray, train: Interactions
) -> Iterator[Measure]:
    """Measures of ``S`` slates: users ``(S,)`` and items ``(S, k)``."""
    base = before.base
    popularity = mean_popularity(items, base.catalogue.popularity)
    yield "popularity_lift", "", popularity_lift(popularity, before.profile[users])
    for attribute, groups in base.catalogue.groups.items():
        share = exposure_share(items, groups.codes, len(groups.names))
        for name, value in zip(groups.names, share, strict=True):
            yield "exposure_share", f"{attribute}={name}", float(value)
        per_item = exposure_per_item(items, groups.codes, len(groups.names))
        yield "exposure_parity", attribute, float(parity_ratio(per_item))
    yield "gini", "", float(gini(item_exposure(items, base.n_items)))
    yield "coverage", "", float(coverage(items, base.n_items))
    yield "ild", "", _mean(intra_list_jaccard(items, base.catalogue.topics))
    yield "ndcg", "", _mean(_ndcg(base.heldout, train, users, items))
    yield from _overlaps("slate_overlap", before, [(users, items, np.ones(items.shape, np.bool_))])


def _of_clicks(base: CandidateSet, log: FeedbackLog, day: int) -> Iterator[Measure]:
    """How far the topics of what was clicked have moved since the first round."""
    topics = topic_shares(base.catalogue.topics)
    first, now = (_clicked_topics(log, topics, which) for which in (0, day))
    yield "topic_shift", "", total_variation(now, first)
    yield "topic_shift_kl", "", float(calibration_kl(now[None], first[None])[0])


def _clicked_topics(log: FeedbackLog, topics: FloatArray, day: int) -> FloatArray:
    """Topic shares of a day's clicks, shape ``(T,)``; NaN without any."""
    chosen = [visits.items[visits.clicks] for visits in log.visits if visits.day == day]
    total = topics[np.concatenate([np.zeros(0, np.int64), *chosen])].sum(axis=0)
    return np.divide(total, total.sum(), out=np.full_like(total, np.nan), where=total.sum() > 0)


def _overlaps(
    name: str, before: Before, slates: Sequence[tuple[IntArray, IntArray, BoolArray]]
) -> Iterator[Measure]:
    """Overlaps of pairs, over the marked items of slates of users."""
    row_of = np.zeros(before.base.n_users, np.int64)
    row_of[before.users] = np.arange(len(before.users))
    at = [(row_of[users][np.nonzero(marked)[0]], items[marked]) for users, items, marked in slates]
    none = np.zeros(0, np.int64)
    row = np.concatenate([none, *(part[0] for part in at)])
    item = np.concatenate([none, *(part[1] for part in at)])
    shape = (len(before.users), before.base.n_items)
    for of, pairs in before.pairs.items():
        yield name, of, mean_overlap(row, item, pairs, shape)


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
