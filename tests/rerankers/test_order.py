"""The order of work within a batch, and batches of bounded size."""

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.diversity.mmr import MMRConfig
from fairloop.rerankers.exposure import ExposureConfig, ExposureReranker
from fairloop.rerankers.factory import make_reranker
from fairloop.rerankers.order import rerank_in_batches, serving_order
from fairloop.rerankers.relevance import relevance


def test_the_order_follows_the_users_wherever_they_stand() -> None:
    users = np.array([7, 3, 90, 14, 5])
    moved = np.array([2, 0, 4, 1, 3])
    for turn in range(5):
        straight = users[serving_order(users, turn)]
        np.testing.assert_array_equal(users[moved][serving_order(users[moved], turn)], straight)


def test_another_turn_is_another_order_and_nobody_is_always_first() -> None:
    users = np.arange(20)
    first = [int(serving_order(users, turn)[0]) for turn in range(400)]
    share = np.bincount(first, minlength=20) / 400
    assert share.max() < 0.12 and share.min() > 0.01


def test_batches_cover_everyone_once_and_equal_the_whole(knowledge, make_pools) -> None:
    pools = make_pools(23, 16, ragged=True)
    reranker = make_reranker(MMRConfig(), knowledge)
    whole = reranker.rerank(pools, 5, np.random.default_rng(0))
    parts = list(rerank_in_batches(reranker, pools, 5, np.random.default_rng(0), size=10))
    assert [(rows.start, rows.stop) for rows, _ in parts] == [(0, 10), (10, 20), (20, 23)]
    np.testing.assert_array_equal(np.vstack([s.columns for _, s in parts]), whole.columns)


def test_a_state_is_carried_from_batch_to_batch(knowledge, make_pools) -> None:
    reranker = ExposureReranker(ExposureConfig(), knowledge.catalogue, knowledge.constraints)
    list(rerank_in_batches(reranker, make_pools(20, 16), 5, np.random.default_rng(0), size=8))
    assert reranker.controller.n_slates == 20


def test_raw_relevance_is_the_score_and_may_not_be_negative() -> None:
    pools = CandidatePools(np.array([0]), np.array([[3, 1, -1]]), np.array([[2.0, 0.5, 0.0]]))
    np.testing.assert_array_equal(relevance(pools, "raw"), [[2.0, 0.5, 0.0]])
    np.testing.assert_array_equal(relevance(pools), [[1.0, 0.0, 0.0]])
    below = CandidatePools(pools.users, pools.items, np.array([[2.0, -0.5, 0.0]]))
    with pytest.raises(InvalidValue, match="must not be negative"):
        relevance(below, "raw")
