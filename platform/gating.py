"""Judge a stored policy again: under today's rule, on a newer evaluation, with a log."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ..agents.deployment.logged import LoggedComparison, compare_with_log
from ..agents.deployment.replay import replay
from ..agents.gate import GateConfig, Verdict, judge
from ..agents.report import EvaluationReport
from ..agents.storage import StoredPolicy, latest_policy, load_policy
from ..candidates.artifact import load_candidates
from ..candidates.folders import sha256_file
from ..errors import InvalidValue
from ..simulators.impressions import read_impressions
from .db.engine import Database
from .evaluation.run import PolicyEvaluation
from .home import Home
from .registry import deployed, record_judgement, verdicts_on


class Judgement(BaseModel):
    """What came of judging a stored policy again.

    Attributes:
        id: Of the verdict on record.
        version: The policy.
        verdict: Findings, hashes of what was judged, and the plan for a canary.
        judged_before: Verdicts on this policy before this one. Whoever judges often enough gets
            what they want: the levels of the gate are those of one judgement.
        stopped: Whether it served, and stopped with this verdict.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    version: str
    verdict: Verdict
    judged_before: int
    stopped: bool


def judge_again(
    home: Home,
    database: Database,
    version: str | None,
    rule: GateConfig,
    log: Path | None = None,
    evaluation: Path | None = None,
) -> Judgement:
    """Judge a stored policy and put the verdict on record; a refused one stops serving.

    Args:
        home: Where policies and candidates are.
        database: Where verdicts go.
        version: The policy; the one stored last by default.
        rule: The rule.
        log: Impressions with propensities of another policy on the same candidates, for
            off-policy evaluation.
        evaluation: What ``fairloop evaluate --out`` wrote, in place of the evaluation at training.

    Raises:
        ArtifactNotFound: The policy or its candidates are not in the home folder.
        CorruptArtifact: A file's hash differs from its manifest.
        InvalidValue: The log or the evaluation does not belong to the policy, or cannot be read.
    """
    folder = latest_policy(home.policies) if version is None else home.policy(version)
    stored = load_policy(folder)
    inputs = {"policy": stored.version}
    report = stored.manifest.report
    if evaluation is not None:
        report = _report(evaluation, stored)
        inputs["evaluation"] = sha256_file(evaluation)
    compared = None
    if log is not None:
        compared = _compare(home, stored, log, rule)
        inputs["log"] = sha256_file(log)
    verdict = judge(report, rule, compared, inputs)
    before = verdicts_on(database, stored.version)
    served = deployed(database).policy == stored.version
    recorded = record_judgement(database, home, stored, verdict)
    return Judgement(
        id=recorded.id,
        version=stored.version,
        verdict=verdict,
        judged_before=len(before),
        stopped=served and not verdict.passed,
    )


def _compare(home: Home, stored: StoredPolicy, path: Path, rule: GateConfig) -> LoggedComparison:
    """What a log says of the policy, which chooses again at each of its visits."""
    made_for = stored.manifest.lineage.get("candidates")
    if not made_for:
        raise InvalidValue(
            f"policy {stored.version} does not say which candidates it was trained on",
            field="policy",
            mend="Train it with `fairloop train policy`.",
        )
    candidates = load_candidates(home.candidate_set(made_for))
    impressions = read_impressions(path)
    how = rule.logged
    again = replay(stored.policy, candidates, impressions, how.method, how.reward)
    counted = rule.canary.slates_per_user
    return compare_with_log(again.logged, again.target, how, path.name, counted)


def _report(path: Path, stored: StoredPolicy) -> EvaluationReport:
    """The report of an evaluation of this policy, on what it was trained on."""
    try:
        found = PolicyEvaluation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidValue(
            f"{path} is no evaluation: {str(error).splitlines()[0]}",
            field="evaluation",
            mend="Give the JSON file that `fairloop evaluate --out FOLDER` wrote.",
        ) from error
    if found.version != stored.version or found.candidates != found.trained_on:
        raise InvalidValue(
            f"{path} is of policy {found.version} on candidates {found.candidates}",
            field="evaluation",
            mend=f"Evaluate policy {stored.version} on the candidates it was trained on.",
        )
    return found.report
