"""Everything on record about one user: to show it to them, and to erase it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, delete, func, inspect, select, update
from sqlalchemy.orm import Session

from ..db.base import new_id
from ..db.tables import (
    Consent,
    Conversation,
    ConversationWish,
    Erasure,
    Event,
    Explanation,
    Message,
    ModelCall,
    Preferences,
    Prompt,
    Recommendation,
    ToolCall,
    User,
)
from .people_items import require_users

TOMBSTONE = "erased-"
"""How the ids begin that stand in the place of erased users."""

Row = type[Any]


def user_data(session: Session, user_id: str) -> dict[str, list[dict[str, Any]]]:
    """All rows about a user, by table; times as ISO 8601.

    Raises:
        UnknownUser: The user is not stored.
    """
    require_users(session, [user_id])
    return {
        table.__tablename__: [
            _plain(row) for row in session.scalars(select(table).where(about(user_id)))
        ]
        for table, about in _ABOUT.items()
    }


def erase_user(session: Session, user_id: str) -> dict[str, int]:
    """Delete what is on record about a user, and cut the slates loose from them.

    Slates stay, because the exposure that was measured rests on them: with the id of nobody, no
    attributes, and without what was asked for. Nothing leads from that id back to the user.

    Returns:
        Rows deleted, by table, and slates detached.

    Raises:
        UnknownUser: The user is not stored.
    """
    require_users(session, [user_id])
    counts: dict[str, int] = {}
    for table in _DELETED:
        about = _ABOUT[table](user_id)
        counts[table.__tablename__] = _count(session, table, about)
        session.execute(delete(table).where(about).execution_options(synchronize_session=False))
    counts["prompts"] = _delete_unused_prompts(session)
    counts["slates_detached"] = _detach_slates(session, user_id)
    session.execute(delete(User).where(User.id == user_id))
    session.add(Erasure(counts=counts))
    session.flush()
    return counts


def prompts_of(session: Session, user_id: str) -> set[str]:
    """Hashes of the prompts that were sent about a user, as long as they are on record."""
    about = _ABOUT[ModelCall](user_id)
    sent = session.scalars(select(ModelCall.prompt_hash).where(about).distinct())
    return {prompt for prompt in sent if prompt is not None}


def erase_conversation(session: Session, conversation_id: str) -> bool:
    """Delete a conversation with all that was said in it; whether it was there."""
    there = _count(session, Conversation, Conversation.id == conversation_id) > 0
    session.execute(_conversation_calls(conversation_id))
    session.execute(delete(Conversation).where(Conversation.id == conversation_id))
    _delete_unused_prompts(session)
    return there


def _slates(user_id: str) -> Select[str]:
    return select(Recommendation.id).where(Recommendation.user_id == user_id)


def _talks(user_id: str) -> Select[str]:
    return select(Conversation.id).where(Conversation.user_id == user_id)


def _said(user_id: str) -> Select[str]:
    return select(Message.id).where(Message.conversation_id.in_(_talks(user_id)))


_ABOUT: dict[Row, Callable[[str], ColumnElement[bool]]] = {
    User: lambda user: User.id == user,
    Recommendation: lambda user: Recommendation.user_id == user,
    Explanation: lambda user: Explanation.recommendation_id.in_(_slates(user)),
    Event: lambda user: Event.user_id == user,
    Preferences: lambda user: Preferences.user_id == user,
    Consent: lambda user: Consent.user_id == user,
    ModelCall: lambda user: (
        ModelCall.recommendation_id.in_(_slates(user)) | ModelCall.message_id.in_(_said(user))
    ),
    ToolCall: lambda user: ToolCall.message_id.in_(_said(user)),
    ConversationWish: lambda user: ConversationWish.conversation_id.in_(_talks(user)),
    Message: lambda user: Message.conversation_id.in_(_talks(user)),
    Conversation: lambda user: Conversation.user_id == user,
}
"""The tables that hold something about a user, and how to find it."""

_DELETED = tuple(table for table in _ABOUT if table not in (User, Recommendation))


def _count(session: Session, table: Row, about: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(about)) or 0


def _delete_unused_prompts(session: Session) -> int:
    """Prompts hold titles of somebody's history: none outlives the last call that sent it."""
    sent = select(ModelCall.prompt_hash).where(ModelCall.prompt_hash.is_not(None))
    unused = Prompt.hash.not_in(sent)
    n = _count(session, Prompt, unused)
    session.execute(delete(Prompt).where(unused).execution_options(synchronize_session=False))
    return n


def _conversation_calls(conversation_id: str) -> Delete:
    said = select(Message.id).where(Message.conversation_id == conversation_id)
    return delete(ModelCall).where(ModelCall.message_id.in_(said))


def _detach_slates(session: Session, user_id: str) -> int:
    n = _count(session, Recommendation, Recommendation.user_id == user_id)
    if n:
        nobody = User(id=f"{TOMBSTONE}{new_id()}", attributes={})
        session.add(nobody)
        session.flush()
        session.execute(
            update(Recommendation)
            .where(Recommendation.user_id == user_id)
            .values(user_id=nobody.id, request={"erased": True})
        )
    return n


def _plain(row: Any) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in inspect(row).mapper.columns}
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in values.items()
    }
