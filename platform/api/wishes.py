"""``/v1/conversations/{id}/wishes``: what holds in a conversation, and taking it back."""

from fastapi import APIRouter

from ..records import StackedWish
from ..stacking import take_back, wishes_of
from ..store.conversations import get_conversation
from ..store.erasure import erase_conversation
from .dependencies import RecordId, TheDatabase

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])


@router.get("/{conversation_id}/wishes")
def read(conversation_id: RecordId, database: TheDatabase) -> list[StackedWish]:
    """All wishes of a conversation, oldest first; those taken back say when and by what."""
    return wishes_of(database, conversation_id)


@router.delete("/{conversation_id}/wishes/{wish_id}")
def remove(
    conversation_id: RecordId, wish_id: RecordId, database: TheDatabase
) -> list[StackedWish]:
    """Take back one wish; those that still hold."""
    return take_back(database, conversation_id, wish_id)


@router.delete("/{conversation_id}", status_code=204)
def erase(conversation_id: RecordId, database: TheDatabase) -> None:
    """Delete a conversation with all that was said in it; slates shown in it stay."""
    with database.session() as session:
        get_conversation(session, conversation_id)
        erase_conversation(session, conversation_id)
