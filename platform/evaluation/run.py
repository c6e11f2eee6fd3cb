"""Evaluate a stored policy anew, with what the home folder holds."""

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from ...agents.reevaluation import reevaluate
from ...agents.report import EvaluationReport
from ...agents.storage import latest_policy, load_policy
from ...candidates.artifact import load_candidates
from ...candidates.candidate_set import CandidateSet
from ...errors import ArtifactNotFound, InvalidValue
from ..home import Home


class PolicyEvaluation(BaseModel):
    """What a second evaluation of a stored policy came to.

    Attributes:
        version: The policy.
        trained_on: Version of the candidates it was trained on.
        candidates: Version of the candidates that were shown.
        data: Name of their data set.
        model: Their base model.
        seed: Root of the luck.
        report: The policy, baselines made again, and references, on held-out users.
        left_out: Policies of the stored report that are missing here, and why.
        seconds: Wall time.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    trained_on: str
    candidates: str
    data: str
    model: str
    seed: int
    report: EvaluationReport
    left_out: dict[str, str]
    seconds: float


def evaluate_policy(
    home: Home,
    version: str | None = None,
    candidates: str | None = None,
    seeds: int | None = None,
    seed: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PolicyEvaluation:
    """Evaluate a stored policy on users it has not seen; nothing is stored or deployed.

    Args:
        home: Where policies and candidates are.
        version: The policy; the one stored last by default.
        candidates: Version of the candidates to show; those it was trained on by default.
        seeds: Simulator seeds; as many as at training by default.
        seed: Root of the luck; that of the training by default.
        progress: Called with policies done and in all.

    Raises:
        ArtifactNotFound: The policy, or one of the candidates, is not in the home folder.
        CorruptArtifact: A file's hash differs from its manifest.
        InvalidValue: The policy does not say what it was trained on, or cannot read these
            candidates.
    """
    started = time.perf_counter()
    folder = latest_policy(home.policies) if version is None else home.policy(version)
    stored = load_policy(folder)
    trained_on = stored.manifest.lineage.get("candidates")
    if not trained_on:
        raise InvalidValue(
            f"policy {stored.version} does not say which candidates it was trained on, so nobody "
            "knows who was held out",
            field="policy",
            mend="Train it with `fairloop train policy`, or call `agents.reevaluation.reevaluate`.",
        )
    own = _candidates(home, trained_on)
    shown = own if candidates in (None, trained_on) else _candidates(home, candidates)
    found = reevaluate(stored, own, shown, seeds, seed, progress)
    return PolicyEvaluation(
        version=stored.version,
        trained_on=trained_on,
        candidates=trained_on if candidates is None else candidates,
        data=shown.dataset_name,
        model=shown.config.model,
        seed=found.seed,
        report=found.report,
        left_out=found.left_out,
        seconds=time.perf_counter() - started,
    )


def _candidates(home: Home, version: str) -> CandidateSet:
    folder = home.candidate_set(version)
    if not folder.is_dir():
        known = sorted(path.name for path in home.candidates.glob("*") if path.is_dir())
        raise ArtifactNotFound(
            f"no candidates of version {version!r}",
            field="data",
            mend=f"Use one of {', '.join(known) or 'none: run `fairloop train candidates`'}.",
        )
    return load_candidates(folder)
