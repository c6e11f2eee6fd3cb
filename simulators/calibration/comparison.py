"""From figures of held-out and simulated data to what the report says of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betaincinv

from ...arrays import FloatArray
from .report import Compared, Verdict
from .samples import POINT_RUNS, RUNS, Distance, Gap, Sample, compare
from .uncertainty import CONFIDENCE

_BINS, _MANY = 20, 25


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the real and the simulated log.

    Attributes:
        name: Such as ``ctr_by_position``.
        title: In words.
        axis: What the groups, values or ranks are.
        unit: What is measured.
        kind: As in ``report.Compared``.
        real: Of the held-out data.
        simulated: Of the simulation.
        distance: What is measured between both.
        distance_name: In words.
        remark: What a reader should know.
    """

    name: str
    title: str
    axis: str
    unit: str
    kind: Literal["by group", "distribution", "rank"]
    real: Sample
    simulated: Sample
    distance: Distance
    distance_name: str
    remark: str = ""


def compare_runs(
    simulate: Callable[[int, bool], Sequence[Figure]], n_clusters: int, seed: int
) -> tuple[Compared, ...]:
    """Run the simulation as often as it takes, and judge every figure that all runs have.

    Args:
        simulate: From the number of a run, and whether its parameters are drawn, to its figures.
        n_clusters: Clusters of the real data.
        seed: Of the splits.
    """
    runs = [_by_name(simulate(run, False)) for run in range(POINT_RUNS)]
    drawn = [_by_name(simulate(POINT_RUNS + run, True)) for run in range(RUNS)]
    names = [name for name in runs[0] if all(name in run for run in (*runs, *drawn))]
    return tuple(
        _compared([r[name] for r in runs], [r[name] for r in drawn], n_clusters, seed)
        for name in names
    )


def _by_name(figures: Sequence[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def _compared(
    runs: Sequence[Figure], drawn: Sequence[Figure], n_clusters: int, seed: int
) -> Compared:
    figure, real = runs[0], runs[0].real
    simulated = [run.simulated for run in runs]
    gap = compare(
        real, simulated, [run.simulated for run in drawn], figure.distance, n_clusters, seed
    )
    x, of_real, of_simulated, low, high = _curves(figure.kind, real, simulated)
    return Compared(
        name=figure.name,
        title=figure.title,
        axis=figure.axis,
        unit=figure.unit,
        kind=figure.kind,
        x=tuple(float(value) for value in x),
        real=plain(of_real),
        low=plain(low),
        high=plain(high),
        simulated=plain(of_simulated),
        n=len(real),
        distance_name=figure.distance_name,
        distance=gap.distance,
        stand_in=gap.stand_in,
        floor=gap.floor,
        floor_high=gap.floor_high,
        from_runs=gap.from_runs,
        runs_high=gap.runs_high,
        verdict=_verdict(gap),
        remark=figure.remark,
    )


def _verdict(gap: Gap) -> Verdict:
    if gap.misses:
        return "misses"
    return "small difference" if gap.stands_out else "no difference beyond chance"


def _curves(
    kind: str, real: Sample, simulated: Sequence[Sample]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """What is drawn: x, real, simulated (mean over runs), and the interval of real if any."""
    nothing = np.zeros(0)
    if kind == "by group":
        low, high = _mean_interval(real)
        x = np.arange(1, real.n_groups + 1, dtype=np.float64)
        return x, real.means(), np.mean([run.means() for run in simulated], axis=0), low, high
    if kind == "rank":
        n = int((real.shares() > 0).sum())
        drawn = np.mean([run.shares() for run in simulated], axis=0)
        n = max(n, int((drawn > 0).sum()))
        return np.arange(1.0, n + 1), real.shares()[:n], drawn[:n], nothing, nothing
    both = np.concatenate([real.value, *(run.value for run in simulated)])
    x, edges = _bins(both)

    def shares(sample: Sample) -> FloatArray:
        return np.histogram(sample.value, edges)[0] / max(len(sample), 1)

    return x, shares(real), np.mean([shares(run) for run in simulated], axis=0), nothing, nothing


def _bins(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where to draw, and between which edges to count: at every value if they are few."""
    x = np.unique(values)
    if len(x) <= _MANY:
        return x, np.append(x, np.inf)
    top = float(np.quantile(values, 0.999))
    width = (top - x[0]) / _BINS
    if (x % 1 == 0).all():
        width = np.ceil(width)
    edges = np.arange(x[0], top + width, width)
    middles = edges[:-1] + (width - 1 if (x % 1 == 0).all() else width) / 2
    edges[-1] = np.inf
    return middles, edges


def _mean_interval(sample: Sample) -> tuple[FloatArray, FloatArray]:
    """95% interval of each group's mean: Clopper & Pearson 1934 for clicks, else normal."""
    n, mean = sample.counts(), sample.means()
    tail = (1 - CONFIDENCE) / 2
    if set(np.unique(sample.value)) <= {0.0, 1.0}:
        total = np.round(np.nan_to_num(mean) * n)
        rest = n - total
        low = np.where(total > 0, betaincinv(np.maximum(total, 1), rest + 1, tail), 0.0)
        high = np.where(rest > 0, betaincinv(total + 1, np.maximum(rest, 1), 1 - tail), 1.0)
        return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
    square = Sample(sample.value**2, sample.cluster, sample.group, sample.n_groups).means()
    error = np.sqrt(np.maximum(square - mean**2, 0.0) / np.maximum(n, 1.0))
    return mean - 1.96 * error, mean + 1.96 * error


def plain(values: FloatArray) -> tuple[float | None, ...]:
    """For JSON: None where a value is not known."""
    return tuple(float(value) if np.isfinite(value) else None for value in values)
