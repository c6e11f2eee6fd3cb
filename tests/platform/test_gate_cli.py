"""``fairloop gate``: a stored policy judged again, the verdict on record."""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fairloop.agents.gate import judge
from fairloop.agents.report import ConstraintFigure, EvaluationReport, Interval, PolicyFigures
from fairloop.agents.storage import load_policy, save_policy
from fairloop.errors import GateRefused, InvalidValue, UnknownRecord
from fairloop.platform.cli import main as cli
from fairloop.platform.db.engine import Database
from fairloop.platform.evaluation.run import PolicyEvaluation
from fairloop.platform.registry import adopt_policy, deploy, deployed, verdicts_on, versions
from fairloop.platform.store import verdicts
from fairloop.platform.store import versions as store

if TYPE_CHECKING:
    from conftest import House

Run = Callable[..., tuple[int, str, str]]
BASELINES = ("top-k", "mmr", "exposure", "static-memoryless", "static-state-aware")


def report_of(ratio: float = 1.08, low: float = 1.04, ucb: float = -0.01) -> EvaluationReport:
    """An evaluation that passes, unless told otherwise."""

    def figures(name: str, value: float, low: float, kind: str = "baseline") -> PolicyFigures:
        def around(at: float, width: float) -> Interval:
            return Interval(value=at, low=at - width, high=at + width)

        floor = ConstraintFigure(
            name="exposure:popularity=long_tail",
            target=0.4,
            measured=around(0.4 - ucb + 0.005, 0.006),
            violation_ucb=ucb,
        )
        return PolicyFigures(
            name=name,
            kind=kind,
            parameters={},
            simulator_steps=1,
            engagement=around(10.0 * value, 0.3),
            engagement_ratio=around(value, value - low),
            slates=around(12.0, 0.5),
            retained=around(0.6, 0.05),
            constraints=(floor,),
            ndcg=None,
        )

    rows = [figures(n, 1.0 if n == BASELINES[-1] else 0.6, 0.6) for n in BASELINES]
    return EvaluationReport(
        n_users=300,
        seeds=(1, 2, 3, 4, 5),
        slate_size=10,
        confidence=0.95,
        n_bootstrap=100,
        published="learned",
        best_baseline=BASELINES[-1],
        policies=(*rows, figures("learned", ratio, low, "learned")),
    )


