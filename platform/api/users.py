"""``/v1/users``: what is kept about a user, shown to them, changed and erased."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict

from ...explain.refinement import Refinement
from ..records import PreferencesRecord, PublicId
from ..store.erasure import erase_user, prompts_of, user_data
from ..store.preferences import (
    CONSENT_TEXT,
    CONSENT_WORDING,
    get_preferences,
    give_consent,
    keep_preferences,
    withdraw_consent,
)
from ..wishes import require_known
from .dependencies import TheDatabase, ThePlatform, TheRecommender

router = APIRouter(prefix="/v1/users", tags=["users"])

UserId = Annotated[PublicId, Path(description="Public id of the user.")]


class Kept(BaseModel):
    """Wishes to keep, with the user's leave to keep them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "refinement": {"exclude_topics": ["Horror"]},
                    "consent": True,
                    "wording": CONSENT_WORDING,
                }
            ]
        },
    )

    refinement: Refinement
    consent: Literal[True]
    wording: Literal["preferences-1"]


class ConsentWording(BaseModel):
    """What users agree to when they let preferences be kept."""

    wording: str
    text: str


@router.get("/consent-wording")
def consent_wording() -> ConsentWording:
    """The text to show to a user before asking for consent."""
    return ConsentWording(wording=CONSENT_WORDING, text=CONSENT_TEXT)


@router.get("/{user_id}/preferences")
def preferences(user_id: UserId, database: TheDatabase) -> PreferencesRecord:
    """What is kept about a user between conversations, and on what leave."""
    with database.reading() as session:
        return get_preferences(session, user_id)


@router.put("/{user_id}/preferences")
def keep(user_id: UserId, kept: Kept, recommender: TheRecommender) -> PreferencesRecord:
    """Keep wishes that later conversations begin with; the user's consent comes with them."""
    require_known(kept.refinement, recommender.catalogue)
    with recommender.database.session() as session:
        give_consent(session, user_id)
        keep_preferences(session, user_id, kept.refinement.model_dump(mode="json"))
        return get_preferences(session, user_id)


@router.delete("/{user_id}/preferences")
def withdraw(user_id: UserId, database: TheDatabase) -> PreferencesRecord:
    """Withdraw consent; what was kept is deleted."""
    with database.session() as session:
        withdraw_consent(session, user_id)
        return get_preferences(session, user_id)


@router.get("/{user_id}/data")
def data(user_id: UserId, database: TheDatabase) -> dict[str, list[dict[str, Any]]]:
    """All rows about a user, by table."""
    with database.reading() as session:
        return user_data(session, user_id)


@router.delete("/{user_id}")
def erase(user_id: UserId, database: TheDatabase, platform: ThePlatform) -> dict[str, int]:
    """Delete what is on record about a user; slates stay, under the id of nobody.

    The answers of the language model that this process keeps in memory go as well.
    """
    with database.session() as session:
        prompts = prompts_of(session, user_id)
        counts = erase_user(session, user_id)
    if platform.model is not None:
        for prompt in prompts:
            platform.model.forget(prompt)
    return counts
