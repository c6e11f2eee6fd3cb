from dataclasses import replace
from itertools import combinations
from math import factorial, log

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics.diversity import intra_list_jaccard
from fairloop.rerankers.diversity.determinant import greedy_map
from fairloop.rerankers.diversity.dpp import DPPConfig
from fairloop.rerankers.patterns import jaccard_distance
from fairloop.rerankers.relevance import relevance
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_diversity

quick = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10**6)


def random_kernels(seed: int, n_users: int, n: int, rank: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n_users, n, rank))
    return vectors @ vectors.transpose(0, 2, 1)


def log_det(kernel: np.ndarray, chosen: list[int]) -> float:
    return float(np.linalg.slogdet(kernel[np.ix_(chosen, chosen)])[1])


def slow_map(kernel: np.ndarray, candidates: list[int], k: int) -> list[int]:
    """Greedy by the definition: whichever candidate gives the largest log det with the chosen."""
    chosen: list[int] = []
    while len(chosen) < k:
        rest = [i for i in candidates if i not in chosen]
        chosen.append(max(rest, key=lambda i: log_det(kernel, [*chosen, i])))
    return chosen


def rerank(config, knowledge, pools, k):
    return config.make(knowledge).rerank(pools, k, np.random.default_rng(0)).columns


@quick
@given(seed=seeds, k=st.integers(1, 6))
def test_each_choice_has_the_largest_log_determinant(seed, k):
    kernels = random_kernels(seed, 3, 9, rank=12)
    valid = np.random.default_rng(seed).random((3, 9)) < 0.8
    valid[:, :6] = True
    columns = greedy_map(kernels, valid, k)
    for user in range(3):
        candidates = np.flatnonzero(valid[user]).tolist()
        assert columns[user].tolist() == slow_map(kernels[user], candidates, k)


@quick
@given(seed=seeds, k=st.integers(1, 8))
def test_equals_the_papers_algorithm(seed, k):
    kernels = random_kernels(seed, 4, 10, rank=12)
    columns = greedy_map(kernels, np.ones((4, 10), bool), k)
    assert columns.tolist() == [plain_diversity.dpp_map(kernel, k) for kernel in kernels]


@quick
@given(seed=seeds, k=st.integers(2, 4))
def test_greedy_stays_within_its_bound_of_the_exhaustive_maximum(seed, k):
    # Çivril & Magdon-Ismail 2009: the greedy volume is at least 1/k! of the largest.
    (kernel,) = random_kernels(seed, 1, 8, rank=8)
    (columns,) = greedy_map(kernel[None], np.ones((1, 8), bool), k)
    largest = max(log_det(kernel, list(subset)) for subset in combinations(range(8), k))
    found = log_det(kernel, columns.tolist())
    assert largest - 2 * log(factorial(k)) - 1e-9 <= found <= largest + 1e-9


def test_three_items_by_hand() -> None:
    # After item 0, item 1 keeps 1 − .9² = .19 of its variance and item 2 all of its .5.
    kernel = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 0.5]])
    assert greedy_map(kernel[None], np.ones((1, 3), bool), 3).tolist() == [[0, 2, 1]]


def test_where_the_rank_is_used_up_the_largest_diagonal_follows() -> None:
    vectors = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.5, 1.5], [0.0, 0.0]])
    kernel = vectors @ vectors.T  # of rank 2; the diagonal is 4, 1, 1, 4.5, 0
    columns = greedy_map(kernel[None], np.ones((1, 5), bool), 5)
    assert columns.tolist() == [[3, 0, 1, 2, 4]]


def test_users_whose_rank_ends_earlier_do_not_disturb_the_others() -> None:
    full, poor = random_kernels(3, 1, 8, rank=8)[0], random_kernels(4, 1, 8, rank=3)[0]
    alone = greedy_map(full[None], np.ones((1, 8), bool), 6)
    both = greedy_map(np.stack([poor, full]), np.ones((2, 8), bool), 6)
    np.testing.assert_array_equal(both[1], alone[0])
    assert both[0, :3].tolist() == slow_map(poor, list(range(8)), 3)
    rest = np.setdiff1d(np.arange(8), both[0, :3])
    by_diagonal = rest[np.argsort(-np.diag(poor)[rest])][:3]
    np.testing.assert_array_equal(both[0, 3:], by_diagonal)


def test_padding_may_hold_anything() -> None:
    kernel = random_kernels(5, 1, 6, rank=6)
    valid = np.array([[True, True, False, True, True, False]])
    spoiled = kernel.copy()
    spoiled[:, ~valid[0]], spoiled[:, :, ~valid[0]] = np.nan, np.nan
    np.testing.assert_array_equal(greedy_map(spoiled, valid, 4), greedy_map(kernel, valid, 4))


