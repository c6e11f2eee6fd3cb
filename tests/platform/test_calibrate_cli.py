"""``fairloop calibrate`` as people and scripts meet it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairloop.candidates.groups import GroupsConfig
from fairloop.candidates.synthetic import synthetic_dataset
from fairloop.platform.cli import main as cli
from fairloop.platform.datasets import import_dataset
from fairloop.platform.db import migrate
from fairloop.platform.home import Home
from fairloop.simulators.config import WorldConfig

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in an empty folder; returns exit code, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fairloop", *map(str, words)])
        monkeypatch.setenv("FAIRLOOP_HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return call


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A shop's own log: shuffled slates of 3, its own column names, topics in another file."""
    rng = np.random.default_rng(0)
    n_slates, k, n_items = 1_200, 3, 12
    item = np.argsort(rng.random((n_slates, n_items)), axis=1)[:, :k].ravel()
    place = np.tile(np.arange(1, k + 1), n_slates)
    appeal = np.linspace(0.1, 0.6, n_items)
    frame = pd.DataFrame(
        {
            "customer": np.repeat(rng.integers(0, 150, n_slates), k),
            "page": np.repeat(np.arange(n_slates), k),
            "sku": [f"item {i}" for i in item],
            "place": place,
            "click": (rng.random(len(item)) < appeal[item] / place**0.5).astype(int),
        }
    )
    frame.to_csv(tmp_path / "shop.csv", index=False)
    topics = [["toys", "books|toys", ""][i % 3] for i in range(n_items)]
    items = pd.DataFrame({"sku": [f"item {i}" for i in range(n_items)], "topics": topics})
    items.to_csv(tmp_path / "items.csv", index=False)
    return tmp_path / "shop.csv"


COLUMNS = ("--column", "slate=page", "--column", "position=place")


def one_line(error: str) -> str:
    (line,) = [line for line in error.splitlines() if line.startswith("error: ")]
    return line


def test_a_log_becomes_a_report_and_a_world(run: Run, log: Path, tmp_path: Path) -> None:
    code, out, _ = run(
        "calibrate", "--log", log, *COLUMNS, "--items", "items.csv", "--randomised", "--json"
    )
    assert code == 0
    report = json.loads(out)
    assert report["rows"] == 3_600 and report["positions"] == 3
    assert {c["name"] for c in report["compared"]} >= {"ctr_by_position", "genre_concentration"}
    found = {f["parameter"]: f for f in report["findings"]}
    assert found["choice.position_bias"]["low"] < found["choice.position_bias"]["high"]
    assert "4 of 12 items have no topic" in report["notes"][0]
    world = (tmp_path / "calibration" / "world.json").read_text()
    assert WorldConfig.model_validate_json(world).choice.position_bias == pytest.approx(
        found["choice.position_bias"]["value"]
    )
    code, out, _ = run("calibrate", "--log", log, *COLUMNS)  # replaces its own folder
    assert code == 0
    assert "identified from these data" in out and "calibration.md" in out
    assert "genre concentration: not compared" in out


def test_the_open_bandit_sample_needs_no_home(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("calibrate", "--open-bandit", "random/men", "--out", "obd", "--json")
    report = json.loads(out)
    assert code == 0 and report["clicks"] == 46
    assert any("agree" in note for note in report["position_notes"])
    assert "CC BY 4.0" in (tmp_path / "obd" / "calibration.md").read_text()


def test_without_a_log_the_imported_ratings_are_used(run: Run, tmp_path: Path) -> None:
    code, _, error = run("calibrate")
    assert code == 2 and "error: " in error
    home = Home(tmp_path / "home").ensure()
    migrate.upgrade(f"sqlite:///{home.database}")
    import_dataset(home, synthetic_dataset(120, 60, seed=2), GroupsConfig())
    code, out, _ = run("calibrate", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["kind"] == "ratings"
    assert report["not_compared"]["CTR by position"] == "ratings hold no impressions"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--log", "shop.csv", "--open-bandit", "random/all"), "name different data"),
        (("--items", "items.csv"), "--log FILE"),
        (("--log", "absent.csv"), "no file"),
        (("--log", "shop.csv"), "--column position=NAME"),
        (("--log", "shop.csv", *COLUMNS, "--column", "colour=x"), "no column of a log"),
        (("--log", "shop.csv", *COLUMNS, "--items", "shop.csv"), "topics"),
        (("--open-bandit", "random/kids"), "women"),
        (("--log", "shop.csv", *COLUMNS, "--out", "shop.csv"), "is a file"),
        (("--log", "shop.csv", *COLUMNS, "--out", "."), "holds other files"),
    ],
)
def test_mistakes_are_named_on_one_line(
    run: Run, log: Path, words: tuple[str, ...], says: str
) -> None:
    code, _, error = run("calibrate", *words)
    assert code == 2 and says in one_line(error)
    assert not (log.parent / "calibration").exists()
