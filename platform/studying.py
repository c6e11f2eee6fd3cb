"""Feedback-loop studies on the imported data, with stored policies as arms."""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..agents.steering import served_reranker
from ..agents.storage import load_policy
from ..agents.targets import default_constraints
from ..candidates.candidate_set import CandidateSet
from ..errors import ArtifactNotFound
from ..rerankers.base import Reranker
from ..rerankers.state import StateLookup
from ..rerankers.topk import TopKConfig
from ..simulators.study.config import ArmConfig, StudyConfig
from ..simulators.study.result import StudyResult
from ..simulators.study.run import LoadPolicy, run_study
from .datasets import open_dataset
from .db.engine import Database
from .home import Home
from .ordering import BUILTINS, builtin
from .registry import deployed

ProgressCallback = Callable[[int, int], None]
SERVING = "deployed"
"""Name in a study file of the policy that serves."""


class StudyMeasure(BaseModel):
    """One measure in the last round, mean over seeds, per arm."""

    model_config = ConfigDict(frozen=True)

    measure: str
    of: str
    arms: dict[str, float]


class StudySummary(BaseModel):
    """What a study ended with, and where its files are."""

    model_config = ConfigDict(frozen=True)

    name: str
    folder: str
    table: str
    picture: str
    logs: tuple[str, ...]
    rounds: int
    seeds: tuple[int, ...]
    users: int | None
    last_round: tuple[StudyMeasure, ...]


def run_stored_study(
    home: Home,
    database: Database,
    config: StudyConfig,
    progress: ProgressCallback | None = None,
    data: str | None = None,
) -> StudySummary:
    """Run a study on an imported data set and keep its results in the home folder."""
    dataset, groups = open_dataset(home, data)
    result = run_study(
        config,
        dataset,
        groups,
        load_policy=policies_of(home, database),
        default_constraints=lambda candidates: default_constraints(candidates, k=config.k),
        progress=progress,
    )
    return _summarise(result, result.save(home.studies / config.name))


def demo_study(seed: int) -> StudyConfig:
    """A short study of the policy that serves beside the base model's own order."""
    arms = (
        ArmConfig(name="top-k", reranker=TopKConfig()),
        ArmConfig(name="policy", policy=SERVING),
    )
    return StudyConfig(name="demo", rounds=6, seeds=(seed, seed + 1), users=400, arms=arms)


def policies_of(home: Home, database: Database) -> LoadPolicy:
    """How a study file's ``policy: VERSION`` becomes a re-ranker."""

    def load(version: str, candidates: CandidateSet, states: StateLookup) -> Reranker:
        chosen = deployed(database).policy if version == SERVING else version
        if chosen is None:
            raise ArtifactNotFound(
                "no policy is deployed",
                field="arms.policy",
                mend="Run `fairloop train policy`, or name a re-ranker in its place.",
            )
        if chosen in BUILTINS:  # what serves where the gate refused every policy
            return builtin(chosen, candidates, default_constraints(candidates))
        stored = load_policy(home.policy(chosen))
        return served_reranker(stored.policy, candidates.catalogue, states, name=chosen)

    return load


def _summarise(result: StudyResult, folder: Path) -> StudySummary:
    last = result.last_round()
    measures = [
        StudyMeasure(
            measure=str(key[0]), of=str(key[1]), arms={str(a): float(v) for a, v in row.items()}
        )
        for key, row in last.iterrows()
        if isinstance(key, tuple)
    ]
    config = result.config
    return StudySummary(
        name=config.name,
        folder=str(folder),
        table=str(folder / "study.parquet"),
        picture=str(folder / "study.png"),
        logs=tuple(str(path) for path in sorted(folder.glob("log-*.parquet"))),
        rounds=config.rounds,
        seeds=config.seeds,
        users=config.users,
        last_round=tuple(measures),
    )
