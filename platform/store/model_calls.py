"""What language models were asked, kept beside what it was asked for."""

from collections.abc import Sequence

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from ...explain.calls import CallLog, ModelCall, Prompt
from ..db import tables
from ..db.base import new_ids, utc_now
from ..records import ModelUsage
from .bulk import upsert


def record_calls(
    session: Session,
    log: CallLog,
    *,
    recommendation_id: str | None = None,
    item_id: str | None = None,
    message_id: str | None = None,
) -> None:
    """Write the requests of a log, and their prompts once each.

    Args:
        session: One that writes.
        log: What was asked.
        recommendation_id: The slate whose item was explained, where that was it.
        item_id: The item.
        message_id: The user's message that was read or answered, where that was it.
    """
    _save_prompts(session, tuple(log.prompts.values()))
    now = utc_now()
    for key, call in zip(new_ids(len(log.calls)), log.calls, strict=True):
        session.add(
            tables.ModelCall(
                id=key,
                recommendation_id=recommendation_id,
                item_id=item_id,
                message_id=message_id,
                created_at=now,
                **call.model_dump(mode="json"),
            )
        )
    session.flush()


def calls_of(
    session: Session, recommendation_id: str, item_id: str | None = None
) -> list[ModelCall]:
    """The requests made for a slate, or for one of its items; oldest first."""
    asked = select(tables.ModelCall).where(tables.ModelCall.recommendation_id == recommendation_id)
    if item_id is not None:
        asked = asked.where(tables.ModelCall.item_id == item_id)
    rows = session.scalars(asked.order_by(tables.ModelCall.id))
    return [
        ModelCall.model_validate({name: getattr(row, name) for name in ModelCall.model_fields})
        for row in rows
    ]


def usage(session: Session) -> list[ModelUsage]:
    """Requests, tokens and cost by model and outcome."""
    call = tables.ModelCall
    rows = session.execute(
        select(
            call.model,
            call.outcome,
            func.count(),
            func.sum(call.tokens_in),
            func.sum(call.tokens_out),
            func.sum(call.cost),
        )
        .group_by(call.model, call.outcome)
        .order_by(call.model, call.outcome)
    )
    return [
        ModelUsage(
            model=model,
            outcome=outcome,
            calls=calls,
            tokens_in=int(tokens_in or 0),
            tokens_out=int(tokens_out or 0),
            cost=float(cost or 0.0),
        )
        for model, outcome, calls, tokens_in, tokens_out, cost in rows
    ]


def _save_prompts(session: Session, prompts: Sequence[Prompt]) -> None:
    now = utc_now()
    rows = [
        {
            "hash": prompt.hash,
            "version": prompt.version,
            "content": prompt.model_dump(mode="json", exclude={"hash", "version"}),
            "created_at": now,
        }
        for prompt in prompts
    ]
    table = tables.Prompt.__table__
    assert isinstance(table, Table)
    upsert(session, table, rows)  # equal hashes are equal prompts
