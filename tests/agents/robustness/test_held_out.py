"""Held-out worlds: what is reported is what loops over users find, and what was built in."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.outcomes import Arena
from fairloop.agents.robustness.held_out import (
    HeldOutConfig,
    HeldOutReport,
    evaluate_elsewhere,
    evaluate_held_out,
)
from fairloop.agents.robustness.randomise import WorldRanges
from fairloop.errors import InvalidValue
from fairloop.metrics.bootstrap import resampling_counts
from fairloop.rerankers.constraints import Constraints, EngagementGap, ExposureFloor
from fairloop.simulators.config import FatigueConfig, WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.rollout import simulate

FLOOR = ExposureFloor(attribute="popularity", group="long_tail", share=0.5)
CONFIG = HeldOutConfig(worlds=3, seeds=2, n_bootstrap=200)


@pytest.fixture(scope="module")
def report(loose, mindful, forgetful) -> HeldOutReport:
    return evaluate_held_out(loose, [mindful, forgetful], "forgetful", 3, None, CONFIG)


@pytest.fixture(scope="module")
def plain(report, loose, mindful, forgetful) -> dict[tuple[str, str], np.ndarray]:
    """Plain sums of both policies in every world."""
    return {
        (world.world, e.name): plain_sums(
            world.drawn.of(loose.world), loose.constraints, e, world.seeds
        )
        for world in report.worlds
        for e in (mindful, forgetful)
    }


def plain_sums(world, limits, entrant, seeds):
    """Each user's engagement, slates and shares, one run and one user at a time."""
    runs = [simulate(world, entrant.make(), limits, seed) for seed in seeds]
    rows = []
    for user in range(len(world)):
        engagement = sum(float(r.expected_engagement[user]) for r in runs) / len(runs)
        slates = sum(float(r.n_slates[user]) for r in runs) / len(runs)
        shown = sum(float(r.exposure[user, 0]) for r in runs) / len(runs)
        rows.append((engagement, slates, shown))
    return np.array(rows)


def test_every_figure_equals_a_plain_loop(report, plain, loose, mindful, forgetful):
    assert len({world.seeds for world in report.worlds}) == 3
    target = loose.constraints.exposure[0].share
    for figures in report.worlds:
        sums = [plain[figures.world, e.name] for e in (mindful, forgetful)]
        for entrant, mine in zip((mindful, forgetful), sums, strict=True):
            found = figures.of(entrant.name)
            assert found.engagement.value == pytest.approx(mine[:, 0].mean())
            assert found.slates.value == pytest.approx(mine[:, 1].mean())
            (floor,) = found.constraints
            assert floor.target == pytest.approx(target)
            level = mine[:, 2].sum() / mine[:, 1].sum()
            assert floor.measured.value == pytest.approx(level, rel=1e-6)
        ratio = sums[0][:, 0].sum() / sums[1][:, 0].sum()
        assert figures.of("mindful").ratio.value == pytest.approx(ratio)


def test_intervals_and_bounds_equal_those_of_resampling_in_a_loop(report, plain, loose):
    """With the very resamples that the report drew."""
    stream = np.random.SeedSequence(3).spawn(3)[2]
    counts = np.concatenate(list(resampling_counts(len(loose), 200, np.random.default_rng(stream))))
    for figures in report.worlds:
        ours, theirs = (plain[figures.world, name] for name in ("mindful", "forgetful"))
        ratios = [(c * ours[:, 0]).sum() / (c * theirs[:, 0]).sum() for c in counts]
        violations = [0.5 - (c * ours[:, 2]).sum() / (c * ours[:, 1]).sum() for c in counts]
        found = figures.of("mindful")
        low, high = np.quantile(ratios, [0.025, 0.975])
        assert (found.ratio.low, found.ratio.high) == pytest.approx((low, high), rel=1e-9)
        bound = np.quantile(violations, 0.95)
        assert found.constraints[0].violation_ucb == pytest.approx(bound, abs=1e-6)


def test_equal_policies_have_a_ratio_of_exactly_1(loose, make_entrant):
    twins = [make_entrant("one", 3.0, "learned"), make_entrant("other", 3.0)]
    quick = CONFIG.model_copy(update={"worlds": 2})
    report = evaluate_held_out(loose, twins, "other", 5, None, quick)
    for figures in [*report.worlds, report]:
        ratio = figures.of("one").ratio
        assert (ratio.value, ratio.low, ratio.high) == (1.0, 1.0, 1.0)
    overall = report.of("one")
    assert (overall.better_in, overall.worse_in, overall.worst) == (0, 0, 1.0)


def test_a_policy_that_wins_in_one_world_and_loses_in_another_is_reported_so(
    world, loose, mindful, forgetful
):
    """Avoiding what was seen pays where it tires, and costs where nothing does."""
    tiring = FatigueConfig(per_showing=2.0, half_life=30.0)
    configs = {
        "tiring": world.config.model_copy(update={"fatigue": tiring}),
        "tireless": WorldConfig.static().model_copy(update={"slate_size": 5}),
    }
    arenas = {
        name: replace(loose, world=world.with_dynamics(config)) for name, config in configs.items()
    }
    report = evaluate_elsewhere(arenas, [mindful, forgetful], "forgetful", 1, CONFIG)
    won, lost = report.worlds
    assert (won.world, lost.world) == ("tiring", "tireless")
    assert won.of("mindful").ratio.low > 1.0
    assert lost.of("mindful").ratio.high < 1.0
    assert report.overall == ()  # two worlds that were chosen say nothing of others


