"""Texts that a model words after the slate was shown, in the place of the template's.

Which text was shown when stays on record: ``provenance["later"]`` of an explanation says that a
wording was asked for, how that ended and when, and keeps the text that stood there before.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import UnknownRecord
from ..db.base import utc_now
from ..db.tables import Explanation, Recommendation, RecommendationItem
from ..records import Wording

Ending = Literal["written", "dropped", "cancelled", "lapsed"]
"""``written``: the model was asked, and the text is what came of it; ``dropped``: too many were
waiting; ``cancelled``: nobody waited for it any more; ``lapsed``: it would have come too late."""


@dataclass(frozen=True, slots=True)
class LaterText:
    """What replaces the text of an explanation."""

    text: str
    source: str
    verdict: dict[str, Any]
    provenance: dict[str, Any]


def asked_later(until: datetime) -> dict[str, Any]:
    """Provenance of a text that a model is yet to word, until some moment at the latest."""
    return {"state": "pending", "asked_at": utc_now().isoformat(), "until": until.isoformat()}


def not_asked(why: Ending) -> dict[str, Any]:
    """Provenance of a text that no model will word, and why."""
    return {"state": why, "settled_at": utc_now().isoformat()}


def settle(
    session: Session,
    recommendation_id: str,
    item_id: str,
    ending: Ending,
    later: LaterText | None = None,
) -> bool:
    """End the waiting for a wording; with a text, put it in the place of the one that was shown.

    Returns:
        Whether there was something to settle: the explanation may be erased, or settled already.
    """
    row = session.scalar(
        select(Explanation)
        .where(Explanation.recommendation_id == recommendation_id, Explanation.item_id == item_id)
        .with_for_update()
    )
    asked = row.provenance.get("later") if row is not None else None
    if row is None or asked is None or asked["state"] != "pending":
        return False
    asked = asked | not_asked(ending)
    if later is None:
        row.provenance = row.provenance | {"later": asked}
        return True
    shown = {"text": row.text, "source": row.source, "verdict": row.verdict}
    shown |= {"shown_at": row.created_at.isoformat()}
    row.provenance = later.provenance | {"later": asked | {"before": shown}}
    row.text, row.source, row.verdict = later.text, later.source, later.verdict
    return True


def wordings_of(session: Session, recommendation_id: str) -> list[Wording]:
    """The present text of every explained item of a slate, top position first.

    Raises:
        UnknownRecord: No such recommendation.
    """
    if session.get(Recommendation, recommendation_id) is None:
        raise UnknownRecord(
            f"no recommendation {recommendation_id!r} is recorded", field="recommendation_id"
        )
    rows = session.execute(
        select(RecommendationItem.position, Explanation)
        .join(
            Explanation,
            (Explanation.recommendation_id == RecommendationItem.recommendation_id)
            & (Explanation.item_id == RecommendationItem.item_id),
        )
        .where(RecommendationItem.recommendation_id == recommendation_id)
        .order_by(RecommendationItem.position)
        .execution_options(populate_existing=True)
    )
    now = utc_now()
    return [_wording(position, row, now) for position, row in rows]


def _wording(position: int, row: Explanation, now: datetime) -> Wording:
    later = row.provenance.get("later") or {}
    ending = later.get("state")
    # A process that ended without settling must not leave a text pending for ever.
    if ending == "pending" and datetime.fromisoformat(later["until"]) < now:
        ending = "lapsed"
    return Wording(
        explanation_id=row.id,
        item_id=row.item_id,
        position=position,
        state="pending" if ending == "pending" else "final",
        ending=None if ending == "pending" else ending,
        text=row.text,
        source=row.source,
    )
