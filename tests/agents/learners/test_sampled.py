"""Slates drawn position after position: their law, their limits, and both against plain code."""

from itertools import permutations

import numpy as np
import pytest
from fairloop.agents.learners.sampled import (
    PlackettLucePolicy,
    distances_above,
    draw_slates,
    log_probability,
    position_uniforms,
)
from fairloop.agents.outcomes import Arena
from fairloop.agents.policy import WeightPolicy, static_policy
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import (
    feature_names,
    linear_scores,
    observation_names,
    scoring_features,
)
from fairloop.rerankers.greedy import build_slates
from fairloop.rerankers.stochastic.plackett_luce import log_propensity
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies import PolicyLuck


@pytest.fixture
def pools_of(candidates):
    """Pools of the first ``n`` candidates of so many users; one user has one candidate less."""

    def make(n: int, n_users: int, ragged: bool = False) -> tuple[PoolContext, np.ndarray]:
        whole = candidates.pools().take(np.arange(n_users))
        items, scores = whole.items[:, :n].copy(), whole.scores[:, :n].copy()
        if ragged:
            items[0, -1], scores[0, -1] = -1, 0.0
        pools = CandidatePools(whole.users, items, scores)
        context = PoolContext.of(pools, candidates.catalogue, Constraints())
        return context, np.random.default_rng(1).normal(size=items.shape)

    return make


@pytest.mark.parametrize("ragged", [False, True])
def test_probabilities_of_all_slates_sum_to_one(pools_of, ragged: bool) -> None:
    """All 12 ordered slates of 2 from 4, or 6 where one column is padding."""
    context, scores = pools_of(4, 5, ragged)
    diversity = np.linspace(0.0, 3.0, 5)
    slates = np.array(list(permutations(range(4), 2)))
    log_p = [
        log_probability(scores, diversity, context, 0.7, np.tile(slate, (5, 1))) for slate in slates
    ]
    np.testing.assert_allclose(np.exp(log_p).sum(axis=0), 1.0, rtol=1e-12)
    impossible = [(3 in slate) for slate in slates.tolist()]
    assert not ragged or (np.array(log_p)[impossible, 0] == -np.inf).all()


def test_slates_come_as_often_as_their_probability_says(pools_of) -> None:
    context, scores = pools_of(4, 1)
    n = 40_000
    many, rows = context.take(np.zeros(n, np.intp)), np.repeat(scores, n, axis=0)
    uniforms = np.random.default_rng(7).random((n, 2))
    columns, log_p = draw_slates(rows, np.full(n, 2.0), many, 0.8, uniforms)
    slates = np.array(list(permutations(range(4), 2)))
    expected = np.array(
        [
            np.exp(log_probability(scores, np.full(1, 2.0), context, 0.8, slate[None]))[0]
            for slate in slates
        ]
    )
    counts = np.array([(columns == slate).all(axis=1).sum() for slate in slates])
    chi_square = ((counts - n * expected) ** 2 / (n * expected)).sum()
    assert chi_square < 31.3  # 99.9 % quantile with 11 degrees of freedom
    again = log_probability(rows[:9], np.full(9, 2.0), many.take(slice(9)), 0.8, columns[:9])
    np.testing.assert_allclose(log_p[:9], again, rtol=1e-12)


def test_without_diversity_it_is_plackett_luce(pools_of) -> None:
    context, scores = pools_of(30, 20)
    columns, log_p = draw_slates(
        scores, np.zeros(20), context, 0.5, np.random.default_rng(2).random((20, 10))
    )
    np.testing.assert_allclose(log_p, log_propensity(scores / 0.5, columns), rtol=1e-10)


def test_with_diversity_it_is_a_product_of_softmaxes(pools_of) -> None:
    """Against one user, one position and one candidate at a time, from the topics themselves."""
    context, scores = pools_of(6, 3, ragged=True)
    strength, temperature = 1.7, 0.6
    columns = np.tile([2, 0, 4], (3, 1))
    ours = log_probability(scores, np.full(3, strength), context, temperature, columns)
    topics = context.topics > 0
    for user in range(3):
        expected, above = 0.0, list[int]()
        for chosen in columns[user].tolist():
            weight = {}
            for column in range(6):
                if column in above or not context.valid[user, column]:
                    continue
                apart = []
                for other in above:
                    mine, theirs = topics[user, column], topics[user, other]
                    either = (mine | theirs).sum()
                    apart.append(1.0 - (mine & theirs).sum() / either if either else 0.0)
                score = scores[user, column] + strength * (np.mean(apart) if apart else 0.0)
                weight[column] = np.exp(score / temperature)
            expected += np.log(weight[chosen] / sum(weight.values()))
            above.append(chosen)
        assert ours[user] == pytest.approx(expected, rel=1e-5)


def test_distances_above_are_means_over_what_was_chosen(pools_of) -> None:
    context, _ = pools_of(8, 4)
    columns = np.random.default_rng(0).permuted(np.tile(np.arange(8), (4, 1)), axis=1)[:, :4]
    ours = distances_above(context, columns)
    for user in range(4):
        for place in range(4):
            for column in range(8):
                apart = [
                    context.pattern_distance[
                        context.patterns[user, column], context.patterns[user, above]
                    ]
                    for above in columns[user, :place]
                ]
                assert ours[user, place, column] == pytest.approx(
                    np.mean(apart) if apart else 0.0, abs=1e-6
                )


