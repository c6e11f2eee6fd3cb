"""The tuned baselines of a report, calibrated anew for other targets.

A policy at another target has to be compared with baselines that hold that target, too. Their
stored numbers tell where their search ended; from there the knobs of the limits are turned, as at
the end of tuning. They are not searched anew: `fairloop train policy` under the new targets does.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...arrays import FloatArray
from ...rerankers.controller import ControllerConfig
from ...rerankers.features import FEATURES
from ...rerankers.response import ResponseModel
from ..baselines import Entrant, Member, weight_units
from ..calibration import CalibrationConfig, calibrate
from ..families import Family, StaticLinear, baseline_families, kind_of, reward_aware
from ..outcomes import Arena
from ..report import EvaluationReport
from ..reranker_families import DPP, MMR, RAISE, ExposureControl

Numbers = Mapping[str, float]


def recalibrated_baselines(
    report: EvaluationReport,
    validation: Arena,
    n_test: int,
    seed: int,
    calibration: CalibrationConfig,
    response: ResponseModel | None = None,
) -> tuple[list[Entrant], dict[str, str]]:
    """Every baseline that a report has the numbers of, under the limits of the arena.

    Args:
        report: Where the numbers are.
        validation: Users to calibrate on, under the new targets.
        n_test: Users on whom the limits shall be shown to hold.
        seed: Root of the users' luck, and of measuring units.
        calibration: Margins and effort.
        response: What the reward-aware weights of the report weigh, if it has them.

    Returns:
        The entrants, and why a baseline of the report is missing, by name.
    """
    units = weight_units(validation.answered_by(response), seed)
    catalogue, constraints = validation.world.catalogue, validation.constraints
    families: list[Family] = [*baseline_families(catalogue, constraints, units)]
    if response is not None:
        families.append(reward_aware(units, constraints, response))
    stored = {p.name: p for p in report.policies if p.kind in ("baseline", "start")}
    left_out = {
        name: "this version has no such baseline" for name in stored.keys() - _names(families)
    }
    found: list[Entrant] = []
    for family in families:
        numbers = stored[family.name].parameters if family.name in stored else {}
        nothing = Member(family, family.start, np.zeros(len(validation.targets)))
        if numbers.keys() != nothing.parameters.keys():
            left_out[family.name] = "it was not tuned at training, or by other numbers"
            continue
        member, steps = member_of(family, numbers, len(validation.targets)), 0
        if numbers:
            end = calibrate(member.turned, validation, n_test, seed, calibration)
            member = member.turned(end.knobs)
            steps = stored[family.name].simulator_steps + end.steps
        name = family.name
        found.append(Entrant(name, kind_of(name), member, member.parameters, steps))
    return found, left_out


def member_of(family: Family, numbers: Numbers, n_limits: int) -> Member:
    """The member of a family that has these numbers, as far as they are invertible.

    A number at the edge of its range (a bonus of 0, a share of 1) tells no more than that; the
    point is then taken a little within.
    """
    knobs = np.zeros(n_limits)
    if isinstance(family, StaticLinear):
        weights = np.array([numbers[name] for name in family.names])
        # With every weight free the point is all of them; those never searched are stored as 0.
        return Member(replace(family, searched=FEATURES), weights / family.units, knobs)
    values = np.array(list(numbers.values()))
    if isinstance(family, MMR):
        return Member(family, np.array([_logit(values[0]), _softplus_inverse(values[1])]), knobs)
    if isinstance(family, DPP):
        knobs[:-1] = _softplus_inverse(values[2:])
        return Member(family, np.array([*_logit(values[:2]), 0.0]), knobs)
    if isinstance(family, ExposureControl):
        default = ControllerConfig()
        gains = np.log(values[:2] / [default.integral, default.proportional])
        return Member(family, gains, values[2:] / RAISE)
    return Member(family, family.start, knobs)


def _names(families: list[Family]) -> set[str]:
    return {family.name for family in families}


def _logit(share: FloatArray) -> FloatArray:
    within = np.clip(share, EDGE, 1.0 - EDGE)
    return np.log(within / (1.0 - within))


def _softplus_inverse(value: FloatArray) -> FloatArray:
    return np.log(np.expm1(np.maximum(value, EDGE)))


EDGE = 1e-6
