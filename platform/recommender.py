"""The main job: candidates, then re-rank, then explain, then record."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import numpy as np
from sqlalchemy.orm import Session

from ..agents.interpret.reference import load_reference
from ..agents.storage import load_policy
from ..candidates.artifact import load_candidates
from ..candidates.candidate_set import CandidateSet
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import ArtifactNotFound
from ..explain.calls import CallLog
from ..explain.refinement import Refinement, diversity_factor
from ..explain.writer import Explainer
from ..rerankers.context import PoolContext
from ..rerankers.exposure import measure
from . import conversing
from .constraint_record import restore_controller
from .db.engine import Database
from .db.migrate import require_migrated
from .decision import Decision, Request
from .home import Home
from .ordering import BuiltinOrderer, Orderer, PolicyOrderer, Situation
from .reasons import Reason, give_reasons
from .recording import write_decision
from .records import Feedback, Recommendation, Turn, VersionInfo
from .rewording import Job, Rewording, to_come
from .settings import Settings
from .store import conversations, events, versions
from .store.model_calls import record_calls
from .user_log import UserLog
from .wishes import apply_wishes

_TO_WORD = "texts to word once the transaction is committed"

ProgressCallback = Callable[[int, int], None]
Reasons = Sequence[Sequence[Reason]]


class Recommender:
    """Serves one candidate set with one policy. Safe to share between threads.

    Args:
        database: The record.
        candidates_version: Version of ``candidates``.
        candidates: What is proposed.
        orderer: What orders it.
        explainer: What words the reasons.
        k: Slate length where a request names none.
        later: Has the explainer's model word the reasons after the slate is answered with the
            template's texts; without it a request waits for the model.

    Attributes:
        log: Reads what is on record of users.
    """

    def __init__(
        self,
        database: Database,
        candidates_version: str,
        candidates: CandidateSet,
        orderer: Orderer,
        explainer: Explainer,
        k: int,
        later: Rewording | None = None,
    ) -> None:
        self.database = database
        self.candidates_version = candidates_version
        self.candidates = candidates
        self.orderer = orderer
        self.explainer = explainer
        self.k = k
        self.later = later
        self.log = UserLog(candidates)
        self._turn = threading.Lock()  # the controller moves with each slate that is recorded

    @property
    def catalogue(self) -> Catalogue:
        """The items."""
        return self.candidates.catalogue

    @property
    def policy_version(self) -> str:
        """What stands in the record as having ordered the slates."""
        return self.orderer.version

    def recommend(
        self,
        user_id: str,
        k: int | None = None,
        refinement: Refinement | None = None,
        explain: bool = True,
        seed: int | None = None,
    ) -> Recommendation:
        """One user's slate, explained and recorded.

        Raises:
            UnknownUser: The candidates do not cover the user.
            InvalidValue: ``k`` is above the user's pool, or the wishes leave too little.
            StorageFull: The disk is full; nothing was recorded.
        """
        return self.recommend_many([user_id], k, refinement, explain, seed=seed)[0]

    def recommend_many(
        self,
        user_ids: Sequence[str],
        k: int | None = None,
        refinement: Refinement | None = None,
        explain: bool = False,
        progress: ProgressCallback | None = None,
        seed: int | None = None,
    ) -> list[Recommendation]:
        """The slates of many users, recorded together or not at all.

        Raises:
            UnknownUser: The candidates do not cover a user.
            InvalidValue: ``k`` is above a user's pool, or the wishes leave too little.
            StorageFull: The disk is full; nothing was recorded.
        """
        if not user_ids:
            return []
        request = self.request(user_ids, k, refinement, seed)
        proposed = self.candidates.pools(request.users)
        decision = self.rerank(request, proposed)
        logs: list[CallLog] = []
        reasons = self.explain(decision, progress, logs) if explain else None
        with self.recording() as session:
            made = self.record(session, decision, reasons)
            for slate, log in zip(made, logs, strict=False):
                record_calls(session, log, recommendation_id=slate.id)
            return made

    def feedback(self, feedback: Feedback) -> str:
        """Record what a user did and return the id of the event; see ``feedback_many``."""
        return self.feedback_many([feedback])[0]

    def feedback_many(self, feedback: Sequence[Feedback]) -> list[str]:
        """Record what users did, all of it or nothing, and return the ids of the events.

        Raises:
            UnknownUser: A user is not stored.
            UnknownItem: An item is not stored.
            UnknownRecord: A recommendation is not stored.
            InvalidValue: A value or time cannot be used, or the item was not in the slate.
        """
        with self.database.session() as session:
            return events.record_events(session, feedback)

    def start_conversation(self, user_id: str) -> str:
        """Open a conversation and return its id.

        Raises:
            UnknownUser: The user is not stored.
        """
        with self.database.session() as session:
            return conversations.start_conversation(session, user_id)

    def chat(self, conversation_id: str, text: str) -> Turn:
        """Answer one message of a conversation; see ``conversing.take_turn``."""
        return conversing.take_turn(self, conversation_id, text)

    def request(
        self,
        user_ids: Sequence[str],
        k: int | None = None,
        refinement: Refinement | None = None,
        seed: int | None = None,
    ) -> Request:
        """Check who asks for what."""
        return Request.of(self.candidates, user_ids, self.k if k is None else k, refinement, seed)

    def rerank(self, request: Request, proposed: CandidatePools) -> Decision:
        """Filter by wishes, replay what is known of the users, and order."""
        situation = self._situation(request, proposed)
        with self._turn:
            gaps = self.orderer.controller.gaps
            ordered = self.orderer.order(situation, np.random.default_rng(request.seed))
        wants_diversity = request.refinement.diversity is not None
        return Decision(
            request=request,
            proposed=proposed,
            situation=situation,
            ordered=ordered,
            gaps=gaps,
            measured=measure(situation.context, ordered.slates.columns),
            not_honoured=(
                ("diversity",) if wants_diversity and not self.orderer.takes_diversity else ()
            ),
        )

    def explain(
        self,
        decision: Decision,
        progress: ProgressCallback | None = None,
        logs: list[CallLog] | None = None,
    ) -> Reasons:
        """Evidence and a checked text for every item; the template's where a model follows."""
        explainer = self.explainer
        if self.later is not None:
            explainer = Explainer(None, explainer.noun, explainer.style, explainer.language)
        return give_reasons(decision, self.orderer, self.candidates, explainer, progress, logs)

    @contextmanager
    def recording(self) -> Generator[Session]:
        """One transaction of the record; if it fails, the controller forgets it as well."""
        jobs: list[Job] = []
        with self._turn:
            controller = self.orderer.controller
            before, committed = controller.to_json(), False
            try:
                with self.database.session() as session:
                    session.info[_TO_WORD] = jobs
                    yield session
                committed = True
            finally:
                if not committed:
                    controller.restore(before)
                    if self.later is not None:
                        self.later.release(len(jobs))
        if self.later is not None:
            self.later.submit(jobs)

    def record(
        self, session: Session, decision: Decision, reasons: Reasons | None
    ) -> list[Recommendation]:
        """Write slates and reasons, inside ``recording``."""
        return write_decision(
            session,
            decision,
            reasons,
            self.orderer,
            self.candidates_version,
            self.catalogue,
            to_come(self.later, session.info[_TO_WORD]),
        )

    def _situation(self, request: Request, proposed: CandidatePools) -> Situation:
        constraints = self.orderer.constraints
        with self.database.reading() as session:
            pools = apply_wishes(
                proposed,
                self.log.fresh(session, request.user_ids, proposed.items),
                request.refinement,
                constraints,
                self.catalogue,
                self.candidates.item_embeddings,
                request.k,
            )
            context = PoolContext.of(pools, self.catalogue, constraints)
            state = self.log.states(session, request.user_ids, context)
        factor = diversity_factor(request.refinement)
        return Situation(pools, context, state, request.k, factor)


