from dataclasses import replace

import numpy as np
import pytest
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import (
    FEATURES,
    LOGGED,
    REWARD,
    TIRED,
    feature_names,
    linear_scores,
    scoring_features,
)
from fairloop.rerankers.observe import observe
from fairloop.rerankers.response import ResponseModel
from fairloop.rerankers.rewards import expected_rewards, sigmoid
from fairloop.rerankers.scores import candidate_scores
from fairloop.rerankers.state import MEMORY, PER_ITEM, ObservedState, SlateFeedback, new_state
from fairloop.rerankers.weigh import BLOCK

from benchmarks.peers.plain_linear import plain_scores

N_USERS, N_COLUMNS = BLOCK + 9, 61


@pytest.fixture(scope="module")
def context(constraints) -> PoolContext:
    """Of items with so many topics that a BLAS product would round by batch."""
    made = synthetic_candidates(N_USERS + 20, 300, 18, seed=5, top_n=N_COLUMNS)
    topics = np.random.default_rng(6).random(made.catalogue.topics.shape) < 0.3
    catalogue = replace(made.catalogue, topics=topics)
    context = PoolContext.of(made.pools().take(np.arange(N_USERS)), catalogue, constraints)
    drawn = np.random.default_rng(7).normal(0, 0.7, 2 * len(LOGGED) + 2)
    return context.answered_by(ResponseModel.of_vector(drawn))


@pytest.fixture(scope="module")
def state(context) -> ObservedState:
    """What three slates, partly clicked and partly rated, have left behind, and older clicks."""
    rng = np.random.default_rng(0)
    state = new_state(N_USERS, N_COLUMNS, context.n_topics)
    state.topic_clicks[:] = rng.random(state.topic_clicks.shape)
    for _ in range(3):
        columns = np.argsort(rng.random((N_USERS, 11)), axis=1)[:, :6]
        clicks = rng.random(columns.shape) < 0.5
        rated = np.where(
            clicks & (rng.random(columns.shape) < 0.7), rng.random(clicks.shape), np.nan
        )
        observe(state, context, SlateFeedback(columns, clicks, rated, rng.integers(0, 3, N_USERS)))
    return state


@pytest.fixture(scope="module")
def weights(constraints) -> np.ndarray:
    drawn = np.random.default_rng(1).normal(size=(N_USERS, len(feature_names(constraints))))
    return drawn.astype(np.float32)


def test_scores_are_those_of_the_definition(context, state, weights) -> None:
    scores = candidate_scores(context, state, weights)
    assert scores.shape == context.items.shape and scores.dtype == np.float32
    for user in (0, 7, BLOCK, N_USERS - 1):
        expected = plain_scores(context, state, weights[user], user)
        np.testing.assert_allclose(scores[user], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "silent",
    [(), (3, 4, 5), (4,), (6, 7), (0, 3, 5, 8, 9), (12, 13, 5), (14,), (14, 15), tuple(range(17))],
)
def test_scores_are_the_weighted_features_whoever_weighs_nothing(context, state, weights, silent):
    weights = weights.copy()
    weights[:, silent] = 0.0
    features = scoring_features(context, state)
    for given in (weights, weights[3]):
        np.testing.assert_allclose(
            candidate_scores(context, state, given),
            linear_scores(features, given),
            rtol=1e-5,
            atol=2e-6,
        )


@pytest.mark.parametrize("rows", [[0], [BLOCK], [5, 2, 260], range(100, 264)])
def test_a_users_scores_do_not_depend_on_the_batch(context, state, weights, rows) -> None:
    rows = np.array(rows)
    together = candidate_scores(context, state, weights)
    apart = candidate_scores(context.take(rows), state.take(rows), weights[rows])
    np.testing.assert_array_equal(apart, together[rows])


def test_a_candidates_score_does_not_depend_on_its_column(context, state, weights) -> None:
    order = np.random.default_rng(2).permutation(N_COLUMNS)
    moved = replace(
        context,
        items=context.items[:, order],
        valid=context.valid[:, order],
        patterns=context.patterns[:, order],
        memoryless=context.memoryless[:, :, order],
        floors=context.floors[:, :, order],
    )
    moved_state = state.take(np.arange(N_USERS))
    for name in PER_ITEM:
        setattr(moved_state, name, getattr(state, name)[:, order])
    np.testing.assert_array_equal(
        candidate_scores(moved, moved_state, weights),
        candidate_scores(context, state, weights)[:, order],
    )


def test_a_number_of_weights_that_does_not_fit_is_refused(context, state, weights) -> None:
    with pytest.raises(InvalidValue, match="16 weights for 17 features"):
        candidate_scores(context, state, weights[:, 1:])


def test_rewards_are_click_times_worth_now_and_at_rest(context, state) -> None:
    features = scoring_features(context, state).astype(np.float64)
    response, logged = context.response, features[:, :, : len(LOGGED)]
    rested = logged.copy()
    rested[:, :, [LOGGED.index(name) for name in TIRED]] = 0.0
    for name, values in zip(REWARD, (logged, rested), strict=True):
        click = 1 / (1 + np.exp(-(values @ response.click + response.click_at_zero)))
        worth = 1 / (1 + np.exp(-(values @ response.worth + response.worth_at_zero)))
        np.testing.assert_allclose(features[:, :, FEATURES.index(name)], click * worth, rtol=1e-4)


def test_who_is_rested_is_worth_the_same_now_as_at_rest(context) -> None:
    nothing = new_state(N_USERS, N_COLUMNS, context.n_topics)
    now, rested = expected_rewards(context, nothing, MEMORY)
    np.testing.assert_array_equal(now, rested)
    assert ((now > 0) & (now < 1)).all()


def test_rewards_without_a_model_are_refused_where_they_weigh_and_0_where_not(
    context, state, weights
) -> None:
    unanswered = context.answered_by(None)
    with pytest.raises(InvalidValue, match="no response model"):
        candidate_scores(unanswered, state, weights)
    silent = weights.copy()
    silent[:, [FEATURES.index(name) for name in REWARD]] = 0.0
    np.testing.assert_array_equal(
        candidate_scores(unanswered, state, silent), candidate_scores(context, state, silent)
    )
    of_rewards = scoring_features(unanswered, state)[:, :, len(LOGGED) : len(FEATURES)]
    assert not of_rewards.any()


def test_log_odds_beyond_a_float_are_certain() -> None:
    found = sigmoid(np.array([-1e30, -90.0, 0.0, 90.0, 1e30], np.float32))
    np.testing.assert_allclose(found, [0, 0, 0.5, 1, 1], atol=1e-30)
