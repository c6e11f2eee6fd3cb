from itertools import permutations

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.randomness import draw_seed, keyed_uniforms
from fairloop.rerankers.relevance import standardised
from fairloop.rerankers.stochastic.plackett_luce import (
    PlackettLuceConfig,
    PlackettLuceReranker,
    log_propensity,
)
from fairloop.rerankers.topk import TopKReranker
from hypothesis import given, settings
from hypothesis import strategies as st


def slow_probability(logits: np.ndarray, order: tuple[int, ...]) -> float:
    """Product of softmaxes over what is left, one draw at a time."""
    left = list(range(len(logits)))
    probability = 1.0
    for item in order:
        weights = np.exp(logits[left])
        probability *= float(np.exp(logits[item]) / weights.sum())
        left.remove(item)
    return probability


@settings(max_examples=40, deadline=None)
@given(
    logits=st.lists(st.floats(-8, 8), min_size=2, max_size=5),
    data=st.data(),
)
def test_propensity_is_the_product_of_softmaxes_and_sums_to_one(logits, data) -> None:
    scores = np.array(logits)
    k = data.draw(st.integers(1, len(logits)))
    orders = list(permutations(range(len(logits)), k))
    columns = np.array(orders)
    p = np.exp(log_propensity(np.tile(scores, (len(orders), 1)), columns))
    np.testing.assert_allclose(p, [slow_probability(scores, o) for o in orders], rtol=1e-9)
    assert p.sum() == pytest.approx(1.0, rel=1e-9)


def test_expected_exposure_of_scores_2_1_0() -> None:
    # METRICS: E[v_position] of Plackett-Luce for scores 2, 1, 0.
    orders = np.array(list(permutations(range(3))))
    p = np.exp(log_propensity(np.tile([2.0, 1.0, 0.0], (6, 1)), orders))
    exposure = np.zeros(3)
    for probability, order in zip(p, orders, strict=True):
        exposure[order] += probability * position_discount(3)
    np.testing.assert_allclose(exposure, [0.869461, 0.689210, 0.572260], atol=1e-6)


def test_slates_are_drawn_as_often_as_their_propensity_says() -> None:
    n = 60_000
    scores = np.tile([1.0, 0.4, -0.3, -1.1], (n, 1))
    pools = CandidatePools(np.arange(n), np.tile([7, 3, 9, 1], (n, 1)), scores)
    slates = PlackettLuceReranker(PlackettLuceConfig(temperature=0.9)).rerank(
        pools, 2, np.random.default_rng(1)
    )
    for order in permutations(range(4), 2):
        drawn = (slates.columns == order).all(axis=1)
        p = slates.propensities[drawn][0]
        error = np.sqrt(p * (1 - p) / n)
        assert abs(drawn.mean() - p) < 4.5 * error, order


def test_propensity_takes_the_temperature_and_the_padding_into_account() -> None:
    pools = CandidatePools(
        np.array([3]), np.array([[4, 8, 2, PAD]]), np.array([[2.0, 1.0, 0.0, 0.0]])
    )
    slates = PlackettLuceReranker(PlackettLuceConfig(temperature=0.7)).rerank(
        pools, 2, np.random.default_rng(0)
    )
    logits = standardised(pools.scores, pools.valid)[0, :3] / 0.7
    expected = slow_probability(logits, tuple(slates.columns[0].tolist()))
    assert slates.propensities[0] == pytest.approx(expected, rel=1e-9)


def test_cold_is_the_base_order_and_hot_forgets_it(make_pools) -> None:
    pools = make_pools(400, 12)
    cold = PlackettLuceReranker(PlackettLuceConfig(temperature=1e-9))
    top = TopKReranker().rerank(pools, 5, np.random.default_rng(0))
    slates = cold.rerank(pools, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(slates.columns, top.columns)
    np.testing.assert_allclose(slates.propensities, 1.0)
    hot = PlackettLuceReranker(PlackettLuceConfig(temperature=1e6))
    mean_column = hot.rerank(pools, 5, np.random.default_rng(0)).columns.mean()
    assert abs(mean_column - 5.5) < 0.3


def test_other_seeds_give_other_slates(make_pools) -> None:
    pools = make_pools(50, 12)
    reranker = PlackettLuceReranker(PlackettLuceConfig())
    one = reranker.rerank(pools, 5, np.random.default_rng(0))
    two = reranker.rerank(pools, 5, np.random.default_rng(1))
    assert (one.columns != two.columns).any(axis=1).mean() > 0.5


def test_very_long_slates_keep_a_positive_propensity() -> None:
    pools = CandidatePools(np.zeros(1, int), np.arange(400)[None], np.linspace(3, 0, 400)[None])
    hot = PlackettLuceReranker(PlackettLuceConfig(temperature=10.0))
    assert hot.rerank(pools, 300, np.random.default_rng(0)).propensities[0] > 0


def test_a_repeated_column_has_no_propensity() -> None:
    with pytest.raises(InvalidValue, match="twice"):
        log_propensity(np.zeros((1, 4)), np.array([[2, 2]]))


def test_keyed_uniforms_belong_to_user_and_item() -> None:
    seed = draw_seed(np.random.default_rng(3))
    users = np.arange(200)
    items = np.tile(np.arange(500), (200, 1))
    u = keyed_uniforms(seed, users, items)
    assert ((u > 0) & (u < 1)).all()
    order = np.random.default_rng(0).permutation(500)
    np.testing.assert_array_equal(
        keyed_uniforms(seed, users[::-1], items[:, order]), u[::-1][:, order]
    )
    counts = np.bincount((u.ravel() * 20).astype(int), minlength=20)
    expected = u.size / 20
    assert ((counts - expected) ** 2 / expected).sum() < 45  # chi-square, 19 degrees, p ~ 0.001
    assert abs(np.corrcoef(u[:, :-1].ravel(), u[:, 1:].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(u[:-1].ravel(), u[1:].ravel())[0, 1]) < 0.01
    assert (keyed_uniforms(seed + 1, users, items) != u).all()
