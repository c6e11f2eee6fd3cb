"""Impact ratios in the layout of New York City's Local Law 144 (6 RCNY § 5-300 and following).

The rule asks, for each sex, each race/ethnicity and each intersection of both: how many were
assessed, the rate at which they were selected (or scored above the sample's median), and that rate
over the highest category's. A category below 2 % of the data may be left out of the ratios, but its
number and rate are still reported, as is the number of people of unknown category.

The same table serves groups of items, with exposure in the place of selection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import MISSING, BoolArray, FloatArray, IntArray
from ..errors import EmptyData, InvalidValue
from .exposure import group_exposure
from .intersections import GroupsLike, intersect, require_codes

LL144_EXCLUSION = 0.02


@dataclass(frozen=True, slots=True)
class ImpactTable:
    """Rates and impact ratios by category.

    Attributes:
        names: ``G`` names of categories.
        counts: Members of each category, shape ``(G,)``.
        selected: What they received together: selections, or exposure per user, shape ``(G,)``.
        rate: ``selected / counts``, shape ``(G,)``; NaN for an empty category.
        impact_ratio: Rate / highest rate of the categories that count, shape ``(G,)``; NaN for
            those excluded or empty, or if every rate is 0.
        excluded: Categories left out of the ratios for being small, shape ``(G,)``.
        unknown: Members of no known category; they are in no rate.
    """

    names: tuple[str, ...]
    counts: IntArray
    selected: FloatArray
    rate: FloatArray
    impact_ratio: FloatArray
    excluded: BoolArray
    unknown: int

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a category, NaN as ``None``, ready for JSON or a table."""
        return [
            {
                "category": name,
                "count": int(self.counts[g]),
                "selected": float(self.selected[g]),
                "rate": _none_if_nan(self.rate[g]),
                "impact_ratio": _none_if_nan(self.impact_ratio[g]),
                "excluded": bool(self.excluded[g]),
            }
            for g, name in enumerate(self.names)
        ]


def selection_impact(
    selected: BoolArray, groups: GroupsLike, *, exclude_below: float = 0.0
) -> ImpactTable:
    """Selection rates and their ratios to the highest.

    Args:
        selected: Whether each person (or item) was selected, shape ``(n,)``.
        groups: Category of each, ``n`` codes.
        exclude_below: Categories with a smaller share of the data are left out of the ratios, in
            [0, 1); the rule allows up to 0.02 (``LL144_EXCLUSION``).
    """
    require_codes(groups)
    if selected.shape != groups.codes.shape:
        raise InvalidValue(
            f"{selected.shape} selections for {groups.codes.shape} categories", field="selected"
        )
    codes = groups.codes
    counts = _sizes(groups)
    chosen = np.bincount(codes[selected & (codes != MISSING)], minlength=len(groups.names))
    return _table(groups, counts, chosen.astype(np.float64), exclude_below)


def scoring_impact(
    scores: FloatArray, groups: GroupsLike, *, exclude_below: float = 0.0
) -> ImpactTable:
    """Rates of scores above the sample's median, as the rule asks where nobody is selected.

    Args:
        scores: Shape ``(n,)``, finite.
        groups: Category of each, ``n`` codes. The median is that of all, unknown ones included.
        exclude_below: As in ``selection_impact``.
    """
    if not len(scores):
        raise EmptyData("there is no score", field="scores")
    if not np.isfinite(scores).all():
        raise InvalidValue("a score is NaN or infinite", field="scores")
    return selection_impact(scores > np.median(scores), groups, exclude_below=exclude_below)


def exposure_impact(
    lists: IntArray,
    groups: GroupsLike,
    *,
    exclude_below: float = 0.0,
    discount: FloatArray | None = None,
) -> ImpactTable:
    """Exposure per item of each group, per list, and its ratio to the highest.

    Args:
        lists: Item indices, shape ``(U, k)``.
        groups: Group of each item, ``I`` codes.
        exclude_below: As in ``selection_impact``.
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.
    """
    require_codes(groups)
    counts = _sizes(groups)
    by_group = group_exposure(lists, groups.codes, len(groups.names), discount)
    received = by_group.sum(axis=0) / max(len(lists), 1)
    return _table(groups, counts, received, exclude_below)


def impact_tables(
    selected: BoolArray, attributes: Sequence[GroupsLike], *, exclude_below: float = 0.0
) -> tuple[ImpactTable, ...]:
    """The rule's tables: one for each attribute, then one for their intersection, if several.

    Args:
        selected: Whether each person was selected, shape ``(n,)``.
        attributes: Such as sex and race/ethnicity, ``n`` codes each.
        exclude_below: As in ``selection_impact``.
    """
    frames = list(attributes)
    if len(frames) > 1:
        frames.append(intersect(frames))
    return tuple(selection_impact(selected, f, exclude_below=exclude_below) for f in frames)


def _table(
    groups: GroupsLike, counts: IntArray, selected: FloatArray, exclude_below: float
) -> ImpactTable:
    if not 0.0 <= exclude_below < 1.0:
        raise InvalidValue(
            f"exclude_below is {exclude_below}",
            field="exclude_below",
            mend="Use a share in [0, 1).",
        )
    nothing = np.full(len(counts), np.nan)
    rate = np.divide(selected, counts, out=nothing.copy(), where=counts > 0)
    # Small is judged against all data, people of unknown category included.
    excluded = (counts > 0) & (counts < exclude_below * len(groups.codes))
    compared = (counts > 0) & ~excluded
    highest = rate[compared].max(initial=0.0)
    compared &= highest > 0
    ratio = np.divide(rate, highest, out=nothing, where=compared)
    unknown = int(np.count_nonzero(groups.codes == MISSING))
    return ImpactTable(groups.names, counts, selected, rate, ratio, excluded, unknown)


def _sizes(groups: GroupsLike) -> IntArray:
    return np.bincount(groups.codes[groups.codes != MISSING], minlength=len(groups.names))


def _none_if_nan(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
