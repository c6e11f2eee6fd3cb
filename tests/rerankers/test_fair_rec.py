import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.randomness import draw_seed
from fairloop.rerankers.two_sided.draft import draft_round
from fairloop.rerankers.two_sided.fair_rec import (
    FairRecConfig,
    FairRecReranker,
    guaranteed_copies,
    round_robin,
    top_up,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_fair_rec

# Relevance of 5 items for 4 users, made so that users want much the same.
WORTH = np.array(
    [
        [34.0, 69.0, 30.0, 59.0, 44.0],
        [30.0, 58.0, 21.0, 62.0, 63.0],
        [27.0, 76.0, 38.0, 55.0, 39.0],
        [31.0, 72.0, 40.0, 50.0, 42.0],
    ]
)


def full_pools(worth: np.ndarray) -> CandidatePools:
    """Every item in every pool, as in the paper."""
    items = np.argsort(-worth, axis=1)
    return CandidatePools(np.arange(len(worth)), items, np.take_along_axis(worth, items, axis=1))


def allocate(worth: np.ndarray, alpha: float, k: int) -> list[list[int]]:
    """Both phases, with the users' turns in the order of the rows."""
    pools = full_pools(worth)
    copies = guaranteed_copies(pools.items, worth.shape[1], alpha, k)
    taken = round_robin(pools.items, copies, k)
    places = top_up(taken, pools.valid, k)
    return np.take_along_axis(pools.items, places, axis=1).tolist()


def envy(worth: np.ndarray, slates: list[list[int]]) -> list[tuple[int, int]]:
    """Pairs (u, v) where u prefers v's slate even after dropping its best item."""
    return [
        (u, v)
        for u, row in enumerate(worth)
        for v, other in enumerate(slates)
        if row[other].sum() - row[other].max(initial=0.0) > row[slates[u]].sum() + 1e-9
    ]


def random_worth(seed: int, common: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n_users, n_items = rng.integers(2, 9), rng.integers(3, 10)
    return (1 - common) * rng.random((n_users, n_items)) + common * rng.random(n_items)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_draft_is_the_loop_over_users_in_turn(seed) -> None:
    rng = np.random.default_rng(seed)
    n_users, n_columns, n_producers = rng.integers(1, 40), rng.integers(1, 9), rng.integers(1, 7)
    producer = rng.integers(0, n_producers, (n_users, n_columns))
    left = rng.integers(0, 8, n_producers)
    rows, columns = draft_round(producer, left)
    expected, still = {}, left.tolist()
    for user, codes in enumerate(producer.tolist()):
        for column, code in enumerate(codes):
            if still[code] > 0:
                expected[user] = column
                still[code] -= 1
                break
    assert dict(zip(rows.tolist(), columns.tolist(), strict=True)) == expected


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    alpha=st.sampled_from([0.0, 0.3, 0.75, 1.0]),
    k=st.integers(1, 8),
    ragged=st.booleans(),
    attribute=st.sampled_from([None, "era", "popularity"]),
)
def test_equals_the_plain_round_robin(
    make_pools, catalogue, knowledge, seed, alpha, k, ragged, attribute
) -> None:
    pools = make_pools(25, 16, seed=seed, ragged=ragged)
    reranker = FairRecConfig(alpha=alpha, attribute=attribute).make(knowledge)
    slates = reranker.rerank(pools, k, np.random.default_rng(seed))
    order = serving_order(pools.users, draw_seed(np.random.default_rng(seed))).tolist()
    of_item = list(range(catalogue.n_items))
    if attribute is not None:
        codes = catalogue.groups[attribute].codes.tolist()
        of_item = [None if code < 0 else code for code in codes]
    expected = plain_fair_rec.fair_rec(pools.items, pools.scores, of_item, order, alpha, k)
    np.testing.assert_array_equal(slates.columns, expected)


def test_a_batch_by_hand() -> None:
    # 3 users, 3 items, k = 2, α = 1: each item has ⌊3 · 2 / 3⌋ = 2 copies to hand out.
    worth = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    # Round 1: users 0 and 1 take item 0, user 2 finds it gone and takes item 1.
    # Round 2: user 0 takes the last copy of item 1; users 1 and 2 are left with item 2.
    assert allocate(worth, 1.0, 2) == [[0, 1], [0, 2], [1, 2]]
    # α = 1/2 leaves one copy of each, gone after round 1; then everyone is filled up by score.
    assert allocate(worth, 0.5, 2) == [[0, 1], [0, 1], [0, 2]]


def test_equals_the_authors_public_code() -> None:
    # What FairRec.py of github.com/gourabkumarpatro/FairRec_www_2020 returns for WORTH, k = 3.
    published = {1.0: [[1, 3, 0], [4, 0, 2], [1, 4, 3], [3, 2, 1]]}
    for alpha, slates in published.items():
        ours = allocate(WORTH, alpha, 3)
        assert [set(slate) for slate in ours] == [set(slate) for slate in slates]


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), alpha=st.floats(0.3, 1.0), k=st.integers(1, 6))
def test_all_but_fewer_than_k_producers_get_their_guarantee(seed, alpha, k) -> None:
    worth = random_worth(seed)
    k = min(k, worth.shape[1])
    pools = full_pools(worth)
    n_items = worth.shape[1]
    guarantee = int(alpha * len(worth) * k / n_items + 1e-9)
    slates = FairRecReranker(alpha, np.arange(n_items), n_items).rerank(
        pools, k, np.random.default_rng(seed)
    )
    shown = np.bincount(slates.items.ravel(), minlength=n_items)
    assert (shown < guarantee).sum() < k
    assert guarantee == 0 or shown.min() >= 1


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_one_copy_of_each_item_leaves_envy_of_one_item_at_most(seed) -> None:
    worth = random_worth(seed)
    pools = full_pools(worth)
    copies = np.append(np.ones(worth.shape[1], np.intp), 0)  # nobody has none
    taken = round_robin(pools.items, copies, worth.shape[1])
    bundles = [pools.items[u, row].tolist() for u, row in enumerate(taken)]
    assert taken.sum() == worth.shape[1]
    assert envy(worth, bundles) == []


