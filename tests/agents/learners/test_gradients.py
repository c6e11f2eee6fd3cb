"""Torch's side of the learners: it says what numpy says, and its gradients are right."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch
from fairloop.agents.lagrange import LagrangeConfig, Multipliers
from fairloop.agents.learners.footing import measure
from fairloop.agents.learners.likelihood import slate_log_probability
from fairloop.agents.learners.network import WeightNetwork
from fairloop.agents.learners.off_policy_networks import ResidualPolicy, exported, linear_layers
from fairloop.agents.learners.replay import PricedReplay
from fairloop.agents.learners.rollouts import SlateRollouts, advantages, flattened, still_open
from fairloop.agents.learners.sampled import distances_above, log_probability
from fairloop.agents.outcomes import Arena
from fairloop.agents.policy import WeightPolicy
from fairloop.agents.train import REWARD_SCALE
from fairloop.rerankers.features import linear_scores
from fairloop.simulators.envs.rerank_sb3 import RerankVecEnv

from .conftest import base_order


@pytest.fixture
def slates(arena: Arena) -> dict[str, np.ndarray]:
    """Random slates of 6 users, and all that their probability depends on."""
    rng = np.random.default_rng(0)
    context = arena.context.take(np.arange(6))
    columns = rng.permuted(np.tile(np.arange(context.n_candidates), (6, 1)), axis=1)[:, :4]
    return {
        "scores": rng.normal(size=context.items.shape),
        "diversity": np.linspace(0.0, 2.0, 6),
        "distances": distances_above(context, columns).astype(np.float64),
        "columns": columns,
        "open_columns": still_open(context.valid, columns),
    }


def test_log_probabilities_are_those_that_slates_are_drawn_with(arena, slates) -> None:
    context = arena.context.take(np.arange(6))
    ours = slate_log_probability(
        **{n: torch.as_tensor(a) for n, a in slates.items()}, temperature=0.6
    )
    plain = log_probability(slates["scores"], slates["diversity"], context, 0.6, slates["columns"])
    np.testing.assert_allclose(ours.numpy(), plain, rtol=1e-6)


def test_gradients_of_log_probabilities_are_finite_differences(slates) -> None:
    tensors = {name: torch.as_tensor(array) for name, array in slates.items()}
    for name in ("scores", "diversity"):
        tensors[name].requires_grad_(True)
    slate_log_probability(**tensors, temperature=0.6).sum().backward()
    step = 1e-5
    for name in ("scores", "diversity"):
        gradient = cast(torch.Tensor, tensors[name].grad).numpy()
        for cell in np.ndindex(gradient.shape):
            if cell[-1] % 7:
                continue
            ends = []
            for sign in (1.0, -1.0):
                moved = {n: a.copy() for n, a in slates.items()}
                moved[name][cell] += sign * step
                there = {n: torch.as_tensor(a) for n, a in moved.items()}
                ends.append(float(slate_log_probability(**there, temperature=0.6).sum()))
            assert gradient[cell] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-7)


def test_gradients_reach_the_layers_of_the_network(arena: Arena, policy: WeightPolicy) -> None:
    """Through observation, weights, scores and slate: the whole chain against differences."""
    footing = measure(arena, base_order(arena), 0, 8)
    rollout = SlateRollouts(arena, footing, 8, 0.5, 0).collect(policy, 2)
    part = {n: torch.as_tensor(a) for n, a in flattened(rollout).items()}
    network = WeightNetwork(policy).double()

    def whole() -> torch.Tensor:
        weights = network(part["seen"][:, : footing.n_actor].double())
        scores = torch.einsum("bnf,bf->bn", part["features"].double(), weights[:, :-1])
        chosen = part["columns"], part["open_columns"], 0.5
        return slate_log_probability(scores, weights[:, -1], part["distances"], *chosen).sum()

    whole().backward()
    step = 1e-6
    for parameter in network.parameters():
        cells = torch.argsort(cast(torch.Tensor, parameter.grad).abs().flatten())[-2:]
        for cell in cells.tolist():
            ends = []
            for sign in (1.0, -1.0):
                with torch.no_grad():
                    parameter.flatten()[cell] += sign * step
                    ends.append(float(whole()))
                    parameter.flatten()[cell] -= sign * step
            slope = float(cast(torch.Tensor, parameter.grad).flatten()[cell])
            assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-6)


def test_a_network_gives_the_weights_that_its_export_gives(policy: WeightPolicy) -> None:
    seen = np.random.default_rng(1).normal(0, 3, (50, len(policy.observation_names)))
    network = WeightNetwork(policy)
    with torch.no_grad():
        ours = network(torch.as_tensor(seen.astype(np.float32))).numpy()
    np.testing.assert_allclose(ours, policy.weights(seen), atol=1e-5)
    np.testing.assert_array_equal(network.exported().weights(seen), policy.weights(seen))


def test_an_actor_of_td3_acts_as_its_export(arena: Arena, policy: WeightPolicy) -> None:
    env = RerankVecEnv(arena.world, arena.constraints, 0, np.arange(8))
    footing = measure(arena, base_order(arena), 0, 8)
    n = footing.n_actor
    model = ResidualPolicy(
        env.observation_space,
        env.action_space,
        lambda _: 1e-3,
        footing=footing,
        net_arch={"pi": [7], "qf": [5]},
    )
    seen = np.random.default_rng(1).normal(0, 3, (50, len(footing.mean))).astype(np.float32)
    assert (model.predict(seen)[0] == 0.0).all()
    with torch.no_grad():
        for layer in linear_layers(model.actor):
            layer.weight.normal_(0.0, 0.5)
    frame = replace(policy, mean=footing.mean[:n], scale=footing.scale[:n])
    np.testing.assert_allclose(
        exported(model.actor, frame).actions(seen[:, :n]), model.predict(seen)[0], atol=1e-5
    )
    blind = seen.copy()
    blind[:, n:] += 100.0  # what only the simulator knows
    np.testing.assert_array_equal(model.predict(blind)[0], model.predict(seen)[0])
    actions = torch.zeros(50, len(policy.centre))
    values = [model.critic(torch.as_tensor(x), actions)[0].detach() for x in (seen, blind)]
    assert not torch.equal(values[0], values[1])


def test_replay_prices_old_transitions_as_of_today(arena: Arena) -> None:
    users = RerankVecEnv(arena.world, arena.constraints, 0, np.arange(4))
    multipliers = Multipliers(np.zeros(2), LagrangeConfig(proportional=0.0, integral=1.0))
    seen = users.reset()
    replay = PricedReplay(
        12,
        users.observation_space,
        users.action_space,
        n_envs=4,
        users=users,
        multipliers=multipliers,
        seed=0,
    )
    still = np.zeros((4, users.action_space.shape[0]), np.float32)
    users.step_async(still)
    after, rewards, dones, infos = users.step_wait()
    costs = users.last_costs.copy()
    replay.add(seen, after, still, rewards, dones, infos)
    free = np.unique(replay.sample(200).rewards.numpy())
    np.testing.assert_allclose(free, np.unique(REWARD_SCALE * rewards), rtol=1e-5)
    multipliers.update(np.array([2.0, 1.0]))
    priced = np.unique(replay.sample(200).rewards.numpy())
    expected = REWARD_SCALE * (rewards - costs @ np.array([2.0, 1.0]))
    np.testing.assert_allclose(priced, np.unique(expected.astype(np.float32)), rtol=1e-4)


def test_candidates_still_open_are_those_not_taken_above() -> None:
    valid = np.array([[True, True, True, False], [True] * 4])
    columns = np.array([[2, 0], [1, 3]])
    open_columns = still_open(valid, columns)
    assert open_columns[0].tolist() == [[True, True, True, False], [True, True, False, False]]
    assert open_columns[1].tolist() == [[True] * 4, [True, False, True, True]]


def test_advantages_are_discounted_sums_of_surprises() -> None:
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(6, 3)), rng.normal(size=(7, 3))
    ends = rng.random((6, 3)) < 0.3
    ours = advantages(rewards, values, ends, 0.9, 0.7)
    for user in range(3):
        for t in range(6):
            total, weight = 0.0, 1.0
            for s in range(t, 6):
                ahead = 0.0 if ends[s, user] else 0.9 * values[s + 1, user]
                total += weight * (rewards[s, user] + ahead - values[s, user])
                if ends[s, user]:
                    break
                weight *= 0.9 * 0.7
            assert ours[t, user] == pytest.approx(total)


def test_rollouts_record_what_happened(arena: Arena, policy: WeightPolicy) -> None:
    """The scores of the recorded features are those that the recorded slates were drawn by."""
    footing = measure(arena, base_order(arena), 0, 16)
    rollout = SlateRollouts(arena, footing, 16, 1e-7, 0).collect(policy, 5)
    for t in range(5):
        weights = policy.weights(rollout.seen[t, :, : footing.n_actor])
        scores = linear_scores(rollout.features[t], weights[:, :-1])
        assert (np.argmax(scores, axis=1) == rollout.columns[t, :, 0]).all()
    assert rollout.priced(np.array([0.0, 2.0])) == pytest.approx(
        REWARD_SCALE * (rollout.rewards - 2.0 * rollout.costs[:, :, 1])
    )
    assert rollout.last.shape == (16, len(footing.mean))
