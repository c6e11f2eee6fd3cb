"""Stages of a training that are kept as they end, so that a run that was cut can go on.

A stage is a job that runs alone: one tuned baseline, or one training seed. The process that did it
writes its result at once, whole or not at all, so a run loses at most the stages under way. A kept
result is plain JSON that is read back exactly, and the folder's name is a hash of everything the
results depend on: a run that goes on ends as one that was never cut.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from ..candidates.candidate_set import CandidateSet
from ..candidates.folders import sha256_bytes, write_file_atomically
from ..errors import CorruptArtifact
from .config import TrainConfig
from .curves import Curve, write_curve
from .digest import code_digest, digest
from .parallel import SCALE, Progress, run_jobs

Result = TypeVar("Result")
NO_PART_IN_STAGES = ("workers", "training_seeds", "evaluation", "gate")
"""What a configuration says about other things than how a baseline is tuned or a seed trained."""

KEY_LENGTH = 16


class Stage(Protocol[Result]):
    """A picklable job whose result can be written and read."""

    @property
    def name(self) -> str:
        """Unique in a training; also the name of its files."""
        ...

    def __call__(self, progress: Progress) -> Result:
        """Do the work."""
        ...

    def write(self, result: Result) -> BaseModel:
        """The result as plain values."""
        ...

    def read(self, text: str) -> Result:
        """The result out of the JSON of what `write` gave, exactly."""
        ...

    def curve(self, result: Result) -> Curve:
        """How it went, for TensorBoard."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """The folder of one training.

    Attributes:
        folder: Holds ``stages/NAME.json`` and ``curves/NAME/`` with TensorBoard's event files.
    """

    folder: Path

    @property
    def curves(self) -> Path:
        """What ``tensorboard --logdir`` takes."""
        return self.folder / "curves"

    def file(self, name: str) -> Path:
        """Where the result of a stage is kept."""
        return self.folder / "stages" / f"{name}.json"


def open_work(
    root: Path, candidates: CandidateSet, config: TrainConfig, *, fresh: bool = False
) -> Work:
    """The folder of a configuration, candidates and code below ``root``.

    Args:
        root: Holds a folder for each training.
        candidates: What is trained on.
        config: Its fields in ``NO_PART_IN_STAGES`` don't matter: more training seeds go on from
            fewer.
        fresh: Forget what was kept.
    """
    content = {name: value for name, value in config if name not in NO_PART_IN_STAGES}
    # What scores are made of need not be hashed beside them.
    scored = replace(candidates, item_weights=None, left_out=None)
    key = digest([content, scored, code_digest()])
    work = Work(root / key[:KEY_LENGTH])
    if fresh:
        shutil.rmtree(work.folder, ignore_errors=True)
    return work


def run_stages(
    stages: Sequence[Stage[Result]], work: Work | None, workers: int, progress: Progress
) -> tuple[list[Result], tuple[str, ...]]:
    """Run the stages that are not kept yet.

    Args:
        stages: What to run.
        work: Where to keep results; nowhere if None.
        workers: Processes at most; the results do not depend on it.
        progress: Called with work done and in all; kept stages count as done.

    Returns:
        Results in the order of the stages, and the names of those that were kept already.

    Raises:
        CorruptArtifact: A kept result cannot be read.
        StorageFull: The disk refused a result; those before are kept.
    """
    if work is None:
        return run_jobs(stages, workers, progress), ()
    kept = {i: _read(stage, work) for i, stage in enumerate(stages) if _is_kept(stage, work)}
    todo = [i for i in range(len(stages)) if i not in kept]
    already, total = SCALE * len(kept), SCALE * len(stages)
    progress(already, total)
    jobs = [_Keeping(stages[i], work) for i in todo]
    if jobs:
        made = run_jobs(jobs, workers, lambda done, _: progress(already + done, total))
        kept |= dict(zip(todo, made, strict=True))
    names = tuple(stage.name for i, stage in enumerate(stages) if i not in todo)
    return [kept[i] for i in range(len(stages))], names


@dataclass(frozen=True)
class _Keeping(Generic[Result]):
    """A stage that keeps its result, in the process that does it."""

    stage: Stage[Result]
    work: Work

    def __call__(self, progress: Progress) -> Result:
        result = self.stage(progress)
        # The curve first: where the result is kept, its curve is there too.
        write_curve(self.work.curves / self.stage.name, self.stage.curve(result))
        text = self.stage.write(result).model_dump_json()
        body = _Kept(sha256=sha256_bytes(text.encode()), result=text)
        write_file_atomically(self.work.file(self.stage.name), body.model_dump_json().encode())
        return result


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    result: str


def _is_kept(stage: Stage[Any], work: Work) -> bool:
    return work.file(stage.name).is_file()


def _read(stage: Stage[Result], work: Work) -> Result:
    path = work.file(stage.name)
    try:
        body = _Kept.model_validate_json(path.read_bytes())
        if sha256_bytes(body.result.encode()) != body.sha256:
            raise ValueError("it differs from its hash")
        return stage.read(body.result)
    except (OSError, ValueError) as error:  # pydantic's and JSON's are of the second kind
        raise CorruptArtifact(
            f"the kept stage {path} cannot be read: {str(error).splitlines()[0]}",
            field="work",
            mend="Start over with `--fresh`, or delete the file.",
        ) from error
