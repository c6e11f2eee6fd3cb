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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from fairloop.agents.baselines import Entrant, tune, weight_units
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.config import EvaluationConfig
from fairloop.agents.constraints.user_groups import UserGaps
from fairloop.agents.deployment.canary import CanaryPlan, Seen
from fairloop.agents.deployment.hypotheses import Units
from fairloop.agents.deployment.monitor import CanaryMonitor
from fairloop.agents.deployment.planning import plan_canary, spread_of_report, with_seen
from fairloop.agents.evaluate import compare
from fairloop.agents.families import STATE_AWARE, Family, StaticLinear, baseline_families
from fairloop.agents.gate import GateConfig, judge
from fairloop.agents.outcomes import Arena, UserTotals, run_side_by_side, run_some
from fairloop.agents.report import EvaluationReport
from fairloop.agents.search import SearchConfig
from fairloop.agents.targets import default_constraints
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.policies import StaticWeights
from fairloop.simulators.rollout import Totals, UserOutcomes, slates_shown

from benchmarks.report import result, say

LET_THROUGH_BAR, POWER_BAR = 0.05, 0.8
BETTER = 1.05
JUDGED = "learned"
TEST_USERS = 330  # what the default split leaves of MovieLens-100K's 943 users


@dataclass(frozen=True)
class Sizes:
    """How much is simulated and drawn."""

    days: int
    users: int
    search: int
    cases: int
    policies: int
    truth_seeds: int
    canaries: int


FULL = Sizes(30, users=600, search=40_000, cases=216, policies=12, truth_seeds=6, canaries=60)
SMOKE = Sizes(5, users=100, search=600, cases=16, policies=3, truth_seeds=1, canaries=2)


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


@dataclass(frozen=True)
class House:
    """A world, the baselines that the gate asks for, and other weights.

    Attributes:
        arena: All users and the limits.
        baselines: What the gate compares with.
        start: Weights of the best of them, shape ``(A,)``.
        others: Perturbed weights, shape ``(P, A)``.
    """

    arena: Arena
    baselines: tuple[Entrant, ...]
    start: np.ndarray
    others: np.ndarray

    @classmethod
    def of(cls, sizes: Sizes, seed: int) -> "House":
        candidates = synthetic_candidates(sizes.users, 400, 8, seed=seed, top_n=100)
        world = fit_world(candidates, WorldConfig(horizon_days=sizes.days), seed)
        arena = Arena.of(world, default_constraints(candidates))
        units = weight_units(arena, seed)
        families = {f.name: f for f in baseline_families(world.catalogue, arena.constraints, units)}
        aware = families[STATE_AWARE]
        assert isinstance(aware, StaticLinear)
        tuned = tune(
            aware,
            arena,
            arena,
            TEST_USERS,
            seed,
            SearchConfig(steps=sizes.search, users=48, population=10),
            CalibrationConfig(rounds=6, seeds=1),
            start_steps=sizes.search // 5,
        )
        # The baseline is tuned for a part of the way: along the rest of it lie better policies.
        start, end = (aware.weights(m.point, m.knobs) for m in (tuned.halfway, tuned.member))
        entrants = [
            _entrant(families[name], start if name == STATE_AWARE else None)
            for name in GateConfig().required_baselines
        ]
        return cls(arena, tuple(entrants), start, _perturbed(start, end, sizes.policies, seed))

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Simulator seeds of an evaluation, as many as the gate asks for."""
        return tuple(range(1, GateConfig().min_seeds + 1))

    @cached_property
    def everybody(self) -> np.ndarray:
        """Rows of all users."""
        return np.arange(len(self.arena))

    @cached_property
    def played(self) -> list[UserTotals]:
        """What each baseline brings every user, means over `seeds`."""
        return self.lives(self.seeds, self.everybody)

    def lives(self, seeds: Sequence[int], rows: np.ndarray) -> list[UserTotals]:
        """What each baseline brings some users, means over seeds."""
        arena = self.arena
        return [
            _mean([run_some(arena, entrant.make, seed, rows) for seed in seeds])
            for entrant in self.baselines
        ]

    def lives_of(
        self, weights: np.ndarray, seeds: Sequence[int], rows: np.ndarray
    ) -> list[UserTotals]:
        """What each of some static weights ``(P, A)`` brings some users, means over seeds."""
        by_seed = [run_side_by_side(self.arena, weights, seed, rows) for seed in seeds]
        return [_mean([found[i] for found in by_seed]) for i in range(len(weights))]


def _mean(runs: Sequence[UserTotals]) -> UserTotals:
    """Means over runs of the same users."""
    names = ("engagement", "expected_engagement", "slates", "measured", "retained")
    means = (np.mean([getattr(r, name) for r in runs], axis=0) for name in names)
    return UserTotals(*means, n_slates=sum(r.n_slates for r in runs))


def _perturbed(start: np.ndarray, end: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Weights along the way of the search and before it, with noise; some hold the limits.

    The last two weigh the floor and diversity. In two of three they are stronger than they need to
    be, so that what is better is not in breach as well.
    """
    rng = np.random.default_rng([seed, 1])
    along = rng.uniform(-0.3, 1.1, n)[:, None]
    noise = 0.1 * rng.standard_normal((n, len(start))) * np.abs(start)
    weights = start + along * (end - start) + noise
    weights[:, -2:] = (
        np.maximum(start, end)[-2:] * np.where(np.arange(n) % 3 == 0, 0.9, 1.15)[:, None]
    )
    return weights


