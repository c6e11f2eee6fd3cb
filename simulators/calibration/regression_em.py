"""Regression-EM: how often each position is looked at, from clicks that are confounded with rank.

The position-based model P(click) = θ_position · γ_unit, with the relevance γ from a regression
(Wang, Golbandi, Bendersky, Metzler & Najork 2018, "Position bias estimation for unbiased learning
to rank in personal search", WSDM, section 4). Four things differ from the paper:

- the posteriors of the E-step go into the regression as fractional labels, not as drawn ones,
  which removes that noise and makes the result the same every time;
- the regression is a logistic one on the unit's features and an effect of its item that is shrunk
  towards them (log-odds normal across items), where the paper boosts trees on features alone;
- θ maximises the likelihood of the clicks themselves, not its expectation over who looked (ECME:
  Liu & Rubin 1994, "The ECME algorithm", Biometrika): the fixed points are the same, and rare
  clicks, of which EM's steps for θ are about the size, do not slow it down;
- the loop is accelerated by SQUAREM (Varadhan & Roland 2008, "Simple and globally convergent
  methods for accelerating the convergence of any EM algorithm").

Clicks fix θ only up to a factor. The position that ``relative_click_rates`` finds highest is given
θ = 1 meanwhile; results are relative to position 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ...arrays import FloatArray
from .click_table import ClickTable, require_connected, sums

TOLERANCE = 1e-6
MAX_CYCLES = 1000
ITEM_SPREAD = 5.0
"""Prior standard deviation of the items' effects: nearly free. Drawing them in by their true spread
would bias θ: the mode of many shrunk effects is not their mean (with 200 items of spread 1 and
50,000 impressions, θ came out 3% too high with a prior of 1, and 0.5% with one of 5)."""
_FEATURE_PRECISION = 0.01  # of the slopes of standardised features: a prior spread of 10
_EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class PositionBiasModel:
    """A fitted position-based model.

    Attributes:
        examination: Relative to position 1, shape ``(K,)``; 0 where nothing was clicked.
        attraction: Probability of a click at position 1, of each unit, shape ``(M,)``.
        steps: EM steps taken.
        converged: Whether the last one changed next to nothing.
        state: Logs of θ, then the regression's effects: where another fit may start.
        reference: Position, from 0, whose θ is 1 in ``state``.
    """

    examination: FloatArray
    attraction: FloatArray
    steps: int
    converged: bool
    state: FloatArray
    reference: int


def relative_click_rates(table: ClickTable, iterations: int = 1000) -> FloatArray:
    """Click rate by position at equal items, relative to position 1, shape ``(K,)``.

    The maximum-likelihood estimate of log-linear rates θ_position · γ_unit by iterative scaling
    (Deming & Stephan 1940). It compares an item with itself at other positions, so that it does
    not mind which items stand where; it does not know that probabilities end at 1, which
    ``regression_em`` does.

    Raises:
        NotIdentified: Position and item cannot be told apart.
    """
    require_connected(table)
    clicks = table.per_position(table.clicked)
    unit_clicks = table.per_unit(table.clicked)
    theta = np.ones(table.n_positions)
    for _ in range(iterations):
        gamma = unit_clicks / np.maximum(table.per_unit(table.shown * theta[table.position]), _EDGE)
        expected = table.per_position(table.shown * gamma[table.unit])
        new = clicks / np.maximum(expected, _EDGE)
        new /= max(float(new.max()), _EDGE)
        change = float(np.abs(new - theta).max())
        theta = new
        if change < TOLERANCE:
            break
    return _relative_to_first(theta)


def regression_em(
    table: ClickTable,
    item_spread: float = ITEM_SPREAD,
    start: PositionBiasModel | None = None,
    tolerance: float = TOLERANCE,
) -> PositionBiasModel:
    """Examination by position and relevance by unit; a step costs O(C + M · F²).

    Args:
        table: Showings and clicks.
        item_spread: Standard deviation, across items, of the log-odds that the features do not
            explain; the smaller, the more are rarely shown items drawn to the others, and the
            larger is the bias that ``ITEM_SPREAD`` speaks of.
        start: A fit to other counts in the same cells, to start from.
        tolerance: Largest change of a log-odds or of a log θ in one step at which the loop ends.

    Raises:
        NotIdentified: Position and item cannot be told apart.
    """
    regression = _Regression(table, max(item_spread, 1e-3) ** -2)
    if start is None:
        first = relative_click_rates(table)
        reference = int(np.argmax(first))
        theta = np.clip(first / first[reference], _EDGE, None)
        rate = table.clicked.sum() / (table.shown * theta[table.position]).sum()
        state = np.concatenate([np.log(theta), regression.start(float(rate))])
    else:
        require_connected(table)
        state, reference = start.state, start.reference
    k = table.n_positions

    def step(state: FloatArray) -> FloatArray:
        theta, effects = _examination(state[:k], reference), state[k:]
        gamma = expit(regression.log_odds(effects))
        _, liked = expected_latents(table, theta, gamma)
        effects = regression.improve(effects, table.per_unit(liked))
        theta = likeliest_examination(table, theta, expit(regression.log_odds(effects)))
        theta[reference] = 1.0
        return np.concatenate([np.log(theta), effects])

    def objective(state: FloatArray) -> float:
        gamma = expit(regression.log_odds(state[k:]))
        likelihood = log_likelihood(table, _examination(state[:k], reference), gamma)
        return likelihood - regression.penalty(state[k:])

    state, steps, converged = squarem(step, objective, state, tolerance)
    theta = _examination(state[:k], reference)
    theta[table.per_position(table.clicked) == 0] = 0.0
    attraction = expit(regression.log_odds(state[k:])) * theta[0]
    examination = _relative_to_first(theta)
    return PositionBiasModel(examination, attraction, steps, converged, state, reference)


def likeliest_examination(
    table: ClickTable, theta: FloatArray, gamma: FloatArray, steps: int = 3
) -> FloatArray:
    """The θ of highest likelihood at a given relevance, by Newton steps on its log, ``(K,)``.

    At the solution clicks = θ · Σ (showings − clicks) · γ / (1 − θγ), position by position.
    """
    clicks, unclicked = table.per_position(table.clicked), table.shown - table.clicked
    g = gamma[table.unit]
    for _ in range(steps):
        p = np.minimum(theta[table.position] * g, 1.0 - _EDGE)
        odds = p / (1.0 - p)
        missed = table.per_position(unclicked * odds)
        curvature = table.per_position(unclicked * odds * (1.0 + odds))
        move = (clicks - missed) / np.maximum(curvature, _EDGE)
        theta = np.maximum(theta * np.exp(np.clip(move, -1.0, 1.0)), _EDGE)
    return theta


def expected_latents(
    table: ClickTable, theta: FloatArray, gamma: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The E-step: expected numbers of examined, and of relevant, showings per cell, both ``(C,)``.

    A click was examined and relevant. No click: examined with θ(1 − γ) / (1 − θγ), relevant with
    γ(1 − θ) / (1 − θγ).
    """
    t, g = theta[table.position], gamma[table.unit]
    unclicked = (table.shown - table.clicked) / np.maximum(1.0 - t * g, _EDGE)
    return table.clicked + unclicked * t * (1.0 - g), table.clicked + unclicked * g * (1.0 - t)


