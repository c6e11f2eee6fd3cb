"""How long sessions are and when users come back: the rhythm of a log with users and times.

Coming back is a daily hazard, and after each visit a user may have left for good; both are fit
together as a cure model (Boag 1949; Berkson & Gage 1952) from the days between visits and the days
between each user's last visit and the end of the log, in which a user who left looks like one who
stays away. What the user's mood does to either needs satisfaction and is not fit here.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, logit

from ...arrays import FloatArray, IntArray
from ...errors import NotIdentified
from ..impressions import ImpressionLog
from .curvature import curvature_errors

SESSION_GAP = 30 / (24 * 60)
"""Days without a slate that end a session where the log does not name visits: 30 minutes, as web
analytics has it (Catledge & Pitkow 1995 found 25.5)."""
MIN_VISITS = 50


@dataclass(frozen=True, slots=True)
class Visits:
    """The visits of a log, one row each, sorted by user and time.

    Attributes:
        user: Who came, shape ``(V,)``.
        day: Whole day of its first slate, shape ``(V,)``; NaN where days are not known.
        slates: Slates shown, shape ``(V,)``.
        end: The last day of the log.
    """

    user: IntArray
    day: FloatArray
    slates: IntArray
    end: float

    def gaps(self) -> FloatArray:
        """Days between visits on different days of one user, at least 1."""
        same = self.user[1:] == self.user[:-1]
        days = np.diff(self.day)[same]
        return days[days >= 1]


@dataclass(frozen=True, slots=True)
class ReturnRates:
    """When users come back.

    Attributes:
        mean_days: Mean days between visits of a user who has not left.
        mean_days_error: Standard error of its log.
        leaving: Probability of leaving for good after a visit.
        leaving_error: Standard error of its log-odds; infinite where the data do not show it.
    """

    mean_days: float
    mean_days_error: float
    leaving: float
    leaving_error: float


def find_visits(log: ImpressionLog) -> Visits:
    """Put slates together into visits; O(R log R).

    Raises:
        NotIdentified: The log names no users, or neither visits nor times.
    """
    if log.user is None:
        raise NotIdentified("nobody is named", field="user", mend="Log who saw each slate.")
    if log.day is None and log.visit is None:
        raise NotIdentified(
            "neither visits nor times are logged", field="visit", mend="Log either."
        )
    day = np.zeros(len(log)) if log.day is None else log.day
    _, first = np.unique(log.slate, return_index=True)
    user, time = log.user[first], day[first]
    visit = np.zeros(len(first), np.int64) if log.visit is None else log.visit[first]
    order = np.lexsort((time, visit, user))
    user, time, visit = user[order], time[order], visit[order]
    starts = np.ones(len(user), bool)
    if log.visit is None:
        whole = bool((time % 1 == 0).all())
        apart = np.diff(time) > (0.0 if whole else SESSION_GAP)
    else:
        apart = np.diff(visit) != 0
    starts[1:] = (np.diff(user) != 0) | apart
    number = np.cumsum(starts) - 1
    when = np.floor(time[starts]) if log.day is not None else np.full(starts.sum(), np.nan)
    end = float(np.floor(day.max()))
    return Visits(user[starts], when, np.bincount(number), end)


def fit_session(visits: Visits) -> tuple[float, float]:
    """Mean slates per session and its standard error, users being independent.

    Raises:
        NotIdentified: There are too few visits.
    """
    if len(visits.slates) < MIN_VISITS:
        raise NotIdentified(
            f"{len(visits.slates)} visits are too few", field="visit", mend="Give a longer log."
        )
    mean = float(visits.slates.mean())
    by_user = pd.Series(visits.slates - mean).groupby(visits.user).sum().to_numpy()
    return mean, float(np.sqrt((by_user**2).sum())) / len(visits.slates)


def fit_returns(visits: Visits) -> ReturnRates:
    """Fit the daily hazard of coming back and the probability of leaving, by maximum likelihood.

    A gap of g days has the probability (1 − ℓ) · h · (1 − h)^(g − 1), an absence of at least a
    days at the end of the log ℓ + (1 − ℓ) · (1 − h)^a.

    Raises:
        NotIdentified: Too few users come back.
    """
    gaps = visits.gaps()
    if np.isnan(visits.day).any() or len(gaps) < MIN_VISITS:
        raise NotIdentified(
            f"{len(gaps)} returns on a later day are too few",
            field="day",
            mend="Give a log of more days.",
        )
    last = np.append(np.diff(visits.user) != 0, True)
    absence = np.maximum(visits.end - visits.day[last], 0.0)

    def loss(at: FloatArray) -> float:
        hazard, leaving = expit(at[0]), expit(at[1])
        away = absence * np.log1p(-min(hazard, 1 - 1e-12))
        back = len(gaps) * np.log((1.0 - leaving) * hazard)
        back += (gaps - 1.0).sum() * np.log1p(-min(hazard, 1 - 1e-12))
        return -float(back + np.log(leaving + (1.0 - leaving) * np.exp(away)).sum())

    start = [float(logit(np.clip(1.0 / gaps.mean(), 0.01, 0.98))), -3.0]
    at = minimize(loss, start, bounds=[(-7.0, 9.0), (-9.0, 3.0)], method="L-BFGS-B").x
    errors = curvature_errors(loss, np.asarray(at))
    hazard, leaving = float(expit(at[0])), float(expit(at[1]))
    # d log(1 / h) / d logit(h) = −(1 − h)
    return ReturnRates(1.0 / hazard, float(errors[0]) * (1.0 - hazard), leaving, float(errors[1]))