def test_envy_of_more_than_one_item_is_rare() -> None:
    batches = [random_worth(seed) for seed in range(300)]
    envied = [envy(worth, allocate(worth, 1.0, min(3, worth.shape[1]))) for worth in batches]
    pairs = sum(len(worth) * (len(worth) - 1) for worth in batches)
    assert sum(map(len, envied)) < 0.002 * pairs


def test_but_it_does_occur() -> None:
    # The paper has every allocation envy-free up to one item. In this one, which the authors' code
    # makes as well, user 1 has 63 + 30 + 21 and sees 58 + 63 + 62 in user 2's slate.
    slates = allocate(WORTH, 1.0, 3)
    assert envy(WORTH, slates) == [(1, 2)]
    assert WORTH[1, slates[1]].sum() == 63 + 30 + 21
    assert WORTH[1, slates[2]].sum() == 58 + 63 + 62


def test_more_alpha_shows_the_least_shown_more(make_pools, knowledge, catalogue) -> None:
    pools = make_pools(100, 120)
    least = []
    for alpha in (0.0, 0.5, 1.0):
        slates = FairRecConfig(alpha=alpha).make(knowledge).rerank(pools, 6, _rng())
        least.append(int(np.bincount(slates.items.ravel(), minlength=catalogue.n_items).min()))
    assert least == [0, 2, 5]  # ⌊α · 100 · 6 / 120⌋


def test_a_group_can_be_the_producer(make_pools, knowledge, catalogue) -> None:
    pools = make_pools(60, 40)
    head = catalogue.groups["popularity"].mask("head")
    reranker = FairRecConfig(alpha=1.0, attribute="popularity").make(knowledge)
    shown = head[reranker.rerank(pools, 6, _rng()).items]
    assert shown.sum() == 60 * 6 / 2  # two groups, and each has enough candidates


def test_items_of_no_known_group_have_no_copies() -> None:
    producer = np.array([[0, 1, 3], [1, 3, 3]])  # 2 does not occur, 3 is nobody
    assert guaranteed_copies(producer, 3, 1.0, 2).tolist() == [2, 2, 0, 0]
    assert guaranteed_copies(np.full((10, 1), 0), 1, 0.57, 10).tolist() == [57, 0]


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_an_alpha_outside_0_to_1_is_refused(alpha) -> None:
    with pytest.raises(ValueError, match="alpha"):
        FairRecConfig(alpha=alpha)


def test_an_unknown_attribute_is_named(knowledge) -> None:
    with pytest.raises(InvalidValue, match="colour"):
        FairRecConfig(attribute="colour").make(knowledge)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
