"""Putting what was trained on record, and choosing what serves."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from ..agents.gate import Verdict, require_passed
from ..agents.storage import StoredPolicy, load_policy
from ..arrays import MISSING
from ..candidates.artifact import load_candidates
from ..candidates.candidate_set import CandidateSet
from ..candidates.catalogue import Catalogue, Groups
from ..errors import InvalidValue
from .db.engine import Database
from .home import Home
from .ordering import BUILTINS
from .recording import describe_item
from .records import StoredVerdict, VersionInfo
from .store import people_items, verdicts
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

    The verdict is that of its training, unless it is on record already: then the last one holds.

    Raises:
        ArtifactNotFound: There is no such version in the home folder.
        CorruptArtifact: A file's hash differs from the manifest; nothing was recorded.
        GateRefused: It did not pass and was to be deployed; it is recorded as refused.
        InvalidValue: It was to be deployed, and was trained on other candidates than serve now;
            nothing was recorded.
    """
    stored = load_policy(home.policy(version))
    with database.session() as session:
        earlier = verdicts.list_verdicts(session, version)
        verdict = (
            Verdict.model_validate(earlier[-1].verdict) if earlier else stored.manifest.verdict
        )
        if not earlier:
            _record(session, home, stored, verdict)
        if deploy and verdict.passed:
            _deploy(session, version)
        recorded = store.get_version(session, version)
    if deploy:
        require_passed(verdict)
    return recorded


def record_judgement(
    database: Database, home: Home, stored: StoredPolicy, verdict: Verdict
) -> StoredVerdict:
    """Put a new verdict on a stored policy on record; it holds from now on.

    A deployed policy that is refused stops serving. One that passes is not deployed by this.
    """
    with database.session() as session:
        return _record(session, home, stored, verdict)


def verdicts_on(database: Database, version: str) -> list[StoredVerdict]:
    """Every verdict on a policy, oldest first."""
    with database.reading() as session:
        return verdicts.list_verdicts(session, version)


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


def _record(session: Session, home: Home, stored: StoredPolicy, verdict: Verdict) -> StoredVerdict:
    """Record a policy where it is new, then what the gate said of it."""
    version = stored.version
    if not store.is_recorded(session, version):
        store.save_version(
            session,
            version,
            "policy",
            status="refused",  # until the verdict says otherwise, a line below
            artifact=_below(home, home.policy(version)),
            lineage=dict(stored.manifest.lineage),
        )
    return verdicts.record_verdict(
        session,
        version,
        verdict.model_dump(mode="json"),
        passed=verdict.passed,
        metrics=dict(verdict.figures),
    )


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
