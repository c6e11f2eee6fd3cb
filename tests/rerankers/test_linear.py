import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import REWARD, feature_names
from fairloop.rerankers.linear import LinearConfig, LinearReranker, linear_slates
from fairloop.rerankers.observe import observe
from fairloop.rerankers.state import SlateFeedback, new_state
from fairloop.rerankers.topk import TopKReranker


def test_base_weight_alone_is_the_base_order(make_pools, catalogue, constraints) -> None:
    pools = make_pools(12, 20, ragged=True)
    reranker = LinearReranker(LinearConfig(), catalogue, constraints)
    slates = reranker.rerank(pools, 6, np.random.default_rng(0))
    top = TopKReranker().rerank(pools, 6, np.random.default_rng(0))
    np.testing.assert_array_equal(slates.columns, top.columns)


def test_memory_moves_what_was_shown_out_of_the_slate(make_pools, catalogue, constraints) -> None:
    pools = make_pools(12, 20)
    context = PoolContext.of(pools, catalogue, constraints)
    state = new_state(12, 20, context.n_topics)
    shown = np.tile(np.arange(5), (12, 1))
    clicks = np.zeros((12, 5), bool)
    observe(state, context, SlateFeedback(shown, clicks, np.full((12, 5), np.nan), np.zeros(12)))
    config = LinearConfig(weights={"base": 0.01, "fatigue": -10.0})
    tired = LinearReranker(config, catalogue, constraints, lambda _: state)
    slates = tired.rerank(pools, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(slates.columns, shown + 5)


def test_the_re_ranker_serves_what_linear_slates_trains(make_pools, catalogue, constraints):
    pools = make_pools(12, 20)
    context = PoolContext.of(pools, catalogue, constraints)
    state = new_state(12, 20, context.n_topics)
    state.topic_clicks[:] = np.random.default_rng(0).random(state.topic_clicks.shape)
    names = feature_names(constraints)
    weights = np.random.default_rng(1).normal(size=len(names))
    weights[[names.index(name) for name in REWARD]] = 0.0
    config = LinearConfig(weights=dict(zip(names, weights.tolist(), strict=True)), diversity=0.8)
    reranker = LinearReranker(config, catalogue, constraints, lambda _: state)
    slates = reranker.rerank(pools, 6, np.random.default_rng(0))
    per_user = np.tile(weights, (12, 1)).astype(np.float32)
    expected = linear_slates(context, state, per_user, np.full(12, 0.8, np.float32), 6)
    np.testing.assert_array_equal(slates.columns, expected)


def test_rewards_need_a_policys_model(catalogue, constraints) -> None:
    with pytest.raises(InvalidValue, match="train a policy"):
        LinearReranker(LinearConfig(weights={"reward": 1.0}), catalogue, constraints)


def test_a_misspelt_feature_is_refused(catalogue, constraints) -> None:
    with pytest.raises(InvalidValue) as caught:
        LinearReranker(LinearConfig(weights={"fatique": -1.0}), catalogue, constraints)
    assert "'fatique'" in caught.value.message
    assert "floor:popularity=long_tail" in str(caught.value.mend)
