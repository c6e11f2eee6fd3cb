"""``/health``: whether the process runs, and whether it can serve."""

from fastapi import APIRouter
from pydantic import BaseModel

from ...errors import NotReady
from ..models.health import ModelHealth
from .dependencies import ThePlatform, TheRecommender

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process runs."""

    status: str = "live"


class Ready(BaseModel):
    """It can serve, and with what.

    Attributes:
        status: Ready.
        candidates_version: What proposes.
        policy_version: What orders.
        model: What is known of the language model; None without one.
        texts_waiting: Texts that wait to be worded by it; None without one.
    """

    status: str = "ready"
    candidates_version: str
    policy_version: str
    model: ModelHealth | None = None
    texts_waiting: int | None = None


@router.get("/live")
def live() -> Live:
    """Answers as long as the process runs; looks at nothing."""
    return Live()


@router.get("/ready", response_model_exclude_none=True)
def ready(recommender: TheRecommender, platform: ThePlatform) -> Ready:
    """Answers 200 when the database is migrated and what is deployed is whole; else 503 or 500.

    A language model that fails changes nothing of that: templates serve in its place.
    """
    return Ready(
        candidates_version=recommender.candidates_version,
        policy_version=recommender.policy_version,
        model=platform.health.report() if platform.health else None,
        texts_waiting=platform.later.waiting if platform.later else None,
    )


@router.get("/model")
def model(platform: ThePlatform) -> ModelHealth:
    """What the last look at the language model found; asking has it looked at again, later.

    Answers 503 without a model.
    """
    if platform.health is None:
        raise NotReady(
            "no language model is configured",
            field="FAIRLOOP_MODEL_KIND",
            mend="Set it to embedded or openai; without one, texts come from templates.",
        )
    return platform.health.report()
