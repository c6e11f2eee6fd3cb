"""A policy conditioned on a small world, and what it then holds."""

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.jobs import Serve
from fairloop.agents.outcomes import Arena, run, run_some
from fairloop.agents.pareto.condition import ConditionConfig, Conditioned, condition
from fairloop.agents.pareto.corners import search_offsets, side_by_side
from fairloop.agents.pareto.dials import retargeted
from fairloop.agents.policy import WeightPolicy
from fairloop.agents.search import SearchConfig
from fairloop.errors import InvalidValue, UnreachableConstraint
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.policies import ObservationPolicy

EXPOSURE = "exposure:popularity=long_tail"
RANGES = {"diversity": (0.6, 0.75), EXPOSURE: (0.4, 0.65)}
# So few users would ask for wide margins; the levels themselves are what is tested.
QUICK = CalibrationConfig(seeds=1, choice_seeds=1, rounds=8, confidence=0.51, assurance=0.51)
SEARCH = SearchConfig(steps=4_000, users=20, population=6, spread=0.5)


@pytest.fixture(scope="module")
def found(plain: WeightPolicy, halves: tuple[Arena, Arena]) -> Conditioned:
    config = ConditionConfig(nodes=3, planes=1, search=SEARCH)
    return condition(plain, halves[0], RANGES, 1000, 3, QUICK, config)


def levels(policy: WeightPolicy, arena: Arena, seeds: int = 1) -> np.ndarray:
    under = Arena.of(arena.world, policy.constraints)
    return run(under, Serve(policy), list(range(seeds))).levels()


def test_every_node_is_held_or_said_not_to_be(found: Conditioned) -> None:
    policy, report = found.policy, found.report
    assert policy.names == (EXPOSURE, "diversity")  # in the order of the limits
    assert len(report.nodes) == policy.held.size
    assert [node.held for node in report.nodes] == policy.held.ravel().tolist()
    assert policy.held.all() and report.missed == ()
    assert report.steps > sum(node.steps for node in report.nodes) / 4
    assert (policy.axes[0].low, policy.axes[0].high) == RANGES[EXPOSURE]


def test_what_a_limit_lifts_rises_with_its_target(
    found: Conditioned, halves: tuple[Arena, Arena]
) -> None:
    for name, other, column in ((EXPOSURE, "diversity", 0), ("diversity", EXPOSURE, 1)):
        low, high = RANGES[name]
        asked = [
            {name: float(target), other: RANGES[other][1]} for target in np.linspace(low, high, 4)
        ]
        # Where a limit does not bind, a looser target may be left above it; noise is allowed for.
        lifted = [levels(found.policy.at(a), halves[0], 4)[column] for a in asked]
        assert lifted[-1] > lifted[0]
        assert all(b > a - 0.015 for a, b in pairwise(lifted))


