"""What the evaluation of explanations measures, and that it would notice if it were otherwise."""

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.explain import writer
from fairloop.explain.grammar import sample_text
from fairloop.explain.template import template_text
from fairloop.explain.verify import Verdict, verify
from fairloop.platform.cli.main import app
from fairloop.platform.db.tables import Explanation
from fairloop.platform.evaluation import plain_oracle
from fairloop.platform.evaluation.corruptions import OPERATORS, corrupt
from fairloop.platform.evaluation.explained_items import Item, explained_items
from fairloop.platform.evaluation.explanations import evaluate_explanations
from fairloop.platform.evaluation.paraphrases import fill, paraphrases
from fairloop.platform.evaluation.text_measures import measure_texts, sentence_shapes
from fairloop.platform.recommender import Recommender
from fairloop.platform.registry import adopt_policy
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import House

OMISSION = "silence"
"""The one operator whose result holds no false sentence: it leaves one out."""


@pytest.fixture
def recommender(house: "House") -> Recommender:
    """Serves a policy with every kind of rule."""
    weights = {"floor:popularity=long_tail": 0.6, "fatigue": -1.0, "diversity": 0.8}
    adopt_policy(house.database, house.home, house.store_policy(weights), deploy=True)
    return house.recommender()


@pytest.fixture
def items(recommender: Recommender) -> tuple[Item, ...]:
    return explained_items(recommender, 80, "title", np.random.default_rng(0))


def test_items_are_those_of_many_users(items: tuple[Item, ...]) -> None:
    assert len(items) == 80
    assert len({id(item.oracle) for item in items}) == 8
    moved = Counter(move.rule for item in items for move in item.evidence.moves)
    assert moved["exposure"] > 5 and moved["diversity"] > 5
    for item in items:
        assert item.evidence.item.title not in item.world.titles


def test_the_oracle_finds_true_texts_true(items: tuple[Item, ...]) -> None:
    rng = np.random.default_rng(1)
    for item in items:
        for text in (template_text(item.evidence), sample_text(item.evidence, rng)):
            assert all(item.oracle.judge(text, item.position)), text


def test_what_is_so_of_one_of_two_items_of_a_title_is_so_of_the_title(
    recommender: Recommender, items: tuple[Item, ...]
) -> None:
    """MovieLens-100K has such pairs: the oracle must not judge by whichever comes first."""
    catalogue, judged = recommender.catalogue, 0
    for item in items:
        served = item.oracle.served
        named = {int(np.flatnonzero(catalogue.item_ids == link.item.item_id)[0]): link.item.title
                 for link in item.evidence.links}  # fmt: skip
        against = served.history[served.weights[:, item.position] <= 0]
        for linked, title in named.items():
            for twin in np.setdiff1d(against, list(named))[:1]:
                titles = catalogue.titles.copy()
                titles[twin] = titles[linked]
                oracle = plain_oracle.PlainOracle(replace(catalogue, titles=titles), served)
                led = f'"{item.evidence.item.title}" is here because you liked "{title}".'
                assert oracle.judge(led, item.position) == (True,)
                rated = served.ratings[np.isin(served.history, [linked, twin])]
                for stars in (1.0, 2.0, 3.0, 4.0, 5.0):
                    said = oracle.judge(f'You rated "{title}" {stars:g}.', item.position)
                    assert said == (stars >= 4 and stars in rated,)
                judged += 1
    assert judged > 20


def test_the_oracle_and_the_check_both_find_lies(items: tuple[Item, ...]) -> None:
    rng = np.random.default_rng(2)
    tried: Counter[str] = Counter()
    for item in items:
        text = sample_text(item.evidence, rng)
        for operator in OPERATORS:
            lie = corrupt(text, item.evidence, item.world, operator, rng)
            if lie is None:
                continue
            tried[operator] += 1
            assert lie != text
            assert not verify(lie, item.evidence).accepted, (operator, lie)
            if operator != OMISSION:
                assert not all(item.oracle.judge(lie, item.position)), (operator, lie)
    # The state moved nobody here, so "another rule" has nothing to swap on few records only.
    assert all(tried[operator] >= 5 for operator in OPERATORS), tried


def test_the_oracle_shares_no_code_with_the_check() -> None:
    assert plain_oracle.__file__ is not None
    with open(plain_oracle.__file__, encoding="utf-8") as file:
        imported = re.findall(r"^from \.\.\.explain\.(\w+)", file.read(), re.MULTILINE)
    assert set(imported) == {"sanitise", "trace"}


