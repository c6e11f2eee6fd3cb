"""``/v1/feedback``: what users did."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ..records import Feedback
from .dependencies import TheRecommender

router = APIRouter(prefix="/v1/feedback", tags=["feedback"])


class Told(BaseModel):
    """Events to record."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "user_id": "196",
                            "item_id": "242",
                            "kind": "rating",
                            "value": 4,
                            "occurred_at": "2026-01-31T12:00:00Z",
                        }
                    ]
                }
            ]
        },
    )

    events: Annotated[list[Feedback], Field(min_length=1, max_length=1000)]


class Kept(BaseModel):
    """Ids of the recorded events, in the order of the request."""

    event_ids: list[str]


@router.post("", status_code=201)
def tell(told: Told, recommender: TheRecommender) -> Kept:
    """Record clicks, ratings, likes and dislikes; all of them, or none."""
    return Kept(event_ids=recommender.feedback_many(told.events))
