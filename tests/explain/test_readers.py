"""Languages, styles and readers: every sentence of each is read back, and lies in it are not."""

import re
from itertools import pairwise

import numpy as np
import pytest
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue
from fairloop.explain.auditor import audit_text, verify_audit
from fairloop.explain.contrast import with_contrast
from fairloop.explain.evidence import Evidence
from fairloop.explain.facts import CatalogueFacts
from fairloop.explain.gather import gather_evidence
from fairloop.explain.grammar import relation_grammar, sample_text
from fairloop.explain.languages import language_of
from fairloop.explain.provider import provider_evidence, provider_text, verify_provider
from fairloop.explain.taste import topic_shares
from fairloop.explain.template import template_text
from fairloop.explain.trace import OrderWithout, RankTrace, one_pool, plain_trace
from fairloop.explain.verify import verify
from fairloop.explain.wording import sentence_slots
from fairloop.explain.writer import Explainer
from fairloop.rerankers.policy_reason import PolicyReason, reason_clause

STYLES = ("one_line", "short", "detailed", "contrastive")
LANGUAGES = ("en", "de")


@pytest.fixture(scope="module")
def candidates():
    return synthetic_candidates(n_users=40, n_items=120, seed=3, top_n=40)


@pytest.fixture(scope="module")
def traces(candidates):
    found = []
    for user in range(40):
        pools = candidates.pools(np.array([user]))
        base, _ = one_pool(pools)
        shown = pools.items[0, [2, 0, 5, 9]]
        rules = (
            OrderWithout("exposure", base, "popularity", "long_tail"),
            OrderWithout("diversity", base[:6]),
        )
        found.append(plain_trace(pools, shown, rules))
    return found


@pytest.fixture(scope="module")
def compared(candidates, traces) -> list[Evidence]:
    """Evidence with another item of each kind: in the list, in the pool, known, not found."""
    found = []
    for user in range(12):
        trace = traces[user]
        absent = np.setdiff1d(np.arange(120), np.r_[trace.pool, candidates.seen(user)])
        others = (trace.shown[0], trace.pool[1], candidates.history(user)[0], absent[0])
        for one in gather_evidence(candidates, user, trace)[1:]:
            found += [with_contrast(one, candidates, user, trace, int(o)) for o in others]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", STYLES)
def test_every_text_of_every_style_and_language_is_read_back(compared, style, language):
    rng = np.random.default_rng(1)
    said = set()
    for evidence in compared:
        said |= {slot.says for slot in sentence_slots(evidence, "film", style, language)}
        texts = [template_text(evidence, "film", style, language)]
        texts += [sample_text(evidence, rng, "film", style, language) for _ in range(2)]
        for text in texts:
            verdict = verify(text, evidence, "film", language)
            assert verdict.accepted, (text, verdict.problems)
            other = "de" if language == "en" else "en"
            assert not verify(text, evidence, "film", other).accepted
    assert {"detailed": "instead", "contrastive": "versus"}.get(style, "opening") in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_changed_number_or_title_is_refused_in_every_language(compared, language):
    rng = np.random.default_rng(2)
    tried = 0
    for evidence in compared:
        for style in ("detailed", "contrastive"):
            text = template_text(evidence, "film", style, language)
            outside = re.sub(r"[\"„“].*?[\"”“]", lambda m: "\0" * len(m[0]), text)
            for match in re.finditer(r"(?<!Topic )\b\d+\b", outside):
                if text[match.end() : match.end() + 1] == ".":
                    continue
                lie = f"{text[: match.start()]}{int(match[0]) + 1}{text[match.end() :]}"
                assert not verify(lie, evidence, "film", language).accepted, lie
                tried += 1
            quoted = re.findall(r"[\"„]([^\"„“]*)[\"“]", text)
            lie = text.replace(str(rng.choice(quoted)), "Solaris 9")
            assert not verify(lie, evidence, "film", language).accepted, lie
    assert tried > 200


def test_languages_say_the_same_things(compared):
    english, german = map(language_of, LANGUAGES)
    assert set(english.sentences) == set(german.sentences)
    assert {kind for kind, _ in german.forms} <= {kind for kind, _ in english.forms}
    assert set(english.provider) == set(german.provider)
    assert set(english.audit_labels) == set(german.audit_labels)
    for evidence in compared[::5]:
        slots = [sentence_slots(evidence, "film", "detailed", code) for code in LANGUAGES]
        assert [slot.says for slot in slots[0]] == [slot.says for slot in slots[1]]


