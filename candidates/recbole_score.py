"""The worker's scoring: every user's scores for every item from a fitted RecBole model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..arrays import FloatArray, IntArray
from .recbole_data import JobData
from .recbole_settings import users_per_batch
from .top_n import top_n


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model with what is needed to speak its language.

    Attributes:
        model: RecBole's model, in evaluation mode.
        dataset: Its training data set.
        user_of: Our user index of each internal id, shape ``(U + 1,)``.
        item_of: Our item index of each internal id, shape ``(I + 1,)``.
        sequential: Whether it reads sequences.
    """

    model: Any
    dataset: Any
    user_of: IntArray
    item_of: IntArray
    sequential: bool

    @property
    def internal_user(self) -> IntArray:
        """Internal id of each of our users, shape ``(U,)``."""
        return np.argsort(self.user_of)[1:]

    @property
    def internal_item(self) -> IntArray:
        """Internal id of each of our items, shape ``(I,)``."""
        return np.argsort(self.item_of)[1:]


def score_top_n(
    fitted: Fitted, job: JobData, known: np.ndarray, seen: sp.csr_matrix, n: int
) -> tuple[IntArray, FloatArray]:
    """The pools of all users.

    Args:
        fitted: The model.
        job: The data.
        known: Rows of the data that a sequential model may read, shape ``(R,)``, bool.
        seen: Pairs never to be proposed, shape ``(U, I)``.
        n: Candidates per user.

    Returns:
        Items and scores, shape ``(U, N)``.

    Raises:
        ValueError: The model returns NaN.
    """
    items: list[IntArray] = []
    scores: list[FloatArray] = []
    for users, block in score_blocks(fitted, job, known):
        best_items, best_scores = top_n(block, seen[users], n)
        items.append(best_items)
        scores.append(best_scores)
    return np.concatenate(items), np.concatenate(scores)


def score_blocks(
    fitted: Fitted, job: JobData, known: np.ndarray
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Users in blocks with their scores over our item indices, shape ``(B, I)``."""
    histories = Histories(fitted, job, known) if fitted.sequential else None
    size = users_per_batch(job.n_items)
    for start in range(0, job.n_users, size):
        users = np.arange(start, min(start + size, job.n_users))
        rows = histories.rows(users) if histories else user_rows(fitted, users)
        block = predict(fitted, rows)[:, fitted.internal_item]
        if np.isnan(block).any():
            raise ValueError("the model's scores hold NaN")
        if histories:
            block[histories.length[users] == 0] = -np.inf  # nothing to read, nothing to propose
        yield users, block


def predict(fitted: Fitted, rows: Any) -> FloatArray:
    """Scores over internal ids, shape ``(B, I + 1)``.

    Args:
        fitted: The model.
        rows: `user_rows`, or those of `Histories`.
    """
    import torch

    model, dataset = fitted.model, fitted.dataset
    with torch.no_grad():
        moved = rows.to(model.device)
        try:
            scores = model.full_sort_predict(moved)
        except NotImplementedError:  # RecBole's way to say that a model scores pairs alone
            return np.stack(
                [_predict_one(fitted, moved[row : row + 1]) for row in range(len(rows))]
            )
    flat = scores.detach().cpu().numpy() if hasattr(scores, "detach") else np.asarray(scores)
    return flat.reshape(len(rows), dataset.item_num).astype(np.float64)


def _predict_one(fitted: Fitted, row: Any) -> FloatArray:
    """One user against all items, for models that score pairs."""
    n_items = fitted.dataset.item_num
    pairs = row.repeat_interleave(n_items)
    pairs.update(fitted.dataset.get_item_feature().to(fitted.model.device))
    return fitted.model.predict(pairs).detach().cpu().numpy().reshape(n_items).astype(np.float64)


def scores_all_items(model: type[Any]) -> bool:
    """Whether a class of RecBole's models scores all items at once, not pairs alone."""
    from recbole.model.abstract_recommender import AbstractRecommender

    return model.full_sort_predict is not AbstractRecommender.full_sort_predict


def user_rows(fitted: Fitted, users: IntArray) -> Any:
    """What a general model is asked with about these users, shape ``(B,)``."""
    import torch
    from recbole.data.interaction import Interaction

    internal = torch.from_numpy(fitted.internal_user[users].astype(np.int64))
    return fitted.dataset.join(Interaction({fitted.dataset.uid_field: internal}))


class Histories:
    """The latest interactions of each user, in the form that sequential models read.

    RecBole makes such rows for its own test interactions only; here every user gets one, with
    all that is known of them.
    """

    def __init__(self, fitted: Fitted, job: JobData, known: np.ndarray) -> None:
        self._fitted = fitted
        rows = np.flatnonzero(known)
        rank = np.unique(job.timestamp, return_inverse=True)[1]
        rows = rows[np.lexsort((rank[rows], job.user[rows]))]
        self._items = job.item[rows]
        self._columns = {
            "item_id": fitted.internal_item[self._items].astype(np.int64),
            "rating": job.rating[rows].astype(np.float32),
            "timestamp": rank[rows].astype(np.float32),
        }
        counts = np.bincount(job.user[rows], minlength=job.n_users)
        self._stop = np.cumsum(counts)
        self.length = np.minimum(counts, fitted.dataset.config["MAX_ITEM_LIST_LENGTH"])

    def items(self, user: int) -> IntArray:
        """The items that are read of one user, oldest first."""
        stop, length = self._stop[user], self.length[user]
        return self._items[stop - length : stop]

    def rows(self, users: IntArray, without: IntArray | None = None) -> Any:
        """What a sequential model is asked with.

        Args:
            users: Shape ``(B,)``.
            without: Place among `items` that is left out, for each of them; at least one item
                must be left.
        """
        import torch
        from recbole.data.interaction import Interaction

        dataset = self._fitted.dataset
        longest = int(dataset.config["MAX_ITEM_LIST_LENGTH"])
        first, length = self._stop[users] - self.length[users], self.length[users]
        position = np.tile(np.arange(longest), (len(users), 1))
        if without is not None:
            position = position + (position >= without[:, None])
            length = length - 1
        filled = np.arange(longest)[None, :] < length[:, None]
        source = np.where(filled, first[:, None] + position, 0)
        internal = self._fitted.internal_user[users].astype(np.int64)
        fields: dict[str, Any] = {
            dataset.uid_field: torch.from_numpy(internal),
            dataset.item_list_length_field: torch.from_numpy(np.maximum(length, 1)),
        }
        for name, column in self._columns.items():
            values = np.where(filled, column[source], column.dtype.type(0))
            fields[name + dataset.config["LIST_SUFFIX"]] = torch.from_numpy(values)
        if hasattr(dataset, "neg_item_list_field"):
            # DIEN's sampled negatives serve its auxiliary loss; its scores do not depend on them.
            fields[dataset.neg_item_list_field] = torch.zeros((len(users), longest)).long()
        return dataset.join(Interaction(fields))
