"""What the routes are given."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from ...explain.model import LanguageModel
from ..current import CurrentRecommender
from ..db.engine import Database
from ..db.migrate import require_migrated
from ..home import Home
from ..models.health import HealthCheck
from ..recommender import Recommender
from ..rewording import Rewording
from ..settings import Settings


@dataclass(slots=True)
class Platform:
    """What the application holds as long as it runs.

    Attributes:
        settings: The settings.
        home: The home folder.
        database: The record; ``TheDatabase`` is the same after a look at its schema.
        current: The recommender of what is deployed.
        later: What has the model word texts in the background; None without a model.
        health: What looks after the model; None without one.
        model: The language model; None without one.
        migrated: Whether the schema was looked at and found right.
    """

    settings: Settings
    home: Home
    database: Database
    current: CurrentRecommender
    later: Rewording | None = None
    health: HealthCheck | None = None
    model: LanguageModel | None = None
    migrated: bool = False


def _platform(request: Request) -> Platform:
    platform = request.app.state.platform
    assert isinstance(platform, Platform)
    return platform


ThePlatform = Annotated[Platform, Depends(_platform)]


def _database(platform: ThePlatform) -> Database:
    if not platform.migrated:
        require_migrated(platform.database)
        platform.migrated = True
    return platform.database


TheDatabase = Annotated[Database, Depends(_database)]


def _recommender(platform: ThePlatform) -> Recommender:
    return platform.current.get()


TheRecommender = Annotated[Recommender, Depends(_recommender)]

RecordId = Annotated[str, Path(min_length=1, max_length=64, description="Id of the record.")]
