"""The main job, end to end: what ``make demo`` runs, in the order a newcomer would."""

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from ..agents.config import TrainConfig
from ..agents.report import Interval
from ..candidates.config import CandidateConfig
from ..candidates.groups import movielens_groups
from ..candidates.read import movielens_100k
from .audit.inputs import AuditScope
from .audit.models import AuditReport
from .audit.report import write_audit
from .audit.stored import StoredAudit, run_audit
from .datasets import DataSummary, import_dataset
from .db.engine import Database
from .home import Home
from .recommender import open_recommender
from .records import Recommendation
from .registry import deploy
from .settings import Settings
from .studying import StudySummary, demo_study, run_stored_study
from .training import CandidatesResult, PolicyResult, train_and_judge, train_candidates
from .wording import make_explainer

ProgressCallback = Callable[[int, int], None]
StageCallback = Callable[[str, int, int], None]
EXPLAINED_USERS = ("196", "305")
BASE = "top-k"
STAND_IN = "exposure-controller"
BATCH = 16
"""Users served between two looks of the controller; with more at once it would react too late."""


class ClosingRow(BaseModel):
    """One measure before and after re-ranking.

    Attributes:
        measure: What was measured, with its unit.
        floor: The least it should be, where there is a constraint on it.
        before: By the base model's own order.
        after: By the policy.
    """

    model_config = ConfigDict(frozen=True)

    measure: str
    floor: float | None
    before: Interval | None
    after: Interval | None


class DemoReport(BaseModel):
    """Everything the demo did and measured.

    Attributes:
        served_by: What orders the slates at the end: the policy, or a stand-in if the gate
            refused it.
        closing: The closing table, on users that no policy was trained on.
        audits: Audit of the recorded slates before and after re-ranking, with the page's path.
        seconds: Wall time of each step.
    """

    model_config = ConfigDict(frozen=True)

    data: DataSummary
    candidates: CandidatesResult
    policy: PolicyResult
    served_by: str
    closing: tuple[ClosingRow, ...]
    explained: tuple[Recommendation, ...]
    audits: dict[str, StoredAudit]
    pages: dict[str, str]
    study: StudySummary
    seconds: dict[str, float]


class Stopwatch:
    """Seconds per named step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, step: str) -> None:
        """End a step and start the next."""
        now = time.perf_counter()
        self.seconds[step] = now - self._since
        self._since = now


def run_demo(
    settings: Settings, home: Home, database: Database, progress: StageCallback
) -> DemoReport:
    """Import, fit, recommend, train, gate, recommend again, explain, audit, study."""
    watch = Stopwatch()
    data = import_dataset(home, movielens_100k(), movielens_groups())
    watch.lap("data")
    candidates = train_candidates(
        home, database, CandidateConfig(seed=settings.seed), data.name, _named("fit EASE", progress)
    )
    watch.lap("candidates")
    policy = train_and_judge(
        home, database, TrainConfig(seed=settings.seed, training_seeds=2, workers=2), progress
    )
    serving = policy.version if policy.deployed else STAND_IN
    watch.lap("policy")
    # The policy reads the record and top-k does not: it goes first, so that neither sees the
    # other's slates.
    deploy(database, serving)
    _recommend_to_everyone(settings, database, _named("record what serves", progress))
    deploy(database, BASE)
    _recommend_to_everyone(settings, database, _named("record top-k", progress))
    deploy(database, serving)
    watch.lap("recommend")
    explained = _explain(settings, database)
    watch.lap("explain")
    audits = {
        "before": run_audit(database, home, AuditScope(policy_version=BASE)),
        "after": run_audit(database, home, AuditScope(policy_version=serving)),
    }
    pages = {name: _write_page(home, audit) for name, audit in audits.items()}
    watch.lap("audit")
    study = run_stored_study(home, database, demo_study(settings.seed), _named("study", progress))
    watch.lap("study")
    return DemoReport(
        data=data,
        candidates=candidates,
        policy=policy,
        served_by=serving,
        closing=closing_table(policy),
        explained=explained,
        audits=audits,
        pages=pages,
        study=study,
        seconds=watch.seconds,
    )


def closing_table(policy: PolicyResult) -> tuple[ClosingRow, ...]:
    """Accuracy, engagement and constraints of top-k and of the policy, on held-out users."""
    before, after = policy.report.figures("top-k"), policy.report.learned
    k = policy.report.slate_size
    rows = [
        ClosingRow(measure=f"accuracy, NDCG@{k}", floor=None, before=before.ndcg, after=after.ndcg),
        ClosingRow(
            measure="engagement, simulated satisfaction per user in 30 days",
            floor=None,
            before=before.engagement,
            after=after.engagement,
        ),
        ClosingRow(
            measure="users still there at the end, simulated",
            floor=None,
            before=before.retained,
            after=after.retained,
        ),
    ]
    for b, a in zip(before.constraints, after.constraints, strict=True):
        rows.append(ClosingRow(measure=a.name, floor=a.target, before=b.measured, after=a.measured))
    return tuple(rows)


def _recommend_to_everyone(
    settings: Settings, database: Database, progress: ProgressCallback
) -> None:
    """Recommend to each user once, on record, in batches between which the controller moves."""
    recommender = open_recommender(settings, database)
    candidates = recommender.candidates
    users = [str(user) for user in candidates.user_ids[candidates.pools().users]]
    for start in range(0, len(users), BATCH):
        recommender.recommend_many(users[start : start + BATCH])
        progress(min(start + BATCH, len(users)), len(users))


def _explain(settings: Settings, database: Database) -> tuple[Recommendation, ...]:
    recommender = open_recommender(settings, database, make_explainer(settings))
    return tuple(recommender.recommend(user, k=5, explain=True) for user in EXPLAINED_USERS)


def _write_page(home: Home, audit: StoredAudit) -> str:
    report = AuditReport.model_validate(audit.report)
    return str(write_audit(report, home.audits, audit.id)[1])


def _named(stage: str, progress: StageCallback) -> ProgressCallback:
    return lambda done, total: progress(stage, done, total)
