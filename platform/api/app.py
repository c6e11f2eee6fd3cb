"""The application: its parts, put together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ... import __version__
from ..current import CurrentRecommender
from ..db.engine import open_database
from ..home import Home
from ..settings import Settings, load_settings
from ..wording import make_explainer
from . import audits, conversations, explanations, feedback, health, recommendations, users
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
    current = CurrentRecommender(settings, database, make_explainer(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        database.close()

    app = FastAPI(
        title="Fairloop",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=PROBLEM_RESPONSES,
    )
    app.state.platform = Platform(settings, Home.of(settings), database, current)
    app.add_middleware(BoundedBody, limit=MAX_BODY_BYTES)
    install_problems(app)
    for part in (
        recommendations,
        feedback,
        conversations,
        explanations,
        users,
        audits,
        health,
    ):
        app.include_router(part.router)
    return app
