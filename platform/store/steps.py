"""The steps between a user's message and the answer, as they were taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db.base import new_ids, utc_now
from ..db.tables import ToolCall
from ..records import StepRecord


@dataclass(frozen=True, slots=True)
class Step:
    """One step, before it is recorded.

    Attributes:
        name: Which tool: ``read``, ``rank``, ``answer`` …
        latency_s: Seconds it took.
        arguments: What it was given.
        result: What it gave.
    """

    name: str
    latency_s: float
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    result: dict[str, Any] = field(default_factory=dict[str, Any])


def record_steps(session: Session, message_id: str, steps: Sequence[Step]) -> None:
    """Write the steps that a user's message led to, in their order."""
    now = utc_now()
    for ordinal, (key, step) in enumerate(zip(new_ids(len(steps)), steps, strict=True), start=1):
        session.add(
            ToolCall(
                id=key,
                message_id=message_id,
                ordinal=ordinal,
                name=step.name,
                arguments=step.arguments,
                result=step.result,
                latency_s=step.latency_s,
                created_at=now,
            )
        )
    session.flush()


def steps_of(session: Session, message_id: str) -> list[StepRecord]:
    """The steps of a message, in their order."""
    rows = session.scalars(
        select(ToolCall).where(ToolCall.message_id == message_id).order_by(ToolCall.ordinal)
    )
    return [
        StepRecord(
            name=row.name, arguments=row.arguments, result=row.result, latency_s=row.latency_s
        )
        for row in rows
    ]
