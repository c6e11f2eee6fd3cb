"""Each turn of a conversation takes effect and is recorded whole, or not at all."""

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from fairloop.errors import InvalidValue, UnknownRecord, UnknownUser
from fairloop.platform import conversing
from fairloop.platform.db.tables import Event, Explanation, Message, Recommendation
from fairloop.platform.records import ConversationRecord
from fairloop.platform.store.conversations import get_conversation

if TYPE_CHECKING:
    from conftest import House


def read(house: "House", conversation_id: str) -> ConversationRecord:
    with house.database.reading() as session:
        return get_conversation(session, conversation_id)


def test_wishes_add_up_and_hold_in_every_slate(house: "House") -> None:
    recommender = house.recommender()
    one, other = recommender.catalogue.topic_names[:2]
    talk = recommender.start_conversation("u1")
    first = recommender.chat(talk, f"no {one}")
    second = recommender.chat(talk, f"no {other}")
    assert first.refinement["exclude_topics"] == [one]
    assert second.refinement["exclude_topics"] == sorted([one, other])
    assert first.recommendation is not None
    assert second.recommendation is not None
    assert all(one not in item.topics for item in first.recommendation.items)
    assert all({one, other}.isdisjoint(item.topics) for item in second.recommendation.items)


def test_a_turn_is_recorded_with_its_slate_and_its_reasons(house: "House") -> None:
    recommender = house.recommender()
    topic = recommender.catalogue.topic_names[0]
    talk = recommender.start_conversation("u1")
    turn = recommender.chat(talk, f"no {topic}")
    kept = read(house, talk)
    assert turn.recommendation is not None
    assert [(m.role, m.text, m.recommendation_id) for m in kept.messages] == [
        ("user", f"no {topic}", None),
        ("assistant", turn.reply, turn.recommendation.id),
    ]
    assert kept.messages[1].id == turn.message_id
    assert kept.messages[0].refinement is not None
    assert kept.messages[0].refinement["exclude_topics"] == [topic]
    assert [wish.refinement for wish in turn.wishes] == kept.refinement["refinements"]
    assert [wish.phrases for wish in turn.wishes] == [(f"no {topic}",)]
    assert house.rows(Explanation) == 10


def test_starting_over_forgets_the_wishes(house: "House") -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    recommender.chat(talk, f"no {recommender.catalogue.topic_names[0]}")
    turn = recommender.chat(talk, "start over")
    assert turn.intent == "reset"
    assert turn.refinement["exclude_topics"] == []
    assert turn.recommendation is not None


def test_small_talk_is_answered_without_a_slate(house: "House") -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    turn = recommender.chat(talk, "hello")
    assert turn.intent == "small_talk"
    assert turn.recommendation is None
    assert house.rows(Recommendation) == 0
    assert house.rows(Message) == 2


def test_what_is_said_of_an_item_becomes_feedback(house: "House") -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    before = recommender.recommend("u1", explain=False).items[0]
    turn = recommender.chat(talk, f"I hated {before.title}")
    assert turn.intent == "feedback"
    with house.database.reading() as session:
        event = session.scalars(sa.select(Event)).one()
        assert (event.user_id, event.item_id, event.kind) == ("u1", before.item_id, "dislike")
    assert turn.recommendation is not None
    assert before.item_id not in [item.item_id for item in turn.recommendation.items]


def test_a_wish_that_leaves_nothing_is_not_adopted_and_the_answer_says_so(house: "House") -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    turn = recommender.chat(talk, "only films after 2400")
    assert turn.recommendation is None
    assert turn.refinement.get("min_year") is None
    assert "2400" in turn.reply or "2401" in turn.reply
    assert len(read(house, talk).messages) == 2
    assert recommender.chat(talk, "more variety").recommendation is not None


def test_a_wish_that_has_no_effect_is_said_to_have_none(house: "House") -> None:
    recommender = house.recommender()
    turn = recommender.chat(recommender.start_conversation("u1"), "more variety please")
    assert turn.refinement["diversity"] == "more"
    assert conversing.NO_DIVERSITY in turn.reply


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001])
def test_a_text_that_cannot_be_read_is_refused_and_not_recorded(house: "House", text: str) -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    with pytest.raises(InvalidValue) as caught:
        recommender.chat(talk, text)
    assert caught.value.field == "text"
    assert house.rows(Message) == 0


def test_unknown_people_and_conversations_are_named(house: "House") -> None:
    recommender = house.recommender()
    with pytest.raises(UnknownUser, match="ghost"):
        recommender.start_conversation("ghost")
    with pytest.raises(UnknownRecord, match="nowhere"):
        recommender.chat("nowhere", "hello")


def test_a_failure_while_recording_leaves_the_conversation_as_it_was(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    topic = recommender.catalogue.topic_names[0]

    def broken(*_: object) -> list[str]:
        raise RuntimeError("power cut")

    monkeypatch.setattr("fairloop.platform.recording.record_explanations", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        recommender.chat(talk, f"no {topic}")
    assert read(house, talk).messages == ()
    assert read(house, talk).refinement == {}
    assert house.rows(Recommendation) == house.rows(Event) == 0


def test_of_two_messages_at_once_the_later_one_is_refused(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    one, other = recommender.catalogue.topic_names[:2]
    explain = recommender.explain

    def meanwhile(decision: object, *rest: object) -> object:
        monkeypatch.setattr(recommender, "explain", explain)
        recommender.chat(talk, f"no {other}")
        return explain(decision, *rest)

    monkeypatch.setattr(recommender, "explain", meanwhile)
    with pytest.raises(InvalidValue, match="meanwhile"):
        recommender.chat(talk, f"no {one}")
    kept = read(house, talk)
    assert [one["exclude_topics"] for one in kept.refinement["refinements"]] == [[other]]
    assert len(kept.messages) == 2
