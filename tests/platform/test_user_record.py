"""What is kept about a user: with consent only, shown whole, and gone when erased."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from fairloop.errors import InvalidValue, UnknownUser
from fairloop.platform.db.base import utc_now
from fairloop.platform.db.engine import Database
from fairloop.platform.db.tables import (
    Consent,
    Conversation,
    ConversationWish,
    Erasure,
    Event,
    Explanation,
    Message,
    ModelCall,
    ModelVersion,
    Preferences,
    Prompt,
    Recommendation,
    RecommendationItem,
    ToolCall,
    User,
    metadata,
)
from fairloop.platform.store import erasure, preferences, steps, wishes
from fairloop.platform.store.conversations import add_message, start_conversation
from fairloop.platform.store.people_items import save_items, save_users

NO_HORROR = {"exclude_topics": ["Horror"]}
MORE_COMEDY = {"prefer_topics": ["Comedy"]}


@dataclass(frozen=True)
class Person:
    """Ids of what was recorded about a user."""

    id: str
    conversation: str
    message: str
    slate: str


@pytest.fixture
def people(database: Database) -> tuple[Person, Person]:
    """Two users with one of everything on record; they share a prompt."""
    with database.session() as session:
        save_users(session, {"ann": {"age": "30"}, "bob": {}})
        save_items(session, {"1": ("Heat", {})})
        for version, kind in (("c", "candidates"), ("p", "policy")):
            session.add(
                ModelVersion(
                    version=version,
                    kind=kind,
                    status="accepted",
                    deployed=True,
                    lineage={},
                    metrics={},
                )
            )
        session.add(Prompt(hash="shared", version="explain-1", content={"messages": []}))
        session.flush()
        return recorded(session, "ann"), recorded(session, "bob")


def recorded(session: sa.orm.Session, user: str) -> Person:
    slate = Recommendation(
        user_id=user,
        candidates_version="c",
        policy_version="p",
        k=1,
        propensity=1.0,
        constraint_state={},
        request={"wishes": NO_HORROR},
    )
    session.add(slate)
    session.flush()
    session.add(
        RecommendationItem(
            recommendation_id=slate.id, position=1, item_id="1", base_score=1.0, base_rank=1
        )
    )
    session.flush()
    session.add(
        Explanation(
            recommendation_id=slate.id,
            item_id="1",
            evidence={},
            text="t",
            source="model",
            verdict={},
            evidence_hash="h",
            provenance={},
        )
    )
    session.add(
        Event(
            user_id=user,
            item_id="1",
            recommendation_id=slate.id,
            kind="click",
            occurred_at=utc_now(),
        )
    )
    talk = start_conversation(session, user)
    said = add_message(session, talk, "user", "no horror")
    add_message(session, talk, "assistant", "Understood.", recommendation_id=slate.id)
    wishes.write_stack(session, talk, [NO_HORROR], said, said)
    steps.record_steps(session, said, [steps.Step("read", 0.01, {"text": "no horror"})])
    session.add(Prompt(hash=user, version="explain-1", content={"messages": [user]}))
    session.flush()
    for key in (user, "shared"):
        session.add(
            ModelCall(
                recommendation_id=slate.id,
                item_id="1",
                prompt_hash=key,
                model="m",
                parameters={},
                outcome="ok",
                attempts=1,
                cached=False,
                cost=0.0,
                latency_s=0.1,
            )
        )
    session.add(
        ModelCall(
            message_id=said,
            model="m",
            parameters={},
            outcome="ok",
            attempts=1,
            cached=False,
            cost=0.0,
            latency_s=0.1,
        )
    )
    preferences.give_consent(session, user)
    preferences.keep_preferences(session, user, NO_HORROR)
    return Person(user, talk, said, slate.id)


def everything(database: Database) -> str:
    """All values of all tables as one text, to look for somebody's traces."""
    with database.reading() as session:
        return "\n".join(
            str(row)
            for table in metadata.tables.values()
            for row in session.execute(table.select())
        )


def count(database: Database, table: type) -> int:
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_nothing_is_kept_without_consent(database: Database) -> None:
    with database.session() as session:
        save_users(session, {"ann": {}})
    with (
        pytest.raises(InvalidValue, match="did not allow") as caught,
        database.session() as session,
    ):
        preferences.keep_preferences(session, "ann", NO_HORROR)
    assert caught.value.field == "consent"
    assert count(database, Preferences) == 0


