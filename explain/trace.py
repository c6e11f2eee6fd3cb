"""What a re-ranker did for one user, in the form that the evidence is gathered from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..arrays import PAD, FloatArray, IntArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .evidence import Move, Rule

Part = Literal["base", "diversity", "exposure", "state"]


@dataclass(frozen=True, slots=True)
class OrderWithout:
    """The ranking as it would have been without one rule.

    Attributes:
        rule: Kind of the rule that was left out.
        order: Item indices, best first, shape ``(m,)``; ``m`` may be less than the pool.
        attribute: Item attribute, for an exposure floor.
        group: Group, for an exposure floor.
    """

    rule: Rule
    order: IntArray
    attribute: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class RankTrace:
    """One user's pool, slate, and what the rules did.

    Attributes:
        pool: Item indices, best base score first, shape ``(N,)``, without padding.
        base_scores: Scores of the base model, shape ``(N,)``.
        shown: Item indices of the slate, top first, shape ``(k,)``.
        parts: Parts of the re-ranker's score of each shown item, shape ``(k,)`` each.
        without: The rankings without each rule that was at work.
        unruled: The ranking without any exposure or diversity rule, all else as it was; item
            indices, best first, shape ``(m,)``; None where that is not known.
    """

    pool: IntArray
    base_scores: FloatArray
    shown: IntArray
    parts: Mapping[Part, FloatArray] = field(default_factory=dict[Part, FloatArray])
    without: tuple[OrderWithout, ...] = ()
    unruled: IntArray | None = None

    def __post_init__(self) -> None:
        """Refuse a slate that is not from the pool, and parts of another length."""
        if not np.isin(self.shown, self.pool).all():
            raise InvalidValue("the slate holds items that are not in the pool", field="shown")
        if any(len(part) != len(self.shown) for part in self.parts.values()):
            raise InvalidValue("each part needs one value per shown item", field="parts")

    def shown_columns(self) -> IntArray:
        """Pool column of each shown item, shape ``(k,)``."""
        order = np.argsort(self.pool, kind="stable")
        return order[np.searchsorted(self.pool, self.shown, sorter=order)]

    def moves(self) -> tuple[tuple[Move, ...], ...]:
        """Per shown item, what each rule did to its place; rules without effect are left out."""
        per_rule = [_moves_of(self.shown, rule) for rule in self.without]
        return tuple(
            tuple(move for move in moves if move.places != 0)
            for moves in zip(*per_rule, strict=True)
        ) or tuple(() for _ in self.shown)


def places_without_rules(trace: RankTrace) -> tuple[tuple[int, bool, int | None], ...]:
    """Per shown item its place without exposure and diversity rules, and what would have its own.

    Returns:
        ``(rank, exact, item)`` each: with ``exact`` false the item stood at ``rank`` or lower;
        ``item`` is the index of the one that would stand there instead, None if it is the same
        one or not known. Empty where the ranking without rules is not known.
    """
    if trace.unruled is None:
        return ()
    order = trace.unruled
    place = {int(item): rank for rank, item in enumerate(order, start=1)}
    told: list[tuple[int, bool, int | None]] = []
    for position, item in enumerate(map(int, trace.shown)):
        there = int(order[position]) if position < len(order) else item
        rank = place.get(item)
        told.append((rank or len(order) + 1, rank is not None, None if there == item else there))
    return tuple(told)


def plain_trace(
    pools: CandidatePools, shown: IntArray, without: tuple[OrderWithout, ...] = ()
) -> RankTrace:
    """The trace of a re-ranker that has no parts but the base score, and rules on top of it.

    Without its rules it leaves the pool in the base model's order.

    Args:
        pools: One user's pool.
        shown: Item indices of the slate, shape ``(k,)``.
        without: Rankings of the same re-ranker with one rule switched off each.

    Raises:
        InvalidValue: There is not exactly one user, or an item is not from the pool.
    """
    items, scores = one_pool(pools)
    trace = RankTrace(items, scores, shown, {}, without)
    base = scores[trace.shown_columns()]
    return RankTrace(items, scores, shown, {"base": base}, without, items)


def one_pool(pools: CandidatePools) -> tuple[IntArray, FloatArray]:
    """Items and scores of a single user's pool, without padding.

    Raises:
        InvalidValue: There is not exactly one user.
    """
    if len(pools) != 1:
        raise InvalidValue(f"{len(pools)} pools, evidence is gathered for one", field="pools")
    used = pools.items[0] != PAD
    return pools.items[0][used], pools.scores[0][used]


def _moves_of(shown: IntArray, rule: OrderWithout) -> list[Move]:
    place = {int(item): position for position, item in enumerate(rule.order, start=1)}
    beyond = len(rule.order) + 1
    return [
        Move(
            rule=rule.rule,
            attribute=rule.attribute,
            group=rule.group,
            places=place.get(int(item), beyond) - position,
            exact=int(item) in place,
        )
        for position, item in enumerate(shown, start=1)
    ]
