"""Conversations are evaluated by plain code, and the simulated user never says the title."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.explain.refinement import Refinement, to_filters
from fairloop.explain.understanding.parser import Parser
from fairloop.explain.utterances.load import Meaning, Utterance
from fairloop.platform.evaluation.conversation_population import (
    breaks,
    require_users,
    simulate_population,
)
from fairloop.platform.evaluation.conversation_slates import SlateMaker
from fairloop.platform.evaluation.conversation_user import (
    draw_seekers,
    simulate_users,
    things_to_say,
)
from fairloop.platform.ordering import BuiltinOrderer
from fairloop.platform.records import Recommendation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conftest import House

K = 5


def utterance(number: int, text: str, **wishes: object) -> Utterance:
    meaning = Meaning(intent="refine", refinement=Refinement.model_validate(wishes))
    return Utterance(id=f"x-{number}", kind="x", say=(text,), gold=meaning)


def population(house: "House", n_users: int = 8):
    candidates = house.recommender().candidates
    one, other = candidates.catalogue.topic_names[:2]
    sayings = [
        utterance(1, f"no {one}", exclude_topics=(one,)),
        utterance(2, f"more {other}", prefer_topics=(other,)),
        utterance(3, "less popular", popularity="less"),
        utterance(4, "purple zebras", exclude_topics=(other,)),
    ]
    return simulate_population(
        candidates, Parser(candidates.catalogue), sayings, BuiltinOrderer("top-k", candidates, K),
        BuiltinOrderer("exposure-controller", candidates, K), n_users, K,
        np.random.SeedSequence(1), lambda done, total: None,
    )[0]  # fmt: skip


def test_a_population_honours_what_is_understood_and_counts_what_is_not(house: "House") -> None:
    found = population(house)
    assert found.turns == 24
    assert found.honoured.slates == 48
    assert found.honoured.violations == 0
    assert found.honoured.as_meant < 1.0  # "purple zebras" was meant to leave a topic out
    assert population(house) == found
    assert [limit.limit for limit in found.limits][-1] == "diversity"
    assert found.limits[0].met == (found.limits[0].served_with_wishes >= found.limits[0].target)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_the_plain_check_says_what_the_filters_say(house: "House", data: st.DataObject) -> None:
    catalogue = house.recommender().catalogue
    topics = st.lists(st.sampled_from(catalogue.topic_names), max_size=2).map(tuple)
    items = st.lists(st.sampled_from(catalogue.item_ids.tolist()), max_size=3).map(tuple)
    years = st.none() | st.integers(1950, 2000)
    wish = Refinement(
        include_topics=data.draw(topics),
        exclude_topics=data.draw(topics),
        exclude_items=data.draw(items),
        dislike_items=data.draw(items),
        min_year=data.draw(years),
        max_year=data.draw(years),
    )
    allowed = to_filters(wish).allowed(catalogue)
    plain = [not breaks(catalogue, item, wish) for item in range(catalogue.n_items)]
    assert allowed.tolist() == plain


def test_a_person_never_says_the_title(house: "House") -> None:
    candidates = house.recommender().candidates
    rng = np.random.default_rng(0)
    seekers, reachable = draw_seekers(candidates, 40, rng)
    assert seekers and 0.0 < reachable <= 1.0
    shown = np.arange(K)
    for seeker in seekers:
        assert seeker.target in candidates.heldout.items_of(seeker.user)
        title = str(candidates.catalogue.titles[seeker.target]).casefold()
        said = [say(shown) for say in things_to_say(candidates.catalogue, seeker.target, rng)]
        assert any(said)
        assert not any(words and title in words.casefold() for words in said)


def test_those_who_look_find_more_with_each_wish(house: "House") -> None:
    candidates = house.recommender().candidates
    parser = Parser(candidates.catalogue)

    def look():
        maker = SlateMaker(candidates, BuiltinOrderer("top-k", candidates, K))
        return simulate_users(candidates, parser, maker, 30, K, np.random.SeedSequence(3))

    found = look()
    assert found == look()
    at_10 = [turn.recall["10"] for turn in found.by_turn]
    assert at_10[-1] >= at_10[0]
    assert all(t.recall["1"] <= t.recall["10"] <= t.recall["50"] for t in found.by_turn)
    assert 0.0 <= found.success <= 1.0


def test_a_list_without_a_database_is_that_of_the_recommender(house: "House") -> None:
    recommender = house.recommender()
    wish = Refinement(popularity="less")
    shown: Recommendation = recommender.recommend("u1", K, wish, explain=False, seed=0)
    maker = SlateMaker(recommender.candidates, BuiltinOrderer("top-k", recommender.candidates, K))
    user = recommender.candidates.user_index("u1")
    made = maker.make(user, wish, K, np.random.default_rng(0), moves=False)
    ids = recommender.catalogue.item_ids[made.items].tolist()
    assert ids == [item.item_id for item in shown.items]


def test_more_users_than_there_are_is_refused() -> None:
    with pytest.raises(InvalidValue) as refused:
        require_users(11, 10)
    assert refused.value.field == "users"
