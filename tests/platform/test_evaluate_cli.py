"""``fairloop train policy`` that goes on, and ``fairloop evaluate``, as people meet them."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fairloop.agents.report import EvaluationReport, Interval
from fairloop.agents.storage import load_policy
from fairloop.candidates.artifact import save_candidates
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.platform.cli import main as cli
from fairloop.platform.cli import train as training
from fairloop.platform.evaluation import table

Run = Callable[..., tuple[int, str, str]]

TINY = """
seed: 7
training_seeds: 1
workers: 1
world: {slate_size: 5, horizon_days: 6}
search: {steps: 200, users: 16, population: 4}
ppo: {total_steps: 512, critic_steps: 256, n_envs: 16, rollout_steps: 16, batch_size: 128}
calibration: {rounds: 1, seeds: 1, choice_seeds: 1}
evaluation: {seeds: 2, n_bootstrap: 100}
"""


def call(home: Path, *words: object) -> tuple[int, str, str]:
    """Runs ``fairloop`` in a home folder; returns exit code, stdout and stderr."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["fairloop", *map(str, words)])
        patched.setenv("FAIRLOOP_HOME", str(home))
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0), "", ""


@pytest.fixture(scope="module")
def trained(stocked_home, tmp_path_factory) -> Path:
    """A home folder in which a policy was trained, if not a good one."""
    folder = tmp_path_factory.mktemp("trained")
    home = Path(shutil.copytree(stocked_home[0], folder / "home"))
    (folder / "tiny.yaml").write_text(TINY)
    words = ("train", "policy", "--seeds", 1, "--workers", 1, "--config", folder / "tiny.yaml")
    assert call(home, *words)[0] in (0, 2)  # 2: the gate refused it, as it may
    return home


@pytest.fixture
def run(trained: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def evaluate(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code, _, _ = call(trained, *words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return evaluate


def test_a_second_training_goes_on_from_the_first_and_gives_the_same_policy(
    run: Run, trained: Path
) -> None:
    config = trained.parent / "tiny.yaml"
    words = ("train", "policy", "--seeds", 1, "--workers", 1, "--config", config)
    _, out, _ = run(*words, "--json")
    again = json.loads(out)
    assert len(again["resumed"]) == len(list(trained.glob("training/*/stages/*.json")))
    assert list(trained.joinpath("policies").iterdir()) == [trained / "policies" / again["version"]]
    runs = {path.name for path in Path(again["curves"]).iterdir()}
    assert "tune-mmr" in runs and any(name.startswith("learn-") for name in runs)
    _, out, _ = run(*words)
    assert "Went on from a training that was cut" in out and "tensorboard --logdir" in out


def test_who_interrupts_a_training_is_told_how_to_go_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train_and_judge", interrupted)
    code, _, error = run("train", "policy")
    assert code == 130 and "the same command goes on" in " ".join(error.split())


def test_it_evaluates_the_policy_that_was_stored_last(run: Run, trained: Path) -> None:
    code, out, error = run("evaluate", "--json")
    assert code == 0 and "Evaluating" in error
    said = json.loads(out)
    (folder,) = (trained / "policies").iterdir()
    stored = load_policy(folder).manifest
    assert said["version"] == folder.name
    assert said["candidates"] == said["trained_on"] == stored.lineage["candidates"]
    assert EvaluationReport.model_validate(said["report"]) == stored.report
    assert said["left_out"] == {}


def test_seeds_and_luck_are_the_callers_choice(run: Run) -> None:
    first, more, other = (
        json.loads(run("evaluate", *words, "--json")[1])["report"]["seeds"]
        for words in ((), ("--seeds", 3), ("--seeds", 3, "--seed", 5))
    )
    assert more[:2] == first and len(more) == 3
    assert not set(other) & set(more)


def test_files_hold_what_is_printed(run: Run, trained: Path, tmp_path: Path) -> None:
    code, out, _ = run("evaluate", "--html", tmp_path / "found", "--json")
    assert code == 0
    said = json.loads(out)
    name = f"evaluation-{said['version']}"
    files = {path.name: path.read_text() for path in (tmp_path / "found").iterdir()}
    assert sorted(files) == [f"{name}.html", f"{name}.json", f"{name}.md"]
    assert json.loads(files[f"{name}.json"])["report"] == said["report"]
    report = EvaluationReport.model_validate(said["report"])
    assert files[f"{name}.md"] == table.markdown(report)
    for row in report.policies:
        for cell in table.cells(row, report):
            assert cell in files[f"{name}.html"]
    assert "<script" not in files[f"{name}.html"] and "://" not in files[f"{name}.html"]


def test_the_table_says_what_a_reference_is(run: Run) -> None:
    code, out, _ = run("evaluate")
    assert code == 0
    for word in ("random", "dpp", "myopic-oracle", "reference", "gap", "closed", "user-steps"):
        assert word in out
    assert "could not be deployed" in out


def test_the_notes_say_whether_an_end_of_the_gap_holds_the_limits(run: Run) -> None:
    report = EvaluationReport.model_validate(json.loads(run("evaluate", "--json")[1])["report"])
    assert report.gaps_to == ("oracle-under-limits", "bayes-index")
    end = report.figures("bayes-index")
    rest = tuple(p for p in report.policies if p.name != end.name)

    def noted(measured: float) -> str:
        limits = tuple(
            c.model_copy(update={"measured": Interval(value=measured, low=0.0, high=1.0)})
            for c in end.constraints
        )
        changed = end.model_copy(update={"constraints": limits})
        found = table.notes(report.model_copy(update={"policies": (*rest, changed)}))
        (note,) = (note for note in found if note.startswith("bayes-index"))
        return note

    assert "holds every limit" in noted(1.0)
    for limit in end.constraints:
        assert limit.title in noted(0.0)
    assert "no ceiling" in noted(0.0)


def test_other_candidates_by_their_version(run: Run, trained: Path) -> None:
    """The same made-up people with other pools; and other people, all of whom are new."""
    for candidates, everyone in (
        (synthetic_candidates(top_n=40), False),
        (synthetic_candidates(n_users=90, seed=4), True),
    ):
        version = save_candidates(candidates, trained / "candidates").name
        said = json.loads(run("evaluate", "--data", version, "--json")[1])
        assert said["candidates"] == version != said["trained_on"]
        n_users = len(candidates.pools())
        assert (said["report"]["n_users"] == n_users) == everyone


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--policy", "nothing"), "nothing"),
        (("--data", "nothing"), "no candidates of version"),
        (("--out", "{file}"), "is a file"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(
    run: Run, tmp_path: Path, words: tuple[str, str], names: str
) -> None:
    (tmp_path / "file").write_text("")
    code, out, error = run("evaluate", words[0], words[1].format(file=tmp_path / "file"), "--json")
    assert (code, out) == (2, "")
    (line,) = [line for line in error.splitlines() if line.startswith("error: ")]
    assert names in line


def test_markdown_has_a_cell_for_each_title_and_escapes_bars(run: Run) -> None:
    report = EvaluationReport.model_validate(json.loads(run("evaluate", "--json")[1])["report"])
    odd = report.policies[0].model_copy(update={"name": "a|b"})
    report = report.model_copy(update={"policies": (odd, *report.policies[1:])})
    lines = [line for line in table.markdown(report).splitlines() if line.startswith("|")]
    assert len(lines) == len(report.policies) + 2 and "a\\|b" in lines[2]
    bars = {line.replace("\\|", "").count("|") for line in lines}
    assert bars == {len(table.titles(report)) + 1}
    assert sum(line.startswith("| **learned**") for line in lines) == 1
