"""Long conversations get a summary, so that nobody has to read them whole."""

from sqlalchemy.orm import Session

from ..candidates.catalogue import Catalogue
from ..explain.refinement import Refinement
from ..explain.summary import Told, summarise
from .store import conversations

LONG = 40
"""Messages after which a conversation is summarised."""

RECENT = 20
"""Messages at the end that a summary leaves out; it is made anew when as many have come on top."""


def summarise_if_long(session: Session, conversation_id: str, catalogue: Catalogue) -> None:
    """Bring the summary of a conversation up to date, once it has many messages.

    It is made of what was recorded of each message, of the earliest on: no summary is ever made of
    a summary.
    """
    found = conversations.get_conversation(session, conversation_id)
    through = len(found.messages) - RECENT
    if len(found.messages) < LONG or through - found.summarised < RECENT:
        return
    earlier = found.messages[:through]
    told = [
        Told(message.intent, Refinement.model_validate(message.refinement or {}))
        for message in earlier
        if message.role == "user"
    ]
    n_slates = sum(message.recommendation_id is not None for message in earlier)
    text = summarise(told, n_slates, catalogue)
    conversations.set_summary(session, conversation_id, text, earlier[-1].ordinal)
