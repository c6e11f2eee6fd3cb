"""A served policy owes what every re-ranker owes, and does what the policy says and no more."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fairloop.agents.policy import Layer, WeightPolicy, static_policy
from fairloop.agents.serving import PolicyReranker, policy_slates
from fairloop.agents.steering import served_reranker
from fairloop.errors import InvalidValue
from fairloop.rerankers.base import Reranker
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import (
    LOGGED,
    REWARD,
    feature_names,
    observation,
    observation_names,
)
from fairloop.rerankers.filters import FilteredReranker
from fairloop.rerankers.linear import LinearConfig, LinearReranker, linear_slates
from fairloop.rerankers.response import ResponseModel
from fairloop.rerankers.state import ObservedState, new_state

RERANKERS = Path(__file__).parents[1] / "rerankers"


def load(name: str) -> ModuleType:
    """A file of the re-rankers' tests; folders of tests are no packages to import from."""
    spec = importlib.util.spec_from_file_location(f"rerankers_{name}", RERANKERS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shared, contract = load("conftest"), load("test_contract")
catalogue, constraints = shared.catalogue, shared.constraints
make_pools, user_state = shared.make_pools, shared.user_state
CONTRACT = {name: test for name, test in vars(contract).items() if name.startswith("test_")}
globals().update(CONTRACT)


@pytest.fixture(scope="module")
def policy(catalogue, constraints) -> WeightPolicy:
    """Random layers over the re-rankers' catalogue; offsets, so that they matter too."""
    rng = np.random.default_rng(0)
    features = feature_names(constraints)
    names = observation_names(catalogue.topic_names, constraints)
    n_obs, n_act = len(names), len(features) + 1

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    return WeightPolicy(
        constraints=constraints,
        feature_names=features,
        observation_names=names,
        mean=draw(n_obs),
        scale=np.abs(draw(n_obs)),
        hidden=(Layer(draw(8, n_obs), draw(8)),),
        head=Layer(draw(n_act, 8), draw(n_act)),
        centre=np.ones(n_act, np.float32),
        reach=np.full(n_act, 1.0, np.float32),
        offsets=draw(n_act),
        response=ResponseModel.of_vector(draw(2 * len(LOGGED) + 2)),
    )


@pytest.fixture(params=["policy", "steered"])
def config(request) -> SimpleNamespace:
    """What the suite reads of a configuration; alone, or with its controller."""
    return SimpleNamespace(algorithm=request.param)


@pytest.fixture
def fresh(config, policy, catalogue, constraints) -> Callable[..., Reranker]:
    """Makes the re-ranker under test anew; filters stand before it, as the factory puts them."""

    def make(limits: Constraints = constraints) -> Reranker:
        states = states_of(catalogue, limits)
        limited = replace(policy, constraints=limits)
        if config.algorithm == "steered":
            return served_reranker(limited, catalogue, states, "steered")
        served = PolicyReranker(limited, catalogue, states)
        allowed = limits.filters.allowed(catalogue)
        return served if allowed.all() else FilteredReranker(served, allowed)

    return make


def states_of(catalogue, constraints):
    def states(pools) -> ObservedState:
        return user_state(pools, PoolContext.of(pools, catalogue, constraints))

    return states


def chance() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_suite_was_inherited():
    assert len(CONTRACT) >= 11


@pytest.mark.parametrize("ragged", [False, True])
def test_weights_are_the_policys_and_slates_the_linear_builders(
    policy, catalogue, constraints, make_pools, ragged
):
    pools = make_pools(30, 20, seed=1, ragged=ragged)
    gaps, offsets = np.array([0.3, -0.2]), np.linspace(-0.5, 0.5, policy.n_actions)
    states = states_of(catalogue, constraints)
    served = PolicyReranker(policy, catalogue, states, gaps=gaps, offsets=offsets)
    context, state = PoolContext.of(pools, catalogue, constraints), states(pools)
    weights = policy.weights(observation(context, state, gaps), offsets)
    np.testing.assert_array_equal(served.weights(pools), weights)
    slates = served.rerank(pools, 6, chance())
    answered = context.answered_by(policy.response)
    np.testing.assert_array_equal(
        slates.columns, linear_slates(answered, state, weights[:, :-1], weights[:, -1], 6)
    )
    # One user at a time, through the public re-ranker for fixed weights, which expects no rewards.
    plain = replace(policy, response=None, centre=policy.centre * not_reward(policy))
    plain = replace(plain, reach=plain.reach * not_reward(policy))
    plain = replace(plain, offsets=plain.offsets * not_reward(policy))
    served = PolicyReranker(plain, catalogue, states, gaps=gaps)
    slates, weights = served.rerank(pools, 6, chance()), served.weights(pools)
    for row in range(len(pools)):
        one = pools.take(np.array([row]))
        named = dict(zip(policy.feature_names, weights[row, :-1].tolist(), strict=True))
        fixed = LinearConfig(weights=named, diversity=float(weights[row, -1]))
        alone = LinearReranker(fixed, catalogue, constraints, states).rerank(one, 6, chance())
        np.testing.assert_array_equal(slates.columns[row], alone.columns[0])
    assert (slates.propensities == 1.0).all()


def not_reward(policy: WeightPolicy) -> np.ndarray:
    return np.array([name not in REWARD for name in policy.action_names], np.float32)


def test_policy_slates_read_the_last_weight_as_diversity(catalogue, constraints, make_pools):
    pools = make_pools(10, 20, seed=2)
    context = PoolContext.of(pools, catalogue, constraints)
    state = user_state(pools, context)
    weights = np.zeros((len(pools), len(feature_names(constraints)) + 1), np.float32)
    weights[:, 0] = 1.0
    plain = policy_slates(context, state, weights, 6)
    np.testing.assert_array_equal(plain, np.tile(np.arange(6), (len(pools), 1)))
    weights[:, -1] = 50.0
    apart = policy_slates(context, state, weights, 6)
    assert distance(context, apart) > distance(context, plain)


def distance(context: PoolContext, columns: np.ndarray) -> float:
    codes = np.take_along_axis(context.patterns, columns, axis=1)
    return float(context.pattern_distance[codes[:, :, None], codes[:, None, :]].mean())


def test_a_state_of_its_own_for_each_user(policy, catalogue, constraints, make_pools):
    """Without states everybody is new; with them, weights differ from that."""
    pools = make_pools(12, 20)
    new = PolicyReranker(policy, catalogue)
    context = PoolContext.of(pools, catalogue, constraints)
    unknown = new_state(len(pools), context.n_candidates, context.n_topics)
    expected = policy.weights(observation(context, unknown, np.zeros(2)))
    np.testing.assert_array_equal(new.weights(pools), expected)
    known = PolicyReranker(policy, catalogue, states_of(catalogue, constraints)).weights(pools)
    assert (np.abs(known - expected).max(axis=1) > 1e-3).all()


def test_gaps_reach_the_observation_and_are_zero_by_default(policy, catalogue, make_pools):
    pools = make_pools(8, 20)
    default = PolicyReranker(policy, catalogue).weights(pools)
    zero = PolicyReranker(policy, catalogue, gaps=np.zeros(2)).weights(pools)
    np.testing.assert_array_equal(default, zero)
    for gaps in (np.array([1.0, 0.0]), np.array([0.0, 1.0])):
        moved = PolicyReranker(policy, catalogue, gaps=gaps).weights(pools)
        assert (np.abs(moved - default).max(axis=1) > 1e-4).all()


def test_offsets_are_added_to_every_users_weights(policy, catalogue, make_pools):
    pools = make_pools(8, 20)
    before = PolicyReranker(policy, catalogue).weights(pools)
    offsets = np.arange(policy.n_actions) / 10
    after = PolicyReranker(policy, catalogue, offsets=offsets).weights(pools)
    # The diversity strength is cut at 0 before and after, so it may move by less.
    np.testing.assert_allclose((after - before)[:, :-1], np.tile(offsets[:-1], (8, 1)), atol=1e-6)
    lowered = PolicyReranker(policy, catalogue, offsets=np.full(policy.n_actions, -99.0))
    assert (lowered.weights(pools)[:, -1] == 0.0).all()


def test_a_larger_offset_on_the_floor_shows_more_of_its_group(policy, catalogue, make_pools):
    pools = make_pools(40, 20)
    tail = catalogue.group("popularity").mask("long_tail")
    shares = []
    for push in (-20.0, 0.0, 20.0):
        offsets = np.zeros(policy.n_actions)
        offsets[policy.action_names.index("floor:popularity=long_tail")] = push
        served = PolicyReranker(policy, catalogue, offsets=offsets)
        shares.append(float(tail[served.rerank(pools, 6, chance()).items].mean()))
    assert shares[0] < shares[1] < shares[2]


def test_a_static_policy_serves_as_its_linear_reranker(catalogue, constraints, make_pools):
    features = feature_names(constraints)
    names = observation_names(catalogue.topic_names, constraints)
    weights = np.zeros(len(features) + 1)
    weights[[0, 3, -1]] = 1.0, -2.0, 0.7
    policy = static_policy(weights, constraints, features, names)
    pools, states = make_pools(15, 20), states_of(catalogue, constraints)
    config = LinearConfig(weights={"base": 1.0, "satiation": -2.0}, diversity=0.7)
    np.testing.assert_array_equal(
        PolicyReranker(policy, catalogue, states).rerank(pools, 5, chance()).columns,
        LinearReranker(config, catalogue, constraints, states).rerank(pools, 5, chance()).columns,
    )


def test_a_policy_of_other_features_is_refused_by_name(policy, catalogue):
    renamed = replace(policy, feature_names=("other", *policy.feature_names[1:]))
    with pytest.raises(InvalidValue) as caught:
        PolicyReranker(renamed, catalogue)
    assert caught.value.field == "policy.feature_names" and caught.value.mend


def test_its_name_is_the_callers(policy, catalogue):
    assert PolicyReranker(policy, catalogue, name="v12").name == "v12"
