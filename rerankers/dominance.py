"""Which method is better than which: dominance between frontiers, tested over users.

Take one measure beside accuracy, both turned so that more is better. What a method can *reach* is
its settings at the swept strengths, and any two of them mixed over users (`attainable`). A setting
is *efficient* if nothing that its own method can reach is as good on both measures and better on
one; the two ends of what a method can reach count as settings here, where they are mixtures.

**A dominates B** when

1. nowhere worse: for each efficient setting of B, A reaches a point at least as good on both
   measures, as estimated on all users; and
2. somewhere better for sure: averaged over those settings, A's accuracy at (at least) the same
   worth is higher, or its worth at (at least) the same accuracy is, with a Holm-adjusted p-value
   at or below the level.

The p-value is one-sided, from the difference and its bootstrap standard error (users resampled,
the same users for all methods). "At the same worth" is itself an estimate: by how much A's worth is
off counts into the error with the slope of A's frontier there, and where A may not get so far at
all, the slope is a cliff. The family that Holm's correction covers is both differences of every
ordered pair of methods, for one measure. Differences that were not tested because of (1) stay in
the family with a p-value of 1.

**Not decided** means that neither dominates the other: either each reaches something that the other
does not (the frontiers cross), or one is nowhere worse but the data cannot tell its lead from
chance. It does not mean that the two are equal.

A method without an efficient setting beyond the base order *gains nothing* and is not compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from ..arrays import FloatArray
from ..metrics.bootstrap import Estimate, centred_interval
from ..metrics.permutation import holm
from .attainable import Attainable

_ROUNDING = 1e-12

Verdict = Literal["dominates", "too close to call", "frontiers cross"]


@dataclass(frozen=True, slots=True)
class Lead:
    """How far A lies ahead of B, averaged over B's efficient settings.

    Attributes:
        difference: The mean difference, with its bootstrap interval.
        p_value: One-sided, Holm-adjusted over the family.
    """

    difference: Estimate
    p_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One method against another.

    Attributes:
        method: A.
        other: B.
        verdict: ``"dominates"``: A dominates B. ``"too close to call"``: A is nowhere worse, but
            its lead is not beyond chance. ``"frontiers cross"``: B has an efficient setting that A
            does not reach.
        accuracy: A's lead in accuracy at the same worth; None where the frontiers cross.
        worth: A's lead in worth at the same accuracy; None where the frontiers cross.
    """

    method: str
    other: str
    verdict: Verdict
    accuracy: Lead | None
    worth: Lead | None


def compare(
    methods: Sequence[Attainable], *, level: float = 0.05, confidence: float = 0.95
) -> list[Comparison]:
    """Every ordered pair of methods that gain anything over the base order.

    O(pairs · P · B) after the attainable points, which are few.

    Args:
        methods: In one plane, over the same resampled users.
        level: Family-wise error rate of the claims of dominance.
        confidence: Probability that the intervals aim at.
    """
    gaining = [method for method in methods if len(method.efficient())]
    pairs = [(a, b) for a in gaining for b in gaining if a is not b]
    leads = [_leads(a, b) for a, b in pairs]
    raw = np.array([p for both in leads for p in (_p_values(both) if both else (1.0, 1.0))])
    adjusted = holm(raw).reshape(-1, 2)
    compared: list[Comparison] = []
    for (a, b), both, p in zip(pairs, leads, adjusted, strict=True):
        if both is None:
            compared.append(Comparison(a.name, b.name, "frontiers cross", None, None))
            continue
        surely = bool((p <= level).any())
        accuracy, worth = (
            Lead(Estimate(value, *centred_interval(value, spread, confidence)), float(p_one))
            for (value, spread), p_one in zip(both, p, strict=True)
        )
        verdict: Verdict = "dominates" if surely else "too close to call"
        compared.append(Comparison(a.name, b.name, verdict, accuracy, worth))
    return compared


_Spread = tuple[float, FloatArray]
"""A difference, and the same over resampled users."""


def _leads(a: Attainable, b: Attainable) -> tuple[_Spread, _Spread] | None:
    """A's leads over B in accuracy and in worth; None where A falls short of a setting of B."""
    in_x: list[_Spread] = []
    in_y: list[_Spread] = []
    for row in b.efficient():
        setting = int(row)
        x, y = float(b.x[setting]), float(b.y[setting])
        accurate, worthy = a.most_accurate(y), a.worthiest(x)
        if accurate is None or worthy is None or a.x[accurate] < x - _ROUNDING:
            return None
        dx, dy = _differences(a, accurate, b, setting)
        slope = _slope(lambda level: _accuracy_at(a, level), y, dy)
        in_x.append((float(a.x[accurate]) - x, dx - slope * (dy - dy.mean())))
        dx, dy = _differences(a, worthy, b, setting)
        slope = _slope(lambda accuracy: _worth_at(a, accuracy, b), x, dx)
        in_y.append((float(a.y[worthy]) - y, dy - slope * (dx - dx.mean())))
    return _average(in_x), _average(in_y)


def _differences(
    a: Attainable, mixture: int, b: Attainable, setting: int
) -> tuple[FloatArray, FloatArray]:
    """A's mixture minus B's setting over resampled users, in accuracy and in worth."""
    (a_x, a_y), (b_x, b_y) = a.resampled(mixture), b.resampled(setting)
    return a_x - b_x, a_y - b_y


def _slope(frontier: Callable[[float], float], at: float, spread: FloatArray) -> float:
    """How steep a frontier is over one standard error around a place, not above 0."""
    reach = float(spread.std(ddof=1))
    if reach <= _ROUNDING:
        return 0.0
    return (frontier(at + reach) - frontier(at - reach)) / (2.0 * reach)


def _accuracy_at(method: Attainable, level: float) -> float:
    """The best accuracy at a worth; none at all where the method does not get so far."""
    row = method.most_accurate(level)
    return 0.0 if row is None else float(method.x[row])


def _worth_at(method: Attainable, accuracy: float, other: Attainable) -> float:
    """The best worth at an accuracy; the least of both methods where this one gets not so far."""
    row = method.worthiest(accuracy)
    return float(min(method.y.min(), other.y.min())) if row is None else float(method.y[row])


def _average(parts: Sequence[_Spread]) -> _Spread:
    values, spreads = zip(*parts, strict=True)
    return float(np.mean(values)), np.mean(spreads, axis=0)


def _p_values(both: tuple[_Spread, _Spread]) -> tuple[float, float]:
    """One-sided normal p-values with the bootstrap standard errors."""
    found: list[float] = []
    for value, spread in both:
        error = float(spread.std(ddof=1))
        if error <= _ROUNDING:  # the two never differ, or by a constant
            found.append(0.0 if value > _ROUNDING else 1.0)
        else:
            found.append(1.0 - NormalDist().cdf(value / error))
    return found[0], found[1]
