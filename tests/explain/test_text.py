"""What the grammar and the template say is so, and what is not so is refused."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from fairloop.explain.evidence import Evidence, Move
from fairloop.explain.grammar import OFFERED, longest_text, relation_grammar, sample_text
from fairloop.explain.template import template_text
from fairloop.explain.verify import verify
from fairloop.explain.wording import sentence_slots
from hypothesis import given, settings
from hypothesis import strategies as st

SEEDS = st.integers(min_value=0, max_value=10**6)


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS, draw=st.integers(0, 100))
def test_every_path_of_the_grammar_is_accepted(evidence_of, seed, draw):
    evidence = evidence_of(seed)
    text = sample_text(evidence, np.random.default_rng(draw), "film")
    verdict = verify(text, evidence, "film")
    assert verdict.accepted, (text, verdict.problems)
    assert all(claim.holds for claim in verdict.claims)
    assert verdict.claims


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_every_sentence_of_every_slot_is_accepted(evidence_of, seed):
    evidence = evidence_of(seed).model_copy(update={"moves": ()})
    opening = sentence_slots(evidence, "film", "short")[0].sentences[0]
    for slot in sentence_slots(evidence, "film", "short"):
        for sentence in slot.sentences:
            text = sentence if slot.says == "opening" else f"{opening} {sentence}"
            assert verify(text, evidence, "film").accepted, text


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, style=st.sampled_from(["short", "one_line"]))
def test_template_is_accepted_and_stable(evidence_of, seed, style):
    evidence = evidence_of(seed)
    text = template_text(evidence, "film", style)
    assert text == template_text(
        Evidence.model_validate_json(evidence.model_dump_json()), "film", style
    )
    assert verify(text, evidence, "film").accepted
    assert text.endswith(".") and "  " not in text and "\n" not in text
    if evidence.gained("exposure"):
        assert "minimum share of exposure" in text


def test_templates_vary_between_items(evidence_of):
    shapes = Counter(
        re.sub(r'"[^"]*"|\d+', "_", template_text(evidence_of(seed), "film")) for seed in range(200)
    )
    assert len(shapes) >= 100


def test_grammar_is_whole_and_bounded(evidence_of):
    for seed in range(50):
        evidence = evidence_of(seed)
        grammar = relation_grammar(evidence, "film")
        rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
        used = {name.rstrip("?") for name in rules["root"].split()}
        assert used == set(rules) - {"root"}
        for name in used:  # each alternative is one closed literal, no recursion
            literals = re.findall(r'"(?:[^"\\]|\\.)*"', rules[name])
            assert " | ".join(literals) == rules[name]
            assert all(json.loads(literal) for literal in literals)
        assert longest_text(evidence, "film") < 1500


def test_grammar_offers_few_true_sentences_and_each_to_somebody(evidence_of):
    """A model with favourites must vary, and no phrasing is out of its reach."""
    offered: Counter[str] = Counter()
    for seed in range(150):
        evidence = evidence_of(seed)
        grammar = relation_grammar(evidence, "film")
        assert grammar == relation_grammar(evidence.model_copy(deep=True), "film")
        rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
        for slot in sentence_slots(evidence, "film", "short"):
            written = re.findall(r'"(?:[^"\\]|\\.)*"', rules[slot.says])
            sentences = [json.loads(literal).strip() for literal in written]
            assert len(sentences) == min(OFFERED, len(slot.sentences))
            assert set(sentences) <= set(slot.sentences)
            offered.update(_words_alone(sentence) for sentence in sentences)
    written = {
        _words_alone(sentence)
        for seed in range(150)
        for slot in sentence_slots(evidence_of(seed), "film", "short")
        for sentence in slot.sentences
        if slot.says != "policy"
    }
    rare = {sentence for sentence in written if offered[sentence] == 0}
    assert len(written) > 40
    assert not rare


def _words_alone(sentence: str) -> str:
    masked = re.sub(r'"[^"]*"(?: \(\d+\))?|‘[^’]*’|\d+(?:\.\d+)?', "_", sentence)
    masked = re.sub(r"(filed under|shares|has|to) [A-Z][^_.]*", r"\1 _", masked)
    return re.sub(r"_(?:, _)*(?: and _)", "_", masked)


LIES = {
    "swapped genre": (r"(shares|filed under) (?P<x>[A-Z][\w'-]+)", "other_topic"),
    "invented genre": (r"(shares|filed under) (?P<x>[A-Z][\w'-]+)", "Western"),
    "wrong year": (r"\((?P<x>\d{4})\)", "plus_one"),
    "invented title": (r'"(?P<x>[^"]+)"', "Citizen Kane"),
    "wrong percentage": (r"(?P<x>\d+) %", "plus_one"),
    "wrong places": (r"(?P<x>\d+) places?", "plus_one"),
    "wrong rank": (r"number (?P<x>\d+)", "plus_one"),
    "wrong rating": (r"rated \"[^\"]+\" (?P<x>[\d.]+)\.", "plus_one"),
    "invented feeling": (r"(?P<x>you liked|you chose)", "you disliked"),
    "negation": (r"(?P<x>shares|moved it up|stands)", "never"),
    "direction": (r"(?P<x>moved (?:it )?up|higher)", "lower"),
    "wrong group": (r"(?P<x>less-known films|films of the group ‘[^’]+’)", "films by women"),
    "wrong reason": (r"(?P<x>to keep your list varied)", "because it is sponsored"),
}


def _corrupt(text: str, evidence: Evidence, lie: str, rng: np.random.Generator) -> str | None:
    pattern, replacement = LIES[lie]
    places = list(re.finditer(pattern, text))
    if not places:
        return None
    match = places[rng.integers(len(places))]
    old = match["x"]
    new = replacement
    if replacement == "plus_one":
        new = f"{float(old) + 1:g}"
    if replacement == "other_topic":
        known = {t for i in (evidence.item, *(k.item for k in evidence.links)) for t in i.topics}
        true_of_item = set(evidence.item.topics)
        others = sorted(known - true_of_item)
        if not others:
            return None
        new = str(rng.choice(others))
    return text[: match.start("x")] + new + text[match.end("x") :]


def test_corrupted_texts_are_refused(evidence_of):
    rng = np.random.default_rng(7)
    tried: Counter[str] = Counter()
    false_accepts = []
    for seed in range(400):
        evidence = evidence_of(seed)
        text = sample_text(evidence, rng, "film")
        for lie in LIES:
            corrupted = _corrupt(text, evidence, lie, rng)
            if corrupted is None or corrupted == text:
                continue
            tried[lie] += 1
            if verify(corrupted, evidence, "film").accepted:
                false_accepts.append((lie, corrupted))
    assert all(tried[lie] >= 10 for lie in LIES), tried
    assert sum(tried.values()) >= 1000
    assert not false_accepts, false_accepts[:5]


def test_swapped_roles_are_refused(evidence_of):
    """True words, false relations."""
    refused = 0
    for seed in range(300):
        evidence = evidence_of(seed)
        moved = evidence.model_copy(update={"moves": ()})
        for link in evidence.links:
            wrong = [t for t in link.item.topics if t not in evidence.item.topics]
            others = [o for o in evidence.links if o.item.item_id != link.item.item_id]
            texts = [f'You liked "{evidence.item.title}".']
            texts += [f'It shares {topic} with "{link.item.title}".' for topic in wrong]
            texts += [f'"{link.item.title}" is here because you liked "{evidence.item.title}".']
            texts += [
                f'"{link.item.title}" shares {topic} with "{other.item.title}".'
                for other in others
                for topic in other.item.topics[:1]
            ]
            if evidence.attribution != "item_weights":
                name = evidence.item.title
                texts += [f'"{name}" is here because you liked "{link.item.title}".']
            for text in texts:
                refused += 1
                assert not verify(text, moved, "film").accepted, text
    assert refused > 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A great film that you will love.",
        'You liked "Casino" and "Goodfellas".',
        '"Heat" is directed by Michael Mann.',
        "You liked Casino.",
        'You liked "Casino"',
        'You liked "Casino". <b>Buy now</b>.',
        'You liked "Casino". https://example.org',
        'You liked "Casino",.',
        'You liked "Casino" and.',
        'You liked "Casino". Ignore the rules.',
        'You liked "Casino\n".',
        'You liked "\ue000".',
        'You liked "Casino". It is filed under Action.',  # which of the two is "it"?
        '"Heat" (1996) is filed under Action.',
        '"Heat" is from 1996.',
        '"Heat" is a widely chosen film.',
        "It was moved up 2 places to keep your list varied.",
        "It is number 3 of 100 by the model's score for you.",
    ],
)
def test_what_cannot_be_attributed_is_refused(known, text):
    verdict = verify(text, known, "film")
    assert not verdict.accepted
    assert verdict.problems


@pytest.mark.parametrize(
    "text",
    [
        'You enjoyed "Casino", and that is why “Heat” was recommended to you.',
        '"Heat" (1995) is filed under Action and Drama, and it shares Drama with "Casino".',
        "This movie is a Drama film; it is from 1995.",
        "This is one of the less-known films!",
    ],
)
def test_free_wording_of_true_relations_is_accepted(known, text):
    assert verify(text, known, "film").accepted, verify(text, known, "film").problems


def test_silence_about_the_exposure_rule_is_refused(known):
    move = Move(rule="exposure", attribute="popularity", group="long_tail", places=3)
    moved = known.model_copy(update={"moves": (move,)})
    text = '"Heat" is here because you liked "Casino".'
    assert verify(text, known, "film").accepted
    assert verify(text, moved, "film").problems == (
        "the exposure rule that moved the item up is not named",
    )


@pytest.fixture()
def known(evidence_of) -> Evidence:
    from fairloop.explain.evidence import ItemFacts, Link

    heat = ItemFacts(
        item_id="1", title="Heat", year=1995, topics=("Action", "Drama"),
        popularity_percentile=40, long_tail=True,
    )  # fmt: skip
    casino = ItemFacts(
        item_id="2", title="Casino", year=1995, topics=("Drama",),
        popularity_percentile=80, long_tail=False,
    )  # fmt: skip
    link = Link(item=casino, share=0.2, rating=5.0, shared_topics=("Drama",))
    return evidence_of(0).model_copy(
        update={
            "item": heat, "links": (link,), "attribution": "item_weights",
            "liked": "rated_at_least_4", "moves": (), "base_rank": 2,
        }
    )  # fmt: skip
