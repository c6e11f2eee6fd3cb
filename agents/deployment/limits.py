"""Whether each limit is held, with confidence."""

import math
from typing import Literal

from scipy.special import ndtri

from ..report import ConstraintFigure, EvaluationReport
from .findings import Finding

Simultaneous = Literal["each", "bonferroni"]


def limit_findings(report: EvaluationReport, simultaneous: Simultaneous) -> list[Finding]:
    """One finding for each limit of the published policy: is its violation's upper bound at most 0?

    A policy in breach breaks *some* limit, and passes only if *all* of them are shown to be held.
    The hypothesis to reject is thus a union, and tests of level alpha for each limit together have
    level alpha, however many there are and however they hang together: an intersection-union test
    (Berger 1982, "Multiparameter hypothesis testing and acceptance sampling"; Berger & Hsu 1996,
    "Bioequivalence trials, intersection-union tests and equivalence confidence sets"). ``"each"``
    is that, and the default: a correction would make the gate refuse good policies for nothing.
    ``"bonferroni"`` is for whoever wants all bounds to be true at once with that confidence,
    whatever the verdict; its bounds are wider.
    """
    figures = report.learned.constraints
    return [_finding(c, bound(c, report.confidence, len(figures), simultaneous)) for c in figures]


def bound(
    figure: ConstraintFigure, confidence: float, n_limits: int, simultaneous: Simultaneous
) -> float:
    """Upper confidence bound of a violation.

    For Bonferroni's level the distance of the reported bound from the estimate, which resampling
    users gave at level ``confidence``, is stretched as that of a normal distribution.
    """
    if simultaneous == "each" or n_limits < 2:
        return figure.violation_ucb
    stretch = ndtri((1.0 - confidence) / n_limits) / ndtri(1.0 - confidence)
    return figure.violation + (figure.violation_ucb - figure.violation) * float(stretch)


def _finding(figure: ConstraintFigure, upper: float) -> Finding:
    sentence = (
        f"{figure.name}: measured {figure.measured.value:.4f} against a {figure.bound} of "
        f"{figure.target:.4f}; upper bound of the violation {upper:+.4f}."
    )
    # A NaN bound must refuse.
    return Finding(
        part="constraint", holds=math.isfinite(upper) and upper <= 0.0, sentence=sentence
    )
