import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import (
    FEATURES,
    feature_names,
    linear_scores,
    observation,
    observation_names,
    scoring_features,
)
from fairloop.rerankers.observe import observe
from fairloop.rerankers.patterns import TopicPatterns, jaccard_distance
from fairloop.rerankers.state import MEMORY, SlateFeedback, new_state


@pytest.fixture
def context(make_pools, catalogue, constraints) -> PoolContext:
    return PoolContext.of(make_pools(6, 15, seed=2, ragged=True), catalogue, constraints)


LOOKS = 1 / np.log2(3)  # at the second position


def one_slate(context: PoolContext) -> SlateFeedback:
    columns = np.tile(np.arange(4), (len(context), 1))
    clicks = np.array([[True, True, False, False]] * len(context))
    satisfaction = np.where(clicks, [0.9, 0.2, np.nan, np.nan], np.nan)
    return SlateFeedback(columns, clicks, satisfaction, np.zeros(len(context)))


def test_context_holds_what_the_catalogue_says(context, catalogue, make_pools) -> None:
    pools = make_pools(6, 15, seed=2, ragged=True)
    valid = pools.valid
    topics = catalogue.topics[pools.items] * valid[:, :, None]
    np.testing.assert_array_equal(context.topics, topics)
    tail = catalogue.groups["popularity"].codes[pools.items] == 1
    np.testing.assert_array_equal(context.floors[0] > 0, tail & valid)
    base = context.memoryless[:, 0]
    for user in range(len(pools)):
        row = base[user, valid[user]]
        assert row.mean() == pytest.approx(0, abs=1e-5)
        assert row.std() == pytest.approx(1, abs=1e-5)
    assert (context.memoryless.transpose(0, 2, 1)[~valid] == 0).all()
    unknown_year = valid & (pools.items == 5)
    assert (context.memoryless[:, 2][unknown_year] == 0).all()


def test_patterns_give_the_distances_of_the_items(catalogue) -> None:
    patterns = TopicPatterns.of(catalogue)
    direct = jaccard_distance(catalogue.topics, catalogue.topics)
    looked_up = patterns.distance[np.ix_(patterns.codes, patterns.codes)]
    np.testing.assert_allclose(looked_up, direct, atol=1e-6)
    np.testing.assert_array_equal(patterns.topics[patterns.codes] > 0, catalogue.topics)


def test_jaccard_by_hand() -> None:
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
    expected = [
        [0, 1 - 1 / 2, 1, 1],
        [1 - 1 / 2, 0, 1, 1],
        [1, 1, 0, 1],
        [1, 1, 1, 0],
    ]
    np.testing.assert_allclose(jaccard_distance(sets, sets), expected)


def test_features_by_hand_after_one_slate(context, constraints) -> None:
    state = new_state(len(context), context.n_candidates, context.n_topics)
    observe(state, context, one_slate(context))
    features = scoring_features(context, state)
    names = feature_names(constraints)
    assert features.shape == (*context.items.shape, len(names)) and features.dtype == np.float32
    user, column = 3, 1
    topics = context.topics[user]
    mine = topics[column] / max(topics[column].sum(), 1)
    clicks = topics[0] + topics[1]
    belief = clicks / (clicks + 1)
    mean = (0.9 * topics[0] + 0.2 * topics[1]) / np.maximum(clicks, 1)
    satiation = (1 - MEMORY.topic_clicks) * mine @ clicks
    expected = {
        "base": context.memoryless[user, 0, column],
        "popularity": context.memoryless[user, 1, column],
        "recency": context.memoryless[user, 2, column],
        "satiation": satiation,
        "satiation_squared": satiation**2,
        "topic_taste": mine @ (belief * (mean - 0.5) / 0.5),
        "fatigue": 1 - MEMORY.items,
        "clicked": 1 - MEMORY.items,
        "base_when_dissatisfied": context.memoryless[user, 0, column]
        * (1 - (0.5 + MEMORY.satisfaction * (0.55 - 0.5))),
        # Shown at the second position, clicked and rated 0.2; a quarter of a click is expected of a
        # look, and believed as much as one look.
        "preference": np.log((1 + 0.25) / (0.25 * LOOKS + 0.25)),
        "enjoyment": (0.2 - 0.5) / 0.5 / 1.5,
        "familiarity": 1 - 1 / np.sqrt(1 + LOOKS),
        "history_affinity": mine @ context.history[user, 0],
        "history_taste": mine @ context.history[user, 1],
        "reward": 0.0,  # nothing says how users answer
        "rested_reward": 0.0,
        "floor:popularity=long_tail": context.floors[0, user, column],
    }
    assert tuple(expected) == names
    for i, name in enumerate(names):
        assert features[user, column, i] == pytest.approx(expected[name], abs=1e-5), name


