"""``fairloop simulate`` as people and scripts meet it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fairloop.platform.cli import main as cli
from fairloop.simulators.impressions import read_impressions
from fairloop.simulators.policies import RandomSlates

Run = Callable[..., tuple[int, str, str]]
SMALL = ("--synthetic", "--users", "60", "--days", "8", "--replicates", "100", "--seed", "5")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs ``fairloop simulate`` in an empty folder; returns exit code, stdout and stderr."""

    def call(*words: object, home: Path = tmp_path / "no-home") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fairloop", "simulate", *map(str, words)])
        monkeypatch.setenv("FAIRLOOP_HOME", str(home))
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return call


def report(done: tuple[int, str, str]) -> dict[str, Any]:
    assert done[0] == 0, done[2]
    return json.loads(done[1])


def refused(done: tuple[int, str, str]) -> str:
    assert done[0] == 2
    (line,) = [line for line in done[2].splitlines() if line.startswith("error: ")]
    return line


def figure(policy: dict[str, Any], name: str, of: str = "") -> dict[str, Any]:
    (found,) = [f for f in policy["figures"] if (f["name"], f["of"]) == (name, of)]
    return found


def test_policies_are_compared_on_the_same_luck(run: Run, tmp_path: Path) -> None:
    said = report(run(*SMALL, "-p", "greedy", "-p", "random", "-p", "oracle", "--json"))
    greedy, random, oracle = said["policies"]
    assert said["users"] == 60 and said["world"]["horizon_days"] == 8
    assert [p["stochastic"] for p in said["policies"]] == [0.0, 1.0, 0.0]
    assert all(f["difference"] is None for f in greedy["figures"])
    ahead = figure(oracle, "expected engagement")
    assert ahead["difference"]["low"] > 0 and ahead["p_value"] < 0.05
    means = [figure(p, "expected engagement")["value"]["value"] for p in (greedy, oracle)]
    assert ahead["difference"]["value"] == pytest.approx(means[1] - means[0])
    shares = [f["value"]["value"] for f in random["figures"] if f["of"].startswith("popularity=")]
    assert sum(shares) == pytest.approx(1.0)
    names = sorted(path.name for path in (tmp_path / "simulation").iterdir())
    assert names == ["greedy.parquet", "oracle.parquet", "random.parquet", "summary.json"]
    assert json.loads((tmp_path / "simulation" / "summary.json").read_text()) == said


def test_the_log_holds_what_the_summary_says(run: Run, tmp_path: Path) -> None:
    said = report(run(*SMALL, "-p", "plackett-luce", "--episodes", 2, "--json"))
    (policy,) = said["policies"]
    log = read_impressions(tmp_path / "simulation" / "plackett-luce.parquet")
    assert len(np.unique(log.slate)) == policy["slates"] == len(log) / said["k"]
    per_life = log.clicked.sum() / (2 * 60)
    assert figure(policy, "clicks")["value"]["value"] == pytest.approx(per_life)
    earned = np.nansum(log.satisfaction) / (2 * 60)
    assert figure(policy, "engagement")["value"]["value"] == pytest.approx(earned, rel=1e-5)
    assert len(log.user_ids) == len(set(log.user_ids)) == 120
    assert sum(name.endswith("#2") for name in log.user_ids) == 60
    assert ((log.propensity_slate > 0) & (log.propensity_slate < 1)).all()
    assert np.isnan(log.propensity_item).all() and policy["stochastic"] == 1.0


def test_equal_seeds_write_equal_bytes_and_others_do_not(run: Run, tmp_path: Path) -> None:
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        report(run(*SMALL, "-p", "random", "--seed", seed, "--out", folder, "--json"))
    logs = [(tmp_path / folder / "random.parquet").read_bytes() for folder in "abc"]
    assert logs[0] == logs[1] != logs[2]


