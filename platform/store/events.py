"""Feedback: what users did with items."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, true
from sqlalchemy.orm import Session

from ...errors import InvalidValue, UnknownRecord
from ..db.base import new_ids, utc_now
from ..db.tables import Event, Recommendation, RecommendationItem
from ..records import EventKind, Feedback
from .bulk import chunks
from .people_items import require_items, require_users

RATING_RANGE = (1.0, 5.0)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a user's log."""

    recommendation_id: str | None
    item_id: str
    kind: EventKind
    value: float | None
    occurred_at: datetime


def record_events(session: Session, events: Sequence[Feedback]) -> list[str]:
    """Write events and return their ids, in order.

    Raises:
        UnknownUser: A user is not stored.
        UnknownItem: An item is not stored.
        UnknownRecord: A recommendation is not stored.
        InvalidValue: A rating is missing, NaN or out of range, another kind has a value, a time
            has no zone, or an item was not in the slate or the slate was another user's.
    """
    if not events:
        return []
    for event in events:
        _require_sound(event)
    require_users(session, (event.user_id for event in events))
    require_items(session, (event.item_id for event in events))
    _require_shown(session, [event for event in events if event.recommendation_id is not None])
    now = utc_now()
    ids = new_ids(len(events))
    rows = [_values(key, event, now) for key, event in zip(ids, events, strict=True)]
    session.execute(insert(Event), rows)
    return ids


def events_of_slates(session: Session, recommendation_ids: Iterable[str]) -> list[LoggedEvent]:
    """Events that slates brought about, oldest first within the slates of one chunk."""
    found: list[LoggedEvent] = []
    for chunk in chunks(recommendation_ids):
        rows = session.execute(
            select(
                Event.recommendation_id, Event.item_id, Event.kind, Event.value, Event.occurred_at
            )
            .where(Event.recommendation_id.in_(chunk))
            .order_by(Event.occurred_at, Event.id)
        )
        found.extend(LoggedEvent(*row) for row in rows)  # pyright: ignore[reportArgumentType] - the table holds no other kinds
    return found


def known_items(
    session: Session, user_ids: Iterable[str], before: datetime | None = None
) -> dict[str, set[str]]:
    """Items that users rated, disliked or said to know: nothing to propose to them again.

    Args:
        session: An open session.
        user_ids: Public ids.
        before: What was recorded from then on does not count; all counts where None.
    """
    until = true() if before is None else Event.created_at < before
    known: dict[str, set[str]] = {}
    for chunk in chunks(user_ids):
        rows = session.execute(
            select(Event.user_id, Event.item_id).where(
                Event.user_id.in_(chunk), Event.kind.in_(("rating", "dislike", "seen")), until
            )
        )
        for user_id, item_id in rows:
            known.setdefault(user_id, set()).add(item_id)
    return known


def _require_sound(event: Feedback) -> None:
    low, high = RATING_RANGE
    if event.kind == "rating":
        if event.value is None or not math.isfinite(event.value) or not low <= event.value <= high:
            raise InvalidValue(
                f"a rating of {event.value}",
                field="value",
                mend=f"Give a number from {low:g} to {high:g}.",
            )
    elif event.value is not None:
        raise InvalidValue(
            f"a {event.kind} has no value", field="value", mend="Leave it out, or send a rating."
        )
    if event.occurred_at is not None and event.occurred_at.tzinfo is None:
        raise InvalidValue(
            "the time has no zone",
            field="occurred_at",
            mend="Add one, such as 2026-01-31T12:00:00Z.",
        )


def _require_shown(session: Session, events: Sequence[Feedback]) -> None:
    """Feedback on a slate must be by its user and on its items."""
    slates = sorted({str(event.recommendation_id) for event in events})
    owner: dict[str, str] = {}
    shown: set[tuple[str, str]] = set()
    for chunk in chunks(slates):
        owners = select(Recommendation.id, Recommendation.user_id).where(
            Recommendation.id.in_(chunk)
        )
        owner.update(dict(session.execute(owners).all()))
        pairs = select(RecommendationItem.recommendation_id, RecommendationItem.item_id).where(
            RecommendationItem.recommendation_id.in_(chunk)
        )
        shown.update(session.execute(pairs))
    for event in events:
        _require_of_slate(event, owner, shown)


def _require_of_slate(event: Feedback, owner: dict[str, str], shown: set[tuple[str, str]]) -> None:
    slate = str(event.recommendation_id)
    if slate not in owner:
        raise UnknownRecord(f"no recommendation {slate!r} is recorded", field="recommendation_id")
    if owner[slate] != event.user_id:
        raise InvalidValue(
            f"recommendation {slate!r} was made for another user", field="recommendation_id"
        )
    if (slate, event.item_id) not in shown:
        raise InvalidValue(
            f"item {event.item_id!r} was not in recommendation {slate!r}", field="item_id"
        )


def _values(key: str, event: Feedback, now: datetime) -> dict[str, Any]:
    return event.model_dump(exclude={"occurred_at"}) | {
        "id": key,
        "occurred_at": event.occurred_at or now,
        "created_at": now,
    }
