"""From a decision to an explanation of each item in it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..candidates.candidate_set import CandidateSet
from ..explain.calls import CallLog, logged_calls
from ..explain.evidence import Evidence
from ..explain.gather import gather_evidence
from ..explain.writer import Explainer, Explanation
from .decision import Decision
from .ordering import Orderer
from .store.explanations import ReasonRow

_PROVENANCE = (
    "rejected_text",
    "rejected_verdict",
    "repair_text",
    "repair_verdict",
    "language",
    "style",
    "error",
    "model",
    "prompt_version",
    "prompt_hash",
    "latency_s",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """The evidence for one item and the text that it carries."""

    evidence: Evidence
    explanation: Explanation


def give_reasons(
    decision: Decision,
    orderer: Orderer,
    candidates: CandidateSet,
    explainer: Explainer,
    progress: Callable[[int, int], None] | None = None,
    logs: list[CallLog] | None = None,
) -> tuple[tuple[Reason, ...], ...]:
    """The reasons for each user's slate, item by item in the slate's order.

    The requests to a model that each slate took are put into ``logs``, in the same order.
    """
    columns = decision.base_columns()
    n_users = len(decision.request.users)
    reasons: list[tuple[Reason, ...]] = []
    for row, user in enumerate(decision.request.users):
        trace = orderer.trace(decision.situation, decision.ordered, row)
        ranked = gather_evidence(candidates, int(user), trace)
        moved = orderer.policy_reasons(decision.situation, decision.ordered, row)
        # The trace is of the pools after wishes; the base model's view is that before them.
        scores, size = decision.proposed.scores[row], int(decision.proposed.sizes[row])
        evidence = [
            one.model_copy(
                update={
                    "base_score": float(scores[column]),
                    "base_rank": int(column) + 1,
                    "pool_size": size,
                    "policy": reason,
                }
            )
            for one, column, reason in zip(ranked, columns[row], moved, strict=True)
        ]
        with logged_calls() as log:
            texts = explainer.explain_all(evidence)
        if logs is not None:
            logs.append(log)
        reasons.append(tuple(map(Reason, evidence, texts)))
        if progress is not None:
            progress(row + 1, n_users)
    return tuple(reasons)


def provenance(explanation: Explanation) -> dict[str, Any]:
    """How a text came to be, as it is recorded beside it."""
    return explanation.model_dump(mode="json", include=set(_PROVENANCE))


def reason_rows(
    recommendation_ids: Sequence[str],
    reasons: Sequence[Sequence[Reason]],
    later: Callable[[str, Reason], dict[str, Any] | None] = lambda slate, reason: None,
) -> Iterator[ReasonRow]:
    """The reasons as rows of the record, for slates that have their ids.

    Args:
        recommendation_ids: The slates.
        reasons: Their reasons.
        later: What to record of a model's wording that is to come (see `store.wordings`).
    """
    for recommendation_id, slate in zip(recommendation_ids, reasons, strict=True):
        for reason in slate:
            told = reason.explanation.model_dump(mode="json")
            to_come = later(recommendation_id, reason)
            yield ReasonRow(
                recommendation_id=recommendation_id,
                item_id=reason.evidence.item.item_id,
                text=told["text"],
                source=told["source"],
                verdict=told["verdict"],
                evidence=reason.evidence.model_dump(mode="json"),
                evidence_hash=told["evidence_hash"],
                provenance=provenance(reason.explanation)
                | ({} if to_come is None else {"later": to_come}),
            )
