"""How much each item of a history speaks for each recommended item."""

from dataclasses import dataclass

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.interactions import Interactions
from .evidence import AttributionMethod


@dataclass(frozen=True, slots=True)
class Attribution:
    """Weights of ``H`` items of a history for ``k`` recommended items.

    Attributes:
        method: How they were computed.
        weights: Shape ``(H, k)``; only positive ones speak for an item.
    """

    method: AttributionMethod
    weights: FloatArray

    def shares(self) -> FloatArray:
        """Each item's part of the positive weights, shape ``(H, k)``; 0 where none is positive."""
        positive = np.maximum(self.weights, 0.0).astype(np.float64)
        total = positive.sum(axis=0, keepdims=True)
        return np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)


def attribute(candidates: CandidateSet, user: int, items: IntArray) -> Attribution:
    """The most faithful attribution that the fitted model allows.

    A linear model's own terms where it has them; what the score loses without each item where the
    model could be asked; else the cosine of its item embeddings; else the cosine of the items'
    audiences in the training interactions.

    Args:
        candidates: The fitted model.
        user: User index, of whose history.
        items: Item indices, shape ``(k,)``.
    """
    history = candidates.history(user)
    if len(history) == 0:
        return Attribution("none", np.zeros((0, len(items))))
    method = attribution_method(candidates)
    if candidates.item_weights is not None:
        weights = candidates.item_weights.contributions(history, items)
    elif candidates.left_out is not None:
        weights = candidates.left_out.weights(user, candidates.items[user], history, items)
    elif candidates.item_embeddings is not None:
        embeddings = candidates.item_embeddings
        weights = _cosine(embeddings[history], embeddings[items])
    else:
        weights = co_occurrence(candidates.train, history, items)
    return Attribution(method, weights)


def attribution_method(candidates: CandidateSet) -> AttributionMethod:
    """How the histories of these users are weighed: what the fit left to do it by."""
    if candidates.item_weights is not None:
        return "item_weights_truncated" if candidates.item_weights.truncated else "item_weights"
    if candidates.left_out is not None:
        return "leave_one_out"
    return "co_occurrence" if candidates.item_embeddings is None else "embedding_cosine"


def co_occurrence(train: Interactions, history: IntArray, items: IntArray) -> FloatArray:
    """Users two items have in common, over the geometric mean of their audiences, ``(H, k)``."""
    audience = train.matrix().tocsc()
    common = (audience[:, history].T @ audience[:, items]).toarray()
    counts = train.counts_per_item().astype(np.float64)
    scale = np.sqrt(np.outer(counts[history], counts[items]))
    return np.divide(common, scale, out=np.zeros(common.shape), where=scale > 0)


def _cosine(rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Cosine of each row with each column vector; 0 where one of them is zero."""
    scale = np.outer(np.linalg.norm(rows, axis=1), np.linalg.norm(columns, axis=1))
    dots = (rows @ columns.T).astype(np.float64)
    return np.divide(dots, scale, out=np.zeros_like(dots), where=scale > 0)
