"""``/v1/explanations``: reasons and their evidence."""

from fastapi import APIRouter

from ...explain.languages import LanguageCode
from ..accounts import account_for_auditor
from ..contrasting import contrast_with
from ..records import AuditAccount, ContrastAccount, ExplanationRecord, PublicId
from ..store.explanations import get_explanation
from .dependencies import RecordId, TheDatabase, TheRecommender

router = APIRouter(prefix="/v1/explanations", tags=["explanations"])


@router.get("/{explanation_id}")
def read(explanation_id: RecordId, database: TheDatabase) -> ExplanationRecord:
    """Why an item was shown: the text, the evidence, the check, and who worded it."""
    with database.reading() as session:
        return get_explanation(session, explanation_id)


@router.get("/{explanation_id}/account")
def account(
    explanation_id: RecordId, database: TheDatabase, language: LanguageCode = "en"
) -> AuditAccount:
    """Every number, rule and version behind a recommended item, on one line."""
    return account_for_auditor(database, explanation_id, language)


@router.get("/{explanation_id}/contrast")
def contrast(
    explanation_id: RecordId,
    item_id: PublicId,
    recommender: TheRecommender,
    language: LanguageCode = "en",
) -> ContrastAccount:
    """Why the explained item was shown, and not the item with this id."""
    return contrast_with(recommender, explanation_id, item_id, language)
