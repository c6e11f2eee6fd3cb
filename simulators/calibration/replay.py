"""The fitted world put in the place of reality: the same slates, other clicks."""

from dataclasses import replace

import numpy as np
from scipy.special import expit

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import NotIdentified
from .. import dynamics
from ..choice import discount
from ..impressions import ImpressionLog
from .findings import Finding, with_values, within_bounds
from .fit_log import FittedLog, Z
from .history import COVARIATES, History


def believed(fitted: FittedLog, rng: np.random.Generator) -> FittedLog:
    """The fit with every identified parameter drawn from what is believed of it.

    Normal around the estimate, with the width of its 95% interval; items each around their own.
    """
    findings = tuple(
        f.model_copy(update={"value": _drawn(f, rng)}) if f.identified else f
        for f in fitted.findings
    )
    base, config = fitted.base, fitted.config
    satisfaction = fitted.satisfaction
    if satisfaction is not None:
        error = satisfaction.error * rng.standard_normal(len(satisfaction.error))
        satisfaction = replace(satisfaction, mean=np.clip(satisfaction.mean + error, 0.0, 1.0))
    odds = base.item_mean + base.item_error * rng.standard_normal(len(base.items))
    return replace(
        fitted,
        config=with_values(config, {f.parameter: f.value for f in findings if f.identified}),
        findings=findings,
        base=replace(base, item_mean=odds, item_rate=expit(odds)),
        satisfaction=satisfaction,
    )


def _drawn(finding: Finding, rng: np.random.Generator) -> float:
    if finding.low is None or finding.high is None:
        return finding.value
    error = (finding.high - finding.low) / (2 * Z)
    return within_bounds(finding.parameter, finding.value + error * float(rng.standard_normal()))


def replay(fitted: FittedLog, log: ImpressionLog, rng: np.random.Generator) -> ImpressionLog:
    """Show simulated users what was shown, and see what they click and how they like it.

    Position, item and, where it was identified, the user's own simulated past decide about a click;
    dynamics that the data did not identify are left out, and so is any difference between users.

    Args:
        fitted: The fit.
        log: What was shown; its clicks are not looked at. Items are numbered as in the fitted log.
        rng: Of the draws.
    """
    odds = fitted.item_log_odds(log.n_items)[log.item]
    config = fitted.config
    looks = discount(log.n_positions, config.choice.position_bias).astype(np.float64)
    looks = looks[log.position - 1]
    luck = rng.random(len(log))
    effects = _identified_effects(fitted)

    def click(rows: IntArray, covariates: FloatArray) -> BoolArray:
        lost = covariates @ effects
        clicked[rows] = luck[rows] < looks[rows] * expit(odds[rows] - lost)
        return clicked[rows]

    clicked = np.zeros(len(log), bool)
    if effects.any():
        history = History.of(log, fitted.topics)
        history.walk(click, config.fatigue, config.satiation)
    else:
        clicked = luck < looks * expit(odds)
    satisfaction = None
    if fitted.satisfaction is not None:
        mean = fitted.satisfaction.mean[log.item].astype(np.float32)
        noise = rng.random(len(log), dtype=np.float32)
        drawn = dynamics.noisy_satisfaction(mean, noise, config.satisfaction.noise)
        satisfaction = np.where(clicked, drawn, np.float32(np.nan))
    return replace(log, clicked=clicked, satisfaction=satisfaction, dwell=None)


def _identified_effects(fitted: FittedLog) -> FloatArray:
    """What each covariate takes off the log-odds, 0 where it is not identified, shape ``(3,)``."""
    known = {f.parameter: f.value for f in fitted.findings if f.identified}
    return np.array([known.get(path, 0.0) for path in COVARIATES])


def hold_out(
    log: ImpressionLog, of: IntArray, share: float, largest: int, seed: int
) -> tuple[BoolArray, int]:
    """Choose whole clusters at random until their rows are a share of the log.

    Args:
        log: The impressions.
        of: Cluster of each row, shape ``(R,)``.
        share: Of the rows.
        largest: Most rows that are held out.
        seed: Of the choice.

    Returns:
        Which rows are held out, and how many clusters they are of.

    Raises:
        NotIdentified: There are too few clusters to hold any out.
    """
    _, cluster, size = np.unique(of, return_inverse=True, return_counts=True)
    if len(size) < 4:
        raise NotIdentified(
            f"{len(size)} users are too few to hold some out",
            field="user",
            mend="Give a log of more users.",
        )
    order = np.random.default_rng(seed).permutation(len(size))
    n = int(np.searchsorted(np.cumsum(size[order]), min(share * len(log), largest)))
    n = min(max(n, 2), len(size) - 2)
    chosen = np.zeros(len(size), bool)
    chosen[order[:n]] = True
    return chosen[cluster], n
