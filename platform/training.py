"""Training jobs: fit candidates, train a policy, and register both with their lineage."""

import time
from collections.abc import Callable

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..agents.config import TrainConfig
from ..agents.gate import Verdict
from ..agents.report import EvaluationReport
from ..agents.storage import StoredPolicy
from ..candidates.artifact import load_candidates, save_candidates, version_of
from ..candidates.candidate_set import CandidateSet
from ..candidates.config import CandidateConfig
from ..candidates.fit import fit_candidates
from ..errors import ArtifactNotFound, GateRefused
from ..explain.attribution import attribution_method
from ..explain.evidence import AttributionMethod
from ..metrics.accuracy import hit, ndcg, precision, recall, reciprocal_rank, relevance_of
from ..rerankers.constraints import Constraints
from .datasets import open_dataset
from .db.engine import Database
from .home import Home
from .interpreting import keep_reference
from .registry import adopt_candidates, adopt_policy, deployed

ProgressCallback = Callable[[int, int], None]
StageCallback = Callable[[str, int, int], None]


class CandidatesResult(BaseModel):
    """What one fit of a base model came to.

    Attributes:
        metrics: RecBole's own figures on its test split, full ranking.
        measured: The same figures by ``fairloop.metrics``, on the stored lists.
        attribution: How evidence weighs the histories of this model's users; None in results of
            before it was told.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    model: str
    data: str
    users: int
    items: int
    top_n: int
    metrics: dict[str, float]
    measured: dict[str, float]
    attribution: AttributionMethod | None = None


def train_candidates(
    home: Home,
    database: Database,
    config: CandidateConfig,
    data: str | None = None,
    progress: ProgressCallback | None = None,
) -> CandidatesResult:
    """Fit a RecBole model on the imported data, store its candidates and deploy them."""
    dataset, groups = open_dataset(home, data)
    candidates = fit_candidates(dataset, config, groups, progress)
    version = version_of(save_candidates(candidates, home.candidates))
    adopt_candidates(database, home, version)
    return CandidatesResult(
        version=version,
        model=config.model,
        data=dataset.name,
        users=candidates.n_users,
        items=candidates.n_items,
        top_n=candidates.top_n,
        metrics=candidates.metrics,
        measured=measure_candidates(candidates),
        attribution=attribution_method(candidates),
    )


def measure_candidates(candidates: CandidateSet, k: int = 10) -> dict[str, float]:
    """Accuracy of the first ``k`` candidates on the held-out interactions, over all users.

    Users without held-out interactions are left out, as RecBole does.
    """
    held = candidates.heldout
    everyone = np.arange(candidates.n_users)
    relevance, n_relevant = relevance_of(
        candidates.items[:, :k], everyone, held.user, held.item, candidates.n_items
    )
    figures = {
        "ndcg": ndcg,
        "recall": recall,
        "hit": hit,
        "mrr": reciprocal_rank,
        "precision": precision,
    }
    return {
        f"{name}@{k}": float(np.nanmean(figure(relevance, n_relevant)))
        for name, figure in figures.items()
    }


class PolicyResult(BaseModel):
    """What one training of a policy came to.

    Attributes:
        version: The stored policy.
        deployed: Whether it passed the gate and now serves.
        constraints: The limits it was trained and judged under.
        verdict: The gate's decision with its reasons.
        report: The policy and the tuned baselines on held-out users.
        seconds: Wall time of training, tuning and evaluation.
        resumed: Stages that an earlier run, which was cut, had kept; ``seconds`` lack theirs.
        curves: Folder that ``tensorboard --logdir`` takes.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    candidates_version: str
    deployed: bool
    constraints: Constraints
    verdict: Verdict
    report: EvaluationReport
    seconds: float
    resumed: tuple[str, ...] = ()
    curves: str | None = None


def deployed_candidates(home: Home, database: Database) -> tuple[str, CandidateSet]:
    """The candidates in service, verified.

    Raises:
        ArtifactNotFound: None were trained yet.
    """
    version = deployed(database).candidates
    if version is None:
        raise ArtifactNotFound(
            "no candidates were trained",
            field="candidates",
            mend="Run `fairloop train candidates` first.",
        )
    return version, load_candidates(home.candidate_set(version))


def train_and_judge(
    home: Home,
    database: Database,
    config: TrainConfig,
    progress: StageCallback | None = None,
    *,
    fresh: bool = False,
) -> PolicyResult:
    """Train a policy on the deployed candidates, store it, and deploy it if the gate lets it.

    A refused policy is kept and recorded as refused; what served before goes on serving. A training
    of the same configuration that was cut goes on where it was, unless ``fresh``.
    """
    from ..agents.pipeline import train_policy  # loads torch, which no other command needs

    started = time.perf_counter()
    candidates_version, candidates = deployed_candidates(home, database)
    trained = train_policy(
        candidates, config, progress, candidates_version, home.training, fresh=fresh
    )
    version = trained.save(home.policies).name
    keep_reference(home, StoredPolicy(trained.policy, trained.manifest, version))
    try:
        adopt_policy(database, home, version)
        is_deployed = True
    except GateRefused:
        is_deployed = False
    return PolicyResult(
        version=version,
        candidates_version=candidates_version,
        deployed=is_deployed,
        constraints=trained.policy.constraints,
        verdict=trained.verdict,
        report=trained.report,
        seconds=time.perf_counter() - started,
        resumed=trained.resumed,
        curves=None if trained.work is None else str(trained.work.curves),
    )
