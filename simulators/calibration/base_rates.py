"""How attractive items are, and how much they differ: empirical Bayes over click counts.

An item's click log-odds once examined is normal across items, N(mean, spread²); its clicks are
binomial given it and the examination of where it stood. Mean and spread maximise the marginal
likelihood, with every item's log-odds integrated out by adaptive Gauss-Hermite quadrature (Liu &
Pierce 1994, "A note on Gauss-Hermite quadrature", Biometrika). So a spread is found only where
items differ beyond the chance of their counts.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from ...arrays import FloatArray
from .click_table import ClickTable, sums
from .curvature import curvature_errors

NODES = 15
_ROUNDS = 5
_SPREADS = (0.02, 5.0)


@dataclass(frozen=True, slots=True)
class BaseRates:
    """Distribution of the click log-odds of examined items, and each item's own.

    Attributes:
        mean: Mean log-odds across items.
        mean_error: Standard error of ``mean``.
        spread: Standard deviation of the log-odds across items.
        spread_error: Standard error of ``log(spread)``; infinite where the data show none.
        items: The items that were shown, shape ``(I',)``.
        item_mean: Posterior mean of each one's log-odds, shape ``(I',)``.
        item_error: Posterior standard deviation, shape ``(I',)``.
        item_rate: Posterior mean of each one's click probability once examined, shape ``(I',)``;
            that of the mean log-odds would be too low where little is known of an item.
    """

    mean: float
    mean_error: float
    spread: float
    spread_error: float
    items: np.ndarray
    item_mean: FloatArray
    item_error: FloatArray
    item_rate: FloatArray

    @property
    def attraction(self) -> float:
        """Mean probability of a click on an examined item, every item counting once."""
        return self.attraction_at(self.mean)

    def attraction_at(self, mean: float) -> float:
        """What ``attraction`` would be at another mean of the log-odds."""
        z, weight = np.polynomial.hermite_e.hermegauss(31)
        return float(expit(mean + self.spread * z) @ (weight / weight.sum()))


def fit_base_rates(
    table: ClickTable, examination: FloatArray, lost: FloatArray | None = None
) -> BaseRates:
    """Fit mean and spread of the items' log-odds; O(C) per pass, about a hundred passes.

    Args:
        table: Showings and clicks; units of one item are put together.
        examination: Probability that each position is looked at, shape ``(K,)``, at most 1.
        lost: Log-odds that each cell's showings had lost to repetition, shape ``(C,)``.
    """
    items = _Items(table, examination, np.zeros(len(table.shown)) if lost is None else lost)
    rate = table.clicked.sum() / max((table.shown * items.theta).sum(), 1e-9)
    mean, spread = float(logit(np.clip(rate, 1e-6, 1.0 - 1e-6))), 1.0
    values, log_weight = items.nodes(mean, spread)
    best = None
    for _ in range(_ROUNDS):
        given = log_weight + items.log_likelihood(values)

        def loss(at: FloatArray, given: FloatArray = given, values: FloatArray = values) -> float:
            return -float(_log_sum_exp(given + _log_normal(values, at)).sum())

        bounds = [(-15.0, 15.0), tuple(np.log(_SPREADS))]
        found = minimize(loss, [mean, np.log(spread)], bounds=bounds, method="L-BFGS-B")
        moved = max(abs(found.x[0] - mean), abs(np.exp(found.x[1]) - spread))
        mean, spread, best = float(found.x[0]), float(np.exp(found.x[1])), loss
        values, log_weight = items.nodes(mean, spread)
        if moved < 1e-4:
            break
    assert best is not None
    at = np.array([mean, np.log(spread)])
    posterior = log_weight + items.log_likelihood(values) + _log_normal(values, at)
    share = np.exp(posterior - _log_sum_exp(posterior)[:, None])
    item_mean = (share * values).sum(axis=1)
    variance = (share * (values - item_mean[:, None]) ** 2).sum(axis=1)
    errors = curvature_errors(best, at)
    if spread <= _SPREADS[0] * 1.1:
        errors[1] = np.inf
    return BaseRates(
        mean=mean,
        mean_error=float(errors[0]),
        spread=spread,
        spread_error=float(errors[1]),
        items=items.items,
        item_mean=item_mean,
        item_error=np.sqrt(variance),
        item_rate=(share * expit(values)).sum(axis=1),
    )


class _Items:
    """The log-likelihood of each item's log-odds, from cells with a known examination."""

    def __init__(self, table: ClickTable, examination: FloatArray, lost: FloatArray) -> None:
        self.items, item = np.unique(table.unit_item, return_inverse=True)
        self._of = item[table.unit]
        self.theta = np.clip(examination, 0.0, 1.0 - 1e-9)[table.position]
        self._lost = lost
        self._clicked, self._skipped = table.clicked, table.shown - table.clicked

    def log_likelihood(self, log_odds: FloatArray) -> FloatArray:
        """Of each item at each of its ``Q`` values, up to a constant; both ``(I', Q)``."""
        columns: list[FloatArray] = []
        for column in log_odds.T:  # one node at a time keeps the memory at O(C)
            log_click = -np.logaddexp(0.0, self._lost - column[self._of])
            p = self.theta * np.exp(log_click)
            value = self._clicked * log_click + self._skipped * np.log1p(-p)
            columns.append(sums(self._of, len(self.items), value))
        return np.stack(columns, axis=1)

    def nodes(self, mean: float, spread: float) -> tuple[FloatArray, FloatArray]:
        """Quadrature points around each posterior's mode, and their log weights, ``(I', Q)``."""
        centre, width = self._mode(mean, spread)
        z, weight = np.polynomial.hermite_e.hermegauss(NODES)
        values = centre[:, None] + width[:, None] * z
        return values, np.log(weight) + 0.5 * z**2 + np.log(width)[:, None]

    def _mode(self, mean: float, spread: float) -> tuple[FloatArray, FloatArray]:
        """Mode of each item's posterior and the standard deviation that its curvature gives."""
        n, at, precision = len(self.items), np.full(len(self.items), mean), spread**-2
        curvature = np.full(n, precision)
        for _ in range(12):
            g = expit(at[self._of] - self._lost)
            p = self.theta * g
            ratio = (1.0 - g) / (1.0 - p)
            slope = sums(
                self._of, n, self._clicked * (1.0 - g) - self._skipped * p * ratio
            ) - precision * (at - mean)
            # the expected curvature: never negative, unlike the observed one
            shown = self._clicked + self._skipped
            curvature = sums(self._of, n, shown * p * (1.0 - g) * ratio) + precision
            move = np.clip(slope / curvature, -1.0, 1.0)
            at = at + move
            if np.abs(move).max() < 1e-6:
                break
        return at, 1.0 / np.sqrt(curvature)


def _log_normal(values: FloatArray, at: FloatArray) -> FloatArray:
    """Log density of N(at[0], exp(at[1])²), up to a constant."""
    return -0.5 * ((values - at[0]) * np.exp(-at[1])) ** 2 - at[1]


def _log_sum_exp(rows: FloatArray) -> FloatArray:
    """Log Σ exp of each row, without overflow."""
    top = rows.max(axis=1)
    return top + np.log(np.exp(rows - top[:, None]).sum(axis=1))
