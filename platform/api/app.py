"""The application: its parts, put together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from ... import __version__
from ..current import CurrentRecommender
from ..db.engine import open_database
from ..home import Home
from ..settings import Settings, load_settings
from ..wording import make_explainer, make_health_check, make_rewording
from . import (
    audits,
    conversations,
    explanations,
    feedback,
    health,
    items,
    recommendations,
    users,
    wishes,
)
from .bounds import BoundedBody
from .dependencies import Platform
from .problems import PROBLEM_RESPONSES, install_problems

MAX_BODY_BYTES = 1_000_000

DESCRIPTION = """
Recommendations on record: what was shown, why, by which version, in which state of the limits.

Errors are `application/problem+json` (RFC 9457) with the `field` they concern and how to `mend` it.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for some settings, those of the environment by default.

    Nothing is loaded before the first request that needs it; ``/health/ready`` loads all.

    Raises:
        InvalidValue: A setting cannot be used.
        NotReady: The embedded model is asked for and not installed.
    """
    settings = settings or load_settings()
    database = open_database(settings.url)
    explainer = make_explainer(settings)
    later = make_rewording(settings, database, explainer)
    health_check = make_health_check(settings, explainer)
    current = CurrentRecommender(settings, database, explainer, later)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        if health_check is not None:
            health_check.look()  # and so have its libraries loaded before they are needed
        yield
        if later is not None:
            await run_in_threadpool(later.close)
        database.close()

    app = FastAPI(
        title="Fairloop",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=PROBLEM_RESPONSES,
    )
    app.state.platform = Platform(
        settings, Home.of(settings), database, current, later, health_check, explainer.model
    )
    app.add_middleware(BoundedBody, limit=MAX_BODY_BYTES)
    install_problems(app)
    for part in (
        recommendations,
        feedback,
        conversations,
        explanations,
        items,
        users,
        wishes,
        audits,
        health,
    ):
        app.include_router(part.router)
    return app
