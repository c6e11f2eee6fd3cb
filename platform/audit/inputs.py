"""From the record to the arrays that an audit measures."""

from collections.abc import Sequence

import numpy as np

from ...arrays import PAD
from ...candidates.artifact import load_candidates
from ...candidates.candidate_set import CandidateSet
from ...errors import ArtifactNotFound, EmptyData
from ..db.engine import Database
from ..home import Home
from ..records import AuditScope
from ..store import recommendations as store
from ..store import versions
from ..store.recommendations import LoggedSlate
from .models import AuditInputs


def read_audit_inputs(
    database: Database, home: Home, scope: AuditScope | None = None
) -> AuditInputs:
    """The recorded slates of a scope, with the groups and held-out interactions of their data.

    Without a version of the candidates in the scope, the deployed one is meant: slates of
    different candidates cannot be measured against one held-out set.

    Raises:
        EmptyData: Nothing was recorded in the scope.
        UnknownRecord: The scope names a version that is not recorded.
        ArtifactNotFound: No candidates are deployed, or their folder is gone.
        CorruptArtifact: A file's hash differs from its manifest.
    """
    scope = resolved(database, scope or AuditScope())
    with database.reading() as session:
        slates = store.slates_in(session, scope)
    if not slates:
        raise EmptyData(
            "no recommendation is recorded in this scope",
            field="scope",
            mend="Recommend first (`fairloop recommend`), or widen the scope.",
        )
    version = str(scope.candidates_version)
    return _inputs(load_candidates(home.candidate_set(version)), version, slates)


def resolved(database: Database, scope: AuditScope) -> AuditScope:
    """The scope with the version of the candidates named.

    Raises:
        UnknownRecord: It names a version that is not recorded.
        ArtifactNotFound: It names no candidates, and none are deployed.
    """
    with database.reading() as session:
        for version in (scope.policy_version, scope.candidates_version):
            if version is not None:
                versions.get_version(session, version)
        deployed = versions.deployed(session, "candidates")
    if scope.candidates_version is not None:
        return scope
    if deployed is None:
        raise ArtifactNotFound(
            "no candidates are deployed",
            field="candidates_version",
            mend="Run `fairloop train candidates`.",
        )
    return scope.model_copy(update={"candidates_version": deployed.version})


def _inputs(candidates: CandidateSet, version: str, slates: Sequence[LoggedSlate]) -> AuditInputs:
    user = {str(key): row for row, key in enumerate(candidates.user_ids)}
    item = {str(key): row for row, key in enumerate(candidates.catalogue.item_ids)}
    shown = np.full((len(slates), max(len(slate.item_ids) for slate in slates)), PAD)
    for row, slate in enumerate(slates):
        shown[row, : len(slate.item_ids)] = [item[key] for key in slate.item_ids]
    return AuditInputs(
        slates=shown,
        users=np.array([user[slate.user_id] for slate in slates]),
        catalogue=candidates.catalogue,
        user_groups=candidates.user_groups,
        held_out_users=candidates.heldout.user,
        held_out_items=candidates.heldout.item,
        profile_users=candidates.train.user,
        profile_items=candidates.train.item,
        about=_about(candidates, version, slates),
    )


def _about(candidates: CandidateSet, version: str, slates: Sequence[LoggedSlate]) -> dict[str, str]:
    return {
        "data set": candidates.dataset_name,
        "candidates": version,
        "policies": ", ".join(sorted({slate.policy_version for slate in slates})),
        "first slate": slates[0].created_at.isoformat(timespec="seconds"),
        "last slate": slates[-1].created_at.isoformat(timespec="seconds"),
    }