def _reasons():
    aspects = (
        "relevance", "popularity", "recency", "satiation", "topic_taste", "fatigue", "clicked",
        "preference", "enjoyment", "familiarity", "history_affinity", "history_taste", "reward",
        "rested_reward", "diversity", "floor:popularity=long_tail", "floor:x=y", "ceiling:x!=y",
    )  # fmt: skip
    states = {
        "clicks_lately": ("Thriller", None), "taste": ("Thriller",), "satisfaction": (None,),
        "click_rate": (None,), "slates_seen": (None,), "days_away": (None,),
        "shown_lately": (None,), "pool_topic": ("Thriller",),
    }  # fmt: skip
    for aspect in aspects:
        for state, topics in states.items():
            for topic in topics:
                for level in ("high", "low"):
                    high = level == "high"
                    yield PolicyReason(
                        state=state, topic=topic, level=level, percentile=90 if high else 10,
                        value=3.0 if high else -1.0, aspect=aspect,
                        group="small studios" if aspect.endswith("y") and "=" in aspect else None,
                        direction="up" if len(aspect) % 2 else "down", size=0.2, places=3,
                    )  # fmt: skip


def test_every_reason_of_a_policy_is_read_back_in_german(compared):
    base = compared[0].model_copy(update={"moves": (), "contrast": None})
    reasons = [one for one in _reasons() if reason_clause(one, "film") is not None]
    for reason in reasons:
        evidence = base.model_copy(update={"policy": reason})
        slot = next(
            s for s in sentence_slots(evidence, "film", "short", "de") if s.says == "policy"
        )
        for text in slot.sentences:
            if not reason.aspect.startswith("ceiling"):
                assert verify(text, evidence, "film", "de").accepted, text
            other = reason.model_copy(
                update={"direction": "down" if reason.direction == "up" else "up"}
            )
            lied = base.model_copy(update={"policy": other})
            assert not verify(text, lied, "film", "de").accepted, text
    assert len(reasons) > 150


