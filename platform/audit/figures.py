"""Figures that are ratios of sums over users, and their intervals from one common resampling."""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...metrics.bootstrap import (
    bootstrap_item_amounts,
    bootstrap_sums,
    centred_interval,
    interval,
)
from ...metrics.diversity import gini
from .models import AuditConfig, Figure


@dataclass(frozen=True, slots=True)
class Ratio:
    """``scale · Σ numerator / Σ denominator + offset``, both summed over users.

    Attributes:
        numerator: One term per user, shape ``(U,)``.
        denominator: One term per user, shape ``(U,)``.
        users: Users that contribute.
        scale: Factor of the ratio.
        offset: Added to it.
    """

    numerator: FloatArray
    denominator: FloatArray
    users: int
    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def mean(cls, values: FloatArray) -> "Ratio":
        """The mean over users with a value; NaN where a user has none."""
        known = np.isfinite(values)
        counts = known.astype(np.float64)
        return cls(np.where(known, values, 0.0), counts, int(np.count_nonzero(known)))


@dataclass(frozen=True, slots=True)
class Sampled:
    """An estimate, its bootstrap replicates, shape ``(B,)``, and the users behind it."""

    estimate: float
    replicates: FloatArray
    users: int


def sample_ratios(
    ratios: dict[str, Ratio], n_replicates: int, rng: np.random.Generator
) -> dict[str, Sampled]:
    """All ratios on the same resampled users, so that functions of several stay paired."""
    terms = [column for r in ratios.values() for column in (r.numerator, r.denominator)]
    columns = np.column_stack(terms)
    whole = columns.sum(axis=0)
    sums = bootstrap_sums(columns, n_replicates, rng)
    out: dict[str, Sampled] = {}
    for position, (name, r) in enumerate(ratios.items()):
        pair = slice(2 * position, 2 * position + 2)
        estimate = float(_divide(whole[None, pair], r)[0])
        out[name] = Sampled(estimate, _divide(sums[:, pair], r), r.users)
    return out


def printed(sampled: Sampled, config: AuditConfig) -> Figure:
    """The figure as it may be printed: left out when it rests on too few users."""
    hidden = sampled.users < config.small_cell or not np.isfinite(sampled.estimate)
    if hidden:
        return Figure(estimate=None, low=None, high=None, users=sampled.users)
    low, high = interval(sampled.replicates, config.confidence)
    return Figure(estimate=sampled.estimate, low=float(low), high=float(high), users=sampled.users)


def catalogue_figures(
    user: IntArray,
    item: IntArray,
    exposure: FloatArray,
    n_users: int,
    n_items: int,
    config: AuditConfig,
    rng: np.random.Generator,
) -> dict[str, Figure]:
    """Gini of exposure and coverage, whose intervals are laid around the estimate.

    Args:
        user: Row of the user of each filled position, shape ``(E,)``.
        item: Item index of each filled position, shape ``(E,)``.
        exposure: Exposure of each filled position, shape ``(E,)``.
        n_users: Number of users.
        n_items: Number of items in the catalogue.
        config: Replicates, confidence and the smallest cell.
        rng: Source of randomness.
    """
    if n_users < config.small_cell:
        hidden = Figure(estimate=None, low=None, high=None, users=n_users)
        return {"gini": hidden, "coverage": hidden}
    replicates = np.array(
        [
            (float(gini(row)), np.count_nonzero(row) / n_items)
            for row in bootstrap_item_amounts(
                user, item, exposure, n_users, n_items, config.n_bootstrap, rng
            )
        ]
    )
    whole = np.zeros(n_items)
    np.add.at(whole, item, exposure)
    values = {"gini": float(gini(whole)), "coverage": np.count_nonzero(whole) / n_items}
    figures: dict[str, Figure] = {}
    for column, (name, value) in enumerate(values.items()):
        low, high = centred_interval(value, replicates[:, column], config.confidence)
        # Both measures lie in [0, 1]; shifting the spread may push an end past that.
        low, high = max(low, 0.0), min(high, 1.0)
        figures[name] = Figure(estimate=value, low=low, high=high, users=n_users)
    return figures


def _divide(sums: FloatArray, ratio: Ratio) -> FloatArray:
    """Ratio of the two columns; NaN in a replicate that drew none of the users concerned."""
    nothing = np.full(len(sums), np.nan)
    share = np.divide(sums[:, 0], sums[:, 1], out=nothing, where=sums[:, 1] > 0)
    return ratio.scale * share + ratio.offset