def log_likelihood(table: ClickTable, theta: FloatArray, gamma: FloatArray) -> float:
    """Σ clicks · log(θγ) + (showings − clicks) · log(1 − θγ)."""
    p = np.clip(theta[table.position] * gamma[table.unit], 1e-300, 1.0 - _EDGE)
    return float(table.clicked @ np.log(p) + (table.shown - table.clicked) @ np.log1p(-p))


def squarem(
    step: Callable[[FloatArray], FloatArray],
    objective: Callable[[FloatArray], float],
    state: FloatArray,
    tolerance: float,
) -> tuple[FloatArray, int, bool]:
    """Accelerate a monotone fixed-point map (Varadhan & Roland 2008, scheme S3).

    Two steps give a direction and its curvature; the extrapolation along them is taken if the
    objective does not fall below what plain steps reach.

    Returns:
        The fixed point, the steps taken, and whether it was reached.
    """
    steps = 0
    for _ in range(MAX_CYCLES):
        one = step(state)
        change = one - state
        steps += 1
        if np.abs(change).max() < tolerance:
            return one, steps, True
        two = step(one)
        curvature = two - one - change
        steps += 1
        length = float(np.linalg.norm(curvature))
        if length < tolerance:
            state = two
            continue
        alpha = -max(float(np.linalg.norm(change)) / length, 1.0)
        jumped = step(state - 2.0 * alpha * change + alpha * alpha * curvature)
        steps += 1
        state = jumped if objective(jumped) >= objective(two) else two
    return state, steps, False


