"""What holds for every learner: where it starts, that it repeats and learns, and its limits."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from fairloop.agents.jobs import Serve
from fairloop.agents.learners.base import learner_names, make_learner
from fairloop.agents.learners.sampled import PlackettLucePolicy
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.train import Learned
from fairloop.errors import InvalidValue
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies import ObservationPolicy, PolicyLuck, SlatePolicy, StaticWeights

from .conftest import base_order, quick, tiny

NAMES = ("ppo", "evolution", "td3", "plackett-luce")
SEEDS = (1, 2)
"""Fixed before any run of these tests was looked at."""

every_learner = pytest.mark.parametrize("name", NAMES)


def learned(name: str, arena: Arena, seed: int, settings: dict[str, object], **kw) -> Learned:
    start = base_order(arena, 0.3 if arena.targets[-1] > 0 else 0.0)
    nothing = np.zeros(len(arena.targets))
    learner = make_learner(name, **settings)
    return learner.learn(arena, start, np.ones(len(start)), nothing, seed, **kw)


def resting_settings(name: str) -> dict[str, object]:
    """Settings with which the policy stays where it starts."""
    if name == "ppo":  # its budget is at least one rollout, in which the critic may learn alone
        return tiny(name) | {"total_steps": 1, "critic_steps": 10**9}
    return quick(name, total_steps=0)


def some_observations(policy) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(9, len(policy.observation_names)))


def test_the_registry_names_them_all() -> None:
    assert set(learner_names()) == set(NAMES)
    for name in NAMES:
        assert make_learner(name).name == name
        assert make_learner(name).settings.learner == name


@pytest.mark.parametrize(
    ("name", "settings", "field"),
    [
        ("guess", {}, "learner"),
        ("td3", {"total_steps": -1}, "learner.total_steps"),
        ("evolution", {"pears": 3}, "learner.pears"),
        ("plackett-luce", {"temperature": 0.0}, "learner.temperature"),
    ],
)
def test_unknown_learners_and_settings_are_refused(name, settings, field) -> None:
    with pytest.raises(InvalidValue) as refused:
        make_learner(name, **settings)
    assert refused.value.field == field


@every_learner
def test_starts_at_the_tuned_weights(name: str, arena: Arena) -> None:
    """Without a step of learning its slates are those of the tuned weights."""
    resting = learned(name, arena, 0, resting_settings(name))
    start = base_order(arena, 0.3).astype(np.float32)
    seen = some_observations(resting.policy)
    np.testing.assert_array_equal(resting.policy.weights(seen), np.tile(start, (9, 1)))
    served: SlatePolicy = ObservationPolicy(resting.policy.weights)
    if name == "plackett-luce":
        served = PlackettLucePolicy(resting.policy, temperature=0.0)
    logged = LoggedPopulation(arena.world, arena.constraints, 3)
    alive, gaps = np.ones(len(arena), np.bool_), RunningGaps(arena.constraints)
    for visit in range(4):
        luck = PolicyLuck.at(logged, 3, visit)
        mine, theirs = (
            policy.decide(logged, alive, gaps, luck) for policy in (served, StaticWeights(start))
        )
        np.testing.assert_array_equal(mine.columns, theirs.columns)
        assert (mine.slate == 1.0).all()
        logged.step(mine.columns)


@dataclass
class Traced:
    """A short run of a learner, and what it told and left behind."""

    name: str
    end: Learned
    heard: list[tuple[int, int]]
    before: tuple[Any, ...]
    after: tuple[Any, ...]


def global_state() -> tuple[Any, ...]:
    legacy = np.random.get_state()[1].tolist()
    drawn = torch.get_rng_state().tolist()
    return random.getstate(), legacy, drawn, torch.get_num_threads()


@pytest.fixture(scope="module", params=NAMES)
def traced(request, arena: Arena) -> Traced:
    name, heard, before = request.param, list[tuple[int, int]](), global_state()
    end = learned(name, arena, 3, tiny(name), progress=lambda *told: heard.append(told))
    return Traced(name, end, heard, before, global_state())


def test_same_seed_same_policy_other_seed_another(traced: Traced, arena: Arena) -> None:
    first, (again, other) = (
        traced.end,
        (learned(traced.name, arena, seed, tiny(traced.name)) for seed in (3, 4)),
    )
    seen = some_observations(first.policy)
    np.testing.assert_array_equal(first.policy.weights(seen), again.policy.weights(seen))
    assert first.curve == again.curve
    assert not np.array_equal(first.policy.weights(seen), other.policy.weights(seen))


def test_keeps_to_its_budget_and_tells_how_far_it_is(traced: Traced, arena: Arena) -> None:
    total, end = tiny(traced.name)["total_steps"], traced.end
    assert isinstance(total, int)
    assert traced.heard == sorted(traced.heard) and traced.heard[-1] == (total, total)
    assert end.curve[-1].steps >= total
    # Warming up takes 48 visits of the users side by side; an update is finished once begun.
    assert total <= end.steps <= 2 * total + 48 * 128
    assert all(len(point.costs) == len(arena.targets) for point in end.curve)


def test_leaves_threads_and_global_generators_as_they_were(traced: Traced) -> None:
    assert traced.before == traced.after


@every_learner
@pytest.mark.parametrize("seed", SEEDS)
def test_learning_improves_on_a_start_that_can_be_improved(
    name: str, seed: int, free: Arena
) -> None:
    serve = make_learner(name).serve
    start, end = (
        run(free, serve(learned(name, free, seed, settings)), [9]).expected_engagement.mean()
        for settings in (resting_settings(name), quick(name))
    )
    assert end > 1.2 * start


@every_learner
def test_a_limit_that_is_missed_at_the_start_ends_closer(name: str, bound: Arena) -> None:
    end = learned(name, bound, SEEDS[0], quick(name))
    start = run(bound, lambda: StaticWeights(base_order(bound)), [9]).levels()[0]
    served = ObservationPolicy(end.policy.weights)  # without the controller, which would help
    assert start < 0.35
    assert run(bound, lambda: served, [9]).levels()[0] > start + 0.15
    assert end.curve[0].multipliers[0] > 0.0


@every_learner
@pytest.mark.parametrize("field", ["start", "units", "margins"])
def test_arguments_that_do_not_fit_are_refused(name: str, field: str, arena: Arena) -> None:
    start = base_order(arena)
    arguments = {"start": start, "units": np.ones(len(start)), "margins": np.zeros(2)}
    for wrong in (arguments[field][:-1], np.where(arguments[field] == 7, 0, np.nan)):
        with pytest.raises(InvalidValue) as refused:
            make_learner(name).learn(arena, **{**arguments, field: wrong}, seed=0)
        assert refused.value.field == field


@every_learner
def test_what_is_served_follows_its_controller(name: str, bound: Arena) -> None:
    """A floor of 0.8 that the resting policy misses is raised by the controller while serving."""
    resting = learned(name, bound, 0, resting_settings(name))
    served = run(bound, make_learner(name).serve(resting), [2]).levels()[0]
    bare = run(bound, lambda: ObservationPolicy(resting.policy.weights), [2]).levels()[0]
    assert served > bare + 0.1


def test_only_a_policy_that_draws_can_be_served_by_drawing(arena: Arena) -> None:
    resting = learned("evolution", arena, 0, quick("evolution", total_steps=0))
    assert isinstance(make_learner("evolution").serve(resting), Serve)
    with pytest.raises(InvalidValue):
        make_learner("plackett-luce").serve(resting)
