"""A conditioned policy as a folder: tensors and JSON, hashed, nothing executable.

The same habits as those of a stored policy (`agents.storage`): the version is a prefix of the hash
over both files and the name of the folder, which appears whole or not at all.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ...candidates.folders import write_file_atomically, write_folder_atomically
from ...errors import ArtifactNotFound, CorruptArtifact, InvalidValue
from ..storage import VERSION_LENGTH, PolicyManifest, policy_of, tensors_of
from .conditioned import Axis, ConditionedPolicy
from .report import ConditionReport

TENSORS = "conditioned.safetensors"
MANIFEST = "conditioned.json"
"""Other names than a policy's, so that neither is ever taken for the other."""


class StoredAxis(BaseModel):
    """An `Axis`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    nodes: tuple[float, ...]


class ConditionedManifest(BaseModel):
    """What stands beside the tensors.

    Attributes:
        format: Version of this layout.
        axes: The dials and their nodes.
        source: Version of the policy that was conditioned.
        base: The manifest of that policy: what it was made from, and how it was judged there.
        report: How it was conditioned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    axes: tuple[StoredAxis, ...]
    source: str
    base: PolicyManifest
    report: ConditionReport


@dataclass(frozen=True, slots=True)
class StoredConditioned:
    """A conditioned policy as loaded, with its manifest and version."""

    policy: ConditionedPolicy
    manifest: ConditionedManifest
    version: str


def conditioned_manifest(
    policy: ConditionedPolicy, report: ConditionReport, base: PolicyManifest, source: str
) -> ConditionedManifest:
    """What to store beside a conditioned policy.

    Args:
        policy: What is stored.
        report: How it was conditioned.
        base: Manifest of the policy that was.
        source: Version of that policy.
    """
    axes = tuple(StoredAxis(name=axis.name, nodes=axis.nodes) for axis in policy.axes)
    return ConditionedManifest(axes=axes, source=source, base=base, report=report)


def save_conditioned(
    policy: ConditionedPolicy, manifest: ConditionedManifest, folder: Path
) -> Path:
    """Write ``folder/<version>`` atomically; an equal one that stands there is kept.

    Returns:
        The folder that was made; its name is the version.

    Raises:
        StorageFull: The disk refused; nothing was kept.
    """
    arrays = {"grid.offsets": policy.offsets, "grid.held": policy.held.astype(np.uint8)}
    tensors = save({**tensors_of(policy.policy), **arrays})
    body = {
        "manifest": manifest.model_dump(mode="json"),
        "tensors_sha256": hashlib.sha256(tensors).hexdigest(),
    }
    body["content_sha256"] = _content_hash(body)
    made = folder / body["content_sha256"][:VERSION_LENGTH]
    if made.exists():
        load_conditioned(made)
        return made

    def fill(temporary: Path) -> None:
        write_file_atomically(temporary / TENSORS, tensors)
        text = json.dumps(body, indent=2, sort_keys=True) + "\n"
        write_file_atomically(temporary / MANIFEST, text.encode())

    return write_folder_atomically(made, fill)


def load_conditioned(folder: Path) -> StoredConditioned:
    """Read a conditioned policy and check every hash.

    Raises:
        ArtifactNotFound: There is none in the folder.
        CorruptArtifact: A file is missing, unreadable, or differs from its hash.
    """
    if not (folder / MANIFEST).is_file():
        raise ArtifactNotFound(
            f"no conditioned policy in {folder}",
            field="policy",
            mend="Run `fairloop condition`.",
        )
    try:
        body: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        stated = body.pop("content_sha256")
        tensors = (folder / TENSORS).read_bytes()
        if (
            _content_hash(body) != stated
            or hashlib.sha256(tensors).hexdigest() != body["tensors_sha256"]
        ):
            raise _corrupt(f"the files in {folder} differ from their hash")
        manifest = ConditionedManifest.model_validate(body["manifest"])
        policy = _policy_of(tensors, manifest)
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
        raise _corrupt(f"the conditioned policy in {folder} cannot be read: {error}") from error
    return StoredConditioned(policy, manifest, str(stated)[:VERSION_LENGTH])


def _policy_of(tensors: bytes, manifest: ConditionedManifest) -> ConditionedPolicy:
    arrays = load(tensors)
    axes = tuple(Axis(axis.name, axis.nodes) for axis in manifest.axes)
    offsets, held = arrays.pop("grid.offsets"), arrays.pop("grid.held").astype(np.bool_)
    return ConditionedPolicy(policy_of(arrays, manifest.base), axes, offsets, held)


def _corrupt(message: str) -> CorruptArtifact:
    return CorruptArtifact(
        message, field="policy", mend="Restore the folder from a copy, or condition it again."
    )


def _content_hash(body: dict[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
