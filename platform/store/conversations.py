"""Conversations, their messages and the wishes that hold in them."""

from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...errors import UnknownRecord
from ..db.base import new_id
from ..db.tables import Conversation, Message
from ..records import ConversationRecord, MessageRecord
from .people_items import require_users
from .preferences import get_preferences
from .wishes import BY_API, write_stack


def start_conversation(session: Session, user_id: str) -> str:
    """Open a conversation with a user and return its id.

    It begins with the wishes that the user allowed to be kept, if there are any.

    Raises:
        UnknownUser: The user is not stored.
    """
    require_users(session, [user_id])
    key = new_id()
    kept = get_preferences(session, user_id).refinement
    stack = [] if kept is None else [kept]
    session.add(Conversation(id=key, user_id=user_id, refinement={"refinements": stack}))
    session.flush()
    write_stack(session, key, stack, added_by=None, removed_by=BY_API)
    return key


def get_conversation(
    session: Session, conversation_id: str, *, last: int | None = None
) -> ConversationRecord:
    """A conversation with its messages, oldest first.

    Args:
        session: One that reads.
        conversation_id: The conversation.
        last: Only so many messages of its end; what went before is in its summary.

    Raises:
        UnknownRecord: No such conversation.
    """
    found = _require(session, conversation_id)
    asked = select(Message).where(Message.conversation_id == conversation_id)
    newest_first = asked.order_by(Message.ordinal.desc()).limit(last)
    rows = reversed(session.scalars(newest_first).all())
    messages = tuple(
        MessageRecord.model_validate(
            {name: getattr(row, name) for name in MessageRecord.model_fields}
        )
        for row in rows
    )
    return ConversationRecord(
        id=found.id,
        user_id=found.user_id,
        refinement=found.refinement,
        summary=found.summary,
        summarised=found.summarised,
        created_at=found.created_at,
        messages=messages,
    )


def lock_conversation(session: Session, conversation_id: str) -> ConversationRecord:
    """The conversation, held until the transaction ends so that turns follow one another.

    Raises:
        UnknownRecord: No such conversation.
    """
    session.scalar(
        select(Conversation.id).where(Conversation.id == conversation_id).with_for_update()
    )
    return get_conversation(session, conversation_id)


def set_wishes(session: Session, conversation_id: str, refinement: dict[str, Any]) -> None:
    """Replace the wishes that hold in a conversation.

    Raises:
        UnknownRecord: No such conversation.
    """
    _require(session, conversation_id).refinement = refinement


def set_summary(session: Session, conversation_id: str, summary: str, through: int) -> None:
    """Keep a summary of the messages up to one.

    Raises:
        UnknownRecord: No such conversation.
    """
    found = _require(session, conversation_id)
    found.summary, found.summarised = summary, through


def add_message(
    session: Session,
    conversation_id: str,
    role: Literal["user", "assistant"],
    text: str,
    *,
    intent: str | None = None,
    refinement: dict[str, Any] | None = None,
    recommendation_id: str | None = None,
    cost: dict[str, Any] | None = None,
) -> str:
    """Append what was said and return the id of the message.

    Raises:
        UnknownRecord: No such conversation.
    """
    _require(session, conversation_id)
    last = session.scalar(
        select(func.max(Message.ordinal)).where(Message.conversation_id == conversation_id)
    )
    message = Message(
        id=new_id(),
        conversation_id=conversation_id,
        ordinal=(last or 0) + 1,
        role=role,
        text=text,
        intent=intent,
        refinement=refinement,
        recommendation_id=recommendation_id,
        cost=cost,
    )
    session.add(message)
    session.flush()
    return message.id


def _require(session: Session, conversation_id: str) -> Conversation:
    found = session.get(Conversation, conversation_id)
    if found is None:
        raise UnknownRecord(
            f"no conversation {conversation_id!r} is recorded", field="conversation_id"
        )
    return found
