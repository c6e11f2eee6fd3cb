"""A policy as a folder (`agents.hashed_folder`); loading it needs numpy alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, JsonValue

from ..arrays import FloatArray
from ..errors import ArtifactNotFound
from ..rerankers.constraints import Constraints
from ..rerankers.response import ResponseModel
from .gate import Verdict
from .hashed_folder import HashedFolder
from .policy import Layer, WeightPolicy
from .report import EvaluationReport

_FOLDER = HashedFolder(
    stem="policy",
    noun="policy",
    make="Run `fairloop train policy`.",
    mend="Restore the folder from a copy, or train the policy again.",
)
TENSORS, MANIFEST = _FOLDER.tensors, _FOLDER.manifest
_VECTORS = ("mean", "scale", "centre", "reach", "offsets")


class CurvePoint(BaseModel):
    """One rollout of learning.

    Attributes:
        steps: User-steps done.
        reward: Mean expected engagement per slate.
        costs: Mean of target minus measured, each floor in order, then diversity.
        multipliers: Price of each after this rollout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    reward: float
    costs: tuple[float, ...]
    multipliers: tuple[float, ...]


class PolicyManifest(BaseModel):
    """What stands beside the tensors.

    Attributes:
        format: Version of this layout.
        name: Kind of policy, for tables.
        slate_size: Items per slate it was calibrated for.
        constraints: The limits it was trained and calibrated for.
        feature_names: Scoring features, in the order of the weights.
        observation_names: Columns it reads.
        n_hidden: Number of tanh layers.
        lineage: Hashes and versions of what it was made from (candidates, world, configuration).
        config: The whole training configuration.
        curve: How learning went.
        report: What the evaluation on held-out users found.
        verdict: What the gate decided on it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    name: str
    slate_size: int
    constraints: Constraints
    feature_names: tuple[str, ...]
    observation_names: tuple[str, ...]
    n_hidden: int
    lineage: dict[str, str]
    config: dict[str, JsonValue]
    curve: tuple[CurvePoint, ...]
    report: EvaluationReport
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as loaded, with its manifest and version."""

    policy: WeightPolicy
    manifest: PolicyManifest
    version: str


def save_policy(policy: WeightPolicy, manifest: PolicyManifest, policies: Path) -> Path:
    """Write ``policies/<version>`` atomically; an equal policy that stands there is kept.

    Returns:
        The folder; its name is the version.

    Raises:
        StorageFull: The disk refused; nothing was kept.
    """
    folder = _FOLDER.write(policies, manifest, tensors_of(policy))
    load_policy(folder)  # an equal one that stood there may have been damaged since
    return folder


def load_policy(folder: Path) -> StoredPolicy:
    """Read a policy and check every hash.

    Raises:
        ArtifactNotFound: There is no policy in the folder.
        CorruptArtifact: A file is missing, unreadable, or differs from its hash.
    """
    return StoredPolicy(*_FOLDER.read(folder, PolicyManifest, policy_of))


def latest_policy(policies: Path) -> Path:
    """The folder written last.

    Raises:
        ArtifactNotFound: There is none.
    """
    found = [path.parent for path in policies.glob(f"*/{MANIFEST}")]
    if not found:
        raise ArtifactNotFound(
            f"no policy in {policies}", field="policy", mend="Run `fairloop train policy`."
        )
    return max(found, key=lambda folder: ((folder / MANIFEST).stat().st_mtime_ns, folder.name))


class Described(Protocol):
    """What stands beside the tensors of a policy and is needed to put it together again."""

    @property
    def constraints(self) -> Constraints:
        """The limits."""
        ...

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Scoring features."""
        ...

    @property
    def observation_names(self) -> tuple[str, ...]:
        """Columns it reads."""
        ...

    @property
    def n_hidden(self) -> int:
        """Number of tanh layers."""
        ...


def tensors_of(policy: WeightPolicy) -> dict[str, FloatArray]:
    """The arrays of a policy by name."""
    tensors: dict[str, FloatArray] = {name: getattr(policy, name) for name in _VECTORS}
    for i, layer in enumerate(policy.hidden):
        tensors[f"hidden.{i}.weight"] = layer.weight
        tensors[f"hidden.{i}.bias"] = layer.bias
    tensors["head.weight"] = policy.head.weight
    tensors["head.bias"] = policy.head.bias
    if policy.response is not None:
        tensors["response"] = policy.response.vector()
    return tensors


def policy_of(tensors: dict[str, FloatArray], described: Described) -> WeightPolicy:
    """The policy of the arrays that `tensors_of` gave.

    Raises:
        KeyError: An array is missing.
        InvalidValue: Shapes contradict the names.
    """
    hidden = tuple(
        Layer(tensors[f"hidden.{i}.weight"], tensors[f"hidden.{i}.bias"])
        for i in range(described.n_hidden)
    )
    return WeightPolicy(
        constraints=described.constraints,
        feature_names=described.feature_names,
        observation_names=described.observation_names,
        hidden=hidden,
        head=Layer(tensors["head.weight"], tensors["head.bias"]),
        **{name: tensors[name] for name in _VECTORS},
        response=ResponseModel.of_vector(tensors["response"]) if "response" in tensors else None,
    )