def _entrant(family: Family, weights: np.ndarray | None) -> Entrant:
    if weights is not None:
        return Entrant(family.name, "baseline", lambda: StaticWeights(weights), {}, 0)
    n_limits = 2  # one floor on exposure, one on diversity
    raised = np.full(n_limits, 1.0)  # so that the controller holds them in short lives as well
    return Entrant(family.name, "baseline", lambda: family.policy(family.start, raised), {}, 0)


# --- drawn cases ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A policy of known truth.

    Attributes:
        ratio: True engagement relative to the best baseline's.
        room: How far each level truly lies above its floor, in standard errors of the evaluation.
    """

    ratio: float
    room: tuple[float, float]

    @property
    def kind(self) -> str:
        if min(self.room) < 0.0:
            return "in breach"
        if self.ratio < 1.0:
            return "worse"
        return "equal" if self.ratio == 1.0 else "better"


WORSE = (0.9, 0.95, 0.97, 0.98, 0.99)
BREACH = ((-0.5, 4.0), (4.0, -0.5), (-1.0, 4.0), (-3.0, -3.0), (-6.0, 4.0))
HELD = (4.0, 4.0)
"""The calibration's margin is z(0.95) + z(0.99) sqrt(1 + n_test / n) standard errors, 4.2 or so."""


