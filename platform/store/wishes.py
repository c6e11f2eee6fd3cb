"""The stack of wishes of a conversation: which message asked for what, and what was taken back."""

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
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

    An entry that is no longer in the stack stays on record as removed. One that a later wish made
    narrower is removed, and stands there again as what is left of it, still of its own message.

    Args:
        session: One that writes.
        conversation_id: The conversation.
        refinements: What holds now, oldest first.
        added_by: The user's message that new entries came with; None for kept preferences.
        removed_by: The message that took others back, or ``BY_API``.
    """
    held = _in_force(session, conversation_id)
    before = [_canonical(row.refinement) for row in held]
    after = [_canonical(refinement) for refinement in refinements]
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    now = utc_now()
    for change, old, old_end, new, new_end in changes:
        if change == "equal":
            for row, place in zip(held[old:old_end], range(new, new_end), strict=True):
                row.place = place
            continue
        for row in held[old:old_end]:
            row.removed_at, row.removed_by = now, removed_by
        for key, place in zip(new_ids(new_end - new), range(new, new_end), strict=True):
            narrowed = held[old + place - new] if old + place - new < old_end else None
            session.add(
                ConversationWish(
                    id=key,
                    conversation_id=conversation_id,
                    message_id=added_by if narrowed is None else narrowed.message_id,
                    place=place,
                    refinement=dict(refinements[place]),
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
        .order_by(ConversationWish.place)
    )
    return list(rows)


def _canonical(refinement: dict[str, Any]) -> str:
    return json.dumps(refinement, sort_keys=True)


def _record(row: ConversationWish) -> StackedWish:
    return StackedWish(
        id=row.id,
        message_id=row.message_id,
        refinement=row.refinement,
        added_at=row.added_at,
        removed_at=row.removed_at,
        removed_by=row.removed_by,
    )
