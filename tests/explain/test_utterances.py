"""The utterance set is what its README says, and the scores are what they are said to be."""

from collections import Counter

import numpy as np
import pytest
from fairloop.candidates.build import build_catalogue
from fairloop.candidates.catalogue import Catalogue
from fairloop.candidates.groups import movielens_groups
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.read import movielens_100k
from fairloop.errors import InvalidValue
from fairloop.explain.refinement import Refinement
from fairloop.explain.understanding.memory import Memory
from fairloop.explain.understanding.parser import Parser
from fairloop.explain.utterances.load import (
    SPLITS,
    Meaning,
    Utterance,
    load_utterances,
    shown_items,
)
from fairloop.explain.utterances.score import is_exact, score, score_by_kind, slots


@pytest.fixture(scope="module")
def movielens() -> Catalogue:
    dataset = movielens_100k()
    train = Interactions.build(
        dataset.user, dataset.item, dataset.rating, dataset.timestamp, dataset.n_users,
        dataset.n_items,
    )  # fmt: skip
    return build_catalogue(dataset, movielens_groups(), train)


def test_the_halves_are_disjoint_and_stratified(movielens):
    halves = {split: load_utterances(split, movielens) for split in SPLITS}
    dev, test = halves["dev"], halves["test"]
    assert len(dev) + len(test) == 458
    said = [utterance.say for half in halves.values() for utterance in half]
    assert len(set(said)) == len(said)
    assert not {one.id for one in dev} & {one.id for one in test}
    of_dev, of_test = (Counter(one.kind for one in half) for half in (dev, test))
    assert of_dev.keys() == of_test.keys()
    assert all(0 <= of_test[kind] - of_dev[kind] <= 1 for kind in of_dev)


def test_every_meaning_holds_something_or_is_no_wish(movielens):
    for split in SPLITS:
        for one in load_utterances(split, movielens):
            wordless = one.gold.intent in ("small_talk", "out_of_scope")
            assert wordless == (not slots(one.gold) and not one.gold.options) or one.kind in (
                "change",
            ), one.id
            if one.gold.intent == "question":
                assert one.gold.ask is not None
            if one.gold.intent == "clarify":
                assert len(one.gold.options) >= 2


def test_another_catalogue_is_refused(catalogue):
    with pytest.raises(InvalidValue) as refused:
        load_utterances("dev", catalogue)
    assert "ml-100k" in (refused.value.mend or "")


def test_the_rules_keep_their_level_on_the_development_half(movielens):
    """A guard against regressions; the figure to quote is that of the other half."""
    parser, shown = Parser(movielens), shown_items(movielens)
    pairs = []
    for one in load_utterances("dev", movielens):
        memory, turn = Memory(focus=one.focus), None
        for text in one.say:
            turn = parser.read(text, memory.context(shown))
            memory = memory.after(turn)
        assert turn is not None
        reset = {"reset": turn.refinement.reset}
        question, unclear = turn.question, turn.unclear
        read = Meaning(
            intent=turn.intent,
            refinement=memory.wishes.current.model_copy(update=reset),
            ask=question.kind if question and not question.missing else None,
            about=question.items if question else (),
            options=tuple(option.value for option in unclear.options) if unclear else (),
        )
        pairs.append((one, read))
    found = score(pairs)
    assert found.exact >= 0.9 and found.f1 >= 0.95
    assert score_by_kind(pairs)["hostile"].exact == 1.0


def utterance(**gold: object) -> Utterance:
    meaning = Meaning.model_validate({"intent": "refine", **gold})
    return Utterance(id="x-1", kind="x", say=("x",), gold=meaning)


def test_scores_by_hand():
    gold = utterance(refinement=Refinement(exclude_topics=("Horror", "War"), min_year=1990))
    read = Meaning(intent="refine", refinement=Refinement(exclude_topics=("Horror",), max_year=2))
    found = score([(gold, read)])
    # Meant 3, read 2, both 1.
    assert (found.precision, found.recall, found.exact) == (0.5, pytest.approx(1 / 3), 0.0)
    assert found.f1 == pytest.approx(0.4)
    assert score([(gold, gold.gold)]).f1 == score([(gold, gold.gold)]).exact == 1.0


def test_nothing_meant_and_nothing_read_is_right():
    idle = utterance(intent="out_of_scope")
    assert score([(idle, Meaning(intent="unknown"))]).model_dump() == {
        "n": 1, "exact": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0, "intents": 1.0,
    }  # fmt: skip
    wrong = Meaning(intent="refine", refinement=Refinement(popularity="less"))
    assert score([(idle, wrong)]).f1 == 0.0


def test_a_question_back_must_offer_what_is_meant():
    asked = utterance(intent="clarify", options=("1", "2"))
    assert is_exact(asked.gold, Meaning(intent="clarify", options=("3", "2", "1")))
    assert not is_exact(asked.gold, Meaning(intent="clarify", options=("1", "3")))
    assert not is_exact(utterance().gold, Meaning(intent="clarify", options=("1", "2")))


def test_the_parser_is_quick(movielens):
    """Reading must not be what a chat waits for: 100 ms leaves room for a busy machine."""
    import time

    parser, seconds = Parser(movielens), []
    for one in load_utterances("dev", movielens)[:80]:
        started = time.perf_counter()
        parser.read(one.say[0])
        seconds.append(time.perf_counter() - started)
    assert np.median(seconds) < 0.1