def open_recommender(
    settings: Settings,
    database: Database,
    explainer: Explainer | None = None,
    later: Rewording | None = None,
) -> Recommender:
    """Load what is deployed and continue where the record left off.

    Args:
        settings: The settings.
        database: The record.
        explainer: What words the reasons; templates by default.
        later: Has its model word them in the background (see `wording.make_rewording`).

    Raises:
        NotMigrated: The database is not at the schema that this version needs.
        ArtifactNotFound: No candidates are deployed, or their folder is gone.
        CorruptArtifact: A file's hash differs from its manifest.
    """
    require_migrated(database)
    home = Home.of(settings)
    with database.session() as session:
        proposing = versions.deployed(session, "candidates")
        if proposing is None:
            raise ArtifactNotFound(
                "no candidates are deployed",
                field="candidates",
                mend="Run `fairloop train candidates`.",
            )
        candidates = load_candidates(home.candidate_set(proposing.version))
        ordering = versions.deployed(session, "policy")
        orderer = _orderer(settings, home, ordering, candidates)
        if ordering is None:
            versions.ensure_builtin(session, orderer.version)
        controller = orderer.controller
        restore_controller(session, controller, orderer.version, max(controller.windows))
    explainer = explainer or Explainer()
    return Recommender(
        database, proposing.version, candidates, orderer, explainer, settings.k, later
    )


def _orderer(
    settings: Settings, home: Home, deployed: VersionInfo | None, candidates: CandidateSet
) -> Orderer:
    if deployed is None:
        return BuiltinOrderer(settings.fallback_reranker, candidates, settings.k)
    if deployed.status == "builtin":
        return BuiltinOrderer(deployed.version, candidates, settings.k)
    stored = load_policy(home.policy(deployed.version))
    reference = load_reference(home.reference(deployed.version), stored.policy.observation_names)
    return PolicyOrderer(deployed.version, stored.policy, candidates, reference)
