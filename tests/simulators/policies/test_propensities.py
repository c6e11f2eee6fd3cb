"""How probable slates were: counted, enumerated, and put to use."""

from itertools import permutations

import numpy as np
import pytest
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig, PlackettLuceReranker
from fairloop.rerankers.topk import TopKReranker
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies import (
    Decision,
    PolicyLuck,
    RandomSlates,
    RerankerPolicy,
    SlatePolicy,
)
from fairloop.simulators.policies.reference import REFERENCES, reference_policy
from fairloop.simulators.world import World


def decided(policy: SlatePolicy, world: World, seed: int = 0, rows=None) -> Decision:
    logged = LoggedPopulation(world, Constraints(), seed, rows)
    everyone = np.ones(len(logged), np.bool_)
    return policy.decide(logged, everyone, RunningGaps(Constraints()), PolicyLuck.at(logged, seed))


def test_random_slates_are_uniform_over_orders_and_say_so(make_world) -> None:
    """All 12 ordered slates of 2 from 4, each drawn with 2! / 4! = 1 / 12."""
    n = 24_000
    world = make_world(WorldConfig(slate_size=2), n_users=n)
    decision = decided(RandomSlates(), world)
    np.testing.assert_allclose(decision.slate, 1 / 12, rtol=1e-12)
    np.testing.assert_array_equal(decision.item, np.full((n, 2), 1 / 4))
    codes = decision.columns[:, 0] * 4 + decision.columns[:, 1]
    counts = np.array([(codes == a * 4 + b).sum() for a, b in permutations(range(4), 2)])
    assert counts.sum() == n
    chi_square = ((counts - n / 12) ** 2 / (n / 12)).sum()
    assert chi_square < 31.3  # 99.9 % quantile with 11 degrees of freedom


def test_random_propensities_count_the_candidates_and_not_the_padding(world: World) -> None:
    allowed = np.zeros(world.catalogue.n_items, np.bool_)
    allowed[world.pools.items[0, :12]] = True
    narrow = world.on(world.pools.take(np.array([0])).keep(allowed))
    decision = decided(RandomSlates(), narrow)
    assert decision.columns.max() < 12
    expected = 1 / np.prod(np.arange(3, 13, dtype=np.float64))  # 12 · 11 · … · 3
    assert decision.slate[0] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(decision.item, 1 / 12)


def test_a_slate_that_was_drawn_is_never_impossible(make_world) -> None:
    n = 400
    flat = tuple([0.0] * n)
    world = make_world(WorldConfig(slate_size=200), appeal=flat, worth=flat)
    assert decided(RandomSlates(), world).slate[0] == np.finfo(np.float64).tiny


@pytest.mark.parametrize("name", [name for name in REFERENCES if name != "random"])
def test_what_leaves_nothing_to_chance_is_certain(world: World, name: str) -> None:
    decision = decided(reference_policy(name), world)
    assert (decision.slate == 1.0).all() and (decision.item == 1.0).all()


def test_a_rerankers_propensities_pass_through(world: World) -> None:
    config = PlackettLuceConfig(temperature=0.7)
    decision = decided(RerankerPolicy(PlackettLuceReranker(config)), world)
    exact = PlackettLuceReranker(config).probability(world.pools, decision.columns)
    np.testing.assert_allclose(decision.slate, exact, rtol=1e-9)
    assert np.isnan(decision.item).all()  # that of one item is not known
    sure = decided(RerankerPolicy(TopKReranker()), world)
    assert (sure.slate == 1.0).all() and (sure.item == 1.0).all()


def test_inverse_propensities_estimate_another_policy_from_the_log(world: World) -> None:
    """Expected clicks of the greedy slate, from what random slates got, by item and position."""
    flat = world.with_dynamics(WorldConfig.static())
    rows = np.repeat(np.arange(len(flat)), 400)
    logged = LoggedPopulation(flat, Constraints(), 7, rows)
    everyone = np.ones(len(logged), np.bool_)
    luck = PolicyLuck.at(logged, 7)
    decision = RandomSlates().decide(logged, everyone, RunningGaps(Constraints()), luck)
    outcome = logged.step(decision.columns)
    greedy = decided(RerankerPolicy(TopKReranker()), flat).columns[rows]
    agrees = (decision.columns == greedy) / decision.item
    each = (agrees * outcome.clicks).sum(axis=1)
    fresh = LoggedPopulation(flat, Constraints(), 0, rows)
    truth = fresh.population.click_probabilities(greedy).sum(axis=1).mean()
    ips, error = each.mean(), each.std() / len(each) ** 0.5
    assert error < 0.1 * truth and abs(ips - truth) < 4 * error
    snips = (agrees * outcome.clicks).sum(axis=0) / agrees.sum(axis=0)
    assert abs(snips.sum() - truth) < 4 * error
