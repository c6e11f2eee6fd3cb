"""Every kind of constraint, from its statement to the gate: measured as a plain count measures it.

One user, one slate, one position at a time; a policy that breaks a limit is reported so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from fairloop.agents.baselines import Entrant, Member
from fairloop.agents.config import EvaluationConfig
from fairloop.agents.evaluate import evaluate
from fairloop.agents.families import TopK
from fairloop.agents.gate import judge
from fairloop.agents.outcomes import Arena
from fairloop.agents.report import EvaluationReport
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.catalogue import Groups
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import (
    Constraints,
    EngagementGap,
    ExposureCeiling,
    ExposureFloor,
    ExposureRatio,
)
from fairloop.rerankers.ratios import resolve
from fairloop.simulators.rollout import slates_shown
from fairloop.simulators.world import World

CONFIG = EvaluationConfig(seeds=2, n_bootstrap=500)
TOP_K = Member(TopK(), np.zeros(0), np.zeros(2))


@pytest.fixture(scope="module")
def peopled(candidates: CandidateSet) -> CandidateSet:
    """The same candidates with providers of items, and a user group that is hard to please."""
    rng = np.random.default_rng(2)
    providers = Groups("provider", ("p", "q", "r"), rng.choice(3, 120, p=[0.6, 0.36, 0.04]))
    catalogue = replace(candidates.catalogue, groups={**candidates.catalogue.groups})
    catalogue.groups["provider"] = providers
    sides = Groups("side", ("left", "right", "few"), np.repeat([0, 1, 2, -1], [38, 36, 4, 2]))
    return replace(candidates, catalogue=catalogue, user_groups={"side": sides})


@pytest.fixture(scope="module")
def uneven(world: World, peopled: CandidateSet) -> World:
    """Users of the left side are harder to please."""
    worth = world.worth - 1.0 * (peopled.user_groups["side"].codes == 0)[:, None]
    return replace(world, catalogue=peopled.catalogue, worth=worth.astype(np.float32))


@dataclass(frozen=True)
class Slate:
    """One slate that was shown: its user, items, and the engagement it was expected to bring."""

    user: int
    items: list[int]
    engagement: float


@pytest.fixture(scope="module")
def shown(uneven: World) -> Callable[[int], list[Slate]]:
    def of(seed: int) -> list[Slate]:
        found = []
        for step in slates_shown(uneven, TOP_K(), Constraints(), seed):
            items = np.take_along_axis(step.world.pools.items, step.decision.columns, axis=1)
            for row in np.flatnonzero(step.outcome.active):
                expected = float(step.outcome.expected_engagement[row])
                found.append(Slate(int(step.at[row]), items[row].tolist(), expected))
        return found

    return of


def share_of(slates: list[Slate], codes: np.ndarray, code: int) -> float:
    total = 0.0
    for slate in slates:
        weights = [1 / np.log2(j + 2) for j in range(len(slate.items))]
        inside = [w for w, i in zip(weights, slate.items, strict=True) if codes[i] == code]
        total += sum(inside) / sum(weights)
    return total / len(slates)


def diversity_of(slates: list[Slate], topics: np.ndarray) -> float:
    def distance(a: int, b: int) -> float:
        either = (topics[a] | topics[b]).sum()
        return 1 - (topics[a] & topics[b]).sum() / either if either else 0.0

    pairs = [
        np.mean([distance(a, b) for n, a in enumerate(s.items) for b in s.items[:n]])
        for s in slates
    ]
    return float(np.mean(pairs))


def shortfall_of(runs: list[list[Slate]], codes: np.ndarray, code: int) -> float:
    by_user = np.zeros(len(codes))
    for run in runs:
        for slate in run:
            by_user[slate.user] += slate.engagement / len(runs)
    mine = [by_user[u] for u in range(len(codes)) if codes[u] == code]
    return 1 - (sum(mine) / len(mine)) / (by_user.sum() / len(by_user))


def report_of(constraints: Constraints, world: World, candidates: CandidateSet) -> EvaluationReport:
    arena = Arena.of(world, constraints, candidates.user_groups)
    top_k = [Entrant("top-k", "baseline", TOP_K, {}, 0), Entrant("same", "learned", TOP_K, {}, 0)]
    return evaluate(arena, top_k, "same", candidates, 11, CONFIG)


def every_kind(slack: float, world: World, runs: list[list[Slate]], people: CandidateSet):
    """One limit of each kind, each a little (``slack``) below or above what top-k gives."""
    slates = [slate for run in runs for slate in run]
    codes = {name: groups.codes for name, groups in people.catalogue.groups.items()}
    recent = share_of(slates, codes["era"], 3)
    provider = share_of(slates, codes["provider"], 0)
    merit = (codes["provider"] == 0).mean()
    diverse = diversity_of(slates, people.catalogue.topics)
    behind = shortfall_of(runs, people.user_groups["side"].codes, 0)
    stated = Constraints(
        exposure=(
            ExposureFloor(attribute="era", group="1995 and over", share=recent - slack),
            ExposureCeiling(attribute="era", group="1995 and over", share=recent + slack),
        ),
        min_diversity=diverse - slack,
        ratios=tuple(
            ExposureRatio(attribute="provider", group="p", merit="catalogue", **bound)
            for bound in (
                {"at_least": (provider - slack) / merit},
                {"at_most": (provider + slack) / merit},
            )
        ),
        engagement_gaps=(EngagementGap(attribute="side", limit=behind + slack, min_users=20),),
    )
    levels = {
        "exposure:era=1995 and over": recent,
        "ceiling:era=1995 and over": recent,
        "exposure:provider=p": provider,
        "ceiling:provider=p": provider,
        "diversity": diverse,
        "engagement:side=left": behind,
    }
    return resolve(stated, world.pools, world.catalogue), levels, merit


@pytest.mark.parametrize("slack", [0.02, -0.02])
def test_every_level_is_a_plain_count_and_every_breach_is_reported(slack, uneven, shown, peopled):
    free = report_of(Constraints(), uneven, peopled)
    runs = [shown(seed) for seed in free.seeds]
    constraints, levels, merit = every_kind(slack, uneven, runs, peopled)
    report = report_of(constraints, uneven, peopled)
    figures = {c.name: c for c in report.learned.constraints}
    other_side = figures.pop("engagement:side=right")
    assert other_side.violation < 0  # who is ahead is not limited
    assert list(figures) == list(levels)
    for name, level in levels.items():
        figure = figures[name]
        assert figure.measured.value == pytest.approx(level, abs=2e-6), name
        assert figure.violation == pytest.approx(-slack, abs=2e-6), name
        assert figure.violation_ucb > figure.violation
        assert figure.measured.low < level < figure.measured.high
        assert figure.bound == ("floor" if name[0] in "xd" or "exposure" in name else "ceiling")
        assert figure.title.startswith(f"{name} {'≥' if figure.bound == 'floor' else '≤'} 0.")
    for name in ("exposure:provider=p", "ceiling:provider=p"):
        assert figures[name].ratio == pytest.approx(levels["exposure:provider=p"] / merit, abs=1e-5)
    assert report.best_baseline == ("top-k" if slack > 0 else None)
    if slack < 0:
        assert not report.learned.breaks_no_constraint
    assert report.left_out == (
        "side=few: 4 users, fewer than 20",
        "side not known: 2 users",
    )
    assert EvaluationReport.model_validate_json(report.model_dump_json()) == report


def test_each_limit_alone_decides(uneven, shown, peopled):
    """With one limit broken and the others kept wide, nothing else is reported broken."""
    free = report_of(Constraints(), uneven, peopled)
    runs = [shown(seed) for seed in free.seeds]
    wide, _, _ = every_kind(0.05, uneven, runs, peopled)
    tight, _, _ = every_kind(-0.05, uneven, runs, peopled)
    cases = [
        {"exposure": (*wide.exposure[:i], tight.exposure[i], *wide.exposure[i + 1 :])}
        for i in range(len(wide.exposure))
    ]
    cases += [{field: getattr(tight, field)} for field in ("min_diversity", "engagement_gaps")]
    for number, case in enumerate(cases):
        report = report_of(wide.model_copy(update=case), uneven, peopled)
        broken = [c.name for c in report.learned.constraints if c.violation > 0]
        assert broken == [report.learned.constraints[number].name]
        verdict = judge(report)
        assert not verdict.passed
        assert any(broken[0] in reason for reason in verdict.reasons)
        assert report.best_baseline is None


def test_a_gap_needs_its_groups(uneven, peopled):
    limited = Constraints(engagement_gaps=(EngagementGap(attribute="side", limit=0.1),))
    with pytest.raises(InvalidValue, match="no groups of users named 'side'"):
        Arena.of(uneven, limited)
    with pytest.raises(InvalidValue, match="or use one of side"):
        gender = Constraints(engagement_gaps=(EngagementGap(attribute="gender", limit=0.1),))
        Arena.of(uneven, gender, peopled.user_groups)