def test_contrast_needs_another_item(compared, candidates, traces):
    plain = compared[0].model_copy(update={"contrast": None})
    with pytest.raises(InvalidValue, match="no other item"):
        template_text(plain, "film", "contrastive")
    own = candidates.item_index(plain.item.item_id)
    with pytest.raises(InvalidValue, match="itself"):
        with_contrast(plain, candidates, 0, traces[0], own)
    with pytest.raises(InvalidValue, match="no texts in 'fr'"):
        language_of("fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_wish_left_out_is_said_to_be(candidates, traces, language):
    whole = traces[1]
    kept = np.delete(np.arange(len(whole.pool)), 1)
    trace = RankTrace(whole.pool[kept], whole.base_scores[kept], whole.shown)
    one = gather_evidence(candidates, 1, trace)[0]
    asked = with_contrast(one, candidates, 1, trace, int(whole.pool[1]))
    assert asked.contrast.filtered and asked.contrast.base_rank == 2
    text = template_text(asked, "film", "contrastive", language)
    assert ("left out" if language == "en" else "bleibt weg") in text
    assert verify(text, asked, "film", language).accepted
    # Ranks are among what the wish left, for both: the fourth of the whole pool is the third now.
    left = with_contrast(one, candidates, 1, trace, int(whole.pool[3]))
    assert (left.contrast.base_rank, left.pool_size) == (3, len(kept))
    listed = with_contrast(one, candidates, 1, whole, int(whole.pool[1]))
    assert not verify(text, listed, "film", language).accepted


def test_contrasts_are_what_the_arrays_say(candidates, traces, compared):
    kinds = set()
    for evidence in compared:
        other = evidence.contrast
        user = compared.index(evidence) // 12
        index = candidates.item_index(other.item.item_id)
        pool = traces[user].pool.tolist()
        assert other.base_rank == (pool.index(index) + 1 if index in pool else None)
        assert other.seen == (index in candidates.seen(user).tolist())
        shown = traces[user].shown.tolist()
        assert other.shown_rank == (shown.index(index) + 1 if index in shown else None)
        kinds.add((other.base_rank is None, other.shown_rank is None, other.seen))
    assert len(kinds) == 4


def test_the_list_without_rules_is_the_base_order(candidates, traces):
    for user, trace in enumerate(traces[:10]):
        for place, one in enumerate(gather_evidence(candidates, user, trace)):
            order = [str(candidates.catalogue.item_ids[i]) for i in trace.pool]
            assert one.without_rules.rank == order.index(one.item.item_id) + 1
            there = one.without_rules.instead_of
            expected = order[place] if order[place] != one.item.item_id else None
            assert (there.item_id if there else None) == expected


def test_a_ranking_that_was_not_followed_gives_a_bound():
    trace = RankTrace(np.arange(5), np.zeros(5), np.array([4, 0, 3]), {}, (), np.array([0, 1]))
    from fairloop.explain.trace import places_without_rules

    assert places_without_rules(trace) == ((3, False, 0), (1, True, 1), (3, False, None))
    assert places_without_rules(RankTrace(np.arange(5), np.zeros(5), np.array([4]))) == ()


def test_taste_counts_what_is_there():
    history = [("Thriller",), ("Drama",)] * 4 + [("Thriller", "Crime")] * 10
    shares = topic_shares(("Thriller", "Crime", "War"), history, in_order=True)
    assert [(s.topic, s.scope, s.count, s.total) for s in shares] == [
        ("Thriller", "lately", 10, 10),
        ("Crime", "lately", 10, 10),
        ("Thriller", "history", 14, 18),
        ("Crime", "history", 10, 18),
    ]
    assert {s.scope for s in topic_shares(("Thriller",), history, in_order=False)} == {"history"}
    assert topic_shares(("War",), history, in_order=True) == ()


def test_freshness_is_a_share_of_dated_items(candidates):
    facts = CatalogueFacts(candidates.catalogue)
    years = candidates.catalogue.year
    for item in range(0, 120, 7):
        older = sum(year < years[item] for year in years if np.isfinite(year))
        expected = 100 * older / (np.isfinite(years).sum() - 1)
        assert facts.of(item).newer_than == pytest.approx(expected)
    oldest, newest = np.nanargmin(years), np.nanargmax(years)
    assert facts.of(int(oldest)).newer_than == 0 < facts.of(int(newest)).newer_than


def test_older_records_read_back_with_their_own_hash(evidence_of):
    """A record of before these fields: its JSON and so its hash hold none of them."""
    old = evidence_of(3)
    stored = old.model_dump_json()
    assert not re.search("newer_than|taste|without_rules|contrast", stored)
    again = Evidence.model_validate_json(stored)
    assert again == old and again.content_hash() == old.content_hash()


def test_a_german_explainer_records_its_language(compared):
    told = Explainer(None, "film", "detailed", "de").explain(compared[0])
    assert told.verdict.accepted and (told.language, told.style) == ("de", "detailed")
    assert "Sie" in told.text
    grammar = relation_grammar(compared[0], "film", "contrastive", "de")
    assert grammar.splitlines()[1].startswith('versus ::= "')


@pytest.mark.parametrize("language", LANGUAGES)
def test_providers_are_told_counts_that_hold(candidates, traces, language):
    facts = CatalogueFacts(candidates.catalogue)
    told_of_rules = 0
    for index in range(0, 120, 3):
        evidence = provider_evidence(index, facts.of(index), traces)
        assert evidence.shown == sum(index in trace.shown for trace in traces)
        assert evidence.by_score == sum(index in trace.pool[:4] for trace in traces)
        assert evidence.without_rules == evidence.by_score  # the base order, here
        text = provider_text(evidence, "film", language)
        assert verify_provider(text, evidence, "film", language) == ()
        told_of_rules += len(evidence.effects)
        for match in re.finditer(r"\d+", re.sub('["„].*?["“]', lambda m: "x" * len(m[0]), text)):
            lie = f"{text[: match.start()]}{int(match[0]) + 1}{text[match.end() :]}"
            assert verify_provider(lie, evidence, "film", language), lie
        assert verify_provider(f"{text} You liked it.", evidence, "film", language)
        assert "user" not in text.casefold()
    assert told_of_rules > 10


def test_few_lists_are_not_told_of(candidates, traces):
    facts = CatalogueFacts(candidates.catalogue)
    with pytest.raises(InvalidValue, match="single people"):
        provider_evidence(0, facts.of(0), traces[:19])


@pytest.mark.parametrize("language", LANGUAGES)
def test_auditors_get_every_number_and_no_other(compared, language):
    versions = {"policy": "843e", "candidates": "062c"}
    texts = set()
    for evidence in compared[::4]:
        text = audit_text(evidence, versions, language)
        texts.add(text)
        assert verify_audit(text, evidence, versions, language) == ()
        for figure in (evidence.content_hash(), f"{evidence.base_score:.6g}", "843e"):
            assert figure in text
        pairs = text[:-1].split("; ")
        for place in range(len(pairs)):
            assert verify_audit(
                "; ".join(pairs[:place] + pairs[place + 1 :]) + ".", evidence, versions, language
            )
        assert verify_audit(text.replace("062c", "062d"), evidence, versions, language)
        assert verify_audit(f"{text[:-1]}; a: b.", evidence, versions, language)
    assert len(texts) > 10
    assert all(a != b for a, b in pairwise(sorted(texts)))
