"""How often canaries end as they should; see ``gate``."""

from typing import Any

import numpy as np
from fairloop.agents.deployment.canary import CanaryPlan, Seen
from fairloop.agents.deployment.hypotheses import Units
from fairloop.agents.deployment.monitor import CanaryMonitor
from fairloop.agents.deployment.planning import plan_canary, spread_of_report, with_seen
from fairloop.agents.gate import GateConfig
from fairloop.simulators.policies import StaticWeights
from fairloop.simulators.rollout import Totals, UserOutcomes, slates_shown

from benchmarks.lines.gate_house import HELD, Case, Drawn, House, Sizes, least, most
from benchmarks.report import result, say


def canary_figures(house: House, sizes: Sizes, seed: int, judged: bool) -> list[dict[str, Any]]:
    """What becomes of canaries of good and bad policies."""
    first = _first_slates(house, GateConfig().canary.slates_per_user, seed)
    plan = _planned(house, first, seed)
    say(f"gate: {plan.sentence}")
    worlds = {
        "as good as the control": (1.0, None),
        "worse by the tolerance": (1.0 - plan.config.tolerance, None),
        "beyond a limit by what is to be noticed": (1.0, -plan.config.breach),
    }
    ends = {
        name: [
            _run_canary(plan, first, ratio, room, np.random.default_rng([seed, 4, w, i]))
            for i in range(sizes.canaries)
        ]
        for w, (name, (ratio, room)) in enumerate(worlds.items())
    }
    good = ends["as good as the control"]
    promoted = float(np.mean([m.move == "promote" for m in good]))
    alarms = float(np.mean([m.reason.startswith("Alarm") for m in good]))
    name = f"canary, {sizes.canaries} runs"
    rows = [
        result(f"{name}: users planned, both sides", plan.users, "users"),
        result(
            f"{name}: promoted, as good as the control",
            promoted,
            "share",
            *least(promoted, judged),
        ),
        result(f"{name}: false alarms at any time", alarms, "share", *most(alarms, judged)),
        result(
            f"{name}: users until the end, as good as the control (median)",
            float(np.median([m.state.users for m in good])),
            "users",
        ),
    ]
    for what in list(worlds)[1:]:
        back = float(np.mean([m.move == "roll back" for m in ends[what]]))
        median = float(np.median([m.state.users for m in ends[what]]))
        rows.append(result(f"{name}: rolled back, {what}", back, "share", *least(back, judged)))
        rows.append(result(f"{name}: users until then (median), {what}", median, "users"))
    return rows


def _planned(house: House, first: UserOutcomes, seed: int) -> CanaryPlan:
    """The plan that the gate makes from an evaluation and a log of the users' first slates."""
    config = GateConfig().canary
    judged = Drawn(house, house.lives_of(house.start[None], house.seeds, house.everybody)[0])
    report = judged.report(Case(1.1, HELD), np.random.default_rng([seed, 5]))
    seen = Seen(
        slates_per_user=config.slates_per_user,
        engagement=first.engagement.mean(),
        sd=first.engagement.std(ddof=1),
        users=len(first),
        source="first slates",
    )
    spread = with_seen(spread_of_report(report, config.slates_per_user), seen)
    return plan_canary(spread, config)


def _first_slates(house: House, n_slates: int, seed: int) -> UserOutcomes:
    """Every user's first slates under the best baseline, with sampled clicks."""
    arena = house.arena
    totals = Totals.of(arena.world, arena.constraints, None)
    policy = StaticWeights(house.start)
    for shown in slates_shown(arena.world, policy, arena.constraints, seed, context=arena.context):
        if shown.number == n_slates:
            break
        totals.add(shown)
    return totals.outcomes()


def _run_canary(
    plan: CanaryPlan,
    first: UserOutcomes,
    ratio: float,
    room: float | None,
    rng: np.random.Generator,
) -> CanaryMonitor:
    """Users come at random; the new side's engagement is scaled, and its levels shifted.

    Levels lie where the evaluation said, or ``room`` above their floors.
    """
    monitor = CanaryMonitor(plan)
    levels = np.concatenate([first.exposure, first.diversity[:, None]], axis=1)
    slates = first.n_slates.astype(np.float64)
    here = levels.sum(axis=0) / slates.sum()
    limits = plan.spread.limits
    counted = slates.mean() / plan.spread.slates_per_user
    aims = np.array(
        [lim.target + (lim.slack / counted if room is None else room) for lim in limits]
    )
    moved = np.clip(levels + slates[:, None] * (aims - here), 0.0, slates[:, None])
    while monitor.move == "continue":
        rows = rng.integers(0, len(slates), 250)
        new = rng.random(len(rows)) < plan.share
        engagement = first.engagement[rows] * np.where(new, ratio, 1.0)
        monitor.update(Units(new, engagement, slates[rows], moved[rows]))
    return monitor
