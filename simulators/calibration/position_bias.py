"""How often each position is looked at, estimated in several ways, with intervals.

``regression-em``: the model of Wang et al. 2018. ``randomised``: click rates by position of logs in
which chance decided what stood where, each impression weighted by one over its propensity; it needs
no model and is the check of the others. ``item-adjusted``: every item compared with itself.
``naive``: plain click rates, which mix up position and what is put there.

All are relative to position 1. The simulator has one number for them, the exponent of
1 / log2(j + 1); ``fit_exponent`` finds it, and the misfit at each position stays visible.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import NotIdentified
from ..choice import discount
from ..impressions import ImpressionLog
from .click_table import ClickTable, sums, tabulate
from .regression_em import regression_em, relative_click_rates
from .uncertainty import GROUPS, clusters, interval, jackknife, random_groups, spread

MIN_CLICKS = 5
"""Clicks below which nothing is said of a position."""
LARGEST_EXPONENT = 5.0
_ROUGHLY = 1e-4  # of a replicate's logs, whose spread is a hundred times that and more


@dataclass(frozen=True, slots=True)
class Estimate:
    """Examination by position, relative to position 1, by one method.

    Attributes:
        method: Its name.
        value: Shape ``(K,)``.
        low: Lower end of the 95% interval, shape ``(K,)``; NaN where it is not known.
        high: Upper end.
        log_replicates: Logs of the jackknife replicates, shape ``(G, K)``.
    """

    method: str
    value: FloatArray
    low: FloatArray
    high: FloatArray
    log_replicates: FloatArray


@dataclass(frozen=True, slots=True)
class PositionBias:
    """What a log tells of its positions.

    Attributes:
        shown: Impressions by position, shape ``(K,)``.
        clicked: Clicks by position, shape ``(K,)``.
        estimates: By method; the first is the one in use.
        exponent: Of 1 / log2(j + 1), fit to the estimate in use; below 0 where later positions
            draw more clicks than the first, which the simulator cannot have.
        exponent_low: Lower end of its 95% interval.
        exponent_high: Upper end.
        misfit: Largest difference between the estimate in use and the fitted curve, over positions
            with at least ``MIN_CLICKS`` clicks.
        outside: Positions, from 1, whose interval leaves out the fitted curve.
        disagreement: Largest |difference| of the logs of the regression-EM and the randomised
            estimate, in standard errors of that difference; None without a randomised one.
    """

    shown: FloatArray
    clicked: FloatArray
    estimates: tuple[Estimate, ...]
    exponent: float
    exponent_low: float
    exponent_high: float
    misfit: float
    outside: tuple[int, ...]
    disagreement: float | None

    @property
    def position_bias(self) -> float:
        """The exponent within what ``ChoiceConfig`` allows."""
        return float(np.clip(self.exponent, 0.0, LARGEST_EXPONENT))

    @property
    def curve(self) -> FloatArray:
        """Examination as the simulator will have it, shape ``(K,)``."""
        return discount(len(self.shown), self.position_bias).astype(np.float64)


def fit_position_bias(
    log: ImpressionLog,
    item_features: FloatArray | None = None,
    randomised: bool = False,
    seed: int = 0,
    groups: int = GROUPS,
) -> PositionBias:
    """Estimate examination by position.

    Args:
        log: The impressions.
        item_features: What is known of each item, shape ``(I, F)``.
        randomised: Chance, the same for all items, decided what stood where; logs with
            ``propensity_item`` need not say so.
        seed: Of the jackknife's groups.
        groups: Number of the jackknife's groups.

    Raises:
        NotIdentified: No item links some position with the first, or position 1 has too few clicks.
    """
    table, row_cell = tabulate(log, item_features)
    clicks = table.per_position(table.clicked)
    if clicks[0] < MIN_CLICKS:
        raise NotIdentified(
            f"{clicks[0]:.0f} clicks at position 1 are too few to compare others with",
            field="clicked",
            mend=f"Give a log with at least {MIN_CLICKS} clicks there.",
        )
    model = regression_em(table)
    group = random_groups(clusters(log), groups, seed)
    parts = _Parts(table, log, row_cell, group, groups)
    weights = inverse_propensities(log, randomised)

    def everything(table: ClickTable, rows: np.ndarray | None) -> list[FloatArray]:
        found = [
            regression_em(table, start=model, tolerance=_ROUGHLY).examination,
            relative_click_rates(table),
            _naive(table),
        ]
        if weights is not None:
            found.append(_weighted_rates(log, weights, rows))
        return found

    whole = [model.examination, *everything(table, None)[1:]]
    methods = ("regression-em", "item-adjusted", "naive", "randomised")[: len(whole)]
    try:
        replicates = jackknife(lambda g: np.stack(everything(*parts.without(g))).ravel(), groups)
    except NotIdentified as refusal:
        raise NotIdentified(
            f"{refusal.message}, once a {groups}th of the users is left out",
            field=refusal.field,
            mend=refusal.mend,
        ) from refusal
    with np.errstate(divide="ignore"):
        logs = np.log(replicates).reshape(groups, len(whole), -1)
    estimates = tuple(
        _estimate(method, value, logs[:, number], clicks)
        for number, (method, value) in enumerate(zip(methods, whole, strict=True))
    )
    by_method = {estimate.method: estimate for estimate in estimates}
    order = ("regression-em", "randomised", "item-adjusted", "naive")
    return _summarise(table, tuple(by_method[name] for name in order if name in by_method))


def inverse_propensities(log: ImpressionLog, randomised: bool) -> FloatArray | None:
    """Weight of each row in an unbiased click rate by position; None where there is none.

    With known propensities a row counts 1 / propensity, so that each item counts alike at each
    position (Horvitz & Thompson 1952). That needs a policy that could have put anything anywhere.
    Then the mean weight at every position is the number of items to choose from; where it is hardly
    above 1, or differs between positions by a factor of 2, some choices were never made, or too
    seldom for weights to make up for.
    """
    if randomised:
        return np.ones(len(log))
    if log.propensity_item is None or not (log.propensity_item > 0).all():
        return None
    weights = 1.0 / log.propensity_item.astype(np.float64)
    position, n = log.position - 1, log.n_positions
    mean = sums(position, n, weights) / np.maximum(sums(position, n), 1.0)
    mean = mean[mean > 0]
    possible = mean.min() >= 1.5 and mean.max() <= 2.0 * mean.min()
    return weights if possible else None


def fit_exponent(log_examination: FloatArray, clicks: FloatArray) -> float:
    """The exponent b of (1 / log2(j + 1))^b nearest to an estimate, in logs.

    Positions count by how sure they are: the log of a ratio of two counts has a variance of about
    1 / clicks_j + 1 / clicks_1.
    """
    x = np.log(np.log2(np.arange(2, len(clicks) + 2)))
    usable = (clicks >= MIN_CLICKS) & np.isfinite(log_examination)
    weight = np.where(usable, clicks * clicks[0] / np.maximum(clicks + clicks[0], 1.0), 0.0)
    below = float(weight @ x**2)
    if below == 0:
        raise NotIdentified(
            f"no position after the first has {MIN_CLICKS} clicks",
            field="position",
            mend="Give a longer log.",
        )
    above = float(weight @ (x * -np.where(usable, log_examination, 0.0)))
    return above / below


class _Parts:
    """The table without one group of rows; all groups' counts are never held at once."""

    def __init__(
        self, table: ClickTable, log: ImpressionLog, row_cell: IntArray, group: IntArray, n: int
    ) -> None:
        self._table, self._log, self._cell = table, log, row_cell
        self._order = np.argsort(group, kind="stable")
        self._start = np.searchsorted(group[self._order], np.arange(n + 1))

    def without(self, group: int) -> tuple[ClickTable, np.ndarray]:
        """The table, and the rows that are left."""
        low, high = self._start[group], self._start[group + 1]
        out, n = self._order[low:high], len(self._table.shown)
        shown = self._table.shown - sums(self._cell[out], n)
        clicked = self._table.clicked - sums(self._cell[out], n, self._log.clicked[out])
        left = np.concatenate([self._order[:low], self._order[high:]])
        return self._table.with_counts(shown, clicked), left


