import numpy as np
import pytest
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.diversity.mmr import MMRConfig, MMRReranker
from fairloop.rerankers.greedy import slate_diversity
from fairloop.rerankers.patterns import jaccard_distance
from fairloop.rerankers.relevance import scaled_relevance
from fairloop.rerankers.topk import TopKReranker
from hypothesis import given, settings
from hypothesis import strategies as st


def slow_mmr(relevance, topics, trade_off: float, k: int) -> list[int]:
    """Carbonell & Goldstein's formula for one user: λ Sim1 − (1 − λ) max Sim2."""
    similarity = 1 - jaccard_distance(topics, topics)
    chosen = [int(np.argmax(relevance))]
    while len(chosen) < k:
        marginal = [
            -np.inf
            if i in chosen
            else trade_off * relevance[i] - (1 - trade_off) * max(similarity[i, c] for c in chosen)
            for i in range(len(relevance))
        ]
        chosen.append(int(np.argmax(np.round(marginal, 6))))
    return chosen


def rerank(config, pools, catalogue, constraints, k):
    return MMRReranker(config, catalogue, constraints).rerank(pools, k, np.random.default_rng(0))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), trade_off=st.sampled_from([0.1, 0.37, 0.61, 0.83, 1.0]))
def test_equals_the_papers_formula(make_pools, catalogue, constraints, seed, trade_off):
    pools = make_pools(3, 14, seed=seed)
    slates = rerank(MMRConfig(trade_off=trade_off), pools, catalogue, constraints, 6)
    relevance = scaled_relevance(pools.scores, pools.valid)
    for user in range(3):
        topics = catalogue.topics[pools.items[user]]
        expected = slow_mmr(relevance[user], topics, trade_off, 6)
        assert slates.columns[user].tolist() == expected


def test_relevance_alone_is_the_base_order(make_pools, catalogue, constraints) -> None:
    pools = make_pools(9, 20, ragged=True)
    slates = rerank(MMRConfig(trade_off=1.0), pools, catalogue, constraints, 8)
    top = TopKReranker().rerank(pools, 8, np.random.default_rng(0))
    np.testing.assert_array_equal(slates.columns, top.columns)


def test_less_relevance_gives_more_diversity(make_pools, catalogue, constraints) -> None:
    pools = make_pools(200, 30)
    context = PoolContext.of(pools, catalogue, constraints)
    diversity = [
        slate_diversity(
            context, rerank(MMRConfig(trade_off=t), pools, catalogue, constraints, 6).columns
        ).mean()
        for t in (1.0, 0.7, 0.4)
    ]
    assert diversity[0] + 0.05 < diversity[1] < diversity[2]


def test_the_bonus_lifts_the_floors_group_and_needs_a_floor(make_pools, catalogue, constraints):
    pools = make_pools(100, 30)
    tail = catalogue.groups["popularity"].codes == 1

    def share(bonus: float, limits: Constraints) -> float:
        slates = rerank(MMRConfig(floor_bonus=bonus), pools, catalogue, limits, 6)
        return float(tail[slates.items].mean())

    assert share(0.5, constraints) > share(0.0, constraints) + 0.05
    assert share(0.5, Constraints()) == share(0.0, Constraints())


def test_scaled_relevance_by_hand() -> None:
    scores = np.array([[4.0, 2.0, 3.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    valid = np.array([[True, True, True, False], [True] * 4])
    np.testing.assert_allclose(scaled_relevance(scores, valid), [[1, 0, 1 / 2, 0], [0] * 4])


def test_top_k_resolves_ties_to_the_lowest_column(make_pools) -> None:
    pools = make_pools(2, 5)
    pools.scores[:] = [[1, 2, 2, 3, 2], [0, 0, 0, 0, 0]]
    slates = TopKReranker().rerank(pools, 4, np.random.default_rng(0))
    assert slates.columns.tolist() == [[3, 1, 2, 4], [0, 1, 2, 3]]
    assert slates.propensities.tolist() == [1.0, 1.0]


def test_a_trade_off_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="less than or equal to 1"):
        MMRConfig(trade_off=1.2)
