"""Local attribution: axioms on hand-made policies, a brute-force oracle, ranks that add up."""

from itertools import permutations

import numpy as np
import pytest
from fairloop.agents.interpret.groups import groups_read
from fairloop.agents.interpret.interpret import reference_of
from fairloop.agents.interpret.local import DEPTH, attribute, places, rank_moves
from fairloop.agents.interpret.strengths import Aspects
from fairloop.agents.serving import policy_slates
from fairloop.rerankers.features import scoring_features
from fairloop.rerankers.greedy import build_slates
from fairloop.rerankers.scores import candidate_scores


def request(policy, sample, row):
    context, state = sample.request(row)
    aspects = Aspects.of(policy.action_names)
    return context, state, aspects, aspects.loadings(context, state)[0]


def attribution(policy, sample, row, n_reference=20):
    *_, aspects, loadings = request(policy, sample, row)
    reference = reference_of(sample, n_reference)
    groups = groups_read(policy)
    found = attribute(policy.weights, sample.observation[row], reference, groups, aspects, loadings)
    return found, groups, reference, aspects, loadings


def test_shares_sum_to_the_difference_and_match_a_plain_loop_over_orders(policy, sample):
    groups = groups_read(policy)[:4]
    seen, reference = sample.observation[30], reference_of(sample, 6)
    *_, aspects, loadings = request(policy, sample, 30)
    found = attribute(policy.weights, seen, reference, groups, aspects, loadings)
    unmoved = np.setdiff1d(np.arange(len(seen)), np.concatenate([g.columns for g in groups]))

    def mean_weights(inside: set[int]) -> np.ndarray:
        rows = []
        for other in reference:
            hybrid = other.copy()
            hybrid[unmoved] = seen[unmoved]
            for g in inside:
                hybrid[groups[g].columns] = seen[groups[g].columns]
            rows.append(policy.weights(hybrid[None])[0].astype(np.float64))
        return np.mean(rows, axis=0)

    expected = np.zeros((4, policy.n_actions))
    orders = list(permutations(range(4)))
    for order in orders:
        inside: set[int] = set()
        before = mean_weights(inside)
        for g in order:
            inside.add(g)
            after = mean_weights(inside)
            expected[g] += (after - before) / len(orders)
            before = after
    np.testing.assert_allclose(found.by_weight, expected, atol=1e-5)
    np.testing.assert_allclose(
        found.by_weight.sum(axis=0), found.weights[-1] - found.weights[0], atol=1e-9
    )
    np.testing.assert_allclose(found.weights[-1], policy.weights(seen[None])[0], atol=1e-5)


def test_a_policy_that_reads_one_column_gives_all_to_its_group(make_policy, sample, topics):
    policy = make_policy({"diversity": {f"clicks_lately:{topics[0]}": 2.0}})
    row = int(np.argmax(sample.observation[:, 0]))
    found, groups, *_ = attribution(policy, sample, row)
    names = [group.name for group in groups]
    diversity = found.by_weight[:, -1]
    assert diversity[names.index("clicks lately")] == pytest.approx(
        found.weights[-1, -1] - found.weights[0, -1]
    )
    assert np.count_nonzero(diversity) == 1 and diversity.max() > 0.1
    np.testing.assert_array_equal(found.by_weight[:, :-1], 0.0)


def test_groups_that_do_the_same_have_the_same(make_policy, sample):
    """click_rate · s and satisfaction · s with s chosen so that both differ from usual alike."""
    names = make_policy({}).observation_names
    a, b = names.index("satisfaction"), names.index("click_rate")
    reference, seen = reference_of(sample, 20), sample.observation[25].copy()
    # Make the two columns equal everywhere, and read their product.
    reference[:, b], seen[b] = reference[:, a], seen[a]
    policy = make_policy({})
    groups = groups_read(policy)
    aspects = Aspects.of(policy.action_names)

    def product(x):
        weights = policy.weights(x)
        weights[:, 1] = x[:, a] * x[:, b]
        return weights

    found = attribute(product, seen, reference, groups, aspects, np.ones(policy.n_actions))
    at = {group.name: i for i, group in enumerate(groups)}
    one, other = found.by_weight[[at["satisfaction"], at["click rate"]], 1]
    assert one == pytest.approx(other) and abs(one) > 1e-4


