"""A policy as a folder: ``policy.safetensors`` and ``policy.json``, nothing executable.

The version is a prefix of the hash over both, and the name of the folder. Loading checks that hash
and needs numpy alone.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..arrays import FloatArray
from ..candidates.folders import write_file_atomically, write_folder_atomically
from ..errors import ArtifactNotFound, CorruptArtifact, InvalidValue
from ..rerankers.constraints import Constraints
from ..rerankers.response import ResponseModel
from .gate import Verdict
from .policy import Layer, WeightPolicy
from .report import EvaluationReport

TENSORS = "policy.safetensors"
MANIFEST = "policy.json"
VERSION_LENGTH = 12
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
    tensors = save(tensors_of(policy))
    body = {
        "manifest": manifest.model_dump(mode="json"),
        "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
    }
    body["content_sha256"] = _content_hash(body)
    folder = policies / body["content_sha256"][:VERSION_LENGTH]
    if folder.exists():
        load_policy(folder)
        return folder

    def fill(temporary: Path) -> None:
        write_file_atomically(temporary / TENSORS, tensors)
        text = json.dumps(body, indent=2, sort_keys=True) + "\n"
        write_file_atomically(temporary / MANIFEST, text.encode())

    write_folder_atomically(folder, fill)
    return folder


def load_policy(folder: Path) -> StoredPolicy:
    """Read a policy and check every hash.

    Raises:
        ArtifactNotFound: There is no policy in the folder.
        CorruptArtifact: A file is missing, unreadable, or differs from its hash.
    """
    if not (folder / MANIFEST).is_file():
        raise ArtifactNotFound(
            f"no policy in {folder}", field="policy", mend="Run `fairloop train policy`."
        )
    try:
        body: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        stated = body.pop("content_sha256")
        tensors = (folder / TENSORS).read_bytes()
        intact = (
            _content_hash(body) == stated
            and hashlib.sha256(tensors).hexdigest() == body["tensors_sha256"]
        )
        if not intact:
            raise CorruptArtifact(
                f"the files in {folder} differ from their hash",
                field="policy",
                mend="Restore the folder from a copy, or train the policy again.",
            )
        manifest = PolicyManifest.model_validate(body["manifest"])
        policy = policy_of(load(tensors), manifest)
    except (
        OSError,
        UnicodeDecodeError,
        json.JSONDecodeError,
        AttributeError,
        KeyError,
        TypeError,
        ValidationError,
        SafetensorError,
        InvalidValue,
    ) as error:
        raise CorruptArtifact(
            f"the policy in {folder} cannot be read: {error}",
            field="policy",
            mend="Restore the folder from a copy, or train the policy again.",
        ) from error
    return StoredPolicy(policy, manifest, str(stated)[:VERSION_LENGTH])


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


def _content_hash(body: dict[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


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
