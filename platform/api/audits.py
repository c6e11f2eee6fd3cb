"""``/v1/audits``: measuring what is on record."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict

from ..audit.models import AuditReport
from ..audit.report import render_html
from ..audit.stored import get_audit, run_audit
from ..records import AuditScope, StoredAudit
from .dependencies import RecordId, TheDatabase, ThePlatform

router = APIRouter(prefix="/v1/audits", tags=["audits"])

# The page is one file with inline style, script and pictures; it may fetch nothing.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    ),
    "X-Content-Type-Options": "nosniff",
}


class Scope(AuditScope):
    """Which recorded slates to measure."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"policy_version": "top-k", "since": "2026-01-01T00:00:00Z"}]
        }
    )


@router.post("", status_code=201)
def audit(
    scope: Scope, platform: ThePlatform, database: TheDatabase, response: Response
) -> StoredAudit:
    """Measure exposure, accuracy gaps and diversity, with intervals and tests."""
    asked = AuditScope.model_validate(scope.model_dump())
    stored = run_audit(database, platform.home, asked)
    response.headers["Location"] = f"/v1/audits/{stored.id}"
    return stored


@router.get("/{audit_id}")
def read(audit_id: RecordId, database: TheDatabase) -> StoredAudit:
    """An audit with every figure."""
    return get_audit(database, audit_id)


@router.get("/{audit_id}/page", response_class=HTMLResponse)
def page(audit_id: RecordId, database: TheDatabase) -> HTMLResponse:
    """The same audit as a page to read."""
    stored = get_audit(database, audit_id)
    report = AuditReport.model_validate(stored.report)
    return HTMLResponse(render_html(report), headers=PAGE_HEADERS)
