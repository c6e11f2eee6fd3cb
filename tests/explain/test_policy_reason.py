"""Reasons of a learned policy: every true sentence passes the check, every changed one does not."""

from itertools import product
from typing import get_args

import numpy as np
import pytest
from fairloop.explain.evidence import Evidence
from fairloop.explain.grammar import relation_grammar, sample_text
from fairloop.explain.template import template_text
from fairloop.explain.verify import verify
from fairloop.explain.wording import sentence_slots
from fairloop.rerankers.features import FEATURES
from fairloop.rerankers.policy_reason import PolicyReason, State, sentence

STATES = [
    ("clicks_lately", "high", "Thriller", 1.2),
    ("clicks_lately", "high", None, 4.0),
    ("clicks_lately", "low", None, 0.1),
    ("taste", "high", "Film-Noir", 0.5),
    ("taste", "low", "Children's", -0.5),
    ("satisfaction", "high", None, 0.9),
    ("satisfaction", "low", None, 0.2),
    ("click_rate", "high", None, 0.4),
    ("click_rate", "low", None, 0.1),
    ("slates_seen", "high", None, 30.0),
    ("slates_seen", "low", None, 1.0),
    ("days_away", "high", None, 12.4),
    ("shown_lately", "high", None, 0.1),
    ("shown_lately", "low", None, 0.0),
    ("pool_topic", "high", "Drama", 0.4),
    ("pool_topic", "low", "Drama", 0.01),
]
ASPECTS = [
    ("relevance", None),
    ("popularity", None),
    ("recency", None),
    ("satiation", None),
    ("topic_taste", None),
    ("fatigue", None),
    ("clicked", None),
    ("preference", None),
    ("enjoyment", None),
    ("familiarity", None),
    ("history_affinity", None),
    ("history_taste", None),
    ("reward", None),
    ("rested_reward", None),
    ("floor:popularity=long_tail", "long_tail"),
    ("floor:studio=small studios", "small studios"),
    ("floor:studio!=big ones", "big ones"),
    ("diversity", None),
]


def reasons() -> list[PolicyReason]:
    return [
        PolicyReason(
            state=state,
            level=level,
            topic=topic,
            value=value,
            percentile=90 if level == "high" else 10,
            aspect=aspect,
            group=group,
            direction=direction,
            size=0.2,
            places=3,
        )
        for (state, level, topic, value), (aspect, group), direction in product(
            STATES, ASPECTS, ("up", "down")
        )
    ]


def with_reason(evidence: Evidence, reason: PolicyReason | None) -> Evidence:
    return evidence.model_copy(update={"policy": reason, "moves": ()})


def told(reason: PolicyReason, evidence: Evidence) -> tuple[str, ...]:
    slots = sentence_slots(with_reason(evidence, reason), "film", "short")
    return next((slot.sentences for slot in slots if slot.says == "policy"), ())


def test_every_reason_has_words_and_its_own_sentences_pass_the_check(evidence_of):
    evidence = evidence_of(3)
    texts = set()
    for reason in reasons():
        sentences = told(reason, evidence)
        assert len(sentences) == 2 and sentence(reason, "film") == sentences[0]
        assert "moved it up 3 places" in sentences[1]
        texts.add(sentences[0])
        for text in sentences:
            found = verify(text, with_reason(evidence, reason), "film")
            assert found.accepted, (text, found.problems)
            assert [claim.kind for claim in found.claims] == ["policy"]
    assert len(texts) == len(reasons())  # no two reasons read alike


def test_the_sentence_of_another_reason_is_refused(evidence_of):
    evidence, all_of_them = evidence_of(3), reasons()
    rng = np.random.default_rng(0)
    for mine in rng.permutation(len(all_of_them))[:12]:
        known = with_reason(evidence, all_of_them[mine])
        for other in rng.permutation(len(all_of_them))[:40]:
            if other != mine:
                text = sentence(all_of_them[other], "film")
                assert not verify(text, known, "film").accepted, text


@pytest.mark.parametrize(
    "change",
    [
        {"direction": "down"},
        {"aspect": "recency"},
        {"topic": "Drama"},
        {"state": "taste", "value": 0.9},
        {"places": 4},
        {"exact": False},
    ],
)
def test_a_change_of_any_part_is_refused(evidence_of, change):
    reason = reasons()[0].model_copy(update={"aspect": "diversity", "direction": "up"})
    text = told(reason, evidence_of(3))[1]
    assert verify(text, with_reason(evidence_of(3), reason), "film").accepted
    changed = with_reason(evidence_of(3), reason.model_copy(update=change))
    assert not verify(text, changed, "film").accepted


def test_every_feature_and_every_state_that_a_policy_sees_has_words():
    """A feature that is added gets its words here, or its place among those without."""
    known = {name for name, _ in ASPECTS} | {"base", "satiation_squared", "base_when_dissatisfied"}
    assert set(FEATURES) <= known  # the last three belong to relevance and satiation
    assert {state for state, *_ in STATES} == set(get_args(State))


def test_nothing_is_said_without_a_reason_or_a_gain(evidence_of):
    reason = reasons()[0]
    assert told(reason.model_copy(update={"places": 0}), evidence_of(3)) == ()
    assert told(reason.model_copy(update={"places": -2}), evidence_of(3)) == ()
    text = sentence(reason, "film")
    assert not verify(text, with_reason(evidence_of(3), None), "film").accepted


@pytest.mark.parametrize(
    "change",
    [
        {"percentile": 74.9},
        {"level": "low"},
        {"value": 0.4},
        {"state": "taste", "value": 0.1},
        {"state": "satisfaction", "topic": None, "value": 0.6},
        {"state": "days_away", "topic": None, "value": 1.4},
        {"state": "taste", "topic": None, "value": 0.9},
        {"aspect": "something new"},
    ],
)
def test_values_that_do_not_bear_the_words_out_have_no_words(change):
    assert sentence(reasons()[0].model_copy(update=change), "film") is None


def test_a_sentence_as_it_reads():
    reason = reasons()[0].model_copy(update={"aspect": "diversity"})
    assert (
        sentence(reason, "film")
        == "You chose many Thriller films lately, so variety counts more now."
    )


def test_texts_with_a_reason_are_true_and_old_records_are_still_read(evidence_of):
    rng = np.random.default_rng(1)
    sampled = 0
    for seed, reason in enumerate(reasons()[::37]):
        evidence = evidence_of(seed).model_copy(update={"policy": reason})
        text = template_text(evidence, "film")
        assert sentence(reason, "film")[:-1] in text
        assert verify(text, evidence, "film").accepted, text
        assert "policy" in relation_grammar(evidence, "film")
        drawn = sample_text(evidence, rng, "film")
        sampled += sentence(reason, "film")[:-1] in drawn
        assert verify(drawn, evidence, "film").accepted, drawn
        assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence
    assert sampled
    stored = evidence_of(0).model_dump(mode="json")
    del stored["policy"]
    assert Evidence.model_validate(stored).policy is None
