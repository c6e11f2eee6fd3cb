"""Putting what was trained on record, and choosing what serves."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from ..agents.gate import require_passed
from ..agents.storage import load_policy
from ..arrays import MISSING
from ..candidates.artifact import load_candidates
from ..candidates.candidate_set import CandidateSet
from ..candidates.catalogue import Catalogue, Groups
from ..errors import InvalidValue
from .db.engine import Database
from .home import Home
from .ordering import BUILTINS
from .recording import describe_item
from .records import VersionInfo
from .store import people_items
from .store import versions as store


class Deployed(BaseModel):
    """The versions that serve; None where nothing is deployed."""

    model_config = ConfigDict(frozen=True)

    candidates: str | None
    policy: str | None


def adopt_candidates(database: Database, home: Home, version: str) -> CandidateSet:
    """Verify a candidate set, record its users, items and lineage, and let it serve.

    A policy that was made for other candidates stops serving: its measurements do not hold here.

    Raises:
        ArtifactNotFound: There is no such version in the home folder.
        CorruptArtifact: A file's hash differs from the manifest; nothing was recorded.
    """
    candidates = load_candidates(home.candidate_set(version))
    with database.session() as session:
        people_items.save_users(session, _users(candidates))
        people_items.save_items(session, _items(candidates.catalogue))
        store.save_version(
            session,
            version,
            "candidates",
            artifact=_below(home, home.candidate_set(version)),
            lineage=dict(candidates.lineage),
            metrics=candidates.metrics,
        )
        store.deploy(session, version)
        policy = store.deployed(session, "policy")
        if policy is not None and _made_for_others(policy, version):
            store.retire(session, "policy")
    return candidates


def adopt_policy(
    database: Database, home: Home, version: str, *, deploy: bool = True
) -> VersionInfo:
    """Verify a stored policy, record it with the gate's verdict, and let it serve if it passed.

    Raises:
        ArtifactNotFound: There is no such version in the home folder.
        CorruptArtifact: A file's hash differs from the manifest; nothing was recorded.
        GateRefused: It did not pass and was to be deployed; it is recorded as refused.
        InvalidValue: It was to be deployed, and was trained on other candidates than serve now;
            nothing was recorded.
    """
    manifest = load_policy(home.policy(version)).manifest
    passed = manifest.verdict.passed
    with database.session() as session:
        store.save_version(
            session,
            version,
            "policy",
            status="accepted" if passed else "refused",
            artifact=_below(home, home.policy(version)),
            lineage=dict(manifest.lineage),
            metrics=dict(manifest.verdict.figures),
            gate=manifest.verdict.model_dump(mode="json"),
        )
        if deploy and passed:
            _deploy(session, version)
        recorded = store.get_version(session, version)
    if deploy:
        require_passed(manifest.verdict)
    return recorded


def deploy(database: Database, version: str) -> VersionInfo:
    """Let a recorded version serve, or one of the package's own re-rankers by its name.

    Raises:
        UnknownRecord: No such version.
        GateRefused: The gate refused it.
        InvalidValue: It is a policy that was trained on other candidates than serve now.
    """
    with database.session() as session:
        if version in BUILTINS:
            store.ensure_builtin(session, version)
        return _deploy(session, version)


def deployed(database: Database) -> Deployed:
    """What serves now."""
    with database.reading() as session:
        candidates = store.deployed(session, "candidates")
        policy = store.deployed(session, "policy")
    return Deployed(
        candidates=candidates.version if candidates else None,
        policy=policy.version if policy else None,
    )


def versions(database: Database) -> list[VersionInfo]:
    """All versions on record, oldest first."""
    with database.reading() as session:
        return store.list_versions(session)


def _deploy(session: Session, version: str) -> VersionInfo:
    wanted = store.get_version(session, version)
    candidates = store.deployed(session, "candidates")
    if candidates is not None and _made_for_others(wanted, candidates.version):
        raise InvalidValue(
            f"policy {version!r} was trained on candidates {wanted.lineage['candidates']!r}, "
            f"and {candidates.version!r} serve",
            field="version",
            mend="Deploy those candidates first, or train a policy on these.",
        )
    return store.deploy(session, version)


def _made_for_others(policy: VersionInfo, candidates: str) -> bool:
    """Whether a policy's measurements are of other candidates; built-in ones have none."""
    return policy.kind == "policy" and policy.lineage.get("candidates") not in (
        None,
        "",
        candidates,
    )


def _below(home: Home, folder: Path) -> str:
    return folder.relative_to(home.root).as_posix()


def _users(candidates: CandidateSet) -> dict[str, dict[str, Any]]:
    groups = candidates.user_groups.values()
    return {
        str(user_id): {of.attribute: _name(of, row) for of in groups}
        for row, user_id in enumerate(candidates.user_ids)
    }


def _items(catalogue: Catalogue) -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        str(item_id): (str(catalogue.titles[row]), _item(catalogue, row))
        for row, item_id in enumerate(catalogue.item_ids)
    }


def _item(catalogue: Catalogue, row: int) -> dict[str, Any]:
    described = describe_item(catalogue, row)
    return {
        "topics": list(described["topics"]),
        "year": described["year"],
        "groups": {of.attribute: _name(of, row) for of in catalogue.groups.values()},
    }


def _name(groups: Groups, row: int) -> str | None:
    code = int(groups.codes[row])
    return None if code == MISSING else groups.names[code]
