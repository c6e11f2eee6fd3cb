"""What a conversation leaves on record, and what later ones begin with."""

import pytest
from fairloop.errors import UnknownRecord
from fairloop.explain.refinement import Refinement
from fairloop.explain.summary import MAX_PHRASES, Told, summarise
from fairloop.platform import stacking, summarising
from fairloop.platform.store import preferences
from fairloop.platform.store.conversations import get_conversation
from fairloop.platform.store.steps import steps_of


def conversation(house, key, last=None):
    with house.database.reading() as session:
        return get_conversation(session, key, last=last)


def test_what_was_taken_for_what_and_what_it_cost_is_on_record(house) -> None:
    recommender = house.recommender(fallback_reranker="exposure-controller")
    topic = recommender.catalogue.topic_names[0]
    key = recommender.start_conversation("u1")
    turn = recommender.chat(key, f"no {topic}")
    recommender.chat(key, "hello")
    found = conversation(house, key)
    assert [m.intent for m in found.messages] == ["refine", None, "small_talk", None]
    assert turn.cost is not None
    assert found.messages[1].cost == turn.cost.model_dump(mode="json")
    assert found.messages[3].cost is None
    with house.database.reading() as session:
        assert next(step.name for step in steps_of(session, found.messages[0].id)) == "read"
    (wish,) = stacking.wishes_of(house.database, key)
    assert wish.message_id == found.messages[0].id
    assert wish.refinement["exclude_topics"] == [topic]


def test_a_wish_is_taken_back_from_outside_and_the_next_list_is_free_of_it(house) -> None:
    recommender = house.recommender()
    names = recommender.catalogue.topic_names
    key = recommender.start_conversation("u1")
    recommender.chat(key, f"no {names[0]}")
    recommender.chat(key, f"no {names[1]}")
    first, second = stacking.wishes_of(house.database, key)
    left = stacking.take_back(house.database, key, first.id)
    assert [wish.id for wish in left] == [second.id]
    turn = recommender.chat(key, "more variety")
    assert turn.refinement["exclude_topics"] == [names[1]]
    assert next(wish.removed_by for wish in stacking.wishes_of(house.database, key)) == "api"
    with pytest.raises(UnknownRecord, match="no wish"):
        stacking.take_back(house.database, key, first.id)


def test_a_conversation_begins_with_what_the_user_allowed_to_be_kept(house) -> None:
    recommender = house.recommender()
    topic = recommender.catalogue.topic_names[0]
    wish = Refinement(exclude_topics=(topic,))
    with house.database.session() as session:
        preferences.give_consent(session, "u1")
        preferences.keep_preferences(session, "u1", wish.model_dump(mode="json"))
    key = recommender.start_conversation("u1")
    (stacked,) = stacking.wishes_of(house.database, key)
    assert stacked.message_id is None and stacked.removed_at is None
    turn = recommender.chat(key, "more variety")
    assert turn.recommendation is not None
    assert all(topic not in item.topics for item in turn.recommendation.items)
    with house.database.session() as session:
        preferences.withdraw_consent(session, "u1")
    later = recommender.start_conversation("u1")
    assert stacking.wishes_of(house.database, later) == []


def test_a_long_conversation_has_a_summary_and_can_be_read_from_its_end(house, monkeypatch) -> None:
    monkeypatch.setattr(summarising, "LONG", 8)
    monkeypatch.setattr(summarising, "RECENT", 4)
    recommender = house.recommender()
    topic = recommender.catalogue.topic_names[0]
    key = recommender.start_conversation("u1")
    recommender.chat(key, f"no {topic}")
    for _ in range(3):
        assert conversation(house, key).summary is None
        recommender.chat(key, "hello")
    found = conversation(house, key)
    assert found.summarised == 4 and len(found.messages) == 8
    assert found.summary is not None and f"no {topic}" in found.summary
    assert "You wrote 2 messages." in found.summary and "I showed 1 list." in found.summary
    end = conversation(house, key, last=3)
    assert [m.ordinal for m in end.messages] == [6, 7, 8] and end.summary == found.summary
    recommender.chat(key, "hello")
    assert conversation(house, key).summarised == 4  # not anew for each message
    recommender.chat(key, "hello")
    assert conversation(house, key).summarised == 8


def test_a_summary_tells_each_thing_once_and_counts_the_rest(catalogue_of_wishes) -> None:
    catalogue, refinements = catalogue_of_wishes
    told = [Told("refine", one) for one in refinements] + [Told("question", Refinement())]
    text = summarise(told, 2, catalogue)
    assert text.startswith(f"You wrote {len(told)} messages. You asked: no ")
    assert text.count(";") == MAX_PHRASES and "; and 3 more." in text
    assert text.endswith("You had 1 question. I showed 2 lists.")


@pytest.fixture
def catalogue_of_wishes(house):
    catalogue = house.recommender().catalogue
    years = [Refinement(min_year=1950 + n) for n in range(MAX_PHRASES + 2)]
    no = Refinement(exclude_topics=(catalogue.topic_names[0],))
    return catalogue, [no, no, *years]
