"""Everything that a log of impressions tells of the simulated world."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from ...arrays import FloatArray, IntArray
from ...errors import NotIdentified
from .. import dynamics, randomness
from ..choice import discount
from ..config import WorldConfig
from ..factor_world import FactorWorld
from ..fit import draw_sensitivities
from ..impressions import ImpressionLog
from .base_rates import BaseRates, fit_base_rates
from .click_table import split_cells, sums, tabulate
from .findings import Finding, Found, tabulate_findings, with_values, within_bounds
from .history import COVARIATES, History
from .outcomes import ItemSatisfaction, fit_outcomes
from .position_bias import PositionBias, fit_position_bias
from .repeats import Repeats, fit_repeats
from .uncertainty import clusters
from .visits import find_visits, fit_returns, fit_session

Z = 1.96
"""Standard errors in half of a 95% interval."""
_TURNS = 5
Progress = Callable[[int, int], None]
STEPS = 4


@dataclass(frozen=True, slots=True)
class FittedLog:
    """A log, turned into parameters.

    Attributes:
        config: The world that the log says, with defaults where it says nothing.
        findings: Every parameter, and where its value comes from.
        position: What the positions told; None where they could not tell anything.
        position_refusal: Why they could not.
        base: Click log-odds of rested users by item.
        repeats: What repetition costs; None where it could not be told.
        satisfaction: Satisfaction with each item; None without any.
        topics: Topic shares of the items, shape ``(I, T)``; None where they are not known.
    """

    config: WorldConfig
    findings: tuple[Finding, ...]
    position: PositionBias | None
    position_refusal: str
    base: BaseRates
    repeats: Repeats | None
    satisfaction: ItemSatisfaction | None
    topics: FloatArray | None

    def item_log_odds(self, n_items: int, draw: np.random.Generator | None = None) -> FloatArray:
        """Click log-odds of every item once examined, for rested users, shape ``(I,)``.

        Args:
            n_items: Items of the catalogue; those never shown are like any other.
            draw: Draw from what is believed of each item, in place of its mean probability.
        """
        base = self.base
        if draw is None:
            odds = np.full(n_items, logit(base.attraction))
            odds[base.items] = logit(base.item_rate)
            return odds
        mean, error = np.full(n_items, base.mean), np.full(n_items, base.spread)
        mean[base.items], error[base.items] = base.item_mean, base.item_error
        return mean + error * draw.standard_normal(n_items)

    def world(self, n_users: int, n_items: int, seed: int = 0) -> FactorWorld:
        """A world of these items, and of users whose tastes do not differ.

        Differences between users are not identified by base rates; ``config`` in ``fit_world``
        puts them around the same rates.

        Args:
            n_users: Users ``U``.
            n_items: Items of the catalogue.
            seed: Decides the users' sensitivities, and each item's place in what is believed of it.
        """
        topics = np.zeros((n_items, 1)) if self.topics is None else self.topics
        worth = np.full(n_items, self.config.tastes.unrated_satisfaction)
        if self.satisfaction is not None:
            worth = np.clip(self.satisfaction.mean, 0.02, 0.98)
        users, n_topics = np.arange(n_users), topics.shape[1]
        appeal = self.item_log_odds(n_items, np.random.default_rng([seed, randomness.WORLD]))
        usual = topics.sum(axis=0) / max(float(topics.sum()), 1e-12)
        return FactorWorld(
            config=self.config,
            users=users,
            topics=topics.astype(np.float32),
            usual_topics=usual.astype(np.float32),
            bias=np.stack([appeal, dynamics.log_odds(worth)]).astype(np.float32),
            interest=np.zeros((n_users, 2, n_topics), np.float32),
            hidden=np.zeros(2, np.float32),
            luck=randomness.stream_keys(seed, randomness.WORLD, users),
            sensitivities=draw_sensitivities(users, self.config.heterogeneity, seed),
        )


def fit_log(
    log: ImpressionLog,
    topics: FloatArray | None = None,
    item_features: FloatArray | None = None,
    *,
    randomised: bool = False,
    start: WorldConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> FittedLog:
    """Fit what can be fit; what cannot keeps the value that it has in ``start``.

    Args:
        log: The impressions.
        topics: Topic shares of the items, shape ``(I, T)``; needed for satiation.
        item_features: What else is known of the items, shape ``(I, F)``; helps position bias.
        randomised: Chance, the same for all items, decided what stood where.
        start: Defaults to stand on.
        seed: Of what is drawn for intervals.
        progress: Called with steps done and ``STEPS``.

    Raises:
        EmptyData: There is no click.
    """
    done = iter(range(1, STEPS + 1))

    def advance() -> None:
        if progress is not None:
            progress(next(done), STEPS)

    config = start or WorldConfig()
    found: dict[str, Found] = {}
    position, refusal = _position(log, item_features, randomised, seed, found)
    advance()
    bias = config.choice.position_bias if position is None else position.position_bias
    looks = discount(log.n_positions, bias).astype(np.float64)
    base, repeats = _rates(log, topics, looks, config, found)
    advance()
    _attraction(log, base, found)
    switches = _rhythm(log, found)
    advance()
    satisfaction, outcomes = fit_outcomes(log)
    found |= outcomes
    advance()
    values: dict[str, object] = {
        path: within_bounds(path, one.value) for path, one in found.items() if one.value is not None
    }
    if "dwell.minutes" in values:
        switches["dwell.enabled"] = True
    if len(np.unique(log.slate)) < len(log):
        switches["slate_size"] = log.n_positions
    config = with_values(config, {**values, **switches})
    return FittedLog(
        config=config,
        findings=tabulate_findings(config, found),
        position=position,
        position_refusal=refusal,
        base=base,
        repeats=repeats,
        satisfaction=satisfaction,
        topics=topics,
    )


def _position(
    log: ImpressionLog,
    features: FloatArray | None,
    randomised: bool,
    seed: int,
    found: dict[str, Found],
) -> tuple[PositionBias | None, str]:
    path = "choice.position_bias"
    try:
        position = fit_position_bias(log, features, randomised=randomised, seed=seed)
    except NotIdentified as refusal:
        found[path] = Found(value=None, note=str(refusal))
        return None, str(refusal)
    notes: list[str] = []
    if position.exponent_low <= 0 <= position.exponent_high:
        notes.append("the interval holds 0: whether position matters at all cannot be told")
    if position.exponent < 0:
        notes.append("later positions drew more clicks than the first; 0 is the nearest allowed")
    if position.outside:
        at = ", ".join(map(str, position.outside))
        notes.append(f"the curve misses the intervals of positions {at}")
    if log.score is None and not randomised and log.propensity_item is None:
        notes.append(
            "items were compared with themselves; where users saw them higher because they liked "
            "them more, the bias is overestimated: log the ranker's score"
        )
    found[path] = Found(
        value=position.exponent,
        low=position.exponent_low,
        high=position.exponent_high,
        how="regression-EM (Wang et al. 2018), then the nearest curve",
        note="; ".join(notes),
    )
    return position, ""


def _attraction(log: ImpressionLog, base: BaseRates, found: dict[str, Found]) -> None:
    error = float(np.hypot(base.mean_error, _clustered_error(log)))
    found["choice.base_attraction"] = Found(
        value=base.attraction,
        low=base.attraction_at(base.mean - Z * error),
        high=base.attraction_at(base.mean + Z * error),
        how="empirical Bayes over items, at the fitted position bias",
        note="of what was shown: a better policy's candidates attract more",
    )
    path = "choice.attraction_spread"
    if not np.isfinite(base.spread_error) or base.spread_error > 1.0:
        note = "the items' click rates differ by no more than chance, or too few were clicked"
        found[path] = Found(value=None, note=note)
        return
    reach = np.exp(Z * base.spread_error)
    found[path] = Found(
        value=base.spread,
        low=base.spread / reach,
        high=base.spread * reach,
        how="empirical Bayes over items",
        note="between items only; that users differ over one item comes on top, and is not told",
    )


def _rates(
    log: ImpressionLog,
    topics: FloatArray | None,
    looks: FloatArray,
    config: WorldConfig,
    found: dict[str, Found],
) -> tuple[BaseRates, Repeats | None]:
    """The items' rates for rested users, and what repetition takes off them, in turns."""
    table, row_cell = tabulate(replace(log, score=None))
    base = fit_base_rates(table, looks)
    try:
        history = History.of(log, topics)
    except NotIdentified as refusal:
        found |= {path: Found(value=None, note=str(refusal)) for path in COVARIATES}
        return base, None
    x = history.walk(lambda rows, _: log.clicked[rows], config.fatigue, config.satiation)
    at, examined = np.searchsorted(base.items, log.item), looks[log.position - 1]
    fitted = fit_repeats(x, log.clicked, examined, logit(base.item_rate)[at], history.user)
    for _ in range(_TURNS):
        lost = x @ np.nan_to_num(fitted.effect)
        split, cell_lost = split_cells(table, row_cell, log.clicked, lost)
        base = fit_base_rates(split, looks, cell_lost)
        before = fitted.effect
        fitted = fit_repeats(x, log.clicked, examined, logit(base.item_rate)[at], history.user)
        if np.nanmax(np.abs(fitted.effect - before), initial=0.0) < 0.01:
            break
    usual = (config.fatigue.per_showing, config.fatigue.per_click, config.satiation.strength)
    for number, path in enumerate(COVARIATES):
        found[path] = _repeat(fitted, number, usual[number], path, topics is not None)
    return base, fitted


