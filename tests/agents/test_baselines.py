"""What a weight is worth, what tuning hands on, and what it costs."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents import baselines
from fairloop.agents.baselines import Member, tune, weight_units
from fairloop.agents.calibration import CalibrationConfig, calibrate
from fairloop.agents.families import (
    DPP,
    MMR,
    Chance,
    ExposureControl,
    StaticLinear,
    TopK,
    baseline_families,
)
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.search import Found, SearchConfig
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.diversity.dpp import DPPConfig, DPPReranker, TopicSimilarity
from fairloop.rerankers.features import FEATURES, feature_names
from fairloop.rerankers.patterns import TopicPatterns
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.gaps import RunningGaps
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.policies import PolicyLuck, from_reranker

QUICK = CalibrationConfig(seeds=1, rounds=4)


@pytest.fixture(scope="module")
def calm(world, constraints) -> Arena:
    """Nobody leaves and nothing tires, so that what is measured can be written down."""
    config = WorldConfig.static().model_copy(update={"slate_size": 5})
    return Arena.of(replace(world, config=config), constraints)


@pytest.fixture(scope="module")
def static(arena) -> StaticLinear:
    family = baseline_families(arena.world.catalogue, arena.constraints, weight_units(arena, 1))[-1]
    assert isinstance(family, StaticLinear)
    return family


def test_a_unit_moves_the_score_by_one_standard_deviation_within_a_pool(calm):
    """Against loops over users, for the features that no visit changes and for distance."""
    units = dict(
        zip((*feature_names(calm.constraints), "diversity"), weight_units(calm, 4), strict=True)
    )
    catalogue = calm.world.catalogue
    tail = catalogue.group("popularity").mask("long_tail")
    log_popularity = np.log1p(catalogue.popularity)
    in_pool = [items for items in calm.world.pools.items]

    def unit(spreads: list[float]) -> float:
        return 1.0 / max(float(np.mean(spreads)), 0.1)

    assert units["base"] == pytest.approx(1.0, rel=1e-5)
    assert units["floor:popularity=long_tail"] == pytest.approx(
        unit([float(tail[items].std()) for items in in_pool]), rel=1e-5
    )
    assert units["popularity"] == pytest.approx(
        unit([float(log_popularity[items].std() / log_popularity.std()) for items in in_pool]),
        rel=1e-5,
    )
    assert units["diversity"] == pytest.approx(
        unit([float(np.std(distances(catalogue.topics, items))) for items in in_pool]), rel=1e-5
    )


def distances(topics: np.ndarray, items: np.ndarray) -> list[float]:
    """Jaccard distance of the first candidate to each other one."""
    first = set(np.flatnonzero(topics[items[0]]))
    others = [set(np.flatnonzero(topics[item])) for item in items[1:]]
    return [1 - len(first & o) / len(first | o) if first | o else 0.0 for o in others]


def test_a_feature_that_hardly_varies_gets_a_bounded_unit(arena, world, constraints):
    """Showing nothing twice makes fatigue rare; its weight must not grow without end."""
    units = weight_units(arena, 1)
    assert (units > 0).all() and (units <= 10.0 + 1e-9).all()
    alone = Arena.of(world.take(np.arange(2)), constraints)
    assert np.isfinite(weight_units(alone, 1)).all()


def test_units_follow_the_seed_alone(arena):
    assert np.array_equal(weight_units(arena, 5), weight_units(arena, 5))
    assert not np.array_equal(weight_units(arena, 5), weight_units(arena, 6))


def test_turning_a_member_adds_to_its_knobs_and_leaves_the_member(static):
    member = Member(static, static.start, np.array([0.5, 1.0]))
    turned = member.turned(np.array([1.0, -0.5])).turned(np.array([0.25, 0.0]))
    assert turned.knobs.tolist() == [1.75, 0.5]
    assert member.knobs.tolist() == [0.5, 1.0]
    before, after = member.parameters, turned.parameters
    floor = "floor:popularity=long_tail"
    assert after[floor] - before[floor] == pytest.approx(1.25 * static.units[-2], rel=1e-5)
    assert after["diversity"] == pytest.approx(0.5 * static.units[-1], rel=1e-5)
    assert {name for name in after if after[name] != before[name]} == {floor, "diversity"}


def test_top_k_has_nothing_to_tune(arena):
    found = tune(TopK(), arena, arena, 40, 1, SearchConfig(steps=10**9), CalibrationConfig())
    assert found.steps == 0 and found.member is found.halfway
    entrant = found.entrant()
    assert (entrant.name, entrant.kind, entrant.parameters) == ("top-k", "baseline", {})
    first = run(arena, entrant.make, [3])
    with_knobs = run(arena, found.member.turned(np.array([5.0, 5.0])), [3])
    assert np.array_equal(first.measured, with_knobs.measured)


def test_tuning_spends_its_budget_and_counts_the_calibrations_too(static, arena):
    """A point to start learning from costs one calibration more, and changes nothing else."""
    small = SearchConfig(steps=2_000, users=30, population=6, settled=1e-9)
    plain = tune(static, arena, arena, 40, 2, small, QUICK)
    started = tune(static, arena, arena, 40, 2, small, QUICK, start_steps=500)
    assert np.array_equal(plain.member.point, started.member.point)
    assert np.array_equal(plain.member.knobs, started.member.knobs)
    assert started.steps > plain.steps > small.steps
    entrant = plain.entrant()
    assert entrant.steps == plain.steps and entrant.kind == "start"
    assert tuple(entrant.parameters) == (*FEATURES, "floor:popularity=long_tail", "diversity")


def static_member(family: StaticLinear) -> Member:
    return Member(family, family.start, np.zeros(2))


@pytest.fixture
def make_trials(static, arena, monkeypatch):
    """What the search maximises, and where its calibration began."""

    def make(search: SearchConfig, arena: Arena = arena):
        kept: list = []

        def keep(trials, start, *_):
            kept.append(trials)
            return Found(start, start, 0)

        monkeypatch.setattr(baselines, "maximise", keep)
        return kept, tune(static, arena, arena, 40, 3, search, QUICK).halfway.knobs

    return make


@pytest.mark.parametrize("generation", [0, 2])
def test_a_trial_is_relative_engagement_less_the_price_of_what_is_short(
    static, arena, make_trials, generation
):
    """Computed again from one plain run for each point."""
    (trials,), knobs = make_trials(SearchConfig(users=len(arena), price=3.0))
    begin = calibrate(static_member(static).turned, arena, 40, stream(3, 0), QUICK)
    assert np.array_equal(begin.knobs, knobs)
    seed = stream(3, 1)
    scale = run(arena, Member(TopK(), np.zeros(0), np.zeros(2)), [seed]).expected_engagement.mean()
    points = np.tile(static.start, (2, 1))
    points[0, -2] = -5.0
    values, steps = trials(points, generation)
    made = 0
    for point, value, breaks in zip(points, values, (True, False), strict=True):
        plain = run(arena, Member(static, point, knobs), [seed + generation])
        levels = zip(begin.aims, plain.levels(), strict=True)
        short = sum(max(aim - level, 0.0) for aim, level in levels)
        assert (short > 0.1) == breaks
        expected = plain.expected_engagement.mean() / scale - 3.0 * short
        assert value == pytest.approx(expected, rel=1e-4)
        made += plain.n_slates
    assert steps == made


def test_trials_of_a_generation_share_users_and_luck_and_the_next_has_others(static, make_trials):
    (trials,), _ = make_trials(SearchConfig(users=12))
    points = np.tile(static.start, (3, 1))
    values, steps = trials(points, 0)
    assert values[0] == values[1] == values[2]
    assert steps <= 3 * 12 * 31
    assert np.array_equal(trials(points, 0)[0], values)
    assert trials(points, 1)[0][0] != values[0]


def test_the_next_generation_has_other_users_too(static, calm, make_trials):
    """Where nothing changes and nobody leaves, luck cannot tell two generations apart."""
    (trials,), _ = make_trials(SearchConfig(users=12), calm)
    (everyone,), _ = make_trials(SearchConfig(users=len(calm)), calm)
    points = static.start[None]
    assert everyone(points, 0)[0] == pytest.approx(everyone(points, 1)[0])
    assert abs(trials(points, 0)[0] - trials(points, 1)[0])[0] > 1e-3


def stream(seed: int, index: int) -> int:
    return int(np.random.SeedSequence(seed).spawn(4)[index].generate_state(1)[0])


def test_families_name_the_numbers_they_run_with(arena):
    catalogue, constraints = arena.world.catalogue, arena.constraints
    mmr = MMR(catalogue, constraints)
    assert mmr.parameters(mmr.start, np.zeros(2)) == pytest.approx(
        {"trade_off": 1 / (1 + np.exp(-1.0)), "floor_bonus": np.log1p(np.exp(-1.0))}
    )
    towards_distance = mmr.parameters(mmr.start, np.array([0.0, 3.0]))
    assert towards_distance["trade_off"] < 0.2
    control = ExposureControl(catalogue, constraints)
    far = control.parameters(np.array([99.0, -99.0]), np.array([1.0, 2.0]))
    usual = control.parameters(control.start, np.zeros(2))
    assert far["integral"] / usual["integral"] == pytest.approx(np.exp(3.0))
    assert far["proportional"] / usual["proportional"] == pytest.approx(np.exp(-3.0))
    assert far["raise:popularity=long_tail"] == 0.05 and far["raise:diversity"] == 0.1
    # An aim beyond everything is cut to what a share can be, not handed on.
    control.policy(control.start, np.array([99.0, -99.0]))


def test_a_dpp_without_bonus_is_the_published_one_and_bonuses_lift_their_group(arena):
    """The wrapper that lifts relevance changes nothing where it adds nothing."""
    dpp = DPP(arena.world.catalogue, arena.constraints)
    numbers = dpp.parameters(dpp.start, np.zeros(2)) | {"bonus:popularity=long_tail": 0.0}
    plain = DPPConfig(theta=numbers["theta"], shrinkage=numbers["shrinkage"])
    similarity = TopicSimilarity(TopicPatterns.of(arena.world.catalogue))
    same = run(arena, lambda: from_reranker(DPPReranker(plain, similarity)), [3])
    assert np.array_equal(run(arena, lambda: dpp.remade(numbers), [3]).measured, same.measured)
    lifted = run(arena, lambda: dpp.remade(numbers | {"bonus:popularity=long_tail": 9.0}), [3])
    assert lifted.levels()[0] > same.levels()[0] + 0.1


def test_each_floor_of_a_dpp_has_a_bonus_of_its_own(world):
    """At the far ends θ and shrinkage stay inside what the algorithm can tell apart."""
    floors = tuple(
        ExposureFloor(attribute="popularity", group=group, share=0.3)
        for group in ("head", "long_tail")
    )
    dpp = DPP(world.catalogue, Constraints(exposure=floors, min_diversity=0.5))
    usual = dpp.parameters(dpp.start, np.zeros(3))
    turned = dpp.parameters(dpp.start, np.array([0.0, 2.0, 0.0]))
    assert {n for n in usual if usual[n] != turned[n]} == {"bonus:popularity=long_tail"}
    assert turned["bonus:popularity=long_tail"] == pytest.approx(np.log1p(np.exp(1.0)))
    far = dpp.parameters(np.array([99.0, 99.0, 0.0]), np.zeros(3))
    assert far["theta"] == far["shrinkage"] == 0.999
    dpp.remade(far)


def test_chance_is_uniform_and_knows_its_propensities(arena):
    logged = LoggedPopulation(arena.world, arena.constraints, 1)
    everyone = np.ones(len(arena), bool)
    policy = Chance().policy(np.zeros(0), np.zeros(2))
    luck = PolicyLuck.at(logged, 1)
    decision = policy.decide(logged, everyone, RunningGaps(arena.constraints), luck)
    sizes = arena.world.pools.sizes
    expected = [1 / np.prod(np.arange(n - 4, n + 1, dtype=float)) for n in sizes]
    assert decision.slate == pytest.approx(expected)