def test_strengths_ignore_the_scale_of_all_weights_and_columns_that_say_the_same(varied, sample):
    _, state, aspects, loadings = request(varied, sample, 60)
    weights = varied.weights(sample.observation[60:61]).astype(np.float64)
    one = aspects.strengths(weights, loadings)
    np.testing.assert_allclose(aspects.strengths(7.0 * weights, loadings), one)
    assert np.linalg.norm(one) == pytest.approx(1.0)
    assert aspects.names[0] == "relevance" and len(aspects.columns(0)) == 2
    assert aspects.strengths(np.zeros_like(weights), loadings).max() == 0.0
    # The base score at a dissatisfaction of 0.4 is 0.4 times the base score.
    at = list(varied.action_names).index("base_when_dissatisfied")
    unhappy = 1.0 - float(state.satisfaction[0])
    assert loadings[at] == pytest.approx(unhappy * loadings[0], rel=1e-4)


def test_loadings_are_deviations_within_the_pool(varied, sample):
    context, state, aspects, loadings = request(varied, sample, 60)
    features = scoring_features(context, state)[0][context.valid[0]].astype(np.float64)
    assert loadings[1] == pytest.approx(features[:, 1].std(), rel=1e-5)
    distance = context.pattern_distance[context.patterns[0, 0], context.patterns[0]]
    assert loadings[-1] == pytest.approx(distance[context.valid[0]].std(), rel=1e-5)
    new = type(state)(**{f: np.zeros_like(getattr(state, f)) for f in state.__slots__})
    satiation = list(varied.action_names).index("satiation")
    assert aspects.loadings(context, new)[0, satiation] == 0.0  # nobody chose anything yet


def test_places_are_those_of_the_order(varied, sample):
    context, state, *_ = request(varied, sample, 60)
    rng = np.random.default_rng(0)
    weights = np.abs(rng.normal(size=(200, varied.n_actions))).astype(np.float32)
    weights = varied.sound(weights)
    columns = np.array([0, 7, 31])
    found = places(context, state, weights, columns)
    for row in (0, 127, 128, 199):
        scores = candidate_scores(context, state, weights[row, :-1])
        order = build_slates(scores, weights[row, -1], context, int(context.n_valid[0]))[0]
        assert found[row].tolist() == [order.tolist().index(c) + 1 for c in columns]
    assert found.max() <= min(DEPTH, int(context.n_valid[0]))


def test_moves_of_a_rank_sum_to_the_places_gained_over_the_usual_weights(
    make_policy, sample, topics
):
    slopes = {f"clicks_lately:{topic}": 5.0 for topic in topics}
    policy = make_policy({"diversity": slopes, "popularity": {"satisfaction": 3.0}})
    row = int(np.argmax(sample.observation[:, : len(topics)].sum(axis=1)))
    context, state, *_ = request(policy, sample, row)
    found, groups, *_ = attribution(policy, sample, row)
    columns = policy_slates(context, state, found.weights[-1:].astype(np.float32), 20)[0]
    moves = rank_moves(found, context, state, columns)
    usual, here = places(context, state, found.weights[[0, -1]], columns)
    np.testing.assert_allclose(moves.sum(axis=0), usual - here, atol=1e-9)
    assert here.tolist() == list(range(1, 21)) and (usual != here).any()
    names = [group.name for group in groups]
    assert moves[names.index("clicks lately")].any()
    np.testing.assert_array_equal(moves[names.index("days away")], 0.0)  # it is not read
