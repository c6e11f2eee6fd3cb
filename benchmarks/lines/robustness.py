"""The trained policy where the world is not the one that it learned in.

Called after a training: it needs the policy, the tuned baseline and held-out users.
"""

from collections.abc import Mapping
from typing import Any

from fairloop.agents.baselines import Entrant
from fairloop.agents.outcomes import Arena
from fairloop.agents.robustness.held_out import (
    HeldOutConfig,
    HeldOutReport,
    WorldFigures,
    evaluate_elsewhere,
    evaluate_held_out,
)
from fairloop.agents.robustness.misspecification import SweepConfig, sweep
from fairloop.agents.robustness.paired import EntrantFigures

from benchmarks.report import result

Rows = list[dict[str, Any]]
HELD_OUT_WORLDS = 3
NOT_BELOW = 1.0  # the high end of the interval of engagement relative to the baseline
FACTORS = (0.5, 2.0)


def figures(
    policy: Entrant,
    baseline: Entrant,
    arena: Arena,
    seed: int,
    smoke: bool,
    others: Mapping[str, Arena] | None = None,
) -> Rows:
    """Three held-out worlds, held against the bars; other base models and sweeps, for the record.

    Args:
        policy: The learned policy, as it would be deployed.
        baseline: The best tuned static baseline.
        arena: Held-out users, in the world of the training.
        seed: Root of worlds, luck and resampling.
        smoke: Little effort, and nothing is held against a bar.
        others: The same users with candidates of other base models, by the model's name.
    """
    entrants = [policy, baseline]
    effort = HeldOutConfig(
        worlds=HELD_OUT_WORLDS, seeds=1 if smoke else 10, n_bootstrap=200 if smoke else 2000
    )
    report = evaluate_held_out(arena, entrants, baseline.name, seed, None, effort)
    rows: Rows = []
    for world in report.worlds:
        rows += world_rows(world, policy.name, baseline.name, judged=not smoke)
    rows += overall_rows(report, policy.name, baseline.name)
    if others:
        elsewhere = evaluate_elsewhere(dict(others), entrants, baseline.name, seed, effort)
        for world in elsewhere.worlds:
            rows += world_rows(world, policy.name, baseline.name, judged=False)
    return rows + sweep_rows(policy, baseline, arena, seed, smoke)


def world_rows(world: WorldFigures, policy: str, baseline: str, *, judged: bool) -> Rows:
    """Engagement and limits in one world."""
    found: EntrantFigures = world.of(policy)
    bar, not_below = (NOT_BELOW, found.ratio.high >= NOT_BELOW) if judged else (None, None)
    name = f"{world.world}: engagement relative to {baseline}"
    rows = [
        result(name, found.ratio.value, "ratio"),
        result(f"{name}: low end", found.ratio.low, "ratio"),
        result(f"{name}: high end", found.ratio.high, "ratio", bar, not_below),
    ]
    for limit in found.constraints:
        bar, met = (0.0, limit.met) if judged else (None, None)
        name = f"{world.world}: upper bound of the violation, {limit.name}"
        rows.append(result(name, limit.violation_ucb, "level", bar, met))
    return rows


def overall_rows(report: HeldOutReport, policy: str, baseline: str) -> Rows:
    """All worlds together; the interval is for other worlds too, and so wide."""
    ratio = report.of(policy).ratio
    name = f"{len(report.worlds)} held-out worlds: engagement relative to {baseline}"
    return [
        result(name, ratio.value, "ratio (geometric mean)"),
        result(f"{name}: low end", ratio.low, "ratio (geometric mean)"),
        result(f"{name}: high end", ratio.high, "ratio (geometric mean)"),
    ]


def sweep_rows(policy: Entrant, baseline: Entrant, arena: Arena, seed: int, smoke: bool) -> Rows:
    """How low the gain falls with one parameter at half or twice its value."""
    names = ("satiation.strength", "leaving.sensitivity") if smoke else None
    config = SweepConfig(
        parameters=names,
        factors=FACTORS,
        taste_noise=() if smoke else (0.25, 0.5),
        seeds=1 if smoke else 3,
        n_bootstrap=200 if smoke else 2000,
    )
    report = sweep(arena, policy, baseline, seed, config)
    rows: Rows = []
    for curve in report.curves:
        worst = min(curve.points, key=lambda p: p.ratio.value)
        name = f"{curve.parameter} off: least engagement relative to {baseline.name}"
        rows.append(result(f"{name}, at {worst.at:g}", worst.ratio.value, "ratio"))
    points = [point for curve in report.curves for point in curve.points]
    held = sum(all(c.met for c in point.constraints) for point in points)
    gained = sum(point.ratio.low > 1.0 for point in points)
    rows.append(result("points of the sweeps that hold every limit", held / len(points), "share"))
    rows.append(result("points of the sweeps that show a gain", gained / len(points), "share"))
    return rows
