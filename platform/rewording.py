"""Words texts by a model after they were shown, in the background.

A slate is answered at once, with the template's texts. What a model is to word waits in a bounded
queue; threads of this process take one text at a time, ask the model, check what it wrote, and put
it in the place of the template's (see `store.wordings`).
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..errors import FairloopError
from ..explain.calls import logged_calls
from ..explain.evidence import Evidence
from ..explain.writer import Explainer
from .db.base import utc_now
from .db.engine import Database
from .reasons import Reason, provenance
from .store.model_calls import record_calls
from .store.wordings import Ending, LaterText, asked_later, not_asked, settle

_LOG = logging.getLogger(__name__)
_CLOSING_SECONDS = 2.0


@dataclass(slots=True)
class Job:
    """One text to word.

    Attributes:
        recommendation_id: The slate.
        item_id: The item.
        evidence: What may be said.
        until: When it would come too late.
        cancelled: Whether nobody waits for it any more.
    """

    recommendation_id: str
    item_id: str
    evidence: Evidence
    until: datetime
    cancelled: bool = False


class Rewording:
    """A bounded queue of texts to word, and the threads that work on it.

    Args:
        database: The record.
        explainer: Asks the model and checks what it wrote.
        workers: Texts worded at the same time.
        most: Texts that may wait.
        patience: Seconds after which a text that waits is not worded any more.
    """

    def __init__(
        self,
        database: Database,
        explainer: Explainer,
        workers: int = 1,
        most: int = 200,
        patience: float = 120.0,
    ) -> None:
        self.most = most
        self._database = database
        self._explainer = explainer
        self._workers = workers
        self._patience = timedelta(seconds=patience)
        self._jobs: deque[Job] = deque()
        self._held = 0
        self._closed = False
        self._awake = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._endings: Counter[Ending] = Counter()

    @property
    def waiting(self) -> int:
        """Texts that wait."""
        with self._awake:
            return len(self._jobs)

    @property
    def endings(self) -> dict[Ending, int]:
        """How many texts ended how, since the start."""
        with self._awake:
            return dict(self._endings)

    def hold(self) -> datetime | None:
        """A place in the queue until the slate is on record, and until when its text may come.

        None where there is no place; who holds one either submits a job or releases it.
        """
        with self._awake:
            if self._closed or len(self._jobs) + self._held >= self.most:
                self._endings["dropped"] += 1
                return None
            self._held += 1
        return utc_now() + self._patience

    def release(self, places: int) -> None:
        """Give back places for which no job will come."""
        with self._awake:
            self._held -= places

    def submit(self, jobs: Sequence[Job]) -> None:
        """Word these; each has a place that was held."""
        with self._awake:
            self._held -= len(jobs)
            self._jobs.extend(jobs)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for _ in range(min(self._workers - len(self._threads), len(jobs))):
                thread = threading.Thread(target=self._work, name="rewording", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._awake.notify_all()

    def cancel(self, recommendation_id: str) -> None:
        """Nobody waits for this slate's texts any more; one that is being worded is finished."""
        with self._awake:
            for job in self._jobs:
                if job.recommendation_id == recommendation_id:
                    job.cancelled = True

    @contextmanager
    def listening(self, recommendation_id: str, changed: Callable[[], None]) -> Generator[None]:
        """Have ``changed`` called, on another thread, whenever a text of the slate is settled."""
        with self._awake:
            self._listeners.setdefault(recommendation_id, []).append(changed)
        try:
            yield
        finally:
            with self._awake:
                left = self._listeners[recommendation_id]
                left.remove(changed)
                if not left:
                    del self._listeners[recommendation_id]

    def listened(self, recommendation_id: str) -> bool:
        """Whether anybody listens to a slate."""
        with self._awake:
            return recommendation_id in self._listeners

    def close(self) -> None:
        """Take no more, cancel what waits, and end the threads; what is being worded may be lost.

        A text that could not be settled any more lapses at its time.
        """
        with self._awake:
            self._closed = True
            for job in self._jobs:
                job.cancelled = True
            self._awake.notify_all()
            threads = list(self._threads)
        for thread in threads:
            thread.join(_CLOSING_SECONDS)

    def _work(self) -> None:
        while True:
            with self._awake:
                self._awake.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            try:
                ending = self._settle(job)
            except FairloopError as error:
                # The text stays as it is and lapses; the next one may fare better.
                _LOG.error("a wording was not recorded: %s", error)
                continue
            with self._awake:
                self._endings[ending] += 1
                for changed in self._listeners.get(job.recommendation_id, ()):
                    changed()

    def _settle(self, job: Job) -> Ending:
        """Word one text and record it with the requests that were made for it."""
        key = (job.recommendation_id, job.item_id)
        if job.cancelled or utc_now() >= job.until:
            ending: Ending = "cancelled" if job.cancelled else "lapsed"
            with self._database.session() as session:
                settle(session, *key, ending)
            return ending
        with logged_calls() as log:
            told = self._explainer.explain(job.evidence)
        plain = told.model_dump(mode="json", include={"text", "source", "verdict"})
        with self._database.session() as session:
            # Nothing is kept for a text that was erased meanwhile, the prompt least of all.
            if settle(session, *key, "written", LaterText(**plain, provenance=provenance(told))):
                record_calls(session, log, recommendation_id=key[0], item_id=key[1])
        return "written"


def to_come(
    later: Rewording | None, jobs: list[Job]
) -> Callable[[str, Reason], dict[str, Any] | None]:
    """For each reason that is recorded: a job where there is a place, and what to record of it."""

    def one(recommendation_id: str, reason: Reason) -> dict[str, Any] | None:
        if later is None:
            return None
        until = later.hold()
        if until is None:
            return not_asked("dropped")
        item_id = reason.evidence.item.item_id
        jobs.append(Job(recommendation_id, item_id, reason.evidence, until))
        return asked_later(until)

    return one
