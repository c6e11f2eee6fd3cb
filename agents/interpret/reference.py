"""What a policy usually sees, kept beside it, so that its reasons can be told while it serves."""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ...arrays import FloatArray
from ...candidates.folders import write_file_atomically
from ...errors import CorruptArtifact
from ..outcomes import Arena
from ..policy import WeightPolicy
from .interpret import reference_of
from .sample import observe_policy

REFERENCE_VISITS = 128
"""Visits that are kept; attribution asks the policy 2^groups times for each."""

_NAME = "observation"


def make_reference(policy: WeightPolicy, arena: Arena, seed: int = 0) -> FloatArray:
    """Observations of visits to a policy as it serves simulated users, shape ``(M, O)``."""
    return reference_of(observe_policy(policy, arena, seed), REFERENCE_VISITS, seed)


def save_reference(file: Path, reference: FloatArray, names: tuple[str, ...]) -> None:
    """Write observations with the names of their columns.

    Raises:
        StorageFull: The disk refused; an earlier file stays.
    """
    tensors = {_NAME: np.ascontiguousarray(reference, np.float32)}
    write_file_atomically(file, save(tensors, {"columns": json.dumps(names)}))


def load_reference(file: Path, names: tuple[str, ...]) -> FloatArray | None:
    """Read them; None where nothing was kept.

    Args:
        file: Where.
        names: Columns that the policy reads.

    Raises:
        CorruptArtifact: The file is not such a file, or its columns are others.
    """
    if not file.is_file():
        return None
    problem = "its columns are not those of the policy"
    try:
        with safe_open(file, framework="numpy") as stored:
            columns = json.loads((stored.metadata() or {}).get("columns", "[]"))
            reference: FloatArray = stored.get_tensor(_NAME)
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        problem, columns, reference = str(error), [], np.zeros((0, 0), np.float32)
    if (
        tuple(columns) != names
        or reference.shape[1:] != (len(names),)
        or not np.isfinite(reference).all()
        or not len(reference)
    ):
        raise CorruptArtifact(
            f"{file} cannot be used: {problem}",
            field="reference",
            mend="Run `fairloop interpret` for this policy, which makes it anew.",
        )
    return reference
