"""What users allow to be kept between their conversations. Without consent nothing is."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import InvalidValue
from ..db.base import utc_now
from ..db.tables import Consent, Preferences
from ..records import PreferencesRecord
from .people_items import require_users

CONSENT_WORDING = "preferences-1"
"""Version of `CONSENT_TEXT`; a changed text needs another one."""

CONSENT_TEXT = (
    "Keep what I asked for, so that later conversations begin with it. I can see it, change it and "
    "take this back at any time; what was kept is then deleted."
)

_PURPOSE = "preferences"


def give_consent(session: Session, user_id: str) -> str:
    """Record a user's leave to keep preferences; the id of the consent that holds.

    Raises:
        UnknownUser: The user is not stored.
    """
    require_users(session, [user_id])
    held = _consent(session, user_id)
    if held is None:
        held = Consent(user_id=user_id, purpose=_PURPOSE, wording=CONSENT_WORDING)
        session.add(held)
        session.flush()
    return held.id


def withdraw_consent(session: Session, user_id: str) -> bool:
    """Record the withdrawal and delete what was kept; whether there was any consent."""
    held = _consent(session, user_id)
    kept = session.get(Preferences, user_id)
    if kept is not None:
        session.delete(kept)
    if held is not None:
        held.withdrawn_at = utc_now()
    session.flush()
    return held is not None


def keep_preferences(session: Session, user_id: str, refinement: dict[str, Any]) -> None:
    """Keep wishes for later conversations, in the place of those kept before.

    Raises:
        InvalidValue: The user did not allow it.
    """
    held = _consent(session, user_id)
    if held is None:
        raise InvalidValue(
            f"user {user_id!r} did not allow preferences to be kept",
            field="consent",
            mend="Ask the user first, and send their consent.",
        )
    kept = session.get(Preferences, user_id)
    if kept is None:
        kept = Preferences(user_id=user_id)
        session.add(kept)
    kept.consent_id, kept.refinement, kept.updated_at = held.id, refinement, utc_now()
    session.flush()


def get_preferences(session: Session, user_id: str) -> PreferencesRecord:
    """What is kept about a user, and on what leave.

    Raises:
        UnknownUser: The user is not stored.
    """
    require_users(session, [user_id])
    held, kept = _consent(session, user_id), session.get(Preferences, user_id)
    return PreferencesRecord(
        user_id=user_id,
        consent=held is not None,
        consent_wording=None if held is None else held.wording,
        consent_given_at=None if held is None else held.given_at,
        refinement=None if kept is None else kept.refinement,
    )


def _consent(session: Session, user_id: str) -> Consent | None:
    return session.scalar(
        select(Consent).where(
            Consent.user_id == user_id,
            Consent.purpose == _PURPOSE,
            Consent.withdrawn_at.is_(None),
        )
    )
