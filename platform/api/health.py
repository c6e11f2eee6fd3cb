"""``/health``: whether the process runs, and whether it can serve."""

from fastapi import APIRouter
from pydantic import BaseModel

from .dependencies import TheRecommender

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process runs."""

    status: str = "live"


class Ready(BaseModel):
    """It can serve, and with what."""

    status: str = "ready"
    candidates_version: str
    policy_version: str


@router.get("/live")
def live() -> Live:
    """Answers as long as the process runs; looks at nothing."""
    return Live()


@router.get("/ready")
def ready(recommender: TheRecommender) -> Ready:
    """Answers 200 when the database is migrated and what is deployed is whole; else 503 or 500."""
    return Ready(
        candidates_version=recommender.candidates_version,
        policy_version=recommender.policy_version,
    )
