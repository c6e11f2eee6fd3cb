"""Explain a stored policy: which state moves which weight, with what the home folder holds."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..agents.config import TrainConfig
from ..agents.interpret.interpret import interpret
from ..agents.interpret.page import render_page
from ..agents.interpret.reference import make_reference, save_reference
from ..agents.interpret.report import InterpretationReport, InterpretConfig
from ..agents.outcomes import Arena
from ..agents.reevaluation import held_out_arena
from ..agents.storage import StoredPolicy, latest_policy, load_policy
from ..candidates.artifact import load_candidates
from ..candidates.folders import write_file_atomically
from ..config_files import validate
from ..errors import InvalidValue
from .home import Home


class Files(NamedTuple):
    """Where an interpretation was written."""

    data: Path
    picture: Path
    page: Path


def interpret_stored(
    home: Home,
    version: str | None = None,
    seed: int = 0,
    config: InterpretConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> InterpretationReport:
    """Explain a stored policy on the simulated users that were held out when it was trained.

    What it usually sees is kept in the home folder, so that its reasons can be told as it serves.

    Args:
        home: Where policies and candidates are.
        version: The policy; the one stored last by default.
        seed: Root of the simulation and of all draws.
        config: How much to look at.
        progress: Called with steps done and in all.

    Raises:
        ArtifactNotFound: The policy or its candidates are not in the home folder.
        CorruptArtifact: A file's hash differs from its manifest.
        InvalidValue: The policy does not say what it was trained on, or is of another version.
        StorageFull: The disk refused what is kept.
    """
    folder = latest_policy(home.policies) if version is None else home.policy(version)
    stored = load_policy(folder)
    arena = _held_out(home, stored)
    report = interpret(stored.policy, arena, seed, config, stored.version, progress)
    keep_reference(home, stored, arena)
    return report


def keep_reference(home: Home, stored: StoredPolicy, arena: Arena | None = None) -> None:
    """Note what a policy usually sees; the same whenever it is done.

    Args:
        home: Where it is kept.
        stored: The policy.
        arena: Its held-out users, where they are at hand.

    Raises:
        ArtifactNotFound: Its candidates are not in the home folder.
        InvalidValue: It does not say what it was trained on, or is of another version.
        StorageFull: The disk refused; an earlier file stays.
    """
    reference = make_reference(stored.policy, arena or _held_out(home, stored))
    names = stored.policy.observation_names
    save_reference(home.reference(stored.version), reference, names)


def write_interpretation(report: InterpretationReport, folder: Path) -> Files:
    """Write ``interpretation-VERSION`` with the endings json, svg and md, each whole or not at all.

    Raises:
        StorageFull: The disk refused; no half-written file stays.
    """
    from ..agents.interpret.plots import draw_interpretation  # matplotlib, for this alone

    name = f"interpretation-{report.policy}"
    files = Files(*(folder / f"{name}.{ending}" for ending in ("json", "svg", "md")))
    picture = draw_interpretation(report)[".svg"]
    write_file_atomically(files.data, (report.model_dump_json(indent=2) + "\n").encode())
    write_file_atomically(files.picture, picture)
    write_file_atomically(files.page, render_page(report, files.picture.name).encode())
    return files


def _held_out(home: Home, stored: StoredPolicy) -> Arena:
    trained_on = stored.manifest.lineage.get("candidates")
    if not trained_on:
        raise InvalidValue(
            f"policy {stored.version} does not say which candidates it was trained on, so nobody "
            "knows who was held out",
            field="policy",
            mend="Train it with `fairloop train policy`, or call `agents.interpret.interpret`.",
        )
    candidates = load_candidates(home.candidate_set(trained_on))
    config = validate(TrainConfig, stored.manifest.config)
    return held_out_arena(stored.manifest, config, candidates)
