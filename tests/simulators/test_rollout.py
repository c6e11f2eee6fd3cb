from dataclasses import fields

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.base import Slates
from fairloop.rerankers.constraints import Constraints
from fairloop.simulators import rollout
from fairloop.simulators.actions import action_size
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.policies import (
    ObservationPolicy,
    RandomSlates,
    SlatePolicy,
    StaticWeights,
    from_reranker,
)
from fairloop.simulators.rollout import UserOutcomes, simulate
from fairloop.simulators.world import World


class TopK:
    name = "top-k"

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        return Slates.from_columns(pools, np.tile(np.arange(k), (len(pools), 1)))


def base_weights(constraints: Constraints) -> np.ndarray:
    weights = np.zeros(action_size(constraints), np.float32)
    weights[0] = 1.0
    return weights


def assert_equal(a: UserOutcomes, b: UserOutcomes) -> None:
    for field in fields(UserOutcomes):
        np.testing.assert_allclose(
            getattr(a, field.name), getattr(b, field.name), rtol=1e-6, err_msg=field.name
        )


def test_equal_slates_from_any_kind_of_policy_give_equal_outcomes(
    world: World, constraints: Constraints
) -> None:
    weights = base_weights(constraints)
    policies: list[SlatePolicy] = [
        from_reranker(TopK()),
        StaticWeights(weights),
        ObservationPolicy(lambda seen: np.tile(weights, (len(seen), 1))),
    ]
    one, two, three = (simulate(world, p, constraints, seed=3) for p in policies)
    assert_equal(one, two)
    assert_equal(one, three)


def test_dropping_those_who_are_gone_changes_nothing(
    world: World, constraints: Constraints, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = StaticWeights(base_weights(constraints))
    dropping = simulate(world, policy, constraints, seed=3)
    monkeypatch.setattr(rollout, "_KEEP", 0.0)
    assert_equal(dropping, simulate(world, policy, constraints, seed=3))


def test_a_user_fares_the_same_alone_and_among_others(world: World) -> None:
    policy = StaticWeights(base_weights(Constraints()))
    together = simulate(world, policy, seed=3)
    alone = simulate(world.take(np.array([12])), policy, seed=3)
    assert alone.engagement[0] == together.engagement[12]
    assert alone.days[0] == together.days[12]


def test_outcomes_are_consistent(world: World, constraints: Constraints) -> None:
    out = simulate(world, RandomSlates(), constraints, seed=1)
    horizon = world.config.horizon_days
    assert (out.engagement <= out.clicks).all() and (out.clicks <= 10 * out.n_slates).all()
    assert (out.n_slates >= 1).all() and (out.n_slates <= horizon).all()
    np.testing.assert_array_equal(out.retained, out.days == horizon)
    assert ((out.exposure >= 0) & (out.exposure <= out.n_slates[:, None])).all()
    assert 0 < out.mean_diversity() < 1 and 0 < out.exposure_shares()[0] < 1
    error = np.std(out.engagement - out.expected_engagement) / len(out) ** 0.5
    assert abs((out.engagement - out.expected_engagement).mean()) < 4 * error


def test_static_world_earns_horizon_times_one_slate(world: World) -> None:
    static = world.with_dynamics(WorldConfig.static())
    out = simulate(static, from_reranker(TopK()), seed=0)
    assert (out.n_slates == 30).all() and out.retained.all()
    once = static.with_dynamics(WorldConfig.static().model_copy(update={"horizon_days": 1}))
    one = simulate(once, from_reranker(TopK()), seed=0)
    np.testing.assert_allclose(out.expected_engagement, 30 * one.expected_engagement, rtol=1e-4)


def test_repeated_rows_are_new_draws_of_the_same_user(world: World) -> None:
    rows = np.tile(np.arange(len(world)), 3)
    out = simulate(world, RandomSlates(), seed=0, rows=rows)
    np.testing.assert_array_equal(out.users, world.users[rows])
    thirds = out.engagement.reshape(3, -1)
    assert not np.array_equal(thirds[0], thirds[1])


def test_seed_decides_random_slates(world: World) -> None:
    assert_equal(simulate(world, RandomSlates(), seed=1), simulate(world, RandomSlates(), seed=1))


def test_padding_is_never_drawn(world: World) -> None:
    allowed = np.zeros(world.catalogue.n_items, np.bool_)
    allowed[world.pools.items[0, :12]] = True
    pools = world.pools.take(np.array([0])).keep(allowed)
    narrow = world.on(pools)
    shown: list[np.ndarray] = []

    class Spy(RandomSlates):
        def decide(self, logged, active, controller, luck):
            decision = super().decide(logged, active, controller, luck)
            shown.append(decision.columns)
            return decision

    simulate(narrow, Spy(), seed=0)
    assert max(columns.max() for columns in shown) < 12
    assert all(len(set(row)) == 10 for columns in shown for row in columns.tolist())


def test_progress_ends_at_all_users(world: World) -> None:
    calls: list[tuple[int, int]] = []
    simulate(world, RandomSlates(), progress=lambda done, total: calls.append((done, total)))
    done = [d for d, _ in calls]
    assert done == sorted(done) and calls[-1] == (len(world), len(world))


def test_a_controller_measures_and_its_offsets_steer(
    world: World, constraints: Constraints
) -> None:
    class Push(RunningGaps):
        def offsets(self) -> np.ndarray:
            push = np.zeros(action_size(constraints), np.float32)
            push[-2] = 50.0
            return push

    policy = StaticWeights(base_weights(constraints))
    plain = simulate(world, policy, constraints, seed=0)
    pushed = simulate(world, policy, constraints, seed=0, controller=Push(constraints))
    assert pushed.exposure_shares()[0] > plain.exposure_shares()[0] + 0.1


def test_concatenated_outcomes(world: World) -> None:
    parts = [simulate(world, RandomSlates(), seed=s) for s in (0, 1)]
    both = UserOutcomes.concatenate(parts)
    assert len(both) == 2 * len(world)
    np.testing.assert_array_equal(both.engagement[: len(world)], parts[0].engagement)


def test_running_gaps_by_hand(constraints: Constraints) -> None:
    gaps = RunningGaps(constraints)
    assert (gaps.gaps == 0).all()
    measured = np.array([[0.2, 0.9], [0.4, 0.5], [9.0, 9.0]], np.float32)
    gaps.update(measured, np.array([True, True, False]))
    np.testing.assert_allclose(gaps.gaps, [0.3 - 0.4, 0.7 - 0.7], atol=1e-6)
    gaps.update(measured, np.zeros(3, np.bool_))
    np.testing.assert_allclose(gaps.gaps, [-0.1, 0.0], atol=1e-6)
    for _ in range(400):
        gaps.update(np.full((10, 2), 0.8, np.float32), np.ones(10, np.bool_))
    np.testing.assert_allclose(gaps.gaps, [0.4, 0.1], atol=1e-3)
    gaps.reset()
    assert (gaps.gaps == 0).all()
