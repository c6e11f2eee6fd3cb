"""References that hold the limits: what they hold, what it costs, and that they are made again."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.references import (
    BAYES,
    LIMITED,
    PLANNING,
    limited_references,
    price_units,
    reference_entrants,
    references_left_out,
    remade_references,
)
from fairloop.agents.report import EvaluationReport, Interval, PolicyFigures
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators.config import ChoiceConfig, WorldConfig
from fairloop.simulators.fit import fit_known_taste
from fairloop.simulators.policies.oracles import PlanningOracle

QUICK = CalibrationConfig(rounds=12, seeds=2)
N_TEST, LUCK = 60, [7, 8, 9]


@pytest.fixture(scope="module")
def known(candidates):
    return fit_known_taste(candidates, WorldConfig(slate_size=5), seed=5)


def limited(world, share: float, diversity: float | None) -> Arena:
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=share)
    return Arena.of(world, Constraints(exposure=(floor,), min_diversity=diversity))


def references(arena: Arena, known) -> dict:
    made = limited_references(arena, N_TEST, 3, QUICK, known)
    assert [e.name for e in made] == [LIMITED, BAYES]
    return {e.name: e for e in made}


@pytest.fixture(scope="module")
def free(world):
    return run(limited(world, 0.0, None), PlanningOracle, LUCK)


def test_levels_are_raised_to_their_aims_and_engagement_pays(world, known, free):
    arena = limited(world, float(free.levels()[0]) + 0.08, float(free.levels()[1]) + 0.03)
    found = references(arena, known)
    brought = {name: run(arena, e.make, LUCK) for name, e in found.items()}
    for name, entrant in found.items():
        assert entrant.kind == "reference" and entrant.steps > len(arena)
        assert entrant.parameters["held"] == 1.0
        assert entrant.parameters["diversity"] > 0.0
        assert (brought[name].levels() > arena.targets).all(), name
    assert found[LIMITED].parameters["bonus:popularity=long_tail"] > 0.0
    engagement = [brought[name].expected_engagement for name in (LIMITED, BAYES)]
    assert free.expected_engagement.mean() > engagement[0].mean() > 1.1 * engagement[1].mean()


def test_without_limits_or_with_room_to_spare_they_cost_nothing(world, known, free):
    loose = limited(world, float(free.levels()[0]) / 2, None)
    found = references(loose, known)
    for entrant in found.values():
        assert entrant.parameters["bonus:popularity=long_tail"] == 0.0
        assert entrant.parameters["diversity"] == 0.0
    same = run(loose, found[LIMITED].make, LUCK)
    np.testing.assert_array_equal(same.expected_engagement, free.expected_engagement)


def test_a_limit_out_of_reach_is_said(world, known):
    found = references(limited(world, 0.1, 1.0), known)
    assert all(entrant.parameters["held"] == 0.0 for entrant in found.values())


def test_one_that_needs_the_position_model_is_not_entered_in_another(world, known):
    cascade = replace(world, config=WorldConfig(slate_size=5, choice=ChoiceConfig(model="cascade")))
    arena = limited(cascade, 0.1, None)
    quick = CalibrationConfig(rounds=1, seeds=1)
    (only,) = limited_references(arena, N_TEST, 3, quick, known)
    assert only.name == LIMITED


def figures(name: str, parameters: dict[str, float]) -> PolicyFigures:
    nothing = Interval(value=0.0, low=0.0, high=0.0)
    return PolicyFigures(
        name=name,
        kind="reference",
        parameters=parameters,
        simulator_steps=12,
        engagement=nothing,
        engagement_ratio=nothing,
        slates=nothing,
        retained=nothing,
        constraints=(),
        ndcg=None,
    )


def test_they_are_made_again_of_their_numbers(world, known, make_report):
    arena = limited(world, 0.6, 0.7)
    found = references(arena, known)
    report: EvaluationReport = make_report()
    stored = report.model_copy(
        update={
            "policies": (*report.policies, *(figures(n, e.parameters) for n, e in found.items()))
        }
    )
    through_json = EvaluationReport.model_validate_json(stored.model_dump_json())
    again = {e.name: e for e in remade_references(through_json, arena, known)}
    assert list(again)[:2] == [e.name for e in reference_entrants()]
    for name, entrant in found.items():
        assert again[name].parameters == entrant.parameters and again[name].steps == 12
        before, after = (run(arena, e.make, [4]) for e in (entrant, again[name]))
        np.testing.assert_array_equal(before.expected_engagement, after.expected_engagement)
        np.testing.assert_array_equal(before.measured, after.measured)
    assert references_left_out(through_json, arena) == {}
    assert [e.name for e in remade_references(report, arena, known)][-1] == PLANNING


def test_prices_of_an_earlier_rule_are_not_made_again_and_that_is_said(world, known, make_report):
    """Before, ``distance`` was the price of what stands above: other slates, so no ceiling now."""
    arena = limited(world, 0.6, 0.7)
    (label,) = arena.constraints.labels
    numbers = {"price": 0.5, f"bonus:{label}": 0.1, "held": 1.0}
    policies = (
        figures(LIMITED, {**numbers, "distance": 0.2}),
        figures(BAYES, {**numbers, "diversity": 0.2}),
    )
    report = make_report()
    stored = report.model_copy(update={"policies": (*report.policies, *policies)})
    made = [e.name for e in remade_references(stored, arena, known)]
    assert BAYES in made and LIMITED not in made
    left_out = references_left_out(stored, arena)
    assert left_out.keys() == {LIMITED} and "another version" in left_out[LIMITED]


def test_a_unit_of_price_moves_worth_by_one_standard_deviation(arena):
    bonus, distance = price_units(arena)
    world = arena.world
    rested = 1 / (1 + np.exp(-world.appeal)) / (1 + np.exp(-world.worth))
    spread = np.mean([row.std() for row in rested])
    member = np.mean([row.std() for row in arena.context.floors[0]])
    assert bonus * member == pytest.approx(spread, rel=1e-4)
    assert 0.0 < distance < 10 * spread * 1.001