def test_worlds_by_name_and_by_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("slate_size: 5\nsession: {enabled: true}\n")
    said = report(run(*SMALL, "-p", "greedy", "--world", "mine.yaml", "--no-log", "--json"))
    assert said["k"] == 5 and said["world"]["session"]["enabled"]
    assert said["policies"][0]["log"] is None and not (tmp_path / "simulation").exists()
    said = report(run(*SMALL, "-p", "greedy", "--world", "static", "--no-log", "--json"))
    slates = figure(said["policies"][0], "slates")["value"]
    assert slates["value"] == 8 and said["k"] == 10


def test_a_reranker_by_the_file_of_its_settings(run: Run, tmp_path: Path) -> None:
    (tmp_path / "curious.yaml").write_text("algorithm: epsilon-greedy\nepsilon: 0.4\n")
    said = report(run(*SMALL, "-p", "curious.yaml", "-p", "exposure-controller", "--json"))
    assert said["policies"][0]["name"] == "curious"
    assert said["policies"][0]["what"]["epsilon"] == 0.4
    log = read_impressions(tmp_path / "simulation" / "curious.parquet")
    by_slate = np.unique(np.stack([log.slate, log.propensity_slate]), axis=1)[1]
    assert 0.4 < (by_slate >= 0.6).mean() < 0.8


def test_for_people(run: Run) -> None:
    code, out, err = run(*SMALL, "-p", "greedy", "-p", "random")
    assert code == 0
    for word in ("60 users", "8 days", "engagement", "exposure share", "difference to greedy"):
        assert word in out
    assert "random.parquet" in out and "Simulating" in err


def test_a_newcomer_without_data_is_told_what_to_do(run: Run, tmp_path: Path) -> None:
    error = refused(run("-p", "greedy"))
    assert "--synthetic" in error
    assert not (tmp_path / "simulation").exists()


@pytest.mark.parametrize(
    ("words", "field", "hint"),
    [
        (("-p", "nobody"), "policy", "oracle"),
        (("-p", "greedy", "-p", "greedy"), "policy", "once"),
        (("-p", "absent.yaml"), "absent.yaml", "readable"),
        (("--world", "nowhere"), "world", "static"),
        (("--k", "500"), "k", "smaller k"),
        (("--out", "file"), "out", "folder"),
    ],
)
def test_what_cannot_be_simulated_is_refused(run: Run, tmp_path, words, field, hint) -> None:
    (tmp_path / "file").write_text("")
    error = refused(run(*SMALL, *words))
    assert error.startswith(f"error: {field}: ") and hint in error


@pytest.mark.parametrize(
    ("text", "field"),
    [("choice: {model: chess}", "choice.model"), ("horizon: 3", "horizon"), ("- 1", "bad.yaml")],
)
def test_a_world_file_is_checked(run: Run, tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    assert refused(run(*SMALL, "--world", "bad.yaml")).startswith(f"error: {field}: ")


def test_what_breaks_off_leaves_earlier_files_and_nothing_else(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(run(*SMALL, "-p", "greedy", "--json"))
    before = {p.name: p.read_bytes() for p in (tmp_path / "simulation").iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RandomSlates, "decide", full)
    assert "space" in refused(run(*SMALL, "-p", "greedy", "-p", "random"))
    assert {p.name: p.read_bytes() for p in (tmp_path / "simulation").iterdir()} == before


def test_a_stored_policy_serves_as_it_would(run: Run, house) -> None:
    """Weights on the base score alone: the slates of greedy, whatever was trained beside it."""
    version = house.store_policy()
    words = ("-p", "greedy", "-p", version, "--days", 6, "--no-log", "--replicates", 100, "--json")
    said = report(run(*words, home=house.home.root))
    differences = [f["difference"] for f in said["policies"][1]["figures"] if f["difference"]]
    assert differences and all(d["low"] == d["high"] == 0 for d in differences)
    assert version in said["policies"][1]["what"]
    assert "deployed" in refused(run("-p", "deployed", home=house.home.root))
    many = refused(run("-p", "greedy", "--users", 10_000, home=house.home.root))
    assert many.startswith("error: users: ") and "--episodes" in many
