"""One turn of a conversation: understand, recommend under the wishes, answer, record."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from ..errors import InvalidValue
from ..explain.conversation import ParsedTurn, parse_utterance, reply_text
from ..explain.refinement import Refinement, merge
from .decision import Decision
from .reasons import Reason
from .records import ConversationRecord, EventKind, Feedback, Recommendation, Turn
from .store import conversations, events

if TYPE_CHECKING:
    from .recommender import Recommender

ANSWERED_BY_A_SLATE = ("refine", "feedback", "reset")
"""Intents after which the user sees a slate."""

NO_DIVERSITY = "What ranks here now has no setting for variety, so that wish changed nothing."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn comes to, before it is recorded."""

    reply: str
    wishes: Refinement
    decision: Decision | None
    reasons: tuple[tuple[Reason, ...], ...]


def take_turn(recommender: "Recommender", conversation_id: str, text: str) -> Turn:
    """Answer one message; the message, its effect and the answer are recorded together.

    Wishes that would leave too few candidates are not adopted; the answer says what to give up.

    Raises:
        UnknownRecord: No such conversation.
        InvalidValue: The text is empty or too long, or another message of the same conversation
            was answered meanwhile.
    """
    with recommender.database.reading() as session:
        before = conversations.get_conversation(session, conversation_id)
    parsed = parse_utterance(text, recommender.catalogue)
    answer = _answer(recommender, before, parsed)
    with recommender.recording() as session:
        _require_unchanged(session, before)
        events.record_events(session, _told(before.user_id, parsed))
        conversations.set_wishes(session, before.id, answer.wishes.model_dump(mode="json"))
        conversations.add_message(
            session, before.id, "user", text, refinement=parsed.refinement.model_dump(mode="json")
        )
        shown: Recommendation | None = None
        if answer.decision is not None:
            shown = recommender.record(session, answer.decision, answer.reasons)[0]
        message_id = conversations.add_message(
            session,
            before.id,
            "assistant",
            answer.reply,
            recommendation_id=shown.id if shown else None,
        )
    return Turn(
        conversation_id=before.id,
        message_id=message_id,
        reply=answer.reply,
        intent=parsed.intent,
        refinement=answer.wishes.model_dump(mode="json"),
        recommendation=shown,
    )


def _answer(recommender: "Recommender", before: ConversationRecord, parsed: ParsedTurn) -> Answer:
    held = Refinement.model_validate(before.refinement)
    if parsed.intent not in ANSWERED_BY_A_SLATE:
        return Answer(reply_text(parsed, recommender.catalogue), held, None, ())
    wishes = merge(held, parsed.refinement)
    request = recommender.request([before.user_id], refinement=wishes)
    try:
        decision = recommender.rerank(request, recommender.candidates.pools(request.users))
    except InvalidValue as refusal:
        if refusal.field != "refinement":
            raise
        return Answer(f"{refusal.message}. {refusal.mend or ''}".strip(), held, None, ())
    titles = [str(title) for title in recommender.catalogue.titles[decision.items[0]]]
    reply = reply_text(parsed, recommender.catalogue, titles)
    if parsed.refinement.diversity is not None and decision.not_honoured:
        reply = f"{reply} {NO_DIVERSITY}"
    return Answer(reply, wishes, decision, tuple(map(tuple, recommender.explain(decision))))


def _told(user_id: str, parsed: ParsedTurn) -> list[Feedback]:
    """What the user said of items in so many words; a wish for "more like it" is no feedback."""
    if parsed.intent != "feedback":
        return []
    said = parsed.refinement
    by_kind: tuple[tuple[EventKind, tuple[str, ...]], ...] = (
        ("like", said.like_items),
        ("dislike", said.dislike_items),
        ("seen", said.exclude_items),
    )
    return [
        Feedback(user_id=user_id, item_id=item, kind=kind)
        for kind, items in by_kind
        for item in items
    ]


def _require_unchanged(session: Session, before: ConversationRecord) -> None:
    """Two messages at once would each forget the other's wishes: the later one is refused."""
    now = conversations.lock_conversation(session, before.id)
    if len(now.messages) != len(before.messages):
        raise InvalidValue(
            "another message of this conversation was answered meanwhile",
            field="conversation_id",
            mend="Send the message again.",
        )
