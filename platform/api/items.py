"""``/v1/items``: accounts for those who offer an item."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from ...explain.languages import LanguageCode
from ..accounts import account_for_provider
from ..records import ProviderAccount, PublicId
from .dependencies import TheRecommender

router = APIRouter(prefix="/v1/items", tags=["items"])

Users = Annotated[int, Query(ge=20, le=1000, description="Lists to count over.")]


@router.get("/{item_id}/account")
def account(
    item_id: Annotated[PublicId, Path(description="Public id of the item.")],
    recommender: TheRecommender,
    users: Users = 200,
    language: LanguageCode = "en",
) -> ProviderAccount:
    """Why an item is shown as often as it is: counts over lists made now, and not recorded."""
    return account_for_provider(recommender, item_id, users, language=language)