def test_nothing_unverified_is_shown_and_lies_are_counted(
    house: "House", recommender: Recommender
) -> None:
    found = evaluate_explanations(
        recommender, house.settings, ("none", "hostile"), n=30, corrupted=64, seed=5
    )
    none, hostile = found.models
    assert (found.n, found.users) == (30, 3)
    assert none.unverified_shown == hostile.unverified_shown == 0
    assert none.precision_before == none.precision_after == hostile.precision_after == 1
    assert hostile.precision_before < 0.9
    assert hostile.sources == {"template_check_failed": 30} and hostile.fallback_rate == 1
    assert hostile.lies_told == 60  # and once more when told to repair it
    assert hostile.tokens_in > hostile.tokens_out > 0 == none.tokens_in
    assert found.checker.corrupted.tried == 64 and found.checker.corrupted.wrong == 0
    assert found.checker.grammar.wrong == 0 and found.checker.paraphrases.rate <= 0.1
    assert all(bar.met for bar in found.bars)
    assert house.rows(Explanation) == 0
    again = evaluate_explanations(
        recommender, house.settings, ("hostile",), n=30, corrupted=64, seed=5
    )
    same = again.models[0]
    assert same.examples == hostile.examples and same.precision_before == hostile.precision_before
    assert again.checker == found.checker


def test_a_check_that_accepts_everything_is_found_out(
    house: "House", recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "verify", lambda *_: Verdict(accepted=True))
    found = evaluate_explanations(
        recommender, house.settings, ("hostile",), n=20, corrupted=10, seed=5
    )
    assert found.models[0].unverified_shown == 20
    assert found.models[0].precision_after < 0.9
    assert not found.bars[0].met


def test_every_paraphrase_that_can_be_true_is_tried(items: tuple[Item, ...]) -> None:
    needs = {
        one.needs for one in paraphrases() if any(fill(one, i.evidence, "film") for i in items)
    }
    assert needs >= {"because", "shares", "topic", "year", "rated", "rank", "exposure", "diversity"}
    assert len(paraphrases()) >= 60


def test_measures_of_known_texts(items: tuple[Item, ...]) -> None:
    first = items[0].evidence
    item = first.item.model_copy(update={"topics": ("War", "Drama")})
    evidence = [first.model_copy(update={"item": item})] * 3
    texts = [
        'It is War. You liked "Drama".',
        'It is Drama and War. You liked "A" and "B".',
        "No 7.",
    ]
    found = measure_texts(texts, evidence, ("War", "Drama", "Comedy", "Warfare"))
    assert found.shapes == 3  # It is TOPIC. / You liked TITLE. / No N.
    assert (found.usr, found.fmr, found.fcr) == (1.0, 2 / 3, 2 / 4)
    assert found.div == pytest.approx((1 + 0 + 0) / 3)
    assert found.words == pytest.approx((6 + 10 + 2) / 3)
    assert measure_texts([texts[0]] * 3, evidence, ("War",)).usr == pytest.approx(1 / 3)
    assert sentence_shapes("„A“ (1990) steht 3 Plätze höher.", ()) == (
        "TITLE steht N Plätze höher.",
    )


def test_the_embedded_model_words_nearly_all_of_it(
    house: "House", recommender: Recommender
) -> None:
    found = evaluate_explanations(
        recommender, house.settings, ("embedded",), n=5, corrupted=16, seed=1
    )
    embedded = found.models[0]
    assert embedded.own_wording == 1 and embedded.unverified_shown == 0
    assert embedded.tokens_out > 100 and embedded.texts.shapes >= 3


def test_bad_requests_are_refused(house: "House", recommender: Recommender) -> None:
    with pytest.raises(InvalidValue, match="at least 1") as refused:
        evaluate_explanations(recommender, house.settings, ("none",), n=0)
    assert refused.value.field == "n"
    with pytest.raises(InvalidValue):
        evaluate_explanations(recommender, house.settings, ())


def test_the_command_prints_one_object_and_a_table(
    house: "House", recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLOOP_HOME", str(house.home.root))
    asked = ["evaluate", "explanations", "--n", "10", "--model", "none", "--corrupted", "10"]
    done = CliRunner().invoke(app, [*asked, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["models"][0]["model"] == "none"
    plain = CliRunner().invoke(app, asked)
    assert "unverified shown" in plain.stdout and "lies accepted: 0 of 10" in plain.stdout
