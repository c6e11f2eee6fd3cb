"""Condition a stored policy on ranges of targets, and turn its dial, with what the home holds."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..agents.config import TrainConfig
from ..agents.gate import Verdict
from ..agents.pareto.condition import ConditionConfig, condition
from ..agents.pareto.report import ConditionReport
from ..agents.pareto.retarget import arenas_of, retarget
from ..agents.pareto.storage import (
    MANIFEST,
    conditioned_manifest,
    load_conditioned,
    save_conditioned,
)
from ..agents.report import EvaluationReport
from ..agents.storage import PolicyManifest, StoredPolicy, latest_policy, load_policy, save_policy
from ..candidates.artifact import load_candidates
from ..candidates.candidate_set import CandidateSet
from ..config_files import validate
from ..errors import ArtifactNotFound, InvalidValue
from .db.engine import Database
from .home import Home
from .interpreting import keep_reference
from .registry import adopt_policy


class Conditioning(BaseModel):
    """What came of conditioning a stored policy.

    Attributes:
        version: Of the conditioned policy.
        source: Version of the policy that was conditioned.
        ranges: Lowest and highest target of each dial.
        report: Every node, and what was found between them.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    source: str
    ranges: dict[str, tuple[float, float]]
    report: ConditionReport


class Retargeting(BaseModel):
    """What came of turning the dial.

    Attributes:
        version: The policy that was stored; an ordinary one.
        conditioned: Version of the conditioned policy it was taken from.
        targets: What was asked for.
        report: Its own evaluation on held-out users.
        verdict: What the gate said of it; it does not serve before it is deployed.
        left_out: Baselines that are not in the evaluation, and why.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    conditioned: str
    targets: dict[str, float]
    report: EvaluationReport
    verdict: Verdict
    left_out: dict[str, str]


def condition_stored(
    home: Home,
    version: str | None,
    ranges: Mapping[str, tuple[float, float]],
    seed: int = 0,
    config: ConditionConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Conditioning:
    """Condition a stored policy on its own training and validation users, and store the result.

    Args:
        home: Where policies and candidates are.
        version: The policy; the one stored last by default.
        ranges: Lowest and highest target by name of the limit.
        seed: Root of the users' luck and of the searches.
        config: Size of the grid, and budget of its corners.
        progress: Called with pieces of work done and in all.

    Raises:
        ArtifactNotFound: The policy or its candidates are not in the home folder.
        CorruptArtifact: A file's hash differs from its manifest.
        InvalidValue: A range is none, or the policy does not say what it was trained on.
        StorageFull: The disk refused; nothing was kept.
    """
    stored = load_policy(latest_policy(home.policies) if version is None else home.policy(version))
    manifest = stored.manifest
    arenas = arenas_of(manifest, _candidates(home, manifest), manifest.constraints)
    trained = validate(TrainConfig, manifest.config)
    found = condition(
        stored.policy,
        arenas.validation,
        ranges,
        len(arenas.test),
        seed,
        trained.calibration,
        config,
        arenas.train,
        progress,
    )
    described = conditioned_manifest(found.policy, found.report, manifest, stored.version)
    made = save_conditioned(found.policy, described, home.conditioned)
    return Conditioning(
        version=made.name,
        source=stored.version,
        ranges={axis.name: (axis.low, axis.high) for axis in found.policy.axes},
        report=found.report,
    )


def retarget_stored(
    home: Home,
    database: Database,
    version: str | None,
    targets: Mapping[str, float],
    progress: Callable[[str, int, int], None] | None = None,
) -> Retargeting:
    """Store the policy for some targets with its own evaluation, and put the verdict on record.

    It is not deployed by this, whatever the gate says.

    Args:
        home: Where policies and candidates are.
        database: Where the verdict goes.
        version: The conditioned policy; the one stored last by default.
        targets: By name of the limit.
        progress: Called with the name of a stage, work done and work in all.

    Raises:
        ArtifactNotFound: The conditioned policy or its candidates are not in the home folder.
        CorruptArtifact: A file's hash differs from its manifest.
        InvalidValue: A target is unknown or out of range.
        UnreachableConstraint: The limits could not be held beside these targets.
        StorageFull: The disk refused; nothing was kept.
    """
    folder = _latest(home.conditioned) if version is None else home.conditioned / version
    stored = load_conditioned(folder)
    candidates = _candidates(home, stored.manifest.base)
    found = retarget(stored, targets, candidates, progress)
    made = save_policy(found.policy, found.manifest, home.policies).name
    keep_reference(home, StoredPolicy(found.policy, found.manifest, made))
    adopt_policy(database, home, made, deploy=False)
    return Retargeting(
        version=made,
        conditioned=stored.version,
        targets=dict(targets),
        report=found.manifest.report,
        verdict=found.manifest.verdict,
        left_out=found.left_out,
    )


def _latest(conditioned: Path) -> Path:
    """The conditioned policy that was written last."""
    found = [path.parent for path in conditioned.glob(f"*/{MANIFEST}")]
    if not found:
        raise ArtifactNotFound(
            f"no conditioned policy in {conditioned}",
            field="policy",
            mend="Run `fairloop condition`.",
        )
    return max(found, key=lambda folder: ((folder / MANIFEST).stat().st_mtime_ns, folder.name))


def _candidates(home: Home, manifest: PolicyManifest) -> CandidateSet:
    trained_on = manifest.lineage.get("candidates")
    if not trained_on:
        raise InvalidValue(
            "the policy does not say which candidates it was trained on, so nobody knows who was "
            "held out",
            field="policy",
            mend="Train it with `fairloop train policy`, or call `agents.pareto.condition`.",
        )
    return load_candidates(home.candidate_set(trained_on))
