"""Auditing what is on record, and keeping the audit."""

import json
from collections.abc import Callable

from ...rerankers.constraints import Constraints
from ..db.engine import Database
from ..home import Home
from ..records import AuditScope, StoredAudit
from ..store import audits as store
from ..store.recommendations import latest_state_in
from .compute import compute_audit
from .inputs import read_audit_inputs, resolved
from .models import AuditConfig


def run_audit(
    database: Database,
    home: Home,
    scope: AuditScope | None = None,
    config: AuditConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StoredAudit:
    """Measure the recorded slates of a scope and keep every figure.

    Args:
        database: The record.
        home: Where the candidates stand.
        scope: Which slates; all of the deployed candidates by default.
        config: What is measured and how; by default the limits are those of the newest slate.
        progress: Told how far it is.

    Raises:
        EmptyData: Nothing was recorded in the scope.
        UnknownRecord: The scope names a version that is not recorded.
        InvalidValue: The configuration names an attribute that the data do not have.
        StorageFull: The disk is full; nothing was recorded.
    """
    scope = resolved(database, scope or AuditScope())
    inputs = read_audit_inputs(database, home, scope)
    report = compute_audit(inputs, config or _config(database, scope), progress)
    with database.session() as session:
        # Through JSON, so that a figure that could not be measured is null and not NaN.
        return store.record_audit(session, scope, json.loads(report.model_dump_json()))


def get_audit(database: Database, audit_id: str) -> StoredAudit:
    """One audit on record.

    Raises:
        UnknownRecord: No such audit.
    """
    with database.reading() as session:
        return store.get_audit(session, audit_id)


def _config(database: Database, scope: AuditScope) -> AuditConfig:
    with database.reading() as session:
        state = latest_state_in(session, scope)
    limits = Constraints() if state is None else Constraints.model_validate(state["constraints"])
    return AuditConfig(constraints=limits)