def test_linear_scores_are_the_weighted_sum(context, constraints) -> None:
    state = new_state(len(context), context.n_candidates, context.n_topics)
    observe(state, context, one_slate(context))
    features = scoring_features(context, state)
    weights = np.random.default_rng(0).normal(size=(len(context), features.shape[2]))
    expected = (features * weights[:, None, :]).sum(axis=2)
    np.testing.assert_allclose(linear_scores(features, weights), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        linear_scores(features, weights[0]),
        (features * weights[0]).sum(axis=2),
        rtol=1e-4,
        atol=1e-5,
    )


def test_observation_is_named_column_by_column(context, catalogue, constraints) -> None:
    state = new_state(len(context), context.n_candidates, context.n_topics)
    observe(state, context, one_slate(context))
    gaps = np.array([0.03, -0.07])
    seen = observation(context, state, gaps)
    names = observation_names(catalogue.topic_names, constraints)
    assert seen.shape == (len(context), len(names)) and np.isfinite(seen).all()
    column = {name: seen[:, i] for i, name in enumerate(names)}
    np.testing.assert_allclose(column["gap:popularity=long_tail"], 0.03, rtol=1e-6)
    np.testing.assert_allclose(column["gap:diversity"], -0.07, rtol=1e-6)
    np.testing.assert_allclose(column["satisfaction"], state.satisfaction)
    np.testing.assert_allclose(column["log_slates"], np.log(2), rtol=1e-6)
    np.testing.assert_allclose(
        column["mean_fatigue"], 4 * (1 - MEMORY.items) / context.valid.sum(axis=1), rtol=1e-5
    )
    share = context.floors[0].sum(axis=1) / context.valid.sum(axis=1)
    np.testing.assert_allclose(column["pool_share:popularity=long_tail"], share, rtol=1e-5)
    mean_topics = context.pattern_mean[context.patterns] * context.valid[:, :, None]
    np.testing.assert_allclose(
        column["pool_topic:t2"],
        mean_topics[:, :, 2].sum(axis=1) / context.valid.sum(axis=1),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        column["clicks_lately:t2"], 0.2 * state.topic_clicks[:, 2], rtol=1e-5, atol=1e-7
    )
    per_user = np.tile(gaps, (len(context), 1))
    np.testing.assert_array_equal(observation(context, state, per_user), seen)


def test_features_and_observation_permute_with_the_users(context) -> None:
    state = new_state(len(context), context.n_candidates, context.n_topics)
    observe(state, context, one_slate(context))
    order = np.array([4, 2, 0, 5, 1, 3])
    moved, moved_state = context.take(order), state.take(order)
    np.testing.assert_allclose(
        scoring_features(moved, moved_state), scoring_features(context, state)[order], rtol=1e-6
    )
    gaps = np.zeros(2)
    np.testing.assert_allclose(
        observation(moved, moved_state, gaps), observation(context, state, gaps)[order], rtol=1e-6
    )


def test_without_constraints_there_are_only_the_fixed_features(make_pools, catalogue) -> None:
    context = PoolContext.of(make_pools(), catalogue, Constraints())
    state = new_state(len(context), context.n_candidates, context.n_topics)
    assert scoring_features(context, state).shape[2] == len(FEATURES)
    names = observation_names(catalogue.topic_names, Constraints())
    assert observation(context, state, np.zeros(1)).shape[1] == len(names)


def test_assign_puts_another_users_pool_in_place(make_pools, catalogue, constraints) -> None:
    first = PoolContext.of(make_pools(4, 12, seed=1), catalogue, constraints)
    other = PoolContext.of(make_pools(5, 12, seed=9), catalogue, constraints)
    mixed = first.take(np.arange(4))
    mixed.assign(np.array([1, 3]), other, np.array([4, 0]))
    for name in ("items", "valid", "patterns", "memoryless", "summary"):
        np.testing.assert_array_equal(getattr(mixed, name)[[0, 2]], getattr(first, name)[[0, 2]])
        np.testing.assert_array_equal(getattr(mixed, name)[[1, 3]], getattr(other, name)[[4, 0]])
    np.testing.assert_array_equal(mixed.floors[:, [1, 3]], other.floors[:, [4, 0]])
    wider = PoolContext.of(make_pools(5, 13, seed=9), catalogue, constraints)
    with pytest.raises(InvalidValue, match="differ"):
        mixed.assign(np.array([0]), wider, np.array([0]))


def test_unknown_groups_and_items_are_refused(make_pools, catalogue) -> None:
    floor = ExposureFloor(attribute="popularity", group="middle", share=0.1)
    with pytest.raises(InvalidValue, match="head, long_tail"):
        PoolContext.of(make_pools(), catalogue, Constraints(exposure=(floor,)))
    foreign = CandidatePools(np.array([0]), np.array([[999, 3]]), np.array([[1.0, 0.0]]))
    with pytest.raises(InvalidValue, match="item index 999"):
        PoolContext.of(foreign, catalogue, Constraints())
