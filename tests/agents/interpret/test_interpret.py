"""The whole account: what the parts say, written down, drawn and put on a page."""

import re
from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.interpret.interpret import interpret
from fairloop.agents.interpret.page import render_page
from fairloop.agents.interpret.plots import draw_interpretation
from fairloop.agents.interpret.reference import (
    REFERENCE_VISITS,
    load_reference,
    make_reference,
    save_reference,
)
from fairloop.agents.interpret.report import InterpretationReport, InterpretConfig
from fairloop.errors import CorruptArtifact

SMALL = InterpretConfig(
    users=40, pairs=200, folds=4, bins=6, curve_visits=150, reference=16, requests=60, examples=2
)


@pytest.fixture(scope="module")
def report(varied, arena) -> InterpretationReport:
    return interpret(varied, arena, seed=2, config=SMALL, version="abc123")


def test_groups_that_a_weight_follows_have_its_variance_and_no_other(report, topics):
    by_name = {weight.weight: weight for weight in report.weights}
    diversity = {e.group: e.shapley for e in by_name["diversity"].effects}
    assert diversity["clicks lately"] == pytest.approx(1.0)
    assert sum(diversity.values()) == pytest.approx(1.0)
    popularity = {e.group: e.shapley for e in by_name["popularity"].effects}
    assert {name for name, share in popularity.items() if share != 0} == {"taste", "satisfaction"}
    for weight in ("base", "recency", "fatigue"):
        assert by_name[weight].effects == () and by_name[weight].sd == 0.0
    assert not report.is_static and by_name["diversity"].moves > 0


def test_the_curve_of_a_group_is_that_of_the_column_that_is_read(report, topics):
    columns = {curve.column for curve in report.curves}
    assert {f"clicks_lately:{topics[0]}", f"taste:{topics[1]}", "satisfaction"} <= columns
    curve = next(c for c in report.curves if c.column == f"clicks_lately:{topics[0]}")
    slope = np.diff(curve.ale["diversity"]) / np.diff(curve.at)
    np.testing.assert_allclose(slope, 2.0, rtol=1e-3)
    slates = next(c for c in report.curves if c.column == "log_slates")
    assert slates.at[0] == 0.0 and slates.at[-1] == pytest.approx(round(slates.at[-1]), abs=1e-3)
    assert sum(curve.count) == sum(curve.histogram) == 150


def test_examples_add_up(report):
    assert report.told is not None and 0 < report.told < 1
    assert sum(report.told_by_state.values()) == round(report.told * 60)
    assert len(report.examples) == 2
    for example in report.examples:
        for parts in example.weights.values():
            moved = sum(v for name, v in parts.items() if name not in ("here", "usual"))
            assert moved == pytest.approx(parts["here"] - parts["usual"], abs=1e-6)
        assert [item.place for item in example.items] == [1, 2, 3, 4, 5]
        for item in example.items:
            assert sum(item.groups.values()) == pytest.approx(item.usual - item.place, abs=1e-6)


def test_equal_seeds_give_equal_reports_and_other_seeds_do_not(report, varied, arena):
    steps = []
    again = interpret(
        varied, arena, seed=2, config=SMALL, version="abc123",
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert again == report
    assert steps == [(n + 1, 6) for n in range(6)]
    assert interpret(varied, arena, seed=3, config=SMALL).weights != report.weights
    assert InterpretationReport.model_validate_json(report.model_dump_json()) == report


def test_the_picture_names_every_group_weight_and_curve(report):
    files = draw_interpretation(report)
    assert draw_interpretation(report)[".svg"] == files[".svg"]
    assert files[".png"].startswith(b"\x89PNG")
    text = re.sub(r"<[^>]+>", " ", files[".svg"].decode())
    for group in report.groups:
        assert group in text
    for label in ("diversity", "floor: long tail", "base when dissatisfied", "lists seen"):
        assert label in text


def test_the_page_says_what_the_report_says(report):
    page = render_page(report, "x.svg")
    assert "![What moves what](x.svg)" in page
    assert report.examples[0].sentence in page
    row = next(line for line in page.splitlines() if line.startswith("| diversity |"))
    assert "100% ± 0% (100%, 100%)" in row
    assert row.count("|") == len(report.groups) + 3
    assert "fair" not in page.lower()


def test_names_cannot_break_the_page(report):
    topic = "A|B *c* [x](y) <script>"
    reason = report.examples[0].reason.model_copy(update={"topic": topic})
    example = report.examples[0].model_copy(update={"reason": reason, "sentence": topic})
    page = render_page(report.model_copy(update={"examples": (example,)}))
    assert "<script>" not in page and r"A\|B \*c\*" in page


def test_a_static_policy_is_said_to_be_one(make_policy, arena):
    static = interpret(make_policy({}), arena, config=SMALL)
    assert static.is_static and static.told == 0.0 and static.examples == ()
    assert "No state moves any weight" in render_page(static)


def test_a_policy_that_reads_nothing(make_policy, arena):
    policy = make_policy({})
    blind = interpret(replace(policy, scale=np.zeros_like(policy.scale)), arena, config=SMALL)
    assert blind.is_static and blind.groups == {} and blind.curves == ()
    assert set(blind.unread) == set(policy.observation_names)
    assert draw_interpretation(blind)[".svg"] and render_page(blind)


def test_a_reference_is_kept_and_a_spoilt_one_refused(varied, arena, tmp_path):
    names = varied.observation_names
    file = tmp_path / "policy.safetensors"
    assert load_reference(file, names) is None
    reference = make_reference(varied, arena)
    assert reference.shape == (REFERENCE_VISITS, len(names))
    save_reference(file, reference, names)
    np.testing.assert_array_equal(load_reference(file, names), reference)
    with pytest.raises(CorruptArtifact, match="columns"):
        load_reference(file, ("other", *names[1:]))
    save_reference(file, np.full_like(reference, np.nan), names)
    with pytest.raises(CorruptArtifact):
        load_reference(file, names)
    file.write_bytes(b"not tensors")
    with pytest.raises(CorruptArtifact, match="interpret"):
        load_reference(file, names)
