"""The worker's leave-one-out attribution: the fitted model is asked again, an item at a time."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..arrays import PAD, FloatArray, IntArray
from .interactions import Interactions
from .left_out import KEPT, LeftOut, keep_largest, losses_in_pool
from .recbole_data import JobData
from .recbole_score import Fitted, Histories, predict, scores_all_items, user_rows

TRIED = 50
"""Latest items of a history that are left out, one at a time, where nothing else is asked for."""

MOST_QUESTIONS = 500_000
"""Times that a model is then asked in all; where users are many, fewer items of each are tried."""

LEAST_TRIED = 5
"""Fewer would say more of what was tried than of the history: then nothing is."""

_CHECKED = 16
_TOLERANCE = 1e-4


def items_to_try(asked: int | None, n_users: int) -> int:
    """How many of each history, from what was asked for; see ``CandidateConfig.leave_one_out``."""
    if asked is not None:
        return asked
    affordable = min(TRIED, MOST_QUESTIONS // max(1, n_users))
    return affordable if affordable >= LEAST_TRIED else 0


def left_out(
    fitted: Fitted,
    job: JobData,
    train: Interactions,
    known: np.ndarray,
    items: IntArray,
    scores: FloatArray,
    tried: int,
) -> LeftOut | None:
    """Leave-one-out attribution of the pools.

    Args:
        fitted: The model.
        job: The data.
        train: What an autoencoder encodes.
        known: Rows of the data that a sequential model reads, shape ``(R,)``, bool.
        items: The pools, shape ``(U, N)``.
        scores: Their scores, shape ``(U, N)``.
        tried: Latest items of each history to leave out.

    Returns:
        None where nothing is to be tried, the model does not read the history when it scores, or
        it gives other scores when it is asked again.
    """
    reader = _reader(fitted, job, train, known)
    if tried == 0 or reader is None or not _repeats(reader, items, scores):
        return None
    kept = np.full((*items.shape, KEPT), PAD, np.int32)
    losses = np.zeros((*items.shape, KEPT), np.float32)
    for user, pool in enumerate(items):
        read, valid = reader.read(user), pool != PAD
        if len(read) < 2 or not valid.any():
            continue  # without its only item there is nothing to read
        places = np.arange(max(0, len(read) - tried), len(read))
        without = reader.scores_without(user, places)[:, pool]
        if not np.isfinite(without[:, valid]).all():
            return None
        lost = losses_in_pool(scores[user], without, valid)
        kept[user], losses[user] = keep_largest(read[places], lost)
    return LeftOut(kept, losses, tried)


class _Sequences:
    """A sequential model: the item is taken out of the sequence."""

    def __init__(self, fitted: Fitted, histories: Histories) -> None:
        self._fitted, self._histories = fitted, histories

    def read(self, user: int) -> IntArray:
        """The items that the model reads, oldest first."""
        return self._histories.items(user)

    def scores(self, user: int) -> FloatArray:
        """Scores of all items, shape ``(I,)``."""
        return _ours(self._fitted, self._histories.rows(np.array([user])))[0]

    def scores_without(self, user: int, places: IntArray) -> FloatArray:
        """The same without the item at each of these places, shape ``(T, I)``."""
        users = np.full(len(places), user)
        return _ours(self._fitted, self._histories.rows(users, without=places))


class _RatingRows:
    """An autoencoder: the item's entry in the row that it encodes is set to 0."""

    def __init__(self, fitted: Fitted, train: Interactions) -> None:
        self._fitted, self._train = fitted, train

    def read(self, user: int) -> IntArray:
        """The items that the model reads, oldest first."""
        return self._train.items_of(user)

    def scores(self, user: int) -> FloatArray:
        """Scores of all items, shape ``(I,)``."""
        return _ours(self._fitted, user_rows(self._fitted, np.array([user])))[0]

    def scores_without(self, user: int, places: IntArray) -> FloatArray:
        """The same without the item at each of these places, shape ``(T, I)``."""
        left = self._fitted.internal_item[self.read(user)[places]]
        with _encoding_without(self._fitted.model, left):
            return _ours(self._fitted, user_rows(self._fitted, np.full(len(places), user)))


_Reader = _Sequences | _RatingRows


def _reader(fitted: Fitted, job: JobData, train: Interactions, known: np.ndarray) -> _Reader | None:
    if not scores_all_items(type(fitted.model)):
        return None  # it would be asked about each pair of each question
    if fitted.sequential:
        return _Sequences(fitted, Histories(fitted, job, known))
    if hasattr(fitted.model, "get_rating_matrix"):  # RecBole's mark of an autoencoder
        return _RatingRows(fitted, train)
    return None


def _repeats(reader: _Reader, items: IntArray, scores: FloatArray) -> bool:
    """Whether the model, asked again about some users, gives the scores it gave: not assumed."""
    for user in np.flatnonzero((items != PAD).any(axis=1))[:_CHECKED]:
        if len(reader.read(int(user))) == 0:
            continue
        valid = items[user] != PAD
        again, given = reader.scores(int(user))[items[user]][valid], scores[user][valid]
        if np.abs(again - given).max() > _TOLERANCE * max(1.0, float(np.abs(given).max())):
            return False
    return True


def _ours(fitted: Fitted, rows: Any) -> FloatArray:
    """Scores over our item indices, shape ``(T, I)``."""
    return predict(fitted, rows)[:, fitted.internal_item]


@contextmanager
def _encoding_without(model: Any, left: IntArray) -> Generator[None]:
    """Let an autoencoder encode its rows without one item each, given by internal ids ``(T,)``."""
    import torch

    encode = model.get_rating_matrix

    def without(user: Any) -> Any:
        rows = encode(user)
        rows[
            torch.arange(len(left), device=rows.device), torch.from_numpy(left).to(rows.device)
        ] = 0
        return rows

    model.get_rating_matrix = without  # found before the method of its class
    try:
        yield
    finally:
        del model.get_rating_matrix
