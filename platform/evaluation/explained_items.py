"""Recommended items of many users, with their evidence and the arrays behind it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...candidates.candidate_set import CandidateSet
from ...explain.evidence import Evidence
from ...explain.sanitise import display_title
from ...explain.writer import Explainer
from ..decision import Decision
from ..reasons import give_reasons
from ..recommender import Recommender
from .corruptions import World
from .plain_oracle import PlainOracle, Served

_BATCH = 16
"""Users ranked at a time."""


@dataclass(frozen=True, slots=True)
class Item:
    """One recommended item.

    Attributes:
        evidence: What is known.
        oracle: Judges texts about its slate.
        position: Its place on the slate, 0 the top.
        world: What lies about it are made of.
    """

    evidence: Evidence
    oracle: PlainOracle
    position: int
    world: World


def explained_items(
    recommender: Recommender, n: int, noun: str, rng: np.random.Generator
) -> tuple[Item, ...]:
    """The first ``n`` items of the slates of users in random order; nothing is recorded."""
    users = rng.permutation(np.flatnonzero((recommender.candidates.items >= 0).all(axis=1)))
    found: list[Item] = []
    for start in range(0, len(users), _BATCH):
        if len(found) >= n:
            break
        batch = users[start : start + _BATCH]
        ids = [str(recommender.candidates.user_ids[user]) for user in batch]
        request = recommender.request(ids, seed=int(rng.integers(2**31)))
        decision = recommender.rerank(request, recommender.candidates.pools(request.users))
        found += _items(recommender, decision, noun)
    return tuple(found[:n])


def _items(recommender: Recommender, decision: Decision, noun: str) -> Iterator[Item]:
    candidates = recommender.candidates
    reasons = give_reasons(decision, recommender.orderer, candidates, Explainer(noun=noun))
    for row, user in enumerate(map(int, decision.request.users)):
        served = _served(recommender, decision, row, user)
        oracle = PlainOracle(candidates.catalogue, served, noun)
        world = _world(candidates, user, served)
        for position, reason in enumerate(reasons[row]):
            yield Item(reason.evidence, oracle, position, world)


def _served(recommender: Recommender, decision: Decision, row: int, user: int) -> Served:
    candidates, orderer = recommender.candidates, recommender.orderer
    trace = orderer.trace(decision.situation, decision.ordered, row)
    history = candidates.history(user)
    return Served(
        history=history,
        ratings=candidates.train.ratings_of(user),
        weights=_weights(candidates, user, trace.shown),
        weights_add_up=candidates.item_weights is not None,
        pool=decision.proposed.items[row, : int(decision.proposed.sizes[row])],
        trace=trace,
        reasons=orderer.policy_reasons(decision.situation, decision.ordered, row),
    )


def _weights(candidates: CandidateSet, user: int, shown: IntArray) -> FloatArray | None:
    """By the model's own account, what each item of the history does for each shown one."""
    history = candidates.history(user)
    if candidates.item_weights is not None:
        return candidates.item_weights.contributions(history, shown)
    if candidates.left_out is not None:
        return candidates.left_out.weights(user, candidates.items[user], history, shown)
    return None


def _world(candidates: CandidateSet, user: int, served: Served) -> World:
    """Titles that the user has nothing to do with: a lie about them is one."""
    met = np.concatenate(
        [candidates.seen(user), candidates.heldout.items_of(user), served.trace.shown]
    )
    catalogue = candidates.catalogue
    strange = np.setdiff1d(np.arange(catalogue.n_items), met)
    known = {display_title(str(catalogue.titles[item]), "") for item in met}
    titles = [
        display_title(str(catalogue.titles[item]), str(catalogue.item_ids[item]))
        for item in strange
    ]
    return World(tuple(title for title in titles if title not in known), catalogue.topic_names)
