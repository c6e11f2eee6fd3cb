"""The worker's extras: item weights of linear models, and embeddings."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from ..arrays import FloatArray
from .item_weights import ItemWeights
from .recbole_data import JobData
from .recbole_score import Fitted, score_blocks

_TOLERANCE = 1e-4


def item_weights(fitted: Fitted, job: JobData, train: sp.csr_matrix) -> ItemWeights | None:
    """Weights that add up to the model's scores, or None where the model is not such a one.

    That ``train @ weights`` gives the model's scores is checked on a block of users, not assumed:
    a linear model with centring or noise returns None.
    """
    found = _weight_matrix(fitted.model)
    if found is None or found.shape != (job.n_items + 1, job.n_items + 1):
        return None
    ours = fitted.internal_item
    weights = (
        sp.csr_matrix(found)[ours][:, ours] if sp.issparse(found) else found[np.ix_(ours, ours)]
    )
    users, scores = next(score_blocks(fitted, job, np.ones(len(job.user), dtype=bool)))
    explained = train[users] @ weights
    explained = explained.toarray() if sp.issparse(explained) else np.asarray(explained)
    if np.abs(explained - scores).max() > _TOLERANCE * max(1.0, float(np.abs(scores).max())):
        return None
    return ItemWeights.of(weights)


def embeddings(fitted: Fitted) -> tuple[FloatArray | None, FloatArray | None]:
    """User and item embeddings in our order, shape ``(U, D)`` and ``(I, D)``.

    Those after the layers of a graph model where it keeps them, else its embedding tables.
    """
    model = fitted.model
    user = _matrix(model, ("restore_user_e", "user_embedding"), len(fitted.user_of))
    item = _matrix(model, ("restore_item_e", "item_embedding"), len(fitted.item_of))
    return (
        None if user is None else user[fitted.internal_user],
        None if item is None else item[fitted.internal_item],
    )


def _weight_matrix(model: Any) -> Any:
    """EASE and SLIM name it ``item_similarity``, ItemKNN ``w``."""
    for name in ("item_similarity", "w"):
        found = getattr(model, name, None)
        if isinstance(found, np.ndarray):
            return np.asarray(found)
        if sp.issparse(found):
            return found
    return None


def _matrix(model: Any, names: tuple[str, ...], rows: int) -> FloatArray | None:
    import torch

    for name in names:
        found = getattr(model, name, None)
        tensor = getattr(found, "weight", found)
        if isinstance(tensor, torch.Tensor) and tensor.ndim == 2 and len(tensor) >= rows:
            return tensor.detach().cpu().numpy().astype(np.float32)[:rows]
    return None
