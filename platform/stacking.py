"""The wishes of a conversation, seen and taken back one by one outside of the conversation."""

from ..errors import UnknownRecord
from ..explain.understanding.memory import Memory
from .db.engine import Database
from .records import StackedWish
from .store import conversations, wishes


def wishes_of(database: Database, conversation_id: str) -> list[StackedWish]:
    """All wishes of a conversation, oldest first, those taken back as well.

    Raises:
        UnknownRecord: No such conversation.
    """
    with database.reading() as session:
        conversations.get_conversation(session, conversation_id)
        return wishes.history(session, conversation_id)


def take_back(database: Database, conversation_id: str, wish_id: str) -> list[StackedWish]:
    """Take back one wish, and return those that still hold.

    Raises:
        UnknownRecord: No such conversation, or no such wish holds in it.
    """
    with database.session() as session:
        held = conversations.lock_conversation(session, conversation_id)
        ids = [wish.id for wish in wishes.stack(session, conversation_id)]
        if wish_id not in ids:
            raise UnknownRecord(
                f"no wish {wish_id!r} holds in this conversation",
                field="wish_id",
                mend="GET the wishes of the conversation; some may have been taken back before.",
            )
        left = Memory.stored(held.refinement).wishes.remove(ids.index(wish_id))
        stored = [one.model_dump(mode="json") for one in left.refinements]
        kept = held.refinement if "refinements" in held.refinement else {}
        conversations.set_wishes(session, conversation_id, {**kept, "refinements": stored})
        return wishes.write_stack(session, conversation_id, stored, None, wishes.BY_API)
