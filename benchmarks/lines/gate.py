"""How often the gate and the canary are right, where the truth is known.

- *Drawn cases*: held-out users are drawn from the users of a real evaluation in the simulator, with
  what the policies brought each of them, so that spread and pairing are real. The judged policy's
  engagement is scaled and its levels are shifted, which makes the truth exact.
- *Simulated cases*: perturbed static weights, evaluated as the pipeline does on some users and a
  few seeds; their truth is measured on all users and many fresh seeds. What lies within two
  standard errors of an edge is too close to call and left out.
- *Canaries*: users drawn from first slates that were simulated, with sampled clicks; plan and
  monitor are those that the gate hands out. The monitor is asked after every few users.

``python -m benchmarks.lines.gate`` prints the figures.
"""

import argparse
import json
from typing import Any

import numpy as np
from fairloop.agents.config import EvaluationConfig
from fairloop.agents.evaluate import compare
from fairloop.agents.gate import judge
from fairloop.agents.outcomes import UserTotals

from benchmarks.lines.canary import canary_figures
from benchmarks.lines.gate_house import (
    BETTER,
    FULL,
    JUDGED,
    SMOKE,
    TEST_USERS,
    Drawn,
    House,
    Sizes,
    cases,
    judged_of,
    least,
    most,
    of_users,
)
from benchmarks.report import result, say


def figures(seed: int, smoke: bool) -> list[dict[str, Any]]:
    """Results for ``benchmarks.agents``; bars are held in a full run alone."""
    sizes = SMOKE if smoke else FULL
    say("gate: a world, its baselines and perturbed weights")
    house = House.of(sizes, seed)
    return [
        *drawn_figures(house, sizes, seed, judged=not smoke),
        *simulated_figures(house, sizes, seed, judged=not smoke),
        *canary_figures(house, sizes, seed, judged=not smoke),
    ]


def drawn_figures(house: House, sizes: Sizes, seed: int, judged: bool) -> list[dict[str, Any]]:
    """Let-through rates by kind, and what it takes for the better ones."""
    chosen = house.others[:: max(1, len(house.others) // 3)]
    others = house.lives_of(chosen, house.seeds, house.everybody)
    sources = [Drawn(house, other) for other in others]
    say(f"gate: {sizes.cases} drawn cases")
    passed: dict[str, list[bool]] = {"worse": [], "in breach": [], "equal": [], "better": []}
    asked: list[int] = []
    for i, case in enumerate(cases(sizes.cases)):
        rng = np.random.default_rng([seed, 2, i])
        verdict = judge(sources[i % len(sources)].report(case, rng))
        passed[case.kind].append(verdict.passed)
        if verdict.power is not None:
            asked.append(verdict.power.users)
    rates = {kind: float(np.mean(found)) for kind, found in passed.items()}
    bad = float(np.mean([*passed["worse"], *passed["in breach"]]))
    n_bad = len(passed["worse"]) + len(passed["in breach"])
    name = "gate, drawn cases: let through of"
    users = float(np.median(asked))
    return [
        result(f"{name} {n_bad} truly worse or in breach", bad, "share", *most(bad, judged)),
        result(f"{name} {len(passed['worse'])} truly worse", rates["worse"], "share"),
        result(f"{name} {len(passed['in breach'])} in breach", rates["in breach"], "share"),
        result(
            f"{name} {len(passed['equal'])} equal",
            rates["equal"],
            "share",
            *most(rates["equal"], False),
        ),
        result(
            f"{name} {len(passed['better'])} truly better by 5 %",
            rates["better"],
            "share",
            *least(rates["better"], judged),
        ),
        result(
            f"gate: users that it asks for, so that 5 % are seen in 80 % ({TEST_USERS} are there)",
            users,
            "users",
            *((TEST_USERS, users <= TEST_USERS) if judged else (None, None)),
        ),
    ]


# --- simulated cases --------------------------------------------------------------------------


def simulated_figures(house: House, sizes: Sizes, seed: int, judged: bool) -> list[dict[str, Any]]:
    """Verdicts on perturbed weights beside their truth; each is judged in several evaluations."""
    say(f"gate: {len(house.others)} simulated policies, {sizes.truth_seeds} fresh seeds each")
    arena = house.arena
    fresh = [10_000 + i for i in range(sizes.truth_seeds)]
    best, *others = house.lives_of(
        np.concatenate([house.start[None], house.others]), fresh, house.everybody
    )
    truths = [_truth(other, best, arena.targets) for other in others]
    passed: dict[str, list[bool]] = {"good": [], "bad": [], "close": []}
    for i in range(EVALUATIONS):
        rng = np.random.default_rng([seed, 3, i])
        rows = np.sort(rng.choice(len(arena), min(TEST_USERS, len(arena) // 2), replace=False))
        luck = tuple(int(s) for s in rng.integers(2**31, size=len(house.seeds)))
        baselines, here = house.lives(luck, rows), of_users(arena, rows)
        unknown = [np.full(len(rows), np.nan)] * (len(baselines) + 1)
        entrants = [*house.baselines, judged_of()]
        for truth, mine in zip(truths, house.lives_of(house.others, luck, rows), strict=True):
            totals = [*baselines, mine]
            report = compare(here, entrants, totals, unknown, JUDGED, luck, rng, EvaluationConfig())
            passed[truth].append(judge(report).passed)
    name = f"gate, simulated cases ({EVALUATIONS} evaluations each)"
    rows_out = [result(f"{name}: too close to call", truths.count("close"), "policies")]
    for what, kind, bar in (
        ("worse or in breach", "bad", most),
        ("better by 5 %", "good", least),
    ):
        if passed[kind]:
            rate = float(np.mean(passed[kind]))
            said = f"{name}: let through of {truths.count(kind)} truly {what}"
            rows_out.append(result(said, rate, "share", *bar(rate, judged)))
    return rows_out


EVALUATIONS = 2


def _truth(found: UserTotals, best: UserTotals, targets: np.ndarray) -> str:
    """Good, bad, or too close to call: within two standard errors of an edge."""
    n = len(found.slates)
    mine, other = found.expected_engagement, best.expected_engagement
    ratio = mine.mean() / other.mean()
    error = np.std(mine - ratio * other) / np.sqrt(n) / other.mean()
    room = (found.levels() - targets) / (found.spread() / np.sqrt(n))
    if ratio + 2 * error < 1.0 or (room < -2.0).any():
        return "bad"
    return "good" if ratio - 2 * error > BETTER and (room > 2.0).all() else "close"


# --- canaries ---------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    for row in figures(args.seed, args.smoke):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
