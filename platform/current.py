"""The recommender of a long-running process: what is deployed now, not what was at its start."""

import threading

from ..explain.writer import Explainer
from .db.engine import Database
from .db.migrate import require_migrated
from .recommender import Recommender, open_recommender
from .registry import Deployed, deployed
from .rewording import Rewording
from .settings import Settings


class CurrentRecommender:
    """Opens a recommender on first use, and again when another version was deployed."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        explainer: Explainer,
        later: Rewording | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._explainer = explainer
        self._later = later
        self._opening = threading.Lock()
        self._opened: tuple[Deployed, Recommender] | None = None

    def get(self) -> Recommender:
        """The recommender of the deployed versions.

        Raises:
            NotMigrated: The database is not at the schema that this version needs.
            ArtifactNotFound: No candidates are deployed, or their folder is gone.
            CorruptArtifact: A file's hash differs from its manifest.
        """
        if self._opened is None:
            require_migrated(self._database)
        now = deployed(self._database)
        held = self._opened
        if held is not None and held[0] == now:
            return held[1]
        with self._opening:
            if self._opened is None or self._opened[0] != now:
                opened = open_recommender(
                    self._settings, self._database, self._explainer, self._later
                )
                self._opened = (now, opened)
            return self._opened[1]
