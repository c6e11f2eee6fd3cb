"""Whether the limits that were set are met, as far as the interval decides it."""

from collections.abc import Mapping

import numpy as np

from ...arrays import MISSING, BoolArray, FloatArray
from ...candidates.catalogue import Groups
from ...rerankers.constraints import Constraints, ExposureFloor, HardFilters
from .figures import Ratio, Sampled, printed
from .models import AuditConfig, Figure, Status, TargetCheck
from .view import SlateView


def target_ratios(
    view: SlateView, constraints: Constraints, diversity: FloatArray
) -> dict[str, Ratio]:
    """One ratio per limit.

    Raises:
        InvalidValue: A floor names an attribute or a group that the catalogue does not have.
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
        checks.append(
            TargetCheck(
                name=f"exposure share of {floor.attribute} = {floor.group}",
                target=floor.share,
                measured=measured,
                slates=int(_window(view, floor).sum()),
                status=decide(measured, floor.share),
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
    if config.constraints.filters != HardFilters():
        checks.append(_filter_check(view, config.constraints.filters))
    return tuple(checks)


def decide(measured: Figure, target: float) -> Status:
    """Met or not met only where the whole interval lies on one side of the target."""
    if measured.low is None or measured.high is None:
        return "not measured"
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
        measured=Figure(estimate=float(forbidden), low=None, high=None, users=view.n_users),
        slates=view.n_slates,
        status="met" if forbidden == 0 else "not met",
    )


def _window(view: SlateView, floor: ExposureFloor) -> BoolArray:
    """The last slates, over which a floor is amortised, shape ``(S,)``."""
    return np.arange(view.n_slates) >= view.n_slates - floor.window
