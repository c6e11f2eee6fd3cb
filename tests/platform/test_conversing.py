"""Each turn of a conversation takes effect and is recorded whole, or not at all."""

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue, UnknownRecord, UnknownUser
from fairloop.explain.refinement import Refinement
from fairloop.platform import conversing
from fairloop.platform.db.tables import Event, Explanation, Message, Recommendation
from fairloop.platform.records import ConversationRecord, LimitCost, WishCost
from fairloop.platform.store import wishes as stack
from fairloop.platform.store.conversations import get_conversation, set_wishes
from fairloop.platform.store.steps import steps_of
from fairloop.platform.wish_cost import most_exposure, told
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.greedy import slate_exposure_share

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
    assert read(house, talk).refinement == {"refinements": []}
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


def test_questions_are_answered_from_the_record(house: "House") -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    topic = recommender.catalogue.topic_names[0]
    assert "no list yet" in recommender.chat(talk, "why these?").reply
    shown = recommender.chat(talk, f"no {topic}").recommendation
    assert shown is not None and shown.items[1].explanation is not None
    why = recommender.chat(talk, "why the second one?")
    assert why.intent == "question" and why.recommendation is None
    assert shown.items[1].explanation.text in why.reply
    assert "number 2" in why.reply
    assert shown.items[1].title in recommender.chat(talk, "tell me about it").reply
    assert f"no {topic}" in recommender.chat(talk, "which wishes are on?").reply
    assert house.rows(Recommendation) == 1


def test_why_not_names_the_wish_that_rules_an_item_out(house: "House") -> None:
    recommender = house.recommender()
    catalogue = recommender.catalogue
    talk = recommender.start_conversation("u1")
    first = recommender.recommend("u1", explain=False).items[0]
    turn = recommender.chat(talk, f"no {first.topics[0]}")
    assert turn.recommendation is not None
    reply = recommender.chat(talk, f"why not {first.title}?").reply
    assert f"your wishes rule it out (no {first.topics[0]})" in reply
    row = recommender.candidates.item_index(first.item_id)
    assert first.topics[0] in np.array(catalogue.topic_names)[catalogue.topics[row]]


def test_wishes_are_taken_back_one_by_one(house: "House") -> None:
    recommender = house.recommender()
    one, other = recommender.catalogue.topic_names[:2]
    talk = recommender.start_conversation("u1")
    recommender.chat(talk, f"no {one}")
    both = recommender.chat(talk, f"less {other}")
    assert [wish.phrases for wish in both.wishes] == [(f"no {one}",), (f"less {other}",)]
    left = recommender.chat(talk, f"forget the {one} thing")
    assert [wish.phrases for wish in left.wishes] == [(f"less {other}",)]
    assert left.recommendation is not None
    with house.database.reading() as session:
        history = stack.history(session, talk)
    assert [wish.removed_by is None for wish in history] == [False, True]


def test_wishes_of_the_old_form_are_still_read(house: "House") -> None:
    recommender = house.recommender()
    one, other = recommender.catalogue.topic_names[:2]
    talk = recommender.start_conversation("u1")
    with house.database.session() as session:
        set_wishes(session, talk, Refinement(exclude_topics=(one,)).model_dump(mode="json"))
    turn = recommender.chat(talk, f"no {other}")
    assert turn.refinement["exclude_topics"] == sorted([one, other])


def test_what_a_wish_costs_is_measured_and_recorded(house: "House") -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    topic = recommender.catalogue.topic_names[0]
    plain = recommender.request(["u1"])
    without = recommender.rerank(plain, recommender.candidates.pools(plain.users)).measured[0]
    turn = recommender.chat(talk, f"no {topic}")
    assert turn.cost is not None and turn.recommendation is not None
    levels = [limit.with_wishes for limit in turn.cost.limits]
    assert levels == pytest.approx(turn.recommendation.constraint_state["measured"])
    assert [limit.without_wishes for limit in turn.cost.limits] == pytest.approx(without.tolist())
    for limit in turn.cost.limits:
        assert limit.most_possible is None or limit.with_wishes <= limit.most_possible + 1e-6
    with house.database.reading() as session:
        said = get_conversation(session, talk).messages[0].id
        steps = steps_of(session, said)
    assert [step.name for step in steps] == ["read", "answer"]
    assert steps[1].result["cost"] == turn.cost.model_dump(mode="json")
    assert recommender.chat(talk, "start over").cost is None


def test_limits_out_of_a_lists_reach_are_said(house: "House") -> None:
    recommender = house.recommender()
    limit = recommender.orderer.constraints.exposure[0]
    short = WishCost(
        limits=(
            LimitCost(
                limit=recommender.orderer.constraints.names[0],
                target=limit.least,
                with_wishes=0.0,
                without_wishes=limit.least,
                most_possible=0.0,
            ),
        )
    )
    said = told(short, recommender.orderer.constraints)
    assert limit.label in said and "at most 0 %" in said and "on average" in said
    reached = short.limits[0].model_copy(update={"most_possible": 1.0})
    assert told(WishCost(limits=(reached,)), recommender.orderer.constraints) == ""


def test_the_most_exposure_is_that_of_the_best_slate() -> None:
    rng = np.random.default_rng(0)
    topics = rng.random((30, 3)) < 0.5
    catalogue = Catalogue(
        item_ids=np.arange(30).astype(str),
        titles=np.arange(30).astype(str),
        topics=topics,
        topic_names=("A", "B", "C"),
        year=np.full(30, 1990.0),
        popularity=np.arange(30.0),
        groups={"popularity": Groups("popularity", ("head", "tail"), (np.arange(30) < 4) * 1)},
    )
    limits = Constraints(exposure=(ExposureFloor(attribute="popularity", group="tail", share=0.5),))
    items = rng.permutation(30)[:8][None, :]
    pools = CandidatePools(np.array([0]), items, np.ones(items.shape), None)
    context = PoolContext.of(pools, catalogue, limits)
    best = max(
        slate_exposure_share(context, np.array([order]))[0, 0]
        for order in permutations(range(8), 3)
    )
    assert most_exposure(context, 3) == pytest.approx([best])


def test_a_list_that_stays_the_same_is_said_to(house: "House") -> None:
    recommender = house.recommender()
    talk = recommender.start_conversation("u1")
    topic = recommender.catalogue.topic_names[0]
    assert conversing.SAME_LIST not in recommender.chat(talk, f"no {topic}").reply
    assert conversing.SAME_LIST in recommender.chat(talk, f"no {topic}").reply
