"""The order in which a batch's users are worked on, and batches of bounded size."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..arrays import IntArray
from ..candidates.pools import CandidatePools
from .base import Reranker, Slates
from .randomness import keyed_uniforms

BLOCK_NUMBERS = 2**18
"""Floats in the largest work array of a block of users: 2 MB, which a processor's cache holds."""


def serving_order(users: IntArray, turn: int) -> IntArray:
    """Rows in an order that depends on who the users are, not on where they stand in the batch.

    Re-rankers in which one user's slate depends on another's work in this order, so that permuting
    a batch permutes its slates, sums of floats included.

    Args:
        users: User indices, shape ``(U,)``.
        turn: Another number gives another order, so that no user is always first.

    Returns:
        Row indices, shape ``(U,)``.
    """
    keys = keyed_uniforms(turn, users, np.zeros((len(users), 1), np.intp))
    return np.argsort(keys[:, 0], kind="stable")


def user_blocks(n_users: int, per_user: int) -> Iterator[slice]:
    """Slices of users whose work arrays together stay within ``BLOCK_NUMBERS``.

    Args:
        n_users: How many users there are.
        per_user: Numbers in the largest work array of one user.
    """
    size = max(1, BLOCK_NUMBERS // max(per_user, 1))
    for start in range(0, n_users, size):
        yield slice(start, min(start + size, n_users))


def rerank_in_batches(
    reranker: Reranker, pools: CandidatePools, k: int, rng: np.random.Generator, size: int
) -> Iterator[tuple[slice, Slates]]:
    """Slates of many users with the working memory of ``size`` of them.

    Re-rankers that divide exposure over a batch do so within each batch; those with a state carry
    it from batch to batch.

    Args:
        reranker: What orders.
        pools: All users' pools.
        k: Slate length.
        rng: Source of randomness.
        size: Users in a batch.

    Yields:
        Rows of ``pools``, and their slates.
    """
    for start in range(0, len(pools), size):
        rows = slice(start, min(start + size, len(pools)))
        yield rows, reranker.rerank(pools.take(rows), k, rng)


def base_order(pools: CandidatePools) -> IntArray:
    """Columns of each pool, best base score first, equal ones in their order, padding last.

    O(U · N) where pools come sorted, as they should, else O(U · N log N).

    Returns:
        Shape ``(U, N)``; not to be written to.
    """
    return best_first(pools)[1]


def best_first(pools: CandidatePools) -> tuple[CandidatePools, IntArray]:
    """The pools in base order, and the column that each of theirs had before, ``(U, N)``."""
    cost = np.where(pools.valid, -pools.scores, np.inf)
    if (cost[:, 1:] >= cost[:, :-1]).all():
        return pools, np.broadcast_to(np.arange(cost.shape[1]), cost.shape)
    order = np.argsort(cost, axis=1, kind="stable")
    items = np.take_along_axis(pools.items, order, axis=1)
    scores = np.take_along_axis(pools.scores, order, axis=1)
    return replace(pools, items=items, scores=scores), order
