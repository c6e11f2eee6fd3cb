"""Errors as problem details (RFC 9457), with the field they concern and how to mend it."""

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from ... import errors

MEDIA_TYPE = "application/problem+json"

# The first class that fits decides, so the more special ones stand first.
STATUS: tuple[tuple[type[errors.FairloopError], int], ...] = (
    (errors.UnknownUser, 404),
    (errors.UnknownItem, 404),
    (errors.UnknownRecord, 404),
    (errors.InvalidInput, 422),
    (errors.UnreachableConstraint, 422),
    (errors.NotReady, 503),
    (errors.GateRefused, 409),
    (errors.StorageFull, 507),
    (errors.FairloopError, 500),
)


class FieldProblem(BaseModel):
    """One value that cannot be used."""

    field: str
    detail: str


class Problem(BaseModel):
    """The body of every error.

    Attributes:
        type: Kind of the problem.
        title: The kind in words.
        status: HTTP status.
        detail: What is wrong, in one sentence.
        instance: The path that was asked.
        field: The input it concerns, if there is one.
        mend: What to do about it.
        errors: Every value that cannot be used, where there are several.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    field: str | None = None
    mend: str | None = None
    errors: list[FieldProblem] | None = None


_CONTENT = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    404: {"description": "Unknown user, item or record", "content": _CONTENT},
    422: {"description": "A value cannot be used", "content": _CONTENT},
    503: {"description": "Something must be made first", "content": _CONTENT},
}


def install_problems(app: FastAPI) -> None:
    """Answer every error of the application with problem details."""
    app.add_exception_handler(errors.FairloopError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _unexpected)


def problem(
    status: int,
    detail: str,
    *,
    instance: str,
    kind: str | None = None,
    field: str | None = None,
    mend: str | None = None,
    each: list[FieldProblem] | None = None,
) -> JSONResponse:
    """The response for one problem; its kind is that of the status unless it has its own."""
    kind = kind or _kebab(HTTPStatus(status).phrase)
    body = Problem(
        type=f"urn:fairloop:problem:{kind}",
        title=kind.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        instance=instance,
        field=field,
        mend=mend,
        errors=each,
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, media_type=MEDIA_TYPE)


def problem_of(error: errors.FairloopError, instance: str) -> JSONResponse:
    """The response for an error of ours."""
    status = next(code for kind, code in STATUS if isinstance(error, kind))
    return problem(
        status,
        error.message,
        kind=_kebab(type(error).__name__),
        instance=instance,
        field=error.field,
        mend=error.mend,
    )


def _of_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.FairloopError)
    return problem_of(error, request.url.path)


def _of_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    each = [FieldProblem(field=_field(one["loc"]), detail=one["msg"]) for one in error.errors()]
    return problem(
        422,
        each[0].detail,
        kind="invalid-value",
        instance=request.url.path,
        field=each[0].field,
        mend="See /docs for what each field may hold.",
        each=each,
    )


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = problem(error.status_code, str(error.detail), instance=request.url.path)
    answer.headers.update(error.headers or {})
    return answer


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The server logs the trace; the client is not shown what it may hold.
    return problem(500, "an unexpected error; it was logged", instance=request.url.path)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])| ", "-", name).lower()


def _field(location: tuple[int | str, ...]) -> str:
    inside = location[1:] if location and location[0] in ("body", "path", "query") else location
    return ".".join(str(part) for part in inside) or str(location[0])
