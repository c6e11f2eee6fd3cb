"""From a fitted model, a user and a slate to one evidence record per shown item."""

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.catalogue import Catalogue
from ..errors import InvalidValue
from .attribution import Attribution, attribute
from .evidence import Evidence, LikedRule, Link, ScoreParts, WithoutRules
from .facts import CatalogueFacts
from .taste import topic_shares
from .trace import RankTrace, places_without_rules

LIKED_FROM = 4.0
"""A rating from which an item counts as liked, on a scale of 1 to 5."""

MIN_SHARE = 0.01
"""A liked item with less than this part of the contribution is not named."""


def gather_evidence(
    candidates: CandidateSet, user: int, trace: RankTrace, max_links: int = 3
) -> tuple[Evidence, ...]:
    """The evidence for each item of one user's slate, in the slate's order.

    Args:
        candidates: The fitted model whose scores were re-ranked.
        user: User index.
        trace: What the re-ranker did.
        max_links: Liked items named per shown item.
    """
    history = candidates.history(user)
    return gather_from_arrays(
        candidates.catalogue,
        history,
        candidates.train.ratings_of(user),
        trace,
        attribute(candidates, user, trace.shown),
        max_links,
        in_order=_in_order(candidates, user),
    )


def _in_order(candidates: CandidateSet, user: int) -> bool:
    """Whether the log's times tell what of a history came last."""
    train = candidates.train
    times = train.timestamp[train.indptr[user] : train.indptr[user + 1]]
    return len(times) > 1 and bool(times.min() < times.max())


def gather_from_arrays(
    catalogue: Catalogue,
    history: IntArray,
    ratings: FloatArray | None,
    trace: RankTrace,
    attribution: Attribution,
    max_links: int = 3,
    in_order: bool = False,
) -> tuple[Evidence, ...]:
    """The same from arrays alone.

    Args:
        catalogue: The items.
        history: The user's items, shape ``(H,)``.
        ratings: Ratings of them, shape ``(H,)``; None where nothing was rated.
        trace: What the re-ranker did.
        attribution: Weights of the history for the shown items, shape ``(H, k)``.
        max_links: Liked items named per shown item.
        in_order: Whether the history is known to be oldest first.

    Raises:
        InvalidValue: The shapes do not fit each other.
    """
    shape = (len(history), len(trace.shown))
    if attribution.weights.shape != shape:
        raise InvalidValue(f"weights {attribution.weights.shape}, not {shape}", field="attribution")
    if ratings is not None and len(ratings) != len(history):
        raise InvalidValue(f"{len(ratings)} ratings for {len(history)} items", field="ratings")
    liked, rule = liked_items(history, ratings)
    shares = np.where(liked[:, None], attribution.shares(), 0.0)
    strongest = np.argsort(-shares, axis=0, kind="stable")[:max_links]
    columns = trace.shown_columns()
    moves = trace.moves()
    facts = CatalogueFacts(catalogue)
    unruled = places_without_rules(trace)
    chosen = facts.topics_of_each(history)

    def links(position: int) -> tuple[Link, ...]:
        topics = catalogue.topics[trace.shown[position]]
        rows = [row for row in strongest[:, position] if shares[row, position] >= MIN_SHARE]
        return tuple(
            Link(
                item=facts.of(int(history[row])),
                share=min(1.0, float(shares[row, position])),
                rating=None if ratings is None or rule == "all_history" else float(ratings[row]),
                shared_topics=facts.names(topics & catalogue.topics[history[row]]),
            )
            for row in rows
        )

    def without_rules(position: int) -> WithoutRules | None:
        if not unruled:
            return None
        rank, exact, item = unruled[position]
        instead_of = None if item is None else facts.of(item)
        return WithoutRules(rank=rank, exact=exact, instead_of=instead_of)

    return tuple(
        Evidence(
            item=facts.of(int(item)),
            links=links(position),
            attribution=attribution.method,
            liked=rule,
            n_liked=int(liked.sum()),
            base_score=float(trace.base_scores[columns[position]]),
            base_rank=int(columns[position]) + 1,
            pool_size=len(trace.pool),
            shown_rank=position + 1,
            parts=ScoreParts(**{name: float(part[position]) for name, part in trace.parts.items()}),
            moves=moves[position],
            taste=topic_shares(facts.topics_of(int(item)), chosen, in_order),
            without_rules=without_rules(position),
        )
        for position, item in enumerate(trace.shown)
    )


def liked_items(history: IntArray, ratings: FloatArray | None) -> tuple[np.ndarray, LikedRule]:
    """Which items of a history count as liked, shape ``(H,)``, and by which rule.

    Where ratings are absent, or all alike and low (a log of views holds a 1 in each row), they
    tell nothing apart; then the whole history counts, and the record says so.
    """
    if ratings is None or len(ratings) == 0:
        return np.ones(len(history), dtype=bool), "all_history"
    if float(ratings.max()) < LIKED_FROM and float(ratings.min()) == float(ratings.max()):
        return np.ones(len(history), dtype=bool), "all_history"
    return ratings >= LIKED_FROM, "rated_at_least_4"