@pytest.fixture
def store_policy(house: "House") -> Callable[..., str]:
    """Stores a policy with an evaluation; its version."""

    def make(**evaluation: float) -> str:
        report = report_of(**evaluation)
        stored = load_policy(house.home.policy(house.store_policy()))
        update = {"report": report, "verdict": judge(report)}
        manifest = stored.manifest.model_copy(update=update)
        return save_policy(stored.policy, manifest, house.home.policies).name

    return make


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    house: "House",
) -> Run:
    """Runs a command in the house; returns exit code, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fairloop", *map(str, words)])
        monkeypatch.setenv("FAIRLOOP_HOME", str(house.home.root))
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return call


def test_a_policy_that_passes_is_told_why_and_gets_a_canary(run: Run, house, store_policy) -> None:
    version = store_policy()
    code, out, _ = run("gate", "--policy", version, "--json")
    assert code == 0
    said = json.loads(out)
    verdict = said["verdict"]
    assert verdict["passed"] and said["judged_before"] == 0 and not said["stopped"]
    assert verdict["inputs"]["policy"] == version
    report = load_policy(house.home.policy(version)).manifest.report
    hashed = hashlib.sha256(report.model_dump_json().encode()).hexdigest()
    assert verdict["inputs"]["report"] == hashed
    assert verdict["canary"]["users"] >= verdict["canary"]["canary_users"] > 0
    [recorded] = verdicts_on(house.database, version)
    assert (recorded.id, recorded.passed) == (said["id"], True)
    assert recorded.verdict == verdict
    [listed] = [v for v in versions(house.database) if v.version == version]
    assert (listed.status, listed.deployed, listed.gate) == ("accepted", False, verdict)


def test_a_refused_policy_stops_serving_and_the_history_stays(
    run: Run, house, store_policy, tmp_path
) -> None:
    version = store_policy()
    adopt_policy(house.database, house.home, version)
    assert deployed(house.database).policy == version
    (tmp_path / "strict.yaml").write_text("min_ratio_low: 1.1\n")
    code, out, error = run(
        "gate", "--policy", version, "--config", tmp_path / "strict.yaml", "--json"
    )
    said = json.loads(out)
    assert code == 2 and "a lower bound above 1.1 is needed" in error
    assert said["stopped"] and said["judged_before"] == 1
    assert deployed(house.database).policy is None
    assert [v.passed for v in verdicts_on(house.database, version)] == [True, False]
    with pytest.raises(GateRefused):
        deploy(house.database, version)
    with pytest.raises(GateRefused):  # its training's verdict does not bring it back
        adopt_policy(house.database, house.home, version)
    assert run("gate", "--policy", version)[0] == 0
    assert deploy(house.database, version).deployed


def test_for_people_every_finding_is_a_sentence(run: Run, store_policy) -> None:
    store_policy(low=0.99)
    code, out, error = run("gate")
    text = " ".join(out.split())
    assert code == 2
    assert "no Against static-state-aware" in text and "yes exposure:popularity=long_tail" in text
    assert "is on record" in text and error.splitlines()[-1].startswith("error: policy: ")


def test_a_newer_evaluation_takes_the_place_of_the_training_s(
    run: Run, house, store_policy, tmp_path
) -> None:
    version = store_policy(low=0.99)
    assert run("gate", "--policy", version, "--json")[0] == 2
    file = tmp_path / "evaluation.json"

    def write(**changes: Any) -> None:
        fields = {
            "version": version,
            "trained_on": house.version,
            "candidates": house.version,
            "data": "made up",
            "model": "EASE",
            "seed": 1,
            "report": report_of(),
            "left_out": {},
            "seconds": 1.0,
        }
        file.write_text(PolicyEvaluation.model_validate(fields | changes).model_dump_json())

    write()
    code, out, _ = run("gate", "--policy", version, "--evaluation", file, "--json")
    inputs = json.loads(out)["verdict"]["inputs"]
    assert code == 0
    assert inputs["evaluation"] == hashlib.sha256(file.read_bytes()).hexdigest()
    for change in ({"version": "another"}, {"candidates": "others"}):
        write(**change)
        code, out, error = run("gate", "--policy", version, "--evaluation", file, "--json")
        assert (code, out) == (2, "") and "evaluation: " in error
    file.write_text("{}")
    assert run("gate", "--policy", version, "--evaluation", file)[0] == 2
    assert len(verdicts_on(house.database, version)) == 2


def test_a_log_of_another_policy_is_read_and_too_little_overlap_is_a_finding(
    run: Run, house, store_policy, tmp_path
) -> None:
    version = store_policy()
    simulated = run(
        *("simulate", "-p", "greedy", "-p", "random", "--days", 4, "--users", 80),
        *("--replicates", 100, "--out", "logs", "--json"),
    )
    assert simulated[0] == 0, simulated[2]
    code, out, _ = run("gate", "--policy", version, "--log", "logs/random.parquet", "--json")
    verdict = json.loads(out)["verdict"]
    assert code == 0  # advice, by default
    [finding] = [f for f in verdict["findings"] if f["part"] == "logged decisions"]
    assert finding["holds"] is None and not finding["decides"]
    assert "random.parquet cannot tell" in finding["sentence"]
    log = (tmp_path / "logs" / "random.parquet").read_bytes()
    assert verdict["inputs"]["log"] == hashlib.sha256(log).hexdigest()

    (tmp_path / "rule.yaml").write_text("logged: {use: required}\n")
    words = ("gate", "--policy", version, "--config", "rule.yaml", "--json")
    assert run(*words, "--log", "logs/random.parquet")[0] == 2
    assert run(*words)[0] == 2
    # The base order is what these weights show, so the log of it is its own.
    code, out, error = run(*words, "--log", "logs/greedy.parquet")
    assert code == 0, error
    difference = json.loads(out)["verdict"]["logged"]["difference"]
    assert difference["value"] == pytest.approx(0.0) and difference["ess"] == difference["n"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--policy", "nothing"), "nothing"),
        (("--log", "absent.parquet"), "absent.parquet"),
        (("--evaluation", "absent.json"), "absent.json"),
        (("--config", "absent.yaml"), "absent.yaml"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_verdict(
    run: Run, house, store_policy, words: tuple[str, ...], names: str
) -> None:
    version = store_policy()
    code, out, error = run("gate", *words, "--json")
    assert (code, out) == (2, "")
    assert names in error.splitlines()[-1]
    assert verdicts_on(house.database, version) == []


def test_the_store_keeps_every_verdict_in_order(database: Database) -> None:
    with database.session() as session:
        store.save_version(session, "p1", "policy")
        store.save_version(session, "c1", "candidates")
        store.ensure_builtin(session, "mmr")
        store.deploy(session, "p1")
        said = [
            verdicts.record_verdict(
                session, "p1", {"n": n}, passed=n != 1, metrics={"ratio": 1.0 + n}
            )
            for n in range(3)
        ]
        assert store.deployed(session, "policy") is None  # the second refused it
        assert verdicts.list_verdicts(session, "p1") == said
        assert store.get_version(session, "p1").gate == {"n": 2}
        assert store.get_version(session, "p1").metrics == {"ratio": 3.0}
        with pytest.raises(UnknownRecord):
            verdicts.record_verdict(session, "nothing", {}, passed=True, metrics={})
        for wrong in ("c1", "mmr"):
            with pytest.raises(InvalidValue, match="no trained policy"):
                verdicts.record_verdict(session, wrong, {}, passed=True, metrics={})
