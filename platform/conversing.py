"""One turn of a conversation: understand, recommend under the wishes, answer, record."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from ..errors import InvalidValue
from ..explain.calls import logged_calls
from ..explain.conversation import reply_text
from ..explain.refinement import Wishes, describe
from ..explain.sanitise import display_title
from ..explain.understanding.memory import Memory
from ..explain.understanding.turn import ParsedTurn
from . import wish_cost
from .answering import Answers
from .decision import Decision
from .reasons import Reason
from .records import (
    ConversationRecord,
    EventKind,
    Feedback,
    Recommendation,
    Turn,
    WishCost,
    WishEntry,
)
from .store import conversations, events
from .store import wishes as stack
from .store.model_calls import record_calls
from .store.recommendations import get_recommendation
from .store.steps import Step, record_steps
from .summarising import summarise_if_long
from .understanding import parser_for

if TYPE_CHECKING:
    from .recommender import Recommender

ANSWERED_BY_A_SLATE = ("refine", "feedback", "reset")
"""Intents after which the user sees a slate."""

NO_DIVERSITY = "What ranks here now has no setting for variety, so that wish changed nothing."

SAME_LIST = "It is the same list as before."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn comes to, before it is recorded."""

    reply: str
    memory: Memory
    decision: Decision | None = None
    reasons: tuple[tuple[Reason, ...], ...] = ()
    cost: WishCost | None = None


@dataclass(slots=True)
class _Watch:
    """The steps of a turn with their seconds."""

    steps: list[Step] = field(default_factory=list[Step])
    since: float = field(default_factory=time.perf_counter)

    def lap(self, name: str, **result: object) -> None:
        now = time.perf_counter()
        self.steps.append(Step(name=name, latency_s=now - self.since, result=result))
        self.since = now


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
        last = _last_list(session, before)
    memory = Memory.stored(before.refinement)
    shown = tuple(item.item_id for item in last.items) if last else ()
    watch = _Watch()
    with logged_calls() as log:
        parsed = parser_for(recommender).read(text, memory.context(shown))
        watch.lap("read", **_understood(parsed))
        answer = _answer(recommender, before.user_id, memory, last, parsed)
    watch.lap("answer", cost=answer.cost.model_dump(mode="json") if answer.cost else None)
    with recommender.recording() as session:
        _require_unchanged(session, before)
        events.record_events(session, _told(before.user_id, parsed))
        conversations.set_wishes(session, before.id, answer.memory.dump())
        said = conversations.add_message(
            session,
            before.id,
            "user",
            text,
            intent=parsed.intent,
            refinement=parsed.refinement.model_dump(mode="json"),
        )
        stored = answer.memory.dump()["refinements"]
        stack.write_stack(session, before.id, stored, added_by=said, removed_by=said)
        record_steps(session, said, watch.steps)
        record_calls(session, log, message_id=said)
        slate: Recommendation | None = None
        if answer.decision is not None:
            slate = recommender.record(session, answer.decision, answer.reasons)[0]
        message_id = conversations.add_message(
            session,
            before.id,
            "assistant",
            answer.reply,
            recommendation_id=slate.id if slate else None,
            cost=answer.cost.model_dump(mode="json") if answer.cost else None,
        )
        summarise_if_long(session, before.id, recommender.catalogue)
    return Turn(
        conversation_id=before.id,
        message_id=message_id,
        reply=answer.reply,
        intent=parsed.intent,
        refinement=answer.memory.wishes.current.model_dump(mode="json"),
        recommendation=slate,
        wishes=wish_entries(recommender, answer.memory.wishes),
        options=tuple(option.name for option in parsed.unclear.options) if parsed.unclear else (),
        cost=answer.cost,
    )


def wish_entries(recommender: "Recommender", wishes: Wishes) -> tuple[WishEntry, ...]:
    """The stack as it is shown: each turn's wishes with their phrases."""
    return tuple(
        WishEntry(
            refinement=one.model_dump(mode="json"), phrases=describe(one, recommender.catalogue)
        )
        for one in wishes.refinements
    )


def _answer(
    recommender: "Recommender",
    user_id: str,
    memory: Memory,
    last: Recommendation | None,
    parsed: ParsedTurn,
) -> Answer:
    after = memory.after(parsed)
    if parsed.question is not None:
        answers = Answers(recommender, user_id, last, memory.wishes)
        return Answer(answers.answer(parsed.question), after)
    changed = after.refinements != memory.refinements
    if parsed.intent not in ANSWERED_BY_A_SLATE and not changed:
        return Answer(reply_text(parsed, recommender.catalogue), after)
    request = recommender.request([user_id], refinement=after.wishes.current)
    pools = recommender.candidates.pools(request.users)
    try:
        decision = recommender.rerank(request, pools)
    except InvalidValue as refusal:
        if refusal.field != "refinement":
            raise
        kept = memory.model_copy(update={"asked": None})
        return Answer(f"{refusal.message}. {refusal.mend or ''}".strip(), kept)
    catalogue = recommender.catalogue
    ids = [str(key) for key in catalogue.item_ids[decision.items[0]]]
    named = zip(catalogue.titles[decision.items[0]], ids, strict=True)
    titles = [display_title(str(title), key) for title, key in named]
    cost = wish_cost.cost_of_wishes(recommender, decision)
    parts = [reply_text(parsed, recommender.catalogue, titles)]
    if parsed.refinement.diversity is not None and decision.not_honoured:
        parts.append(NO_DIVERSITY)
    if last is not None and ids == [item.item_id for item in last.items]:
        parts.append(SAME_LIST)
    parts.append(wish_cost.told(cost, recommender.orderer.constraints))
    reply = " ".join(part for part in parts if part)
    return Answer(reply, after, decision, tuple(map(tuple, recommender.explain(decision))), cost)


def _last_list(session: Session, before: ConversationRecord) -> Recommendation | None:
    """The last list of the conversation, with the explanations that are on record."""
    ids = [message.recommendation_id for message in before.messages if message.recommendation_id]
    return get_recommendation(session, ids[-1]) if ids else None


def _understood(parsed: ParsedTurn) -> dict[str, object]:
    """What the record keeps of how an utterance was read."""
    kept = {"intent", "question", "unclear", "taken_back", "guessed", "language", "not_understood"}
    return parsed.model_dump(mode="json", include=kept)


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
