"""``fairloop condition`` and ``fairloop retarget`` as people meet them."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fairloop.agents.pareto.storage import load_conditioned
from fairloop.agents.storage import load_policy
from fairloop.errors import InvalidValue
from fairloop.platform.cli import main as cli
from fairloop.platform.cli.condition import read_range
from fairloop.platform.cli.retarget import read_target

Run = Callable[..., tuple[int, str, str]]
EXPOSURE = "exposure:popularity=long_tail"

TINY = """
seed: 7
training_seeds: 1
workers: 1
world: {slate_size: 5, horizon_days: 6}
response: {rounds: 1, passes: 1}
search: {steps: 200, users: 16, population: 4}
ppo: {total_steps: 512, critic_steps: 256, n_envs: 16, rollout_steps: 16, batch_size: 128}
calibration: {rounds: 4, seeds: 1, choice_seeds: 1, confidence: 0.51, assurance: 0.51}
evaluation: {seeds: 2, n_bootstrap: 100}
"""


def call(home: Path, *words: object) -> int:
    """Runs ``fairloop`` in a home folder; returns its exit code."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["fairloop", *map(str, words)])
        patched.setenv("FAIRLOOP_HOME", str(home))
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def trained(stocked_home, tmp_path_factory) -> Path:
    """A home folder in which a policy was trained, if not a good one."""
    folder = tmp_path_factory.mktemp("conditioned")
    home = Path(shutil.copytree(stocked_home[0], folder / "home"))
    (folder / "tiny.yaml").write_text(TINY)
    words = ("train", "policy", "--seeds", 1, "--workers", 1, "--config", folder / "tiny.yaml")
    assert call(home, *words) in (0, 2)  # 2: the gate refused it, as it may
    return home


@pytest.fixture
def run(trained: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def one(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = call(trained, *words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return one


@pytest.mark.slow
def test_a_policy_is_conditioned_and_its_dial_turned(run: Run, trained: Path) -> None:
    source = next(trained.glob("policies/*"))
    share = load_policy(source).policy.constraints.exposure[0].share
    low, high = 0.6 * share, 0.95 * share
    given = ("condition", "--nodes", 2, "--range", f"{EXPOSURE}={low}:{high}")
    code, out, _ = run(*given, "--json")
    found = json.loads(out)
    assert code == 0 and found["source"] == source.name
    assert found["ranges"] == {EXPOSURE: [low, high]}
    stored = load_conditioned(trained / "conditioned" / found["version"])
    assert stored.manifest.source == source.name
    code, out, _ = run(*given)  # the same again, for people
    assert code == 0 and found["version"] in out and "held" in out
    assert len(list(trained.glob("conditioned/*"))) == 1

    target = (low + high) / 2
    code, out, err = run("retarget", "--target", f"{EXPOSURE}={target}", "--json")
    turned = json.loads(out)
    assert code == (0 if turned["verdict"]["passed"] else 2)
    assert (code == 2) == bool(err.rpartition("error: ")[1])
    made = load_policy(trained / "policies" / turned["version"])
    assert made.policy.constraints.exposure[0].share == target
    assert made.manifest.constraints == made.policy.constraints
    assert made.manifest.lineage["conditioned"] == found["version"]
    assert "not searched anew" in made.manifest.lineage["baselines"]
    figures = made.manifest.report.learned.constraints
    assert figures[0].target == target
    kinds = {row.kind for row in made.manifest.report.policies}
    assert kinds == {"baseline", "start", "learned", "reference"}
    assert turned["left_out"] == {}

    code, _, err = run("retarget", "--target", f"{EXPOSURE}=0.99")
    assert code == 2 and f"targets[{EXPOSURE}]" in err and err.count("error: ") == 1

    # An ordinary policy: it is evaluated again to the same figures, and judged again.
    code, out, _ = run("evaluate", "--policy", turned["version"], "--json")
    again = json.loads(out)
    assert code == 0
    assert again["report"]["policies"] == turned["report"]["policies"]
    assert run("gate", "--policy", turned["version"])[0] in (0, 2)


def test_without_a_conditioned_policy_it_says_how_to_make_one(
    stocked_home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Path(shutil.copytree(stocked_home[0], tmp_path / "home"))
    assert call(home, "retarget", "--target", "diversity=0.5") == 2
    assert "fairloop condition" in capsys.readouterr().err


def test_limits_may_hold_an_equals_sign() -> None:
    assert read_range(f"{EXPOSURE}=0.3:0.5") == (EXPOSURE, (0.3, 0.5))
    assert read_target(f"{EXPOSURE}=0.3") == (EXPOSURE, 0.3)
    for text in ("diversity", "diversity=0.5", "=0.1:0.2", "diversity=a:b", "diversity=0.5:"):
        with pytest.raises(InvalidValue, match="LIMIT=LOW:HIGH"):
            read_range(text)
    for text in ("diversity", "=0.3", "diversity=high"):
        with pytest.raises(InvalidValue, match="LIMIT=VALUE"):
            read_target(text)