@quick
@given(seed=seeds, theta=st.floats(0.05, 0.95), ragged=st.booleans())
def test_topics_give_the_papers_kernel(knowledge, catalogue, make_pools, seed, theta, ragged):
    pools = make_pools(4, 14, seed=seed, ragged=ragged)
    columns = rerank(DPPConfig(theta=theta, shrinkage=0.1), knowledge, pools, 6)
    worth = relevance(pools)
    for user, size in enumerate(pools.sizes):
        topics = catalogue.topics[pools.items[user, :size]].astype(float)
        expected = plain_diversity.dpp(worth[user : user + 1, :size], topics[None], theta, 0.1, 6)
        assert columns[user].tolist() == expected[0].tolist()


@quick
@given(seed=seeds, theta=st.floats(0.05, 0.95))
def test_embeddings_give_the_papers_kernel(knowledge, make_pools, seed, theta):
    pools = make_pools(3, 12, seed=seed)
    config = DPPConfig(theta=theta, similarity="embeddings", shrinkage=0.0)
    columns = rerank(config, knowledge, pools, 6)  # the rank is 7: one more than the dimensions
    for user, worth in enumerate(relevance(pools)):
        vectors = knowledge.item_embeddings[pools.items[user]]
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        similarity = (1.0 + vectors @ vectors.T) / 2.0
        kernel = plain_diversity.dpp_kernel(worth, similarity, theta)
        assert columns[user].tolist() == plain_diversity.dpp_map(kernel, 6)


def test_without_shrinkage_equal_topics_come_last_by_relevance(knowledge, catalogue, make_pools):
    pools = make_pools(30, 40)
    columns = rerank(DPPConfig(theta=0.99, shrinkage=0.0), knowledge, pools, 40)
    for user, row in enumerate(columns):
        topics = catalogue.topics[pools.items[user]]
        n_distinct = len(np.unique(topics, axis=0))
        assert len(np.unique(topics[row[:n_distinct]], axis=0)) == n_distinct < 40
        assert (np.diff(row[n_distinct:]) > 0).all()  # pools stand in base order


def test_hardly_any_strength_hardly_moves_a_slate_and_nothing_overflows(knowledge, make_pools):
    pools = make_pools(40, 30)
    config = DPPConfig().at_strength(1e-7)  # exp(α r) alone would be exp(5,000,000)
    base = np.tile(np.arange(8), (40, 1))
    np.testing.assert_array_equal(rerank(config, knowledge, pools, 8), base)


def test_more_strength_gives_more_diversity(knowledge, catalogue, make_pools) -> None:
    pools = make_pools(200, 30)
    diversity = []
    for strength in (0.0, 0.3, 1.0):
        columns = rerank(DPPConfig().at_strength(strength), knowledge, pools, 6)
        items = np.take_along_axis(pools.items, columns, axis=1)
        diversity.append(intra_list_jaccard(items, catalogue.topics).mean())
    assert diversity[0] + 0.05 < diversity[1] < diversity[2]


@quick
@given(seed=seeds)
def test_jaccards_index_is_positive_definite_on_distinct_sets(seed):
    sets = np.unique(np.random.default_rng(seed).random((30, 6)) < 0.4, axis=0)
    assert np.linalg.eigvalsh(1.0 - jaccard_distance(sets, sets)).min() > 1e-6


@pytest.mark.parametrize(
    ("field", "kernels", "k"),
    [
        ("kernels", np.zeros((2, 3, 4)), 1),
        ("kernels", np.stack([-np.eye(4)] * 2), 1),
        ("kernels", np.full((2, 4, 4), np.nan), 1),
        ("kernels", np.stack([np.where(np.eye(4) > 0, 1.0, np.nan)] * 2), 2),
        ("k", np.stack([np.eye(4)] * 2), 5),
        ("k", np.stack([np.eye(4)] * 2), 0),
    ],
)
def test_bad_kernels_are_refused_by_name(field, kernels, k) -> None:
    with pytest.raises(InvalidValue) as caught:
        greedy_map(kernels, np.ones((2, 4), bool), k)
    assert caught.value.field == field


def test_embeddings_that_are_not_known_are_refused(knowledge) -> None:
    with pytest.raises(InvalidValue, match=r"similarity: .* not known\. Use the similarity"):
        DPPConfig(similarity="embeddings").make(replace(knowledge, item_embeddings=None))


@pytest.mark.parametrize("values", [{"theta": 1.1}, {"shrinkage": 1.0}, {"similarity": "genres"}])
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        DPPConfig(**values)