def _naive(table: ClickTable) -> FloatArray:
    rate = table.per_position(table.clicked) / np.maximum(table.per_position(table.shown), 1.0)
    return rate / max(float(rate[0]), 1e-12)


def _weighted_rates(log: ImpressionLog, weights: FloatArray, rows: np.ndarray | None) -> FloatArray:
    """Self-normalised click rate by position, relative to position 1, shape ``(K,)``."""
    at = slice(None) if rows is None else rows
    position, weight, n = log.position[at] - 1, weights[at], log.n_positions
    clicked = sums(position, n, weight * log.clicked[at])
    rate = clicked / np.maximum(sums(position, n, weight), 1e-12)
    return rate / max(float(rate[0]), 1e-12)


def _estimate(
    method: str, value: FloatArray, log_replicates: FloatArray, clicks: FloatArray
) -> Estimate:
    """With an interval on the log scale, which stays above 0."""
    with np.errstate(divide="ignore"):
        log_value = np.log(value)
    error = np.where(clicks >= MIN_CLICKS, spread(log_replicates), np.nan)
    low, high = interval(np.where(np.isfinite(error), log_value, np.nan), error)
    return Estimate(method, value, np.exp(low), np.exp(high), log_replicates)


def _summarise(table: ClickTable, estimates: tuple[Estimate, ...]) -> PositionBias:
    clicks = table.per_position(table.clicked)
    used = estimates[0]
    with np.errstate(divide="ignore"):
        exponent = fit_exponent(np.log(used.value), clicks)
    repeats = np.array([[fit_exponent(row, clicks)] for row in used.log_replicates])
    low, high = interval(exponent, spread(repeats)[0])
    curve = discount(len(clicks), max(exponent, 0.0)).astype(np.float64)
    known = np.isfinite(used.low)
    known[0] = False
    outside = known & ((curve < used.low) | (curve > used.high))
    return PositionBias(
        shown=table.per_position(table.shown),
        clicked=clicks,
        estimates=estimates,
        exponent=exponent,
        exponent_low=float(low),
        exponent_high=float(high),
        misfit=float(np.abs(curve - used.value)[known].max(initial=0.0)),
        outside=tuple(int(j) + 1 for j in np.flatnonzero(outside)),
        disagreement=_disagreement(estimates),
    )


def _disagreement(estimates: tuple[Estimate, ...]) -> float | None:
    by_method = {estimate.method: estimate for estimate in estimates}
    if "randomised" not in by_method:
        return None
    one, other = by_method["regression-em"], by_method["randomised"]
    error = spread(one.log_replicates - other.log_replicates)
    known = np.isfinite(one.low) & np.isfinite(other.low) & (error > 0)
    if not known.any():
        return None
    distance = np.abs(np.log(one.value[known]) - np.log(other.value[known]))
    return float((distance / error[known]).max())
