"""Baselines made again of their stored numbers, for other targets."""

import numpy as np
import pytest
from fairloop.agents.baselines import Member
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.families import Family, StaticLinear, baseline_families
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.pareto.recalibrated import member_of, recalibrated_baselines
from fairloop.agents.report import EvaluationReport
from fairloop.rerankers.features import feature_names

QUICK = CalibrationConfig(seeds=1, rounds=8, confidence=0.51, assurance=0.51)


def families(arena: Arena) -> tuple[Family, ...]:
    units = np.linspace(0.5, 2.0, len(feature_names(arena.constraints)) + 1)
    return baseline_families(arena.world.catalogue, arena.constraints, units)


def test_a_member_is_found_from_its_numbers(arena: Arena) -> None:
    """Numbers to point and knobs and back, wherever the search may have ended."""
    rng = np.random.default_rng(5)
    n_limits = len(arena.targets)
    for family in families(arena):
        for _ in range(5):
            point = family.start + rng.uniform(0.0, 0.8, len(family.start))
            knobs = rng.uniform(0.1, 1.0, n_limits)
            numbers = Member(family, point, knobs).parameters
            found = member_of(family, numbers, n_limits)
            assert found.parameters == pytest.approx(numbers, rel=1e-5, abs=1e-6)
            # ... and its knobs turn it as they would have turned the tuned one.
            further = np.array([0.3, 0.2])
            there = Member(family, point, knobs).turned(further).parameters
            assert found.turned(further).parameters == pytest.approx(there, rel=1e-4, abs=1e-5)


def reported(make_report, arena: Arena, **changes: dict[str, float]) -> EvaluationReport:
    """A report with the numbers of each family at its start."""
    report = make_report(baselines=tuple(f.name for f in families(arena)))
    by_name = {f.name: f for f in families(arena)}
    nothing = np.zeros(len(arena.targets))
    rows = tuple(
        row.model_copy(
            update={
                "parameters": changes.get(
                    row.name,
                    by_name[row.name].parameters(by_name[row.name].start, nothing)
                    if row.name in by_name
                    else {},
                ),
                "kind": "start" if row.name == "static-history-aware" else row.kind,
            }
        )
        for row in report.policies
    )
    return report.model_copy(update={"policies": rows})


def test_every_tuned_baseline_reaches_the_new_targets(make_report, arena: Arena) -> None:
    report = reported(make_report, arena)
    found, left_out = recalibrated_baselines(report, arena, 1000, 4, QUICK)
    assert not left_out
    assert [e.name for e in found] == [f.name for f in families(arena)]
    assert {e.name: e.kind for e in found}["static-history-aware"] == "start"
    seed = int(np.random.SeedSequence(4).generate_state(1)[0])
    for entrant in found:
        if entrant.parameters and entrant.name.startswith("static"):
            levels = run(arena, entrant.make, [seed]).levels()
            assert (levels >= arena.targets).all(), entrant.name
        assert (entrant.steps > 10) == bool(entrant.parameters)  # 10 stand in the report


def test_what_cannot_be_made_again_is_named(make_report, arena: Arena) -> None:
    report = reported(make_report, arena, mmr={"old": 1.0})
    gone = report.figures("dpp").model_copy(update={"name": "forgotten"})
    rows = tuple(gone if row.name == "dpp" else row for row in report.policies)
    found, left_out = recalibrated_baselines(
        report.model_copy(update={"policies": rows}), arena, 1000, 4, QUICK
    )
    assert left_out.keys() == {"mmr", "dpp", "forgotten"}
    assert not {"mmr", "dpp"} & {entrant.name for entrant in found}
    assert any(isinstance(e.make.family, StaticLinear) for e in found)
