"""A conditioned policy as a folder (`agents.hashed_folder`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ..hashed_folder import HashedFolder
from ..storage import PolicyManifest, policy_of, tensors_of
from .conditioned import Axis, ConditionedPolicy
from .report import ConditionReport

_FOLDER = HashedFolder(
    stem="conditioned",
    noun="conditioned policy",
    make="Run `fairloop condition`.",
    mend="Restore the folder from a copy, or condition it again.",
)
TENSORS, MANIFEST = _FOLDER.tensors, _FOLDER.manifest


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
    grid = {"grid.offsets": policy.offsets, "grid.held": policy.held.astype(np.uint8)}
    made = _FOLDER.write(folder, manifest, {**tensors_of(policy.policy), **grid})
    load_conditioned(made)  # an equal one that stood there may have been damaged since
    return made


def load_conditioned(folder: Path) -> StoredConditioned:
    """Read a conditioned policy and check every hash.

    Raises:
        ArtifactNotFound: There is none in the folder.
        CorruptArtifact: A file is missing, unreadable, or differs from its hash.
    """
    return StoredConditioned(*_FOLDER.read(folder, ConditionedManifest, _policy_of))


def _policy_of(arrays: dict[str, NDArray[Any]], manifest: ConditionedManifest) -> ConditionedPolicy:
    axes = tuple(Axis(axis.name, axis.nodes) for axis in manifest.axes)
    offsets, held = arrays.pop("grid.offsets"), arrays.pop("grid.held").astype(np.bool_)
    return ConditionedPolicy(policy_of(arrays, manifest.base), axes, offsets, held)