class _Regression:
    """Logistic regression of relevance on features, with an effect per item that is shrunk.

    Effects are one vector: the intercept and the slopes, then one effect per item. An item without
    impressions has none.
    """

    def __init__(self, table: ClickTable, precision: float) -> None:
        spread = table.features.std(axis=0)
        centred = table.features - table.features.mean(axis=0)
        useful = spread > 1e-9
        ones = np.ones((len(table.unit_item), 1))
        self._design = np.concatenate([ones, centred[:, useful] / spread[useful]], axis=1)
        _, self._item = np.unique(table.unit_item, return_inverse=True)
        self._n_items = int(self._item.max()) + 1
        self._shown = table.per_unit(table.shown)
        self._precision = precision
        self._slopes = np.full(self._design.shape[1], _FEATURE_PRECISION)
        self._slopes[0] = 0.0

    def start(self, rate: float) -> FloatArray:
        """All units alike."""
        effects = np.zeros(self._design.shape[1] + self._n_items)
        effects[0] = logit(np.clip(rate, 1e-6, 1.0 - 1e-6))
        return effects

    def log_odds(self, effects: FloatArray) -> FloatArray:
        """Of the relevance of each unit, shape ``(M,)``."""
        f = self._design.shape[1]
        return self._design @ effects[:f] + effects[f:][self._item]

    def penalty(self, effects: FloatArray) -> float:
        """Minus the log density of the effects, up to a constant."""
        f = self._design.shape[1]
        shrunk = self._precision * (effects[f:] @ effects[f:])
        return float(0.5 * (self._slopes @ effects[:f] ** 2 + shrunk))

    def improve(self, effects: FloatArray, relevant: FloatArray) -> FloatArray:
        """One Newton step on the expected log-likelihood, halved until it is no loss.

        The items' block of the Hessian is diagonal and is eliminated first (Schur complement).

        Args:
            effects: Where to start.
            relevant: Expected relevant showings of each unit, shape ``(M,)``.
        """
        f, x, item, n = self._design.shape[1], self._design, self._item, self._n_items
        p = expit(self.log_odds(effects))
        residual, weight = relevant - self._shown * p, self._shown * p * (1.0 - p)
        slope = x.T @ residual - self._slopes * effects[:f]
        level = sums(item, n, residual) - self._precision * effects[f:]
        diagonal = sums(item, n, weight) + self._precision
        weighted = x * weight[:, None]
        cross = np.stack([sums(item, n, column) for column in weighted.T], axis=1)
        inner = x.T @ weighted + np.diag(self._slopes) - cross.T @ (cross / diagonal[:, None])
        inner[np.diag_indices(f)] += 1e-9
        of_features = np.linalg.solve(inner, slope - cross.T @ (level / diagonal))
        move = np.concatenate([of_features, (level - cross @ of_features) / diagonal])
        before = self._expected(effects, relevant)
        for _ in range(30):
            if self._expected(effects + move, relevant) >= before:
                return effects + move
            move = move * 0.5
        return effects

    def _expected(self, effects: FloatArray, relevant: FloatArray) -> float:
        z = self.log_odds(effects)
        return float(relevant @ z - self._shown @ np.logaddexp(0.0, z)) - self.penalty(effects)


def _examination(log_theta: FloatArray, reference: int) -> FloatArray:
    # An extrapolated state may lie anywhere; a little above 1 is possible beside the reference.
    theta = np.clip(np.exp(np.clip(log_theta, -50.0, 1.0)), _EDGE, None)
    theta[reference] = 1.0
    return theta


def _relative_to_first(theta: FloatArray) -> FloatArray:
    return theta / max(float(theta[0]), _EDGE)