def cases(n: int) -> list[Case]:
    """A third worse, a quarter in breach though better by 5 %, the others equal or better."""
    worse = [Case(WORSE[i % len(WORSE)], HELD) for i in range(n // 3)]
    breach = [Case(BETTER, BREACH[i % len(BREACH)]) for i in range(n // 4)]
    equal = [Case(1.0, HELD)] * (n // 8)
    better = [Case(BETTER, HELD)] * (n - len(worse) - len(breach) - len(equal))
    return [*worse, *breach, *equal, *better]


class Drawn:
    """Evaluations of a policy whose truth is set, on users drawn from those that were simulated.

    Args:
        house: The world and its baselines.
        other: What the policy's spread is taken from: perturbed weights on the same luck.
    """

    def __init__(self, house: House, other: UserTotals) -> None:
        self._house = house
        self._other = other
        names = [entrant.name for entrant in house.baselines]
        self._best = house.played[names.index(STATE_AWARE)]

    def report(
        self, case: Case, rng: np.random.Generator, n_users: int = TEST_USERS
    ) -> EvaluationReport:
        """One evaluation of it."""
        arena, judged = self._house.arena, self._with_truth(case, n_users)
        rows = rng.integers(0, len(arena), n_users)
        totals = [_take(t, rows) for t in (*self._house.played, judged)]
        entrants = [*self._house.baselines, _judged()]
        unknown = [np.full(n_users, np.nan)] * len(entrants)
        seeds, config = self._house.seeds, EvaluationConfig()
        drawn = _of_users(arena, rows)
        return compare(drawn, entrants, totals, unknown, JUDGED, seeds, rng, config)

    def _with_truth(self, case: Case, n_users: int) -> UserTotals:
        """Engagement scaled and levels shifted, so that means over all users are as wanted."""
        other = self._other
        scale = (
            case.ratio * self._best.expected_engagement.mean() / other.expected_engagement.mean()
        )
        room = np.array(case.room) * other.spread() / np.sqrt(n_users)
        shift = self._house.arena.targets + room - other.levels()
        return replace(
            other,
            expected_engagement=other.expected_engagement * scale,
            measured=other.measured + other.slates[:, None] * shift,
        )


def _judged() -> Entrant:
    def never() -> StaticWeights:
        raise AssertionError("what it brought is at hand")

    return Entrant(JUDGED, "learned", never, {}, 0)


def _of_users(arena: Arena, rows: np.ndarray) -> Arena:
    """The limits for some of the users; none is on groups of them."""
    return replace(arena, gaps=UserGaps.of((), arena.world.users[rows], {}))


def _take(totals: UserTotals, rows: np.ndarray) -> UserTotals:
    return UserTotals(
        *(
            getattr(totals, name)[rows]
            for name in (*("engagement", "expected_engagement", "slates", "measured", "retained"),)
        ),
        n_slates=totals.n_slates,
    )


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
        result(f"{name} {n_bad} truly worse or in breach", bad, "share", *_most(bad, judged)),
        result(f"{name} {len(passed['worse'])} truly worse", rates["worse"], "share"),
        result(f"{name} {len(passed['in breach'])} in breach", rates["in breach"], "share"),
        result(
            f"{name} {len(passed['equal'])} equal",
            rates["equal"],
            "share",
            *_most(rates["equal"], False),
        ),
        result(
            f"{name} {len(passed['better'])} truly better by 5 %",
            rates["better"],
            "share",
            *_least(rates["better"], judged),
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
        baselines, here = house.lives(luck, rows), _of_users(arena, rows)
        unknown = [np.full(len(rows), np.nan)] * (len(baselines) + 1)
        entrants = [*house.baselines, _judged()]
        for truth, mine in zip(truths, house.lives_of(house.others, luck, rows), strict=True):
            totals = [*baselines, mine]
            report = compare(here, entrants, totals, unknown, JUDGED, luck, rng, EvaluationConfig())
            passed[truth].append(judge(report).passed)
    name = f"gate, simulated cases ({EVALUATIONS} evaluations each)"
    rows_out = [result(f"{name}: too close to call", truths.count("close"), "policies")]
    for what, kind, bar in (
        ("worse or in breach", "bad", _most),
        ("better by 5 %", "good", _least),
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
            *_least(promoted, judged),
        ),
        result(f"{name}: false alarms at any time", alarms, "share", *_most(alarms, judged)),
        result(
            f"{name}: users until the end, as good as the control (median)",
            float(np.median([m.state.users for m in good])),
            "users",
        ),
    ]
    for what in list(worlds)[1:]:
        back = float(np.mean([m.move == "roll back" for m in ends[what]]))
        median = float(np.median([m.state.users for m in ends[what]]))
        rows.append(result(f"{name}: rolled back, {what}", back, "share", *_least(back, judged)))
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


def _most(rate: float, judged: bool) -> tuple[float | None, bool | None]:
    return (LET_THROUGH_BAR, rate <= LET_THROUGH_BAR) if judged else (None, None)


def _least(rate: float, judged: bool) -> tuple[float | None, bool | None]:
    return (POWER_BAR, rate >= POWER_BAR) if judged else (None, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    for row in figures(args.seed, args.smoke):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
