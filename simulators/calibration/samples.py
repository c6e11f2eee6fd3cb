"""Real beside simulated: samples, distances between them, and how large chance alone makes these.

A distance between simulated and real is never 0. Two things say what to expect of it:

- the distance between two halves of the real data, split at random by cluster. A simulation is
  judged by its distance from one half when it stands in for the other, over many splits: is it
  further from these users than other users are?
- the distance between runs of the simulation, which share users and slates with the real data, and
  each of which has its parameters drawn from what the fit leaves open. If the model were right, the
  real data would be one more such run (a posterior predictive check: Rubin 1984): are they the odd
  one out? With ``RUNS`` runs, chance makes them that once in twenty times (Besag & Clifford 1989,
  "Generalized Monte Carlo significance tests", Biometrika). This sees smaller differences.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wasserstein_distance

from ...arrays import BoolArray, FloatArray, IntArray
from .click_table import sums

SPLITS = 100
RUNS = 19
"""Runs with drawn parameters."""
POINT_RUNS = 5
"""Runs with the fitted parameters themselves."""


@dataclass(frozen=True, slots=True)
class Sample:
    """``n`` observations.

    Attributes:
        value: Shape ``(n,)``.
        cluster: What each depends on, from 0, shape ``(n,)``.
        group: A bin or an item, where values are compared by group, shape ``(n,)``.
        n_groups: Bins or items, with or without an observation.
    """

    value: FloatArray
    cluster: IntArray
    group: IntArray
    n_groups: int = 1

    @classmethod
    def of_values(cls, value: FloatArray, cluster: IntArray) -> "Sample":
        """Observations that are not grouped."""
        return cls(value.astype(np.float64), cluster, np.zeros(len(value), np.int64))

    def __len__(self) -> int:
        return len(self.value)

    def within(self, chosen: BoolArray) -> "Sample":
        """The observations of some clusters; ``chosen`` has one entry per cluster."""
        rows = chosen[self.cluster]
        return Sample(self.value[rows], self.cluster[rows], self.group[rows], self.n_groups)

    def means(self) -> FloatArray:
        """By group, NaN where there is no observation, shape ``(n_groups,)``."""
        n = sums(self.group, self.n_groups)
        total = sums(self.group, self.n_groups, self.value)
        return np.where(n > 0, total / np.maximum(n, 1.0), np.nan)

    def counts(self) -> FloatArray:
        """Observations by group, shape ``(n_groups,)``."""
        return sums(self.group, self.n_groups)

    def shares(self) -> FloatArray:
        """Each group's share of the total value, the largest first, shape ``(n_groups,)``."""
        total = sums(self.group, self.n_groups, self.value)
        return np.sort(total)[::-1] / max(float(total.sum()), 1e-12)


Distance = Callable[[Sample, Sample], float]


def relative_difference(a: Sample, b: Sample) -> float:
    """Mean |difference| of the groups' means, weighted by size, in units of the mean of both."""
    mean = 0.5 * (float(a.value.mean()) + float(b.value.mean()))
    return mean_difference(a, b) / mean if mean > 0 else 0.0


def mean_difference(a: Sample, b: Sample) -> float:
    """Mean |difference| of the groups' means, weighted by the groups' sizes in both."""
    gap = np.abs(a.means() - b.means())
    weight = np.where(np.isfinite(gap), a.counts() + b.counts(), 0.0)
    return float(np.nan_to_num(gap) @ weight / max(float(weight.sum()), 1e-12))


def wasserstein(a: Sample, b: Sample) -> float:
    """Earth mover's distance of the values, in their own unit."""
    return float(wasserstein_distance(a.value, b.value))


def kolmogorov_smirnov(a: Sample, b: Sample) -> float:
    """Largest difference of the two distribution functions."""
    at = np.concatenate([a.value, b.value])
    below = [np.searchsorted(np.sort(s.value), at, side="right") / len(s) for s in (a, b)]
    return float(np.abs(below[0] - below[1]).max())


def total_variation_of_ranks(a: Sample, b: Sample) -> float:
    """Half of Σ |difference| of the shares by rank: the part that would have to move."""
    return 0.5 * float(np.abs(a.shares() - b.shares()).sum())


@dataclass(frozen=True, slots=True)
class Gap:
    """How far simulated is from real.

    Attributes:
        distance: On all of both, mean over runs with the fitted parameters.
        stand_in: Mean over splits, of the real half from the simulated other half.
        floor: Mean over splits, of the two real halves.
        floor_high: 95th percentile over splits of the same.
        from_runs: Mean distance of all real data from the runs with drawn parameters.
        runs_high: Largest mean distance of one of these runs from the others.
    """

    distance: float
    stand_in: float
    floor: float
    floor_high: float
    from_runs: float
    runs_high: float

    @property
    def misses(self) -> bool:
        """Whether the simulation stands out as a half of the real data seldom does."""
        return self.stand_in > self.floor_high

    @property
    def stands_out(self) -> bool:
        """Whether the real data differ from the runs more than any of these does."""
        return self.from_runs > self.runs_high


def compare(
    real: Sample,
    simulated: Sequence[Sample],
    drawn: Sequence[Sample],
    distance: Distance,
    n_clusters: int,
    seed: int = 0,
) -> Gap:
    """Measure simulated against real, and real against itself.

    Args:
        real: Observations of the held-out data.
        simulated: The same of the simulation, with the same clusters; in several runs, so that the
            luck of one does not decide.
        drawn: The same of runs with drawn parameters.
        distance: What to measure.
        n_clusters: Clusters, with or without an observation.
        seed: Of the splits.
    """
    rng = np.random.default_rng(seed)
    between: list[float] = []
    within: list[float] = []
    for split in range(SPLITS):
        chosen = rng.permutation(n_clusters) < n_clusters / 2
        one, other = real.within(chosen), real.within(~chosen)
        stand_in = simulated[split % len(simulated)].within(~chosen)
        if min(len(one), len(other), len(stand_in)) == 0:
            continue
        within.append(distance(one, other))
        between.append(distance(one, stand_in))
    if not within:
        return Gap(*[float("nan")] * 6)
    apart = np.zeros((len(drawn), len(drawn)))
    for i, j in itertools.combinations(range(len(drawn)), 2):
        apart[i, j] = apart[j, i] = distance(drawn[i], drawn[j])
    return Gap(
        distance=float(np.mean([distance(real, run) for run in simulated])),
        stand_in=float(np.mean(between)),
        floor=float(np.mean(within)),
        floor_high=float(np.quantile(within, 0.95)),
        from_runs=float(np.mean([distance(real, run) for run in drawn])),
        runs_high=float(apart.sum(axis=1).max() / max(len(drawn) - 1, 1)),
    )
