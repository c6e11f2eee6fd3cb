"""A training that was cut goes on, and ends as one that was not."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fairloop.agents import digest as digests
from fairloop.agents import stages
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.config import EvaluationConfig, TrainConfig
from fairloop.agents.curves import CurveValues, write_curve
from fairloop.agents.digest import code_digest, digest
from fairloop.agents.gate import GateConfig
from fairloop.agents.learner_config import PPOConfig
from fairloop.agents.pipeline import train_policy
from fairloop.agents.search import SearchConfig
from fairloop.agents.stages import Work, open_work, run_stages
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import CorruptArtifact, StorageFull
from fairloop.rerankers.constraints import Constraints, HardFilters
from fairloop.simulators.config import WorldConfig
from pydantic import BaseModel

TINY = TrainConfig(
    seed=7,
    world=WorldConfig(slate_size=5, horizon_days=8),
    search=SearchConfig(steps=300, users=16, population=4),
    ppo=PPOConfig(total_steps=1_024, critic_steps=512, n_envs=32, rollout_steps=16, batch_size=256),
    calibration=CalibrationConfig(rounds=1, seeds=1, choice_seeds=1),
    evaluation=EvaluationConfig(seeds=1, n_bootstrap=100),
    gate=GateConfig(min_users=20),
)


@pytest.fixture(scope="module", autouse=True)
def code_at_rest():
    """So that nobody's editor decides whether a test finds what another one kept."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stages, "code_digest", lambda: "this code")
        yield


class Squared(BaseModel):
    value: float


@dataclass(frozen=True)
class Square:
    """A stage of no work that leaves a mark each time it is done."""

    number: float
    marks: Path
    fails: bool = False

    @property
    def name(self) -> str:
        return f"square-{self.number:g}"

    def __call__(self, progress):
        if self.fails:
            raise KeyboardInterrupt
        with (self.marks / self.name).open("a") as file:
            file.write("x")
        progress(1, 1)
        return self.number**2

    def write(self, result):
        return Squared(value=result)

    def read(self, text):
        return Squared.model_validate_json(text).value

    def curve(self, result):
        return (CurveValues(1, {"square": result}),)


@pytest.fixture
def marks(tmp_path) -> Path:
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


def times_done(marks: Path) -> dict[str, int]:
    return {path.name: len(path.read_text()) for path in marks.iterdir()}


def silent(done: int, total: int) -> None:
    pass


@pytest.mark.parametrize("workers", [1, 2])
def test_what_ended_is_not_done_again(tmp_path, marks, workers):
    work = Work(tmp_path / "work")
    numbers = (0.1, 1 / 3, 2.0)
    cut = [Square(0.1, marks), Square(1 / 3, marks), Square(2.0, marks, fails=True)]
    with pytest.raises(KeyboardInterrupt):
        run_stages(cut, work, 1, silent)
    whole = [Square(number, marks) for number in numbers]
    seen: list[tuple[int, int]] = []
    results, kept = run_stages(whole, work, workers, lambda *at: seen.append(at))
    assert results == [number**2 for number in numbers]
    assert kept == ("square-0.1", "square-0.333333")
    assert set(times_done(marks).values()) == {1}
    assert seen[0] == (2000, 3000) and seen[-1] == (3000, 3000)
    again, kept = run_stages(whole, work, workers, silent)
    assert again == results and len(kept) == 3 and set(times_done(marks).values()) == {1}


def test_without_a_folder_nothing_is_kept(tmp_path, marks):
    for _ in range(2):
        assert run_stages([Square(3.0, marks)], None, 1, silent) == ([9.0], ())
    assert times_done(marks) == {"square-3": 2}
    assert not (tmp_path / "work").exists()


def test_a_kept_result_that_was_changed_is_refused_by_name(tmp_path, marks):
    work = Work(tmp_path)
    run_stages([Square(3.0, marks)], work, 1, silent)
    file = work.file("square-3")
    for damage in (file.read_bytes().replace(b"9.0", b"8.0"), b"", b"\xff"):
        file.write_bytes(damage)
        with pytest.raises(CorruptArtifact, match=r"square-3.*--fresh"):
            run_stages([Square(3.0, marks)], work, 1, silent)


