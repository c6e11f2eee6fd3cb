"""Figures of visits and of satisfaction: sessions, coming back, and how clicks were liked."""

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import NotIdentified
from ..impressions import ImpressionLog
from .comparison import Figure
from .fit_log import FittedLog
from .samples import Sample, wasserstein
from .visits import find_visits

MIN_VALUES = 20


def visit_figures(
    real: ImpressionLog,
    cluster: IntArray,
    fitted: FittedLog,
    rng: np.random.Generator,
    missing: dict[str, str],
) -> list[Figure]:
    """Session length and days between visits, which the simulator draws as geometric.

    Args:
        real: Held-out impressions.
        cluster: Of each row, from 0, shape ``(R,)``.
        fitted: The fit.
        rng: Of the simulated visits.
        missing: Gets the reasons why a figure cannot be shown.
    """
    try:
        visits = find_visits(real)
    except NotIdentified as refusal:
        missing["session length"] = missing["return time"] = str(refusal)
        return []
    assert real.user is not None
    number = np.zeros(int(real.user.max()) + 1, np.int64)
    number[real.user] = cluster
    whose, config = number[visits.user], fitted.config
    known = {f.parameter for f in fitted.findings if f.identified}
    found: list[Figure] = []
    if "session.mean_slates" in known:
        mean = config.session.mean_slates if config.session.enabled else 1.0
        drawn = rng.geometric(1.0 / mean, len(whose))
        found.append(
            Figure(
                name="session_length",
                title="Session length",
                axis="slates",
                unit="share of sessions",
                kind="distribution",
                real=Sample.of_values(visits.slates.astype(np.float64), whose),
                simulated=Sample.of_values(drawn.astype(np.float64), whose),
                distance=wasserstein,
                distance_name="Wasserstein, slates",
                remark="at constant mood, the simulator's sessions are geometric",
            )
        )
    else:
        missing["session length"] = "too few visits"
    same = visits.user[1:] == visits.user[:-1]
    gaps = np.diff(visits.day)
    returned = same & (gaps >= 1)
    if "returning.mean_days" not in known or not returned.any():
        missing["return time"] = "too few users come back on a later day"
        return found
    hazard = 1.0 / config.returning.mean_days if config.returning.enabled else 1.0
    drawn, back = _drawn_returns(visits.day, visits.end, hazard, rng)
    found.append(
        Figure(
            name="return_time",
            title="Days between visits",
            axis="days",
            unit="share of returns",
            kind="distribution",
            real=Sample.of_values(gaps[returned], whose[1:][returned]),
            simulated=Sample.of_values(drawn[back], whose[back]),
            distance=wasserstein,
            distance_name="Wasserstein, days",
            remark="at constant mood, the simulator's absences are geometric",
        )
    )
    return found


def _drawn_returns(
    day: FloatArray, end: float, hazard: float, rng: np.random.Generator
) -> tuple[FloatArray, np.ndarray]:
    """Days until the next visit after each, and which of these fall within the log."""
    drawn = rng.geometric(hazard, len(day)).astype(np.float64)
    return drawn, day + drawn <= end


def satisfaction_figures(
    real: ImpressionLog, simulated: ImpressionLog, cluster: IntArray, missing: dict[str, str]
) -> list[Figure]:
    """Satisfaction with what was clicked; arguments as for ``visit_figures``."""
    if real.satisfaction is None or simulated.satisfaction is None:
        missing["rating distribution"] = "too few clicks were rated"
        return []
    samples: list[Sample] = []
    for log in (real, simulated):
        assert log.satisfaction is not None
        on = log.clicked & np.isfinite(log.satisfaction)
        samples.append(Sample.of_values(log.satisfaction[on], cluster[on]))
    if min(map(len, samples)) < MIN_VALUES:
        missing["rating distribution"] = "too few clicks were rated"
        return []
    return [
        Figure(
            name="satisfaction",
            title="Satisfaction with what was clicked",
            axis="satisfaction",
            unit="share of clicks",
            kind="distribution",
            real=samples[0],
            simulated=samples[1],
            distance=wasserstein,
            distance_name="Wasserstein",
        )
    ]