def _repeat(fitted: Repeats, number: int, usual: float, path: str, with_topics: bool) -> Found:
    """One effect, where it is known to within the size that it usually has."""
    effect, error = float(fitted.effect[number]), float(fitted.error[number])
    if path == COVARIATES[2] and not with_topics:
        return Found(value=None, note="the items' topics are not known")
    if not error <= usual / 2:
        counts = f"{fitted.rows[number]:,} impressions, {fitted.clicks[number]:,} clicks"
        return Found(value=None, note=f"too few have a history to tell it from 0: {counts}")
    return Found(
        value=effect,
        low=effect - Z * error,
        high=effect + Z * error,
        how="likelihood of repeated impressions, at the default half-life",
        note="mixed with lasting differences in taste between users",
    )


def _rhythm(log: ImpressionLog, found: dict[str, Found]) -> dict[str, object]:
    """Sessions, coming back, leaving; returns the switches that go with them."""
    switches: dict[str, object] = {}
    paths = ("session.mean_slates", "returning.mean_days", "leaving.base_rate")
    try:
        visits = find_visits(log)
    except NotIdentified as refusal:
        found |= {path: Found(value=None, note=str(refusal)) for path in paths}
        return switches
    try:
        mean, error = fit_session(visits)
        several = mean > 1.001
        found[paths[0]] = Found(
            value=mean,
            low=mean - Z * error,
            high=mean + Z * error,
            how="mean over visits",
            note="" if several else "one slate a visit: sessions are off",
        )
        switches["session.enabled"] = several
    except NotIdentified as refusal:
        found[paths[0]] = Found(value=None, note=str(refusal))
    try:
        rates = fit_returns(visits)
    except NotIdentified as refusal:
        found |= {path: Found(value=None, note=str(refusal)) for path in paths[1:]}
        return switches
    reach = np.exp(Z * rates.mean_days_error)
    found[paths[1]] = Found(
        value=rates.mean_days,
        low=max(rates.mean_days / reach, 1.0),
        high=rates.mean_days * reach,
        how="cure model of days between visits",
        note="at the mood that users have on average",
    )
    found[paths[2]] = _leaving(rates.leaving, rates.leaving_error, len(visits.user))
    switches["returning.enabled"] = rates.mean_days > 1.001
    return switches


def _leaving(rate: float, error: float, n_visits: int) -> Found:
    how, note = "cure model of days between visits", "at the mood that users have on average"
    if rate < 1e-3:  # the likelihood ends at 0: at 0 of n, 3 / n is the end of the interval
        return Found(value=rate, low=0.0, high=max(rate, 3.0 / n_visits), how=how, note=note)
    if not error <= 1.0:
        note = "who stays away until the end of the log cannot be told from who left"
        return Found(value=None, note=note)
    at = logit(rate)
    low, high = float(expit(at - Z * error)), float(expit(at + Z * error))
    return Found(value=rate, low=low, high=high, how=how, note=note)


def _clustered_error(log: ImpressionLog) -> float:
    """Standard error of the log click rate, a cluster's rows depending on each other."""
    _, of = np.unique(clusters(log), return_inverse=True)
    n: IntArray = np.bincount(of)
    rate = float(log.clicked.mean())
    off = sums(of, len(n), log.clicked) - rate * n
    return float(np.sqrt((off**2).sum())) / max(float(log.clicked.sum()), 1.0)
