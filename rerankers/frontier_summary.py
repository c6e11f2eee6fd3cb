"""A frontier in one number, and at one level: what accuracy is kept for what is gained."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import FloatArray
from ..metrics.bootstrap import Estimate, centred_interval
from .attainable import Attainable

N_LEVELS = 50


@dataclass(frozen=True, slots=True)
class Summary:
    """One method's frontier, in short.

    Attributes:
        method: The method.
        kept: Accuracy at each level as a share of the base order's, averaged over levels from the
            base order's worth to the highest that any of the compared methods reaches; 0 at a level
            that this method does not reach. The area under its frontier, in other words.
        at_level: Accuracy at ``level``; None where the method does not reach it.
        level: A worth half-way between the base order's and the highest that any method reaches.
    """

    method: str
    kept: Estimate
    at_level: Estimate | None
    level: float


def summarise(methods: Sequence[Attainable], confidence: float = 0.95) -> list[Summary]:
    """Each method's `Summary`, on levels common to all.

    Intervals resample users; which of its settings a method uses at a level is held fixed.

    Args:
        methods: In one plane, at least one.
        confidence: Probability that the intervals aim at.
    """
    least = float(methods[0].y[0])
    most = max(float(method.y.max()) for method in methods)
    levels = np.linspace(least, most, N_LEVELS)
    return [_summary(method, levels, (least + most) / 2.0, confidence) for method in methods]


def front(methods: Sequence[Attainable]) -> dict[str, float]:
    """Share of the levels at which each method is the most accurate, for those with any.

    Levels are those of `summarise`; where several methods are alike the first counts.
    """
    least = float(methods[0].y[0])
    most = max(float(method.y.max()) for method in methods)
    shares: dict[str, float] = {}
    for level in np.linspace(least, most, N_LEVELS)[1:]:
        reached = {
            m.name: row for m in methods if (row := m.most_accurate(float(level))) is not None
        }
        accuracy = {m.name: float(m.x[reached[m.name]]) for m in methods if m.name in reached}
        best = max(accuracy, key=lambda name: accuracy[name])
        shares[best] = shares.get(best, 0.0) + 1.0 / (N_LEVELS - 1)
    return dict(sorted(shares.items(), key=lambda entry: -entry[1]))


def _summary(method: Attainable, levels: FloatArray, middle: float, confidence: float) -> Summary:
    base, base_spread = float(method.x[0]), method.resampled(0)[0]
    value, spread = 0.0, np.zeros_like(base_spread)
    cache: dict[int, FloatArray] = {}
    for level in levels:
        row = method.most_accurate(float(level))
        if row is None:
            continue
        if row not in cache:
            cache[row] = method.resampled(row)[0] / base_spread
        value += float(method.x[row]) / base / len(levels)
        spread += cache[row] / len(levels)
    kept = Estimate(value, *centred_interval(value, spread, confidence))
    row = method.most_accurate(middle)
    at_level = None
    if row is not None:
        x = float(method.x[row])
        at_level = Estimate(x, *centred_interval(x, method.resampled(row)[0], confidence))
    return Summary(method.name, kept, at_level, middle)
