"""Reasons of a policy from the home folder into the record, and `fairloop interpret`."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fairloop.agents.config import TrainConfig
from fairloop.agents.interpret.reference import load_reference
from fairloop.agents.policy import Layer
from fairloop.agents.storage import load_policy, save_policy
from fairloop.errors import CorruptArtifact, InvalidValue
from fairloop.explain.refinement import Refinement
from fairloop.platform.cli.interpret import render
from fairloop.platform.interpreting import interpret_stored, keep_reference, write_interpretation
from fairloop.platform.records import Feedback
from fairloop.platform.registry import adopt_policy
from fairloop.rerankers.linear import linear_slates
from fairloop.rerankers.policy_reason import sentence
from rich.console import Console
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import House

SMALL: dict[str, Any] = {
    "users": 30, "pairs": 100, "folds": 2, "curve_visits": 60, "reference": 8, "requests": 10,
}  # fmt: skip


def store_moving_policy(house: "House") -> str:
    """A stored policy whose strength of diversity follows the choices of every topic."""
    plain = load_policy(house.home.policy(house.store_policy({"diversity": 0.5})))
    policy = plain.policy
    head = np.zeros_like(policy.head.weight)
    for column, name in enumerate(policy.observation_names):
        if name.startswith("clicks_lately:"):
            head[-1, column] = 0.1
    reach = policy.reach.copy()
    reach[-1] = 2.0
    moving = replace(
        policy,
        scale=np.ones_like(policy.scale),
        head=Layer(head, policy.head.bias),
        reach=reach,
    )
    manifest = plain.manifest.model_copy(
        update={"config": TrainConfig.smoke().model_dump(mode="json")}
    )
    return save_policy(moving, manifest, house.home.policies).name


@pytest.fixture
def version(house: "House") -> str:
    return store_moving_policy(house)


def visit(recommender: Any, user: str, times: int, topic: str | None = None) -> None:
    """Let a user choose what is shown, or what of it has a topic, a few times."""
    for _ in range(times):
        made = recommender.recommend(user, explain=False)
        liked = [item for item in made.items if topic is None or topic in item.topics]
        recommender.feedback_many(
            [
                Feedback(
                    user_id=user, item_id=item.item_id, recommendation_id=made.id, kind="click"
                )
                for item in liked
            ]
        )


def test_a_reason_of_the_policy_is_told_checked_and_recorded(house: "House", version: str) -> None:
    keep_reference(house.home, load_policy(house.home.policy(version)))
    adopt_policy(house.database, house.home, version)
    recommender = house.recommender()
    before = recommender.recommend("u3")
    assert all(item.explanation.evidence["policy"] is None for item in before.items)
    visit(recommender, "u3", 4)
    made = recommender.recommend("u3")
    reasons = [item.explanation.evidence["policy"] for item in made.items]
    told = [reason for reason in reasons if reason is not None]
    assert told
    for item, reason in zip(made.items, reasons, strict=True):
        assert item.explanation.verdict["accepted"] is True
        if reason is not None:
            assert (reason["aspect"], reason["direction"]) == ("diversity", "up")
            assert reason["state"] == "clicks_lately" and reason["level"] == "high"
            assert reason["places"] > 0
            assert "so variety counts more now" in item.explanation.text
        else:
            assert "variety counts" not in item.explanation.text


def test_places_are_those_gained_over_the_order_of_a_usual_visit(
    house: "House", version: str
) -> None:
    """The same list, made again with the strength that the policy would have given without it."""
    stored = load_policy(house.home.policy(version))
    keep_reference(house.home, stored)
    adopt_policy(house.database, house.home, version)
    recommender = house.recommender()
    visit(recommender, "u5", 4)
    request = recommender.request(["u5"], None, None, 1)
    decision = recommender.rerank(request, recommender.candidates.pools(request.users))
    reasons = recommender.orderer.policy_reasons(decision.situation, decision.ordered, 0)
    reference = load_reference(house.home.reference(version), stored.policy.observation_names)
    usual = stored.policy.weights(reference, decision.ordered.offsets)[:, -1].mean()
    weights, situation = decision.ordered.weights[0], decision.situation
    n = int(situation.context.n_valid[0])
    order = linear_slates(situation.context, situation.state, weights[:-1], float(usual), n)[0]
    places = {int(situation.pools.items[0, c]): place for place, c in enumerate(order, start=1)}
    gained = [places[int(item)] - here for here, item in enumerate(decision.items[0], start=1)]
    assert [0 if r is None else r.places for r in reasons] == [max(g, 0) for g in gained]
    assert any(gained)


def test_without_a_reference_and_for_built_in_re_rankers_nothing_is_told(
    house: "House", version: str
) -> None:
    plain = house.recommender()
    visit(plain, "u3", 1)
    assert all(i.explanation.evidence["policy"] is None for i in plain.recommend("u3").items)
    adopt_policy(house.database, house.home, version)
    recommender = house.recommender()
    visit(recommender, "u3", 3)
    made = recommender.recommend("u3")
    assert all(item.explanation.evidence["policy"] is None for item in made.items)


def test_a_wish_for_variety_is_not_taken_for_a_state(house: "House", version: str) -> None:
    """What was asked for holds for everybody the comparison is with, and explains nothing."""
    keep_reference(house.home, load_policy(house.home.policy(version)))
    adopt_policy(house.database, house.home, version)
    made = house.recommender().recommend("u3", refinement=Refinement(diversity="more"))
    assert all(item.explanation.evidence["policy"] is None for item in made.items)


def test_a_spoilt_reference_stops_the_recommender_and_is_mended(
    house: "House", version: str
) -> None:
    file = house.home.reference(version)
    file.parent.mkdir()
    file.write_bytes(b"?")
    adopt_policy(house.database, house.home, version)
    with pytest.raises(CorruptArtifact, match="fairloop interpret"):
        house.recommender()
    keep_reference(house.home, load_policy(house.home.policy(version)))
    assert house.recommender().recommend("u3")


def test_interpretation_of_a_stored_policy(house: "House", version: str, tmp_path: Path) -> None:
    from fairloop.agents.interpret.report import InterpretConfig

    report = interpret_stored(house.home, version, config=InterpretConfig(**SMALL))
    assert report.policy == version
    diversity = next(w for w in report.weights if w.weight == "diversity")
    assert max(diversity.effects, key=lambda e: e.shapley).group == "clicks lately"
    files = write_interpretation(report, tmp_path / "out")
    assert json.loads(files.data.read_text())["policy"] == version
    assert files.picture.read_bytes().lstrip().startswith(b"<?xml")
    assert f"]({files.picture.name})" in files.page.read_text()
    assert house.home.reference(version).is_file()
    for example in report.examples:
        assert sentence(example.reason) == example.sentence
    console = Console(record=True, width=140, file=io.StringIO())
    render(console, report, files)
    shown = console.export_text()
    assert "share of each weight's variance" in shown and "diversity" in shown
    assert files.page.name in shown


def test_a_policy_that_does_not_say_what_it_was_trained_on(house: "House") -> None:
    unknown = house.store_policy(candidates="")
    with pytest.raises(InvalidValue, match="held out"):
        interpret_stored(house.home, unknown)


@pytest.mark.slow
def test_the_command(
    house: "House", version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fairloop.platform.cli.main import app

    monkeypatch.setenv("FAIRLOOP_HOME", str(house.home.root))
    out = tmp_path / "out"
    options = ["interpret", "--policy", version, "--users", "20", "--out", str(out)]
    done = CliRunner().invoke(app, [*options, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["policy"] == version
    assert {p.suffix for p in out.iterdir()} == {".json", ".md", ".svg"}
    (tmp_path / "file").write_text("")
    refused = CliRunner().invoke(app, ["interpret", "--out", str(tmp_path / "file")])
    assert refused.exit_code != 0