def test_temperature_0_is_the_greedy_builder_and_cooling_leads_there(pools_of) -> None:
    context, scores = pools_of(40, 30)
    diversity = np.linspace(0.0, 4.0, 30)
    uniforms = np.random.default_rng(3).random((30, 6))
    greedy = build_slates(scores, diversity, context, 6)
    for temperature in (0.0, 1e-7):
        columns, log_p = draw_slates(scores, diversity, context, temperature, uniforms)
        np.testing.assert_array_equal(columns, greedy)
        np.testing.assert_allclose(log_p, 0.0, atol=1e-12)
    other = greedy[:, ::-1]
    assert (log_probability(scores, diversity, context, 0.0, greedy) == 0.0).all()
    assert (log_probability(scores, diversity, context, 0.0, other) == -np.inf).all()


def test_marks_at_the_ends_choose_candidates_that_are_there(pools_of) -> None:
    context, scores = pools_of(5, 4, ragged=True)
    for mark in (0.0, np.nextafter(1.0, 0.0)):
        columns, log_p = draw_slates(scores, np.zeros(4), context, 1.0, np.full((4, 4), mark))
        assert all(len(set(row)) == 4 for row in columns.tolist())
        assert np.isfinite(log_p).all()


@pytest.mark.parametrize("temperature", [-1.0, np.nan, np.inf])
def test_temperatures_below_0_and_no_numbers_are_refused(pools_of, temperature: float) -> None:
    context, scores = pools_of(4, 2)
    with pytest.raises(InvalidValue, match="temperature"):
        draw_slates(scores, np.zeros(2), context, temperature, np.zeros((2, 2)))


def test_slates_that_hold_a_column_twice_or_are_too_long_are_refused(pools_of) -> None:
    context, scores = pools_of(4, 2, ragged=True)
    with pytest.raises(InvalidValue, match="twice"):
        log_probability(scores, np.zeros(2), context, 1.0, np.zeros((2, 2), np.intp))
    with pytest.raises(InvalidValue, match="positions"):
        draw_slates(scores, np.zeros(2), context, 1.0, np.zeros((2, 4)))


def test_the_policy_says_how_probable_its_slates_were(arena: Arena, policy: WeightPolicy) -> None:
    """From the scores of the features, which the policy never makes."""
    served = PlackettLucePolicy(policy, 0.4)
    logged = LoggedPopulation(arena.world, arena.constraints, 5)
    gaps, alive = RunningGaps(arena.constraints), np.ones(len(arena), np.bool_)
    for visit in range(3):
        decision = served.decide(logged, alive, gaps, PolicyLuck.at(logged, 5, visit))
        weights = policy.weights(logged.observation(gaps.gaps))
        context = logged.context.answered_by(policy.response)
        scores = linear_scores(scoring_features(context, logged.observed), weights[:, :-1])
        exact = log_probability(scores, weights[:, -1], logged.context, 0.4, decision.columns)
        np.testing.assert_allclose(np.log(decision.slate), exact, rtol=1e-4)
        assert (decision.slate < 1.0).all() and np.isnan(decision.item).all()
        logged.step(decision.columns)


def test_a_user_is_shown_the_same_slate_in_any_batch(arena: Arena, policy: WeightPolicy) -> None:
    served = PlackettLucePolicy(policy, 0.4)

    def shown(rows: np.ndarray) -> np.ndarray:
        logged = LoggedPopulation(arena.world, arena.constraints, 5, rows)
        luck = PolicyLuck.at(logged, 5, 2)
        everyone = np.ones(len(rows), np.bool_)
        return served.decide(logged, everyone, RunningGaps(arena.constraints), luck).columns

    np.testing.assert_array_equal(shown(np.arange(40))[[3, 17]], shown(np.array([3, 17])))


def test_uniforms_of_positions_are_uniform_and_apart(arena: Arena) -> None:
    logged = LoggedPopulation(arena.world, arena.constraints, 5)
    drawn = np.concatenate(
        [position_uniforms(PolicyLuck.at(logged, seed), 5) for seed in range(50)]
    )
    assert len(np.unique(drawn)) == drawn.size
    assert ((drawn >= 0.0) & (drawn < 1.0)).all()
    counts = np.histogram(drawn, bins=10, range=(0.0, 1.0))[0]
    expected = drawn.size / 10
    assert ((counts - expected) ** 2 / expected).sum() < 27.9  # 99.9 % quantile, 9 degrees
    assert abs(np.corrcoef(drawn.T) - np.eye(5)).max() < 0.06


def test_weights_are_those_of_the_policy_and_its_controller(arena: Arena) -> None:
    """A controller that adds nothing but diversity changes the slates as such weights would."""
    names = arena.constraints
    weights = np.zeros(len(feature_names(names)) + 1)
    weights[0] = 1.0

    class Raises(RunningGaps):
        def offsets(self) -> np.ndarray:
            return 5.0 * np.eye(len(weights), dtype=np.float32)[-1]

    topics = arena.world.catalogue.topic_names
    policy = static_policy(weights, names, feature_names(names), observation_names(topics, names))
    logged = LoggedPopulation(arena.world, names, 5)
    everyone, luck = np.ones(len(arena), np.bool_), PolicyLuck.at(logged, 5)
    raised = PlackettLucePolicy(policy, 0.0).decide(logged, everyone, Raises(names), luck)
    expected = weights.astype(np.float32)
    expected[-1] = 5.0
    np.testing.assert_array_equal(raised.columns, logged.slates(np.tile(expected, (len(arena), 1))))
