"""Slates: written in bulk, read one by one or as a user's log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import Session

from ...errors import UnknownRecord
from .. import records
from ..db.base import new_ids, utc_now
from ..db.tables import Explanation, Item, Recommendation, RecommendationItem
from .bulk import chunks
from .explanations import as_record


@dataclass(frozen=True, slots=True)
class SlateRow:
    """One slate to record.

    Attributes:
        user_id: For whom.
        candidates_version: What proposed the items.
        policy_version: What ordered them.
        propensity: Probability with which this very slate was drawn.
        constraint_state: Limits in force and what of them was measured.
        request: What was asked for.
        item_ids: Items, top position first.
        base_scores: The base model's scores of them.
        base_ranks: Their 1-based places in the base model's pool.
    """

    user_id: str
    candidates_version: str
    policy_version: str
    propensity: float
    constraint_state: dict[str, Any]
    request: dict[str, Any]
    item_ids: Sequence[str]
    base_scores: Sequence[float]
    base_ranks: Sequence[int]


@dataclass(frozen=True, slots=True)
class LoggedSlate:
    """One slate as it was shown: to whom, when, ordered by what; items top position first."""

    id: str
    user_id: str
    created_at: datetime
    policy_version: str
    item_ids: tuple[str, ...]


def record_slates(
    session: Session, slates: Sequence[SlateRow], created_at: datetime | None = None
) -> list[str]:
    """Write slates with their items and return their ids, in order."""
    if not slates:
        return []
    now = created_at or utc_now()
    ids = new_ids(len(slates))
    session.execute(
        insert(Recommendation),
        [_slate_values(key, slate, now) for key, slate in zip(ids, slates, strict=True)],
    )
    session.execute(
        insert(RecommendationItem),
        [row for key, slate in zip(ids, slates, strict=True) for row in _item_values(key, slate)],
    )
    return ids


def get_recommendation(session: Session, recommendation_id: str) -> records.Recommendation:
    """One slate with its items and explanations.

    Raises:
        UnknownRecord: No such recommendation.
    """
    found = session.get(Recommendation, recommendation_id)
    if found is None:
        raise UnknownRecord(
            f"no recommendation {recommendation_id!r} is recorded", field="recommendation_id"
        )
    reasons = session.scalars(
        select(Explanation).where(Explanation.recommendation_id == recommendation_id)
    )
    by_item = {reason.item_id: as_record(reason) for reason in reasons}
    rows = session.execute(
        select(RecommendationItem, Item)
        .join(Item, Item.id == RecommendationItem.item_id)
        .where(RecommendationItem.recommendation_id == recommendation_id)
        .order_by(RecommendationItem.position)
    )
    items = tuple(_shown_item(row, item, by_item.get(row.item_id)) for row, item in rows)
    plain = {
        name: getattr(found, name)
        for name in records.Recommendation.model_fields
        if name != "items"
    }
    return records.Recommendation(**plain, items=items)


def logs_of(session: Session, user_ids: Iterable[str], last: int) -> dict[str, list[LoggedSlate]]:
    """The latest ``last`` slates of each user, oldest first; users without one are left out."""
    logs: dict[str, list[LoggedSlate]] = {}
    for chunk in chunks(user_ids):
        newest_first = func.row_number().over(
            partition_by=Recommendation.user_id,
            order_by=(Recommendation.created_at.desc(), Recommendation.id.desc()),
        )
        latest = (
            select(Recommendation.id, newest_first.label("age"))
            .where(Recommendation.user_id.in_(chunk))
            .subquery()
        )
        for slate in _slates(session, select(latest.c.id).where(latest.c.age <= last)):
            logs.setdefault(slate.user_id, []).append(slate)
    return logs


def latest_states(session: Session, policy_version: str, last: int) -> list[dict[str, Any]]:
    """Constraint states of the newest ``last`` slates that a policy ordered, oldest first."""
    newest = session.scalars(
        select(Recommendation.constraint_state)
        .where(Recommendation.policy_version == policy_version)
        .order_by(Recommendation.created_at.desc(), Recommendation.id.desc())
        .limit(last)
    )
    return list(newest)[::-1]


def slates_in(session: Session, scope: records.AuditScope) -> list[LoggedSlate]:
    """All slates that a scope covers, oldest first."""
    return list(_slates(session, _within(select(Recommendation.id), scope)))


def latest_state_in(session: Session, scope: records.AuditScope) -> dict[str, Any] | None:
    """Constraint state of the newest slate that a scope covers, if there is one."""
    newest = (Recommendation.created_at.desc(), Recommendation.id.desc())
    chosen = _within(select(Recommendation.constraint_state), scope)
    return session.scalar(chosen.order_by(*newest).limit(1))


def _within(chosen: Select[Any], scope: records.AuditScope) -> Select[Any]:
    if scope.policy_version is not None:
        chosen = chosen.where(Recommendation.policy_version == scope.policy_version)
    if scope.candidates_version is not None:
        chosen = chosen.where(Recommendation.candidates_version == scope.candidates_version)
    if scope.since is not None:
        chosen = chosen.where(Recommendation.created_at >= scope.since)
    if scope.until is not None:
        chosen = chosen.where(Recommendation.created_at < scope.until)
    return chosen


def _slates(session: Session, chosen: Any) -> Iterable[LoggedSlate]:
    rows = session.execute(
        select(
            Recommendation.id,
            Recommendation.user_id,
            Recommendation.created_at,
            Recommendation.policy_version,
            RecommendationItem.item_id,
        )
        .join(RecommendationItem, RecommendationItem.recommendation_id == Recommendation.id)
        .where(Recommendation.id.in_(chosen))
        .order_by(Recommendation.created_at, Recommendation.id, RecommendationItem.position)
    )
    for key, group in groupby(rows, key=lambda row: row[:4]):
        yield LoggedSlate(*key, tuple(row[4] for row in group))


def _slate_values(key: str, slate: SlateRow, now: datetime) -> dict[str, Any]:
    return {
        "id": key,
        "user_id": slate.user_id,
        "candidates_version": slate.candidates_version,
        "policy_version": slate.policy_version,
        "k": len(slate.item_ids),
        "propensity": slate.propensity,
        "constraint_state": slate.constraint_state,
        "request": slate.request,
        "created_at": now,
    }


def _item_values(key: str, slate: SlateRow) -> list[dict[str, Any]]:
    shown = zip(slate.item_ids, slate.base_scores, slate.base_ranks, strict=True)
    return [
        {
            "recommendation_id": key,
            "position": position,
            "item_id": item_id,
            "base_score": score,
            "base_rank": rank,
        }
        for position, (item_id, score, rank) in enumerate(shown, start=1)
    ]


def _shown_item(
    row: RecommendationItem, item: Item, reason: records.ExplanationRecord | None
) -> records.RecommendedItem:
    return records.RecommendedItem(
        position=row.position,
        item_id=row.item_id,
        title=item.title,
        topics=tuple(item.attributes.get("topics", ())),
        year=item.attributes.get("year"),
        base_score=row.base_score,
        base_rank=row.base_rank,
        explanation=reason,
    )
