"""Accounts of what was shown, for others than the user: who offers an item, and auditors."""

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InvalidValue
from ..explain.auditor import audit_text
from ..explain.evidence import Evidence
from ..explain.facts import CatalogueFacts
from ..explain.languages import LanguageCode
from ..explain.provider import LEAST_LISTS, provider_evidence, provider_text
from .db.engine import Database
from .records import AuditAccount, ProviderAccount
from .store.explanations import get_explanation
from .store.recommendations import get_recommendation

if TYPE_CHECKING:
    from .recommender import Recommender


def account_for_auditor(
    database: Database, explanation_id: str, language: LanguageCode = "en"
) -> AuditAccount:
    """One recommended item as ``label: value`` pairs: every number, rule and version on record.

    Raises:
        UnknownRecord: No such explanation.
        InvalidValue: There are no texts in that language.
    """
    with database.reading() as session:
        told = get_explanation(session, explanation_id)
        slate = get_recommendation(session, told.recommendation_id)
    versions = {
        "candidates": slate.candidates_version,
        "policy": slate.policy_version,
        "recommendation": slate.id,
        "prompt": str(told.provenance.get("prompt_version") or "none"),
        "model": str(told.provenance.get("model") or "none"),
    }
    text = audit_text(Evidence.model_validate(told.evidence), versions, language)
    return AuditAccount(explanation_id=told.id, text=text)


def account_for_provider(
    recommender: "Recommender",
    item_id: str,
    n_users: int = 200,
    k: int | None = None,
    seed: int = 0,
    language: LanguageCode = "en",
) -> ProviderAccount:
    """Why an item is shown as often as it is, by counts over lists made now and not recorded.

    Args:
        recommender: What serves.
        item_id: The item.
        n_users: Lists, of as many users drawn by chance; all of them where there are fewer.
        k: Length of the lists.
        seed: Of the draw.
        language: Of the text.

    Raises:
        UnknownItem: No such item.
        InvalidValue: So few lists would speak of single people, or there are no texts in that
            language.
    """
    index = recommender.candidates.item_index(item_id)
    if n_users < LEAST_LISTS:
        raise InvalidValue(
            f"{n_users} lists would speak of single people",
            field="users",
            mend=f"Use {LEAST_LISTS} or more.",
        )
    everyone = recommender.candidates.user_ids
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(everyone), min(n_users, len(everyone)), replace=False))
    request = recommender.request([str(everyone[row]) for row in chosen], k, seed=seed)
    decision = recommender.rerank(request, recommender.candidates.pools(request.users))
    traces = [
        recommender.orderer.trace(decision.situation, decision.ordered, row)
        for row in range(len(chosen))
    ]
    facts = CatalogueFacts(recommender.catalogue).of(index)
    evidence = provider_evidence(index, facts, traces)
    return ProviderAccount(
        item_id=item_id,
        policy_version=recommender.policy_version,
        candidates_version=recommender.candidates_version,
        text=provider_text(evidence, recommender.explainer.noun, language),
        counts=evidence.model_dump(mode="json", exclude={"item"}),
    )
