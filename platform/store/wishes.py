"""The stack of wishes of a conversation: which message asked for what, and what was taken back."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db.base import new_ids, utc_now
from ..db.tables import ConversationWish
from ..records import StackedWish

Refinements = Sequence[dict[str, Any]]
BY_API: Literal["api"] = "api"


def write_stack(
    session: Session,
    conversation_id: str,
    refinements: Refinements,
    added_by: str | None,
    removed_by: str,
) -> list[StackedWish]:
    """Bring the record to what holds now, and return that.

    Entries that are no longer in the stack stay on record as removed; new ones are added. Equal
    entries are told apart by their order.

    Args:
        session: One that writes.
        conversation_id: The conversation.
        refinements: What holds now, oldest first.
        added_by: The user's message that new entries came with; None for kept preferences.
        removed_by: The message that took others back, or ``BY_API``.
    """
    held = _in_force(session, conversation_id)
    kept, added = _matched([row.refinement for row in held], refinements)
    now = utc_now()
    for place, row in enumerate(held):
        if place not in kept:
            row.removed_at, row.removed_by = now, removed_by
    for key, refinement in zip(new_ids(len(added)), added, strict=True):
        session.add(
            ConversationWish(
                id=key,
                conversation_id=conversation_id,
                message_id=added_by,
                refinement=dict(refinement),
                added_at=now,
            )
        )
    session.flush()
    return stack(session, conversation_id)


def stack(session: Session, conversation_id: str) -> list[StackedWish]:
    """What holds now, oldest first."""
    return [_record(row) for row in _in_force(session, conversation_id)]


def history(session: Session, conversation_id: str) -> list[StackedWish]:
    """All that was ever asked for, oldest first, with what was taken back."""
    rows = session.scalars(
        select(ConversationWish)
        .where(ConversationWish.conversation_id == conversation_id)
        .order_by(ConversationWish.id)
    )
    return [_record(row) for row in rows]


def _in_force(session: Session, conversation_id: str) -> list[ConversationWish]:
    rows = session.scalars(
        select(ConversationWish)
        .where(
            ConversationWish.conversation_id == conversation_id,
            ConversationWish.removed_at.is_(None),
        )
        .order_by(ConversationWish.id)
    )
    return list(rows)


def _matched(before: Refinements, after: Refinements) -> tuple[set[int], Refinements]:
    """Places of the entries that stay, and the entries that are new.

    A stack only loses entries anywhere and gains them at its end, so it is read from the start.
    """
    kept: set[int] = set()
    place = 0
    for number, refinement in enumerate(after):
        found = next((i for i in range(place, len(before)) if before[i] == refinement), None)
        if found is None:
            return kept, after[number:]
        kept.add(found)
        place = found + 1
    return kept, ()


def _record(row: ConversationWish) -> StackedWish:
    return StackedWish(
        id=row.id,
        message_id=row.message_id,
        refinement=row.refinement,
        added_at=row.added_at,
        removed_at=row.removed_at,
        removed_by=row.removed_by,
    )