def test_withdrawing_deletes_what_was_kept_and_leaves_the_withdrawal_on_record(database) -> None:
    with database.session() as session:
        save_users(session, {"ann": {}})
        assert preferences.give_consent(session, "ann") == preferences.give_consent(session, "ann")
        preferences.keep_preferences(session, "ann", NO_HORROR)
        preferences.keep_preferences(session, "ann", MORE_COMEDY)
        assert preferences.get_preferences(session, "ann").refinement == MORE_COMEDY
    with database.session() as session:
        assert preferences.withdraw_consent(session, "ann")
        assert not preferences.withdraw_consent(session, "ann")
        left = preferences.get_preferences(session, "ann")
        assert not left.consent and left.refinement is None
        withdrawn = session.scalars(sa.select(Consent)).one()
        assert withdrawn.withdrawn_at is not None
        assert preferences.give_consent(session, "ann") != withdrawn.id  # given anew


def test_the_stack_keeps_what_was_taken_back(database: Database) -> None:
    with database.session() as session:
        save_users(session, {"ann": {}})
        talk = start_conversation(session, "ann")
        first = add_message(session, talk, "user", "no horror, more comedy, no horror")
        stacked = wishes.write_stack(
            session, talk, [NO_HORROR, MORE_COMEDY, NO_HORROR], first, first
        )
        assert [w.refinement for w in stacked] == [NO_HORROR, MORE_COMEDY, NO_HORROR]
        second = add_message(session, talk, "user", "drop the comedy; before 1990")
        after = wishes.write_stack(
            session, talk, [NO_HORROR, NO_HORROR, {"max_year": 1989}], second, second
        )
        assert [w.id for w in after][:2] == [stacked[0].id, stacked[2].id]
        assert after[2].message_id == second
        all_of_them = wishes.history(session, talk)
        assert [w.removed_by for w in all_of_them] == [None, second, None, None]
        third = add_message(session, talk, "user", "from 1970 then")
        narrowed = [
            NO_HORROR,
            {"exclude_topics": ["Drama"]},
            {"max_year": 1989},
            {"min_year": 1970},
        ]
        held = wishes.write_stack(session, talk, narrowed, third, third)
        assert [w.refinement for w in held] == narrowed
        # What is left of a narrowed entry is still of the message that asked for it.
        assert [w.message_id for w in held] == [first, first, second, third]
        assert wishes.write_stack(session, talk, [], None, wishes.BY_API) == []
        assert {w.removed_by for w in wishes.history(session, talk)} == {second, third, "api"}


def test_a_user_sees_all_that_is_on_record_about_them_and_nothing_of_others(database, people):
    ann, bob = people
    with database.reading() as session:
        found = erasure.user_data(session, ann.id)
    assert {name: len(rows) for name, rows in found.items()} == {
        "users": 1,
        "recommendations": 1,
        "explanations": 1,
        "events": 1,
        "preferences": 1,
        "consents": 1,
        "model_calls": 3,
        "tool_calls": 1,
        "conversation_wishes": 1,
        "messages": 2,
        "conversations": 1,
    }
    assert bob.id not in str(found) and bob.slate not in str(found)
    with pytest.raises(UnknownUser), database.reading() as session:
        erasure.user_data(session, "nobody")


def test_every_table_that_leads_to_a_user_is_shown_and_erased():
    """By foreign keys, so that a table that is added later is not forgotten."""
    leading = {"users"}
    while True:
        more = {
            name
            for name, table in metadata.tables.items()
            if any(key.column.table.name in leading for key in table.foreign_keys)
        } | leading
        if more == leading:
            break
        leading = more
    covered = {table.__tablename__ for table in erasure._ABOUT}
    # Positions of a slate hold no user; they stay with the slate.
    assert leading - covered == {"recommendation_items"}


def test_erasing_leaves_no_trace_of_the_user_and_everything_of_others(database, people) -> None:
    ann, bob = people
    with database.session() as session:
        counts = erasure.erase_user(session, ann.id)
    assert counts["messages"] == 2 and counts["prompts"] == 1 and counts["slates_detached"] == 1
    left = everything(database)
    for trace in (ann.id, ann.conversation, ann.message):
        assert trace not in left
    assert ann.slate in left and bob.id in left and bob.message in left
    with database.reading() as session:
        nobody = session.scalars(sa.select(User).where(User.id.startswith("erased-"))).one()
        slate = session.get(Recommendation, ann.slate)
        assert (
            slate is not None and slate.user_id == nobody.id and slate.request == {"erased": True}
        )
        assert nobody.attributes == {}
    assert count(database, Erasure) == 1 and count(database, ConversationWish) == 1
    assert count(database, ToolCall) == 1 and count(database, Prompt) == 2
    with pytest.raises(UnknownUser), database.session() as session:
        erasure.erase_user(session, ann.id)


def test_erasing_a_conversation_takes_its_messages_and_leaves_the_slate(database, people) -> None:
    ann, bob = people
    with database.session() as session:
        assert erasure.erase_conversation(session, ann.conversation)
        assert not erasure.erase_conversation(session, ann.conversation)
    left = everything(database)
    assert ann.conversation not in left and ann.message not in left
    assert ann.slate in left and bob.conversation in left
    assert count(database, Message) == 2 and count(database, Conversation) == 1