def test_levels_reach_their_targets_between_nodes(
    found: Conditioned, halves: tuple[Arena, Arena]
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(6):
        asked = {name: float(rng.uniform(*RANGES[name])) for name in RANGES}
        served = found.policy.at(asked)
        reached = levels(served, halves[0], 4)
        assert reached[0] > asked[EXPOSURE] - 0.01 and reached[1] > asked["diversity"] - 0.01


def test_the_same_seed_gives_the_same_policy(
    found: Conditioned, plain: WeightPolicy, halves: tuple[Arena, Arena]
) -> None:
    config = ConditionConfig(nodes=3, planes=1, search=SEARCH)
    again = condition(plain, halves[0], dict(reversed(RANGES.items())), 1000, 3, QUICK, config)
    assert np.array_equal(again.policy.offsets, found.policy.offsets)
    assert again.report == found.report


def test_searched_corners_are_kept_only_where_they_help(
    plain: WeightPolicy, halves: tuple[Arena, Arena]
) -> None:
    config = ConditionConfig(nodes=2, planes=0, search=SEARCH)
    ranges = {EXPOSURE: (0.4, 0.6)}
    told: list[tuple[int, int]] = []
    knobs = condition(plain, halves[0], ranges, 1000, 3, QUICK, config)
    moved = condition(
        plain,
        halves[0],
        ranges,
        1000,
        3,
        QUICK,
        config,
        halves[1],
        progress=lambda done, total: told.append((done, total)),
    )
    assert knobs.report.gain is None
    assert moved.report.gain is not None and moved.report.gain >= 1.0
    for before, after in zip(knobs.report.nodes, moved.report.nodes, strict=True):
        assert (after.held, after.engagement) >= (before.held, before.engagement)
    assert moved.report.steps > knobs.report.steps + 2 * SEARCH.steps
    assert told[-1][0] == told[-1][1] and told == sorted(told)


def test_a_target_out_of_reach_is_visible_and_refused(
    plain: WeightPolicy, halves: tuple[Arena, Arena]
) -> None:
    config = ConditionConfig(nodes=2, planes=0)
    found = condition(plain, halves[0], {"diversity": (0.6, 1.0)}, 1000, 3, QUICK, config)
    assert [node.targets for node in found.report.missed] == [{"diversity": 1.0}]
    assert found.report.cells == ()
    with pytest.raises(UnreachableConstraint):
        found.policy.at({"diversity": 0.7})
    found.policy.at({"diversity": 0.6})


@pytest.mark.parametrize(
    ("ranges", "field"),
    [
        ({}, "ranges"),
        ({"novelty": (0.1, 0.2)}, "limit"),
        ({"diversity": (0.7, 0.6)}, "ranges[diversity]"),
        ({"diversity": (0.7, 1.6)}, "ranges[diversity]"),
    ],
)
def test_what_is_no_range_is_refused(
    plain: WeightPolicy, halves: tuple[Arena, Arena], ranges: dict, field: str
) -> None:
    with pytest.raises(InvalidValue) as raised:
        condition(plain, halves[0], ranges, 1000, 3)
    assert raised.value.field == field and raised.value.mend


def test_too_fine_a_grid_is_refused(plain: WeightPolicy, halves: tuple[Arena, Arena]) -> None:
    with pytest.raises(InvalidValue, match="10000 nodes"):
        condition(plain, halves[0], RANGES, 1000, 3, config=ConditionConfig(nodes=100))


def test_side_by_side_is_one_at_a_time(policy: WeightPolicy, arena: Arena) -> None:
    """A network's policy, with offsets that differ between trials."""
    offsets = np.random.default_rng(2).normal(0, 0.5, (3, policy.n_actions)).astype(np.float32)
    rows = np.arange(0, len(arena), 3)
    # Side by side nobody measures gaps; a trained policy does not read them either.
    gaps = [name.startswith("gap:") for name in policy.observation_names]
    blind = replace(policy, scale=np.where(gaps, 0.0, policy.scale))
    for totals, own in zip(side_by_side(arena, blind, offsets, 9, rows), offsets, strict=True):
        served = blind.with_offsets(own)
        make = partial(ObservationPolicy, served.weights, response=served.response)
        alone = run_some(arena, make, 9, rows)
        assert np.array_equal(totals.expected_engagement, alone.expected_engagement)
        assert np.array_equal(totals.measured, alone.measured)


def test_a_search_finds_what_the_policy_lacks(plain: WeightPolicy, arena: Arena) -> None:
    """Weights of a policy that repeats itself are moved until users stay longer."""
    centre = plain.centre.copy()
    centre[list(plain.feature_names).index("fatigue")] = 0.0
    repetitive = replace(plain, centre=centre)
    units = np.ones(plain.n_actions)
    nothing = np.zeros(len(arena.targets))
    config = SearchConfig(steps=12_000, users=40, population=8, spread=0.7)
    moved = search_offsets(repetitive, arena, nothing, units, 5, config)
    assert moved.steps >= config.steps and moved.offsets.dtype == np.float32
    before, after = (
        run(arena, Serve(repetitive.with_offsets(offsets)), [77]).expected_engagement.mean()
        for offsets in (np.zeros(plain.n_actions), moved.offsets)
    )
    assert after > 1.05 * before
    again = search_offsets(repetitive, arena, nothing, units, 5, config)
    assert np.array_equal(again.offsets, moved.offsets)


def test_the_controller_watches_the_target_that_was_asked_for(found: Conditioned) -> None:
    served = found.policy.at({EXPOSURE: 0.6, "diversity": 0.7})
    assert served.constraints == retargeted(
        found.policy.policy.constraints, {EXPOSURE: 0.6, "diversity": 0.7}
    )
    gaps = RunningGaps(served.constraints)
    gaps.update(np.array([[0.5, 0.75]]), np.array([True]))
    assert gaps.gaps == pytest.approx([-0.1, 0.05])
