"""How a weight follows one number that the policy sees: partial dependence and ALE curves."""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray
from ...errors import EmptyData, InvalidValue
from .influence import Weigh


@dataclass(frozen=True, slots=True)
class Curve:
    """One column's curve for ``A`` weights, over the ends of ``B`` bins of about equal weight.

    Attributes:
        at: Values of the column: the ends of the bins, shape ``(B + 1,)``.
        count: Observations in each bin, shape ``(B,)``: where the curve rests on data.
        ale: Accumulated local effects, with mean 0 over the data, shape ``(B + 1, A)``.
        partial: Partial dependence less its mean over the data, shape ``(B + 1, A)``.
    """

    at: FloatArray
    count: FloatArray
    ale: FloatArray
    partial: FloatArray


def curve(weigh: Weigh, sample: FloatArray, column: int, bins: int = 20) -> Curve:
    """ALE and partial dependence of every weight on one column.

    ALE (Apley & Zhu 2020, "Visualizing the effects of predictor variables in black box supervised
    learning models", eq. 16) sums up what the weights change from one end of a bin to the other for
    the observations *in* that bin, so it never asks about users who do not exist. Partial
    dependence (Friedman 2001) sets the column to each value for *all* observations; where the
    column hangs together with others the two differ, and ALE is the one to read.
    O(bins · n) calls of the policy for partial dependence, O(n) for ALE.

    Args:
        weigh: The policy.
        sample: Observations, shape ``(n, O)``.
        column: Which column.
        bins: Bins at most; equal quantiles fall together.

    Raises:
        EmptyData: There is no observation.
        InvalidValue: There is no such column, or fewer than one bin.
    """
    if not len(sample):
        raise EmptyData("no observations", field="sample")
    if not 0 <= column < sample.shape[1] or bins < 1:
        raise InvalidValue(f"column {column} and {bins} bins", field="column")
    values = sample[:, column]
    ends = np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1), method="inverted_cdf"))
    if len(ends) < 2:
        still = np.zeros((1, weigh(sample[:1]).shape[1]))
        return Curve(ends, np.zeros(0), still, still)
    # A value that equals an end belongs to the bin below it, the lowest to the first bin.
    place = np.clip(np.searchsorted(ends, values, side="left") - 1, 0, len(ends) - 2)
    count = np.bincount(place, minlength=len(ends) - 1).astype(np.float64)
    step = _with(weigh, sample, column, ends[place + 1]) - _with(weigh, sample, column, ends[place])
    sums = np.stack([np.bincount(place, s, len(count)) for s in step.T], axis=1)
    ale = np.concatenate([np.zeros((1, step.shape[1])), np.cumsum(sums / count[:, None], axis=0)])
    partial = np.stack(
        [_with(weigh, sample, column, np.full_like(values, end)).mean(axis=0) for end in ends]
    )
    return Curve(ends, count, _centred(ale, count), _centred(partial, count))


def _with(weigh: Weigh, sample: FloatArray, column: int, values: FloatArray) -> FloatArray:
    changed = sample.copy()
    changed[:, column] = values
    return weigh(changed).astype(np.float64)


def _centred(curve: FloatArray, count: FloatArray) -> FloatArray:
    """With mean 0 over the data, a bin's mean being that of its ends."""
    middle = (curve[:-1] + curve[1:]) / 2.0
    return curve - np.average(middle, axis=0, weights=count)
