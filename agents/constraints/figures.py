"""Every constraint as a figure of a report: what was measured, and how far a violation may go.

Levels inside the house are of what a limit keeps up (`ExposureCeiling` keeps up all but its group),
so that each must reach a least. A report states a limit as it was asked for.
"""

import numpy as np

from ...arrays import FloatArray
from ...metrics.bootstrap import interval
from ...rerankers.constraints import Constraints, ExposureCeiling
from ..report import ConstraintFigure, Interval
from .user_groups import UserGaps, shortfalls


def constraint_names(constraints: Constraints) -> tuple[str | None, ...]:
    """Name of each limit on slates, diversity last; None for a diversity that has no floor."""
    return (*constraints.names, None if constraints.min_diversity is None else "diversity")


def slate_figures(
    constraints: Constraints, levels: FloatArray, resampled: FloatArray, confidence: float
) -> tuple[ConstraintFigure, ...]:
    """Limits on what slates hold.

    Args:
        constraints: Share limits and diversity.
        levels: Level of each, shape ``(C,)``.
        resampled: The same with resampled users, shape ``(B, C)``.
        confidence: Of two-sided intervals and of the one-sided bound.
    """
    found: list[ConstraintFigure] = []
    for c, name in enumerate(constraint_names(constraints)):
        if name is None:
            continue
        limit = constraints.exposure[c] if c < len(constraints.exposure) else None
        level, replicates = float(levels[c]), resampled[:, c]
        target = (constraints.min_diversity or 0.0) if limit is None else limit.share
        ceiling = isinstance(limit, ExposureCeiling)
        if ceiling:
            level, replicates = 1.0 - level, 1.0 - replicates
        violations = replicates - target if ceiling else target - replicates
        origin = None if limit is None else limit.origin
        found.append(
            ConstraintFigure(
                name=name,
                bound="ceiling" if ceiling else "floor",
                target=target,
                measured=_interval(level, replicates, confidence),
                violation_ucb=float(np.quantile(violations, confidence)),
                merit_share=None if origin is None else origin.merit_share,
            )
        )
    return tuple(found)


def gap_columns(gaps: UserGaps, engagement: FloatArray) -> FloatArray:
    """What is resampled for engagement gaps: each group's engagement, then its size, ``(U, 2G)``.

    Args:
        gaps: ``G`` groups.
        engagement: Of each user, shape ``(U,)``.
    """
    if not len(gaps):
        return np.zeros((len(engagement), 0))
    member = gaps.member.T.astype(np.float64)
    return np.concatenate([member * engagement[:, None], member], axis=1)


def gap_figures(
    gaps: UserGaps,
    means: FloatArray,
    engagement: float,
    resampled: FloatArray,
    resampled_engagement: FloatArray,
    confidence: float,
) -> tuple[ConstraintFigure, ...]:
    """Limits on engagement gaps, one figure per group.

    Args:
        gaps: ``G`` groups.
        means: Means over users of `gap_columns`, shape ``(2G,)``.
        engagement: Mean over users.
        resampled: The same means with resampled users, shape ``(B, 2G)``.
        resampled_engagement: Shape ``(B,)``.
        confidence: Of two-sided intervals and of the one-sided bound.
    """
    n, one = len(gaps), np.ones(())
    short = shortfalls(means[:n], means[n:], np.asarray(engagement), one)
    again = shortfalls(resampled[:, :n], resampled[:, n:], resampled_engagement[:, None], one)
    return tuple(
        ConstraintFigure(
            name=name,
            bound="ceiling",
            target=float(limit),
            measured=_interval(float(short[g]), again[:, g], confidence),
            # Not nanquantile: a resample without the group leaves the bound unknown.
            violation_ucb=float(np.quantile(again[:, g] - limit, confidence)),
        )
        for g, (name, limit) in enumerate(zip(gaps.names, gaps.limits, strict=True))
    )


def _interval(value: float, replicates: FloatArray, confidence: float) -> Interval:
    low, high = interval(replicates, confidence)
    return Interval(value=value, low=float(low), high=float(high))