def test_a_full_disk_keeps_the_stages_before(tmp_path, marks, monkeypatch):
    work = Work(tmp_path / "work")
    write = stages.write_file_atomically

    def full(path, data):
        if path.name == "square-2.json":
            raise StorageFull("no space left", field="work")
        write(path, data)

    monkeypatch.setattr(stages, "write_file_atomically", full)
    with pytest.raises(StorageFull):
        run_stages([Square(1.0, marks), Square(2.0, marks)], work, 1, silent)
    monkeypatch.undo()
    assert run_stages([Square(1.0, marks), Square(2.0, marks)], work, 1, silent)[1] == ("square-1",)


@pytest.fixture(scope="module")
def small():
    return synthetic_candidates(n_users=60, n_items=80, n_topics=4, seed=3, top_n=20)


@pytest.fixture(scope="module")
def uncut(small):
    """A training that keeps nothing."""
    return train_policy(small, TINY)


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """One that kept everything, to copy."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train_policy(small, TINY, work=folder)


@pytest.fixture
def kept(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole[0], tmp_path / "kept"))


def cut_after(stage: str, monkeypatch):
    """Let a run end as if it had been killed once that stage was kept."""
    write = stages.write_file_atomically

    def then_die(path, data):
        write(path, data)
        if path.stem.startswith(stage):
            raise KeyboardInterrupt

    monkeypatch.setattr(stages, "write_file_atomically", then_die)


@pytest.mark.parametrize("stage", ["tune-dpp", "learn-"])
def test_a_training_that_was_cut_ends_as_one_that_was_not(
    small, uncut, tmp_path, monkeypatch, stage
):
    with monkeypatch.context() as patched:
        cut_after(stage, patched)
        with pytest.raises(KeyboardInterrupt):
            train_policy(small, TINY, work=tmp_path)
    there = {path.stem for path in tmp_path.glob("*/stages/*.json")}
    resumed = train_policy(small, TINY, work=tmp_path)
    assert set(resumed.resumed) == there and uncut.resumed == ()
    assert any(name.startswith(stage) for name in there)
    assert resumed.manifest == uncut.manifest
    assert resumed.save(tmp_path / "a").name == uncut.save(tmp_path / "b").name


def test_keeping_changes_nothing(whole, uncut):
    assert whole[1].resumed == () and whole[1].manifest == uncut.manifest


def test_fresh_forgets_what_was_kept(small, kept):
    assert list(open_work(kept, small, TINY).folder.rglob("*.json"))
    work = open_work(kept, small, TINY, fresh=True)
    assert not work.folder.exists() and kept.exists()


def test_more_training_seeds_and_other_evaluations_go_on_from_what_is_there(small, kept):
    """And give what they would have given alone."""
    wider = TINY.model_copy(
        update={
            "training_seeds": 2,
            "evaluation": EvaluationConfig(seeds=2, n_bootstrap=150),
            "gate": GateConfig(min_users=10),
        }
    )
    there = {path.stem for path in kept.glob("*/stages/*.json")}
    on = train_policy(small, wider, work=kept)
    assert set(on.resumed) == there and len(on.training) == 2
    assert on.manifest == train_policy(small, wider).manifest


def test_another_configuration_candidates_or_code_do_not_find_it(small, tmp_path, monkeypatch):
    def folder(candidates, config):
        return open_work(tmp_path, candidates, config).folder

    here = folder(small, TINY)
    assert folder(small, TINY.model_copy(update={"workers": 2})) == here
    others = [
        folder(small, TINY.model_copy(update={"seed": 8})),
        folder(small, TINY.model_copy(update={"world": WorldConfig(slate_size=4)})),
        folder(synthetic_candidates(60, 80, 4, seed=4, top_n=20), TINY),
    ]
    monkeypatch.setattr(stages, "code_digest", lambda: "other code")
    others.append(folder(small, TINY))
    assert len({here, *others}) == 5


KILLED = """
import sys
sys.path[:0] = {path!r}
from fairloop.agents import stages
stages.code_digest = lambda: "this code"
from test_stages import TINY
from fairloop.agents.pipeline import train_policy
from fairloop.candidates.synthetic import synthetic_candidates
from pathlib import Path
small = synthetic_candidates(n_users=60, n_items=80, n_topics=4, seed=3, top_n=20)
train_policy(small, TINY, work=Path({work!r}))
"""


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_whole_stages(small, uncut, tmp_path):
    """SIGKILL, at whatever it is doing, once two stages are there."""
    code = KILLED.format(path=[str(Path(__file__).parent)], work=str(tmp_path))
    victim = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    patience = time.monotonic() + 120
    while len(list(tmp_path.glob("*/stages/*.json"))) < 2:
        assert victim.poll() is None, victim.stderr.read().decode()
        assert time.monotonic() < patience
        time.sleep(0.02)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    victim.stderr.close()
    resumed = train_policy(small, TINY, work=tmp_path)
    assert len(resumed.resumed) >= 2
    assert resumed.manifest == uncut.manifest


def test_curves_are_read_by_tensorboard(whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    work, (seed,) = whole[1].work, whole[1].training
    (run,) = work.curves.glob("learn-*")
    events = EventAccumulator(str(run)).Reload()
    drawn = events.Scalars("engagement per slate")
    assert [e.step for e in drawn] == [p.steps for p in seed.curve]
    assert [e.value for e in drawn] == pytest.approx([p.reward for p in seed.curve])
    paid = events.Scalars("multiplier/diversity")
    assert [e.value for e in paid] == pytest.approx([p.multipliers[-1] for p in seed.curve])
    searched = EventAccumulator(str(work.curves / "tune-mmr")).Reload().Scalars("search/best trial")
    assert searched and searched[-1].step >= TINY.search.steps
    assert not (work.curves / "tune-top-k").exists()  # nothing was searched


def test_a_curve_replaces_an_earlier_one(tmp_path):
    for value in (1.0, 2.0):
        write_curve(tmp_path / "run", (CurveValues(3, {"x": value}),))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert len(list((tmp_path / "run").iterdir())) == 1
    (event,) = EventAccumulator(str(tmp_path / "run")).Reload().Scalars("x")
    assert (event.step, event.value) == (3, 2.0)


def test_the_digest_sees_every_value_and_no_order_of_a_set():
    names = [f"item-{i}" for i in range(50)]
    one = Constraints(filters=HardFilters(exclude_items=frozenset(names)))
    same = Constraints(filters=HardFilters(exclude_items=frozenset(names[::-1])))
    assert digest(one) == digest(same)
    values = [
        *(None, 0, 0.0, False, "", [], {}, [[]], ["a", "b"], ["ab"], {"a": "b"}, "None"),
        *(np.zeros(2), np.zeros((2, 1)), np.zeros(2, np.float32), np.array(["a"], object)),
        *(np.float64(0.0), Work(Path("a")).folder.name, one, Constraints()),
    ]
    assert len({digest(value) for value in values}) == len(values)
    with pytest.raises(TypeError):
        digest(object())


def test_a_digest_is_the_same_in_another_process():
    code = (
        "from fairloop.agents.digest import digest\n"
        "print(digest([frozenset('abcdef'), {'x': 1.5}, 'y']))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert said == [digest([frozenset("abcdef"), {"x": 1.5}, "y"])] * 2


def test_the_code_is_part_of_the_key(monkeypatch, tmp_path):
    before = code_digest()
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "new.py").write_text("changed = True\n")
    monkeypatch.setattr(digests, "ROOT", tmp_path)
    code_digest.cache_clear()
    assert code_digest() != before
    code_digest.cache_clear()
