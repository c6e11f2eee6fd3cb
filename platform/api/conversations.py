"""``/v1/conversations``: recommendations refined in words."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ..records import ConversationRecord, PublicId, Turn
from ..store.conversations import get_conversation
from .dependencies import RecordId, TheDatabase, TheRecommender
from .event_stream import DESCRIBED, stream, turn_events, wants_events

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])


Last = Annotated[
    int | None, Query(ge=1, le=10_000, description="Only so many messages of the end.")
]


class Opened(BaseModel):
    """With whom to talk."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"user_id": "196"}]})

    user_id: PublicId


class Said(BaseModel):
    """What the user says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": "something funny from the 90s, no horror"}]},
    )

    text: Annotated[str, Field(min_length=1, max_length=1000)]


@router.post("", status_code=201)
def start(opened: Opened, recommender: TheRecommender) -> ConversationRecord:
    """Start a conversation."""
    key = recommender.start_conversation(opened.user_id)
    return read(key, recommender.database)


@router.post(
    "/{conversation_id}/messages",
    status_code=201,
    response_model=Turn,
    responses={201: {"content": DESCRIBED}},
)
def say(
    conversation_id: RecordId, said: Said, recommender: TheRecommender, request: Request
) -> Turn | Response:
    """Say something; the answer may hold a slate under the wishes that hold by then.

    With `Accept: text/event-stream` it comes as events: the reply sentence by sentence, the turn
    with its slate, then each explanation when a model has worded it and it passed the check.
    """
    turn = recommender.chat(conversation_id, said.text)
    if not wants_events(request):
        return turn
    return stream(turn_events(request, recommender.database, recommender.later, turn), 201)


@router.get("/{conversation_id}")
def read(conversation_id: RecordId, database: TheDatabase, last: Last = None) -> ConversationRecord:
    """A conversation with what was said in it, or with the end of that."""
    with database.reading() as session:
        return get_conversation(session, conversation_id, last=last)