def test_counts_and_the_worst_are_those_of_the_worlds(report):
    found, figures = report.of("mindful"), [world.of("mindful") for world in report.worlds]
    assert found.worst == min(f.ratio.value for f in figures)
    assert found.better_in == sum(f.ratio.low > 1.0 for f in figures)
    assert found.worse_in == sum(f.ratio.high < 1.0 for f in figures)
    assert found.meets_in == sum(f.meets_constraints for f in figures)
    mean = np.exp(np.mean([np.log(f.ratio.value) for f in figures]))
    assert found.ratio.value == pytest.approx(mean)


def test_ranges_without_width_give_the_world_itself(loose, mindful, forgetful):
    nothing, quick = WorldRanges.nothing(), CONFIG.model_copy(update={"worlds": 2, "seeds": 1})
    report = evaluate_held_out(loose, [mindful, forgetful], "forgetful", 3, nothing, quick)
    for figures in report.worlds:
        assert figures.changed == {} and figures.drawn.config == loose.world.config
        mine = plain_sums(loose.world, loose.constraints, mindful, figures.seeds)
        assert figures.of("mindful").engagement.value == pytest.approx(mine[:, 0].mean())


def test_same_seed_same_report_stored_or_not(report, loose, mindful, forgetful):
    quick = CONFIG.model_copy(update={"worlds": 2, "seeds": 1})
    both = [mindful, forgetful]
    first, again = (evaluate_held_out(loose, both, "forgetful", 3, None, quick) for _ in range(2))
    assert first == again != report
    assert HeldOutReport.model_validate_json(report.model_dump_json()) == report
    other = evaluate_held_out(loose, [forgetful], "forgetful", 4, None, quick)
    assert not {w.seeds[0] for w in other.worlds} & {w.seeds[0] for w in report.worlds}
    assert not {w.drawn.seed for w in other.worlds} & {w.drawn.seed for w in report.worlds}


def test_a_policy_in_breach_is_reported_in_breach(loose, mindful, make_entrant):
    greedy = make_entrant("greedy", 1.0, lift=0.0)
    quick = CONFIG.model_copy(update={"worlds": 2, "seeds": 1})
    report = evaluate_held_out(loose, [mindful, greedy], "mindful", 3, None, quick)
    assert report.of("mindful").meets_in == 2 and report.of("greedy").meets_in == 0
    for world in report.worlds:
        found = world.of("greedy")
        assert not found.meets_constraints and not found.breaks_no_constraint
        assert found.constraints[0].violation_ucb > found.constraints[0].violation > 0


def test_a_group_of_users_that_falls_behind_is_measured_in_every_world(
    world, candidates, mindful, forgetful
):
    limit = EngagementGap(attribute="activity", limit=0.02, min_users=10)
    limits = Constraints(exposure=(FLOOR,), engagement_gaps=(limit,))
    arena = Arena.of(world, limits, candidates.user_groups)
    quick = CONFIG.model_copy(update={"worlds": 2, "seeds": 1})
    report = evaluate_held_out(arena, [mindful, forgetful], "forgetful", 3, None, quick)
    codes = candidates.user_groups["activity"].codes[world.users]
    names = candidates.user_groups["activity"].names
    for figures in report.worlds:
        mine = plain_sums(figures.drawn.of(world), limits, mindful, figures.seeds)[:, 0]
        found = {c.name: c for c in figures.of("mindful").constraints}
        for code, name in enumerate(names):
            if (codes == code).sum() >= 10:
                short = 1.0 - mine[codes == code].mean() / mine.mean()
                assert found[f"engagement:activity={name}"].measured.value == pytest.approx(short)
        assert len(found) > 2


def test_limits_beyond_the_pools_are_named_as_such(world, candidates, mindful):
    def arena(share: float) -> Arena:
        allowed = candidates.catalogue.popularity > np.quantile(
            candidates.catalogue.popularity, 0.8
        )
        popular = fit_world(candidates, world.config, 5, candidates.pools().keep(allowed))
        enough = popular.take(np.flatnonzero(popular.pools.sizes >= 5))
        floor = ExposureFloor(attribute="popularity", group="long_tail", share=share)
        return Arena.of(enough, Constraints(exposure=(floor,)))

    quick = CONFIG.model_copy(update={"seeds": 1})
    arenas = {"strict": arena(0.9), "loose": arena(0.0)}
    strict, easy = evaluate_elsewhere(arenas, [mindful], "mindful", 1, quick).worlds
    assert "0.9" in (strict.unreachable or "") and easy.unreachable is None


def test_a_name_that_is_not_one_policy_is_refused(loose, mindful, forgetful):
    with pytest.raises(InvalidValue, match="0 policies named 'x'"):
        evaluate_held_out(loose, [mindful, forgetful], "x", 3, None, CONFIG)
    with pytest.raises(InvalidValue, match="2 policies named 'mindful'"):
        evaluate_held_out(loose, [mindful, mindful], "mindful", 3, None, CONFIG)
