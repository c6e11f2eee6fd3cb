"""Why an item was shown and not another one, of a slate on record."""

from typing import TYPE_CHECKING

import numpy as np

from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from ..explain.contrast import with_contrast
from ..explain.evidence import Evidence
from ..explain.languages import LanguageCode
from ..explain.refinement import Refinement
from ..explain.template import template_text
from ..explain.trace import plain_trace
from ..explain.verify import verify
from .records import ContrastAccount, Recommendation
from .store.explanations import get_explanation
from .store.recommendations import get_recommendation
from .wishes import apply_wishes

if TYPE_CHECKING:
    from .recommender import Recommender


def contrast_with(
    recommender: "Recommender", explanation_id: str, item_id: str, language: LanguageCode = "en"
) -> ContrastAccount:
    """Why the explained item, and not this one.

    What was ranked is made again from the record: the user's pool, what they knew when the slate
    was made, and the wishes that held. The text is the template's and is checked like any other.

    Args:
        recommender: What serves.
        explanation_id: Of the item that was shown.
        item_id: The other item.
        language: Of the text.

    Raises:
        UnknownRecord: No such explanation.
        UnknownItem: No such item.
        UnknownUser: The slate's user was erased, or is not covered any more.
        InvalidValue: It is the same item, there are no texts in that language, or what was ranked
            can't be made again because other candidates or another policy are served by now.
    """
    with recommender.database.reading() as session:
        told = get_explanation(session, explanation_id)
        slate = get_recommendation(session, told.recommendation_id)
    candidates, evidence = recommender.candidates, Evidence.model_validate(told.evidence)
    other, user = candidates.item_index(item_id), candidates.user_index(slate.user_id)
    proposed = candidates.pools(np.array([user]))
    ranked = _ranked(recommender, slate, proposed)
    shown = np.array([candidates.item_index(item.item_id) for item in slate.items])
    found = with_contrast(evidence, candidates, user, plain_trace(ranked, shown), other)
    found = _in_the_base_models_view(found, proposed, other)
    noun = recommender.explainer.noun
    text = template_text(found, noun, "contrastive", language)
    return ContrastAccount(
        explanation_id=told.id,
        item_id=item_id,
        text=text,
        verdict=verify(text, found, noun, language).model_dump(mode="json"),
        evidence=found.model_dump(mode="json"),
    )


def _ranked(
    recommender: "Recommender", slate: Recommendation, proposed: CandidatePools
) -> CandidatePools:
    """The candidates that were left to choose from when the slate was made."""
    served = (recommender.candidates_version, recommender.policy_version)
    if (slate.candidates_version, slate.policy_version) != served:
        raise InvalidValue(
            "what was ranked then can't be made again: other candidates or another policy are "
            "served by now",
            field="explanation_id",
            mend="Ask about an item of a new recommendation.",
        )
    with recommender.database.reading() as session:
        fresh = recommender.log.fresh(
            session, [slate.user_id], proposed.items, before=slate.created_at
        )
    return apply_wishes(
        proposed,
        fresh,
        Refinement.model_validate(slate.request["refinement"]),
        recommender.orderer.constraints,
        recommender.catalogue,
        recommender.candidates.item_embeddings,
        slate.k,
    )


def _in_the_base_models_view(found: Evidence, proposed: CandidatePools, other: int) -> Evidence:
    """Ranks are those before wishes, for the other item as for the one that was shown."""
    columns = np.flatnonzero(proposed.items[0] == other)
    if found.contrast is None or len(columns) == 0:
        return found
    contrast = found.contrast.model_copy(update={"base_rank": int(columns[0]) + 1})
    return found.model_copy(update={"contrast": contrast})
