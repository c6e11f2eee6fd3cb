"""``/v1/recommendations``: slates, explained and recorded."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from ...errors import InvalidValue
from ...explain.refinement import Refinement
from ..records import PublicId, Recommendation, Wording
from ..store.recommendations import get_recommendation
from ..store.wordings import wordings_of
from .dependencies import RecordId, TheDatabase, ThePlatform, TheRecommender
from .event_stream import DESCRIBED, stream, wording_events

router = APIRouter(prefix="/v1/recommendations", tags=["recommendations"])

K = Annotated[int, Field(ge=1, le=1000, description="Slate length; the setting's if left out.")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="Repeats what is drawn at random.")]


class Asked(BaseModel):
    """One user's request."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"user_id": "196", "k": 10},
                {"user_id": "196", "refinement": {"exclude_topics": ["Horror"], "min_year": 1980}},
            ]
        },
    )

    user_id: PublicId
    k: K | None = None
    refinement: Refinement | None = None
    explain: bool = True
    seed: Seed | None = None


class AskedForMany(BaseModel):
    """The request for many users at once."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"user_ids": ["196", "186"], "k": 10}]}
    )

    user_ids: Annotated[list[PublicId], Field(min_length=1, max_length=100_000)]
    k: K | None = None
    refinement: Refinement | None = None
    explain: bool = False
    seed: Seed | None = None


class Slates(BaseModel):
    """The slates of many users, in the order of the request."""

    recommendations: list[Recommendation]


@router.post("", status_code=201)
def recommend(asked: Asked, recommender: TheRecommender) -> Recommendation:
    """Recommend to one user, explain and record.

    The texts are the template's; where a model is configured, its wordings follow and are found
    under `/explanations` of the recommendation.
    """
    return recommender.recommend(
        asked.user_id, asked.k, asked.refinement, asked.explain, asked.seed
    )


@router.post("/batch", status_code=201)
def recommend_many(
    asked: AskedForMany, platform: ThePlatform, recommender: TheRecommender
) -> Slates:
    """Recommend to many users; all slates are recorded, or none."""
    most = platform.settings.max_batch
    if len(asked.user_ids) > most:
        raise InvalidValue(
            f"{len(asked.user_ids)} users in one request",
            field="user_ids",
            mend=f"Send at most {most} at once, or raise FAIRLOOP_MAX_BATCH.",
        )
    made = recommender.recommend_many(
        asked.user_ids, asked.k, asked.refinement, asked.explain, seed=asked.seed
    )
    return Slates(recommendations=made)


@router.get("/{recommendation_id}")
def read(recommendation_id: RecordId, database: TheDatabase) -> Recommendation:
    """A slate as it was recorded, with its explanations."""
    with database.reading() as session:
        return get_recommendation(session, recommendation_id)


@router.get("/{recommendation_id}/explanations")
def wordings(recommendation_id: RecordId, database: TheDatabase) -> list[Wording]:
    """The present text of each explanation; `pending` while a model is still to word it."""
    with database.reading() as session:
        return wordings_of(session, recommendation_id)


@router.get(
    "/{recommendation_id}/explanations/stream",
    response_class=StreamingResponse,
    responses={200: {"content": DESCRIBED}},
)
def stream_wordings(
    recommendation_id: RecordId, platform: ThePlatform, database: TheDatabase, request: Request
) -> StreamingResponse:
    """The same as events: what is final at once, the rest as it passes the check."""
    wordings(recommendation_id, database)  # an unknown slate is a problem, not an event
    return stream(wording_events(request, database, platform.later, recommendation_id))
