"""The report: what it says in words is what its figures say."""

import subprocess
import sys

import pytest
from fairloop.agents.robustness.held_out import HeldOutConfig
from fairloop.agents.robustness.misspecification import SweepConfig
from fairloop.agents.robustness.report import (
    RobustnessConfig,
    RobustnessReport,
    robustness_report,
)
from fairloop.errors import InvalidValue

CONFIG = RobustnessConfig(
    held_out=HeldOutConfig(worlds=2, seeds=1, n_bootstrap=100),
    sweep=SweepConfig(
        parameters=("fatigue.per_showing",),
        factors=(0.5, 4.0),
        taste_noise=(),
        seeds=1,
        n_bootstrap=100,
    ),
)


@pytest.fixture(scope="module")
def report(loose, mindful, forgetful) -> RobustnessReport:
    both = [mindful, forgetful]
    return robustness_report(loose, both, "mindful", "forgetful", 1, CONFIG, {"Pop": loose})


def test_it_is_data_and_the_same_again(report, loose, mindful, forgetful):
    assert RobustnessReport.model_validate_json(report.model_dump_json()) == report
    seen: list[tuple[int, int]] = []
    again = robustness_report(
        loose,
        [mindful, forgetful],
        "mindful",
        "forgetful",
        1,
        CONFIG,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert again.held_out == report.held_out and again.misspecification == report.misspecification
    assert again.other_models is None
    assert seen[-1] == (3000, 3000) and seen == sorted(seen)


def test_sentences_say_what_the_figures_say(report):
    text = " ".join(report.findings())
    overall = report.held_out.of("mindful")
    assert f"{overall.ratio.value:.3f} [{overall.ratio.low:.3f}, {overall.ratio.high:.3f}]" in text
    assert f"better in {overall.better_in} of the 2, worse in {overall.worse_in}" in text
    assert "On Pop: ratio" in text
    lost = [d for d in report.misspecification.departures if d.gain_not_shown_at is not None]
    assert ("No gain is shown" in text or "no longer shown" in text) == bool(lost)
    assert "fair" not in text.replace("fairloop", "")


def test_sentences_name_what_is_lost_and_what_breaks(report):
    departure = report.misspecification.departures[0].model_copy(
        update={
            "gain_not_shown_at": 0.5,
            "loss_shown_at": 0.25,
            "limit_not_shown_at": 0.5,
            "limits": ("diversity",),
        }
    )
    swept = report.misspecification.model_copy(update={"departures": (departure,)})
    text = " ".join(report.model_copy(update={"misspecification": swept}).findings())
    assert "no longer shown at fatigue.per_showing × 0.5" in text
    assert "a loss at fatigue.per_showing × 0.25" in text
    assert "not shown to hold at fatigue.per_showing × 0.5 (diversity)" in text


def test_its_tables_have_a_row_for_each_figure(report):
    text = report.markdown()
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    heads, lines = 3, 2 * 2 + 1 * 2 + 2  # worlds, other models, directions
    assert len(rows) == 2 * heads + lines
    assert len({line.count("|") for line in rows[: 2 + 4]}) == 1


def test_names_are_checked_before_any_work(loose, mindful, forgetful):
    with pytest.raises(InvalidValue, match="'nobody'"):
        robustness_report(loose, [mindful, forgetful], "nobody", "forgetful", 1, CONFIG)


def test_nothing_but_training_imports_torch():
    code = (
        "import sys, fairloop.agents.robustness.report, fairloop.agents.robustness.many_worlds;"
        "print({'torch', 'recbole', 'stable_baselines3'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
