"""Whether the limits that were set are met, as far as the interval decides it."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ...arrays import MISSING, BoolArray, FloatArray
from ...candidates.catalogue import Groups
from ...rerankers.constraints import Constraints, ExposureFloor, ExposureLimit, HardFilters
from .figures import Ratio, Sampled, printed
from .models import AuditConfig, Figure, Status, TargetCheck
from .view import SlateView


def target_ratios(
    view: SlateView, constraints: Constraints, diversity: FloatArray
) -> dict[str, Ratio]:
    """One ratio per limit.

    Raises:
        InvalidValue: A limit names an attribute or a group that the catalogue does not have.
    """
    out: dict[str, Ratio] = {}
    for number, floor in enumerate(constraints.exposure):
        window = _window(view, floor)
        groups = view.inputs.catalogue.group(floor.attribute)
        only = Groups(
            floor.attribute, (floor.group,), np.where(groups.mask(floor.group), 0, MISSING)
        )
        by_group = view.exposure_by_group(only, window)[:, 0]
        users = len(np.unique(view.row[window]))
        out[f"target.{number}"] = Ratio(by_group, view.exposure(window), users)
    if constraints.min_diversity is not None:
        known = np.isfinite(diversity)
        weight = np.where(known, view.slates_per_user, 0.0)
        total = np.where(known, diversity, 0.0) * weight
        out["target.diversity"] = Ratio(total, weight, int(known.sum()))
    return out


def check_targets(
    view: SlateView, config: AuditConfig, sampled: Mapping[str, Sampled]
) -> tuple[TargetCheck, ...]:
    """Compare each limit with what was measured."""
    checks: list[TargetCheck] = []
    for number, floor in enumerate(config.constraints.exposure):
        measured = printed(sampled[f"target.{number}"], config)
        bound = "at least" if isinstance(floor, ExposureFloor) else "at most"
        checks.append(
            TargetCheck(
                name=f"exposure share of {floor.attribute} = {floor.group}",
                target=floor.share,
                bound=bound,
                measured=measured,
                slates=int(_window(view, floor).sum()),
                status=decide(measured, floor.share, bound),
            )
        )
    least = config.constraints.min_diversity
    if least is not None:
        measured = printed(sampled["target.diversity"], config)
        checks.append(
            TargetCheck(
                name="mean intra-list distance",
                target=least,
                measured=measured,
                slates=view.n_slates,
                status=decide(measured, least),
            )
        )
    for gap in config.constraints.engagement_gaps:
        nothing = Figure(estimate=None, low=None, high=None, users=view.n_users)
        checks.append(
            TargetCheck(
                name=f"shortfall in engagement of groups by {gap.attribute}",
                target=gap.limit,
                bound="at most",
                measured=nothing,
                slates=view.n_slates,
                status="not measured",
                why_not="a record of slates does not hold what users made of them",
            )
        )
    if config.constraints.filters != HardFilters():
        checks.append(_filter_check(view, config.constraints.filters))
    return tuple(checks)


def decide(
    measured: Figure, target: float, bound: Literal["at least", "at most"] = "at least"
) -> Status:
    """Met or not met only where the whole interval lies on one side of the target."""
    if measured.low is None or measured.high is None:
        return "not measured"
    if bound == "at most":
        if measured.high <= target:
            return "met"
        return "not met" if measured.low > target else "not decided"
    if measured.low >= target:
        return "met"
    return "not met" if measured.high < target else "not decided"


def _filter_check(view: SlateView, filters: HardFilters) -> TargetCheck:
    """Count forbidden items; a count needs no interval."""
    allowed = filters.allowed(view.inputs.catalogue)
    shown = view.inputs.slates[view.filled]
    forbidden = int(np.count_nonzero(~allowed[shown]))
    return TargetCheck(
        name="positions with an item that a hard filter forbids",
        target=0.0,
        bound="at most",
        measured=Figure(estimate=float(forbidden), low=None, high=None, users=view.n_users),
        slates=view.n_slates,
        status="met" if forbidden == 0 else "not met",
    )


def _window(view: SlateView, floor: ExposureLimit) -> BoolArray:
    """The last slates, over which a limit is amortised, shape ``(S,)``."""
    return np.arange(view.n_slates) >= view.n_slates - floor.window
