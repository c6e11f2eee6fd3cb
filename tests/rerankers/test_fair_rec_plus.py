import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.randomness import draw_seed
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.two_sided.exchange import ExchangeDesk, top_trading_cycles
from fairloop.rerankers.two_sided.fair_rec import FairRecConfig
from fairloop.rerankers.two_sided.fair_rec_plus import FairRecPlusConfig
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from benchmarks.peers import plain_fair_rec


def random_values(seed: int) -> np.ndarray:
    """What bundles are worth to users; some are not to be had, never one's own."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 14))
    values = rng.random((n, n)) + rng.random(n)
    values[rng.random((n, n)) < rng.choice([0.0, 0.3, 0.8])] = -np.inf
    values[np.diag_indices(n)] = rng.random(n)
    return values


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_after_the_exchange_no_cycle_of_envy_is_left(seed) -> None:
    values = random_values(seed)
    given_to, left = top_trading_cycles(values)
    n = len(values)
    after = values[:, given_to]
    own = after.diagonal()
    assert sorted(given_to.tolist()) == sorted(left.tolist()) == list(range(n))
    assert (own >= values.diagonal()).all()  # nobody loses
    envies = after > own[:, None]
    n_components, _ = connected_components(envies, connection="strong")
    assert n_components == n
    # The envious left after those they envy, so that the reverse puts them first.
    place = np.argsort(left)
    envious, envied = np.nonzero(envies)
    assert (place[envious] > place[envied]).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_exchange_equals_the_plain_walk(seed) -> None:
    values = random_values(seed)
    users = range(len(values))
    plain = {u: {v: values[u, v] for v in users if values[u, v] > -np.inf} for u in users}
    expected, turns = plain_fair_rec.exchange(plain, users)
    given_to, left = top_trading_cycles(values)
    assert given_to.tolist() == [expected[u] for u in users]
    assert left[::-1].tolist() == turns


def test_a_cycle_by_hand() -> None:
    # User 0 prefers 1's bundle, 1 prefers 2's, 2 prefers 0's; 3 would like 0's but has nothing
    # that anybody wants.
    values = np.array([[1.0, 5, 2, 0], [2, 1, 5, 0], [5, 2, 1, 0], [5, 4, 3, 1]])
    given_to, left = top_trading_cycles(values)
    assert given_to.tolist() == [1, 2, 0, 3]
    assert left.tolist() == [0, 1, 2, 3]


def test_a_bundle_outside_the_pool_is_not_to_be_had() -> None:
    # Each prefers the other's item, but user 1 may not be shown item 7.
    items, worth = np.array([[7, 8], [8, 9]]), np.array([[1.0, 2.0], [1.0, 0.0]])
    desk = ExchangeDesk(np.array([4, 2]), items, worth)
    desk.hand_out(np.array([0, 0]))  # items 7 and 8
    desk.swap()
    np.testing.assert_array_equal(desk.held, [[True, False], [True, False]])
    assert desk.turns.tolist() == [4, 2]  # user 0 envies, and chooses first


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    alpha=st.sampled_from([0.0, 0.4, 1.0]),
    k=st.integers(1, 6),
    n_columns=st.sampled_from([10, 60, 120]),
    ragged=st.booleans(),
    attribute=st.sampled_from([None, "era"]),
)
def test_equals_the_plain_algorithm(
    make_pools, catalogue, knowledge, seed, alpha, k, n_columns, ragged, attribute
) -> None:
    pools = make_pools(14, n_columns, seed=seed, ragged=ragged and n_columns < 20)
    k = min(k, int(pools.sizes.min()))
    reranker = FairRecPlusConfig(alpha=alpha, attribute=attribute).make(knowledge)
    slates = reranker.rerank(pools, k, np.random.default_rng(seed))
    order = serving_order(pools.users, draw_seed(np.random.default_rng(seed))).tolist()
    of_item = list(range(catalogue.n_items))
    if attribute is not None:
        codes = catalogue.groups[attribute].codes.tolist()
        of_item = [None if code < 0 else code for code in codes]
    worth = relevance(pools)
    # Equal relevance (rounded to 32 bits) would be a tie that both resolve in their own way.
    each = zip(worth, pools.valid, strict=True)
    assume(all(len(np.unique(row[ok])) == ok.sum() for row, ok in each))
    expected = plain_fair_rec.fair_rec_plus(pools.items, worth, of_item, order, alpha, k)
    np.testing.assert_array_equal(slates.columns, expected)


def test_a_swap_happens_and_is_for_the_better() -> None:
    # Users 0 and 1 hold {0, 3} and {1, 2} and would both rather have the other's; with the order
    # of turns reversed after round 1 that is what round robin alone would leave them with.
    worth = np.array([[10.0, 9, 8, 1], [10, 9, 2, 8]])
    items = np.tile(np.arange(4), (2, 1))
    desk = ExchangeDesk(np.arange(2), items, worth)
    desk.hand_out(np.array([0, 1]))
    desk.hand_out(np.array([3, 2]))
    assert worth[0, desk.held[0]].sum() == 11 and worth[1, desk.held[1]].sum() == 11
    desk.swap()
    assert worth[0, desk.held[0]].sum() == 17 and worth[1, desk.held[1]].sum() == 18


def test_the_guarantee_is_that_of_fair_rec(make_pools, knowledge, catalogue) -> None:
    pools = make_pools(80, 120)
    for config in (FairRecConfig(alpha=1.0), FairRecPlusConfig(alpha=1.0)):
        slates = config.make(knowledge).rerank(pools, 6, np.random.default_rng(0))
        shown = np.bincount(slates.items.ravel(), minlength=catalogue.n_items)
        assert (shown >= 4).sum() > catalogue.n_items - 6  # ⌊80 · 6 / 120⌋


def test_blocks_swap_among_themselves_only(make_pools, knowledge) -> None:
    pools = make_pools(30, 120)

    def slates(block: int) -> list[list[int]]:
        reranker = FairRecPlusConfig(alpha=1.0, block=block).make(knowledge)
        return reranker.rerank(pools, 5, np.random.default_rng(1)).columns.tolist()

    assert slates(30) == slates(4096)  # all users in one block is the paper's algorithm
    assert slates(5) != slates(30)


def test_no_users_in_a_block_are_nobody() -> None:
    given_to, left = top_trading_cycles(np.zeros((0, 0)))
    assert given_to.shape == left.shape == (0,)


@pytest.mark.parametrize("values", [{"block": 1}, {"alpha": 2.0}, {"relevance": "squared"}])
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        FairRecPlusConfig(**values)


def test_negative_raw_relevance_is_refused(knowledge) -> None:
    pools = CandidatePools(np.array([0]), np.array([[1, 2]]), np.array([[1.0, -1.0]]))
    with pytest.raises(InvalidValue, match="negative"):
        FairRecPlusConfig(relevance="raw").make(knowledge).rerank(
            pools, 1, np.random.default_rng(0)
        )
