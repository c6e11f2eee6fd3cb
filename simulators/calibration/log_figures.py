"""The figures of a log that a simulation is held against: what is measured of both."""

import numpy as np

from ...arrays import FloatArray, IntArray
from ..impressions import ImpressionLog
from .click_table import sums
from .comparison import Figure
from .fit_log import FittedLog
from .samples import (
    Sample,
    kolmogorov_smirnov,
    relative_difference,
    total_variation_of_ranks,
    wasserstein,
)
from .visit_figures import MIN_VALUES, satisfaction_figures, visit_figures

DECILES = 10
MIN_PROFILE = 3
"""Clicks of a user from which the concentration of their topics is measured."""


def figures_of(
    train: ImpressionLog,
    real: ImpressionLog,
    simulated: ImpressionLog,
    fitted: FittedLog,
    cluster: IntArray,
    rng: np.random.Generator,
) -> tuple[list[Figure], dict[str, str]]:
    """All figures that the log allows, and why others are missing.

    Args:
        train: What was fitted.
        real: What was held out.
        simulated: The same slates, simulated.
        fitted: The fit.
        cluster: Of each held-out row, from 0, shape ``(R,)``.
        rng: Of simulated visits.
    """
    missing: dict[str, str] = {}
    found: list[Figure] = []
    if real.n_positions > 1:
        found.append(_by_position(real, simulated, cluster))
    else:
        missing["CTR by position"] = "all impressions are at position 1"
    found.append(_by_decile(train, real, simulated, cluster))
    found.append(_popularity(real, simulated, cluster))
    if len(np.unique(real.slate)) < len(real):
        found.append(_clicks_per(real.slate, "slate", real, simulated, cluster))
    else:
        missing["clicks per slate"] = "it is not logged what was shown together"
    if real.user is None:
        for what in ("clicks per user", "genre concentration", "session length", "return time"):
            missing[what] = "nobody is named"
        return found + satisfaction_figures(real, simulated, cluster, missing), missing
    found.append(_clicks_per(real.user, "user", real, simulated, cluster))
    if fitted.topics is None:
        missing["genre concentration"] = "the items' genres are not known (--items)"
    else:
        found += _concentration(real, simulated, cluster, fitted.topics, missing)
    found += visit_figures(real, cluster, fitted, rng, missing)
    return found + satisfaction_figures(real, simulated, cluster, missing), missing


def _by_position(real: ImpressionLog, simulated: ImpressionLog, cluster: IntArray) -> Figure:
    n = real.n_positions

    def sample(log: ImpressionLog) -> Sample:
        return Sample(log.clicked.astype(np.float64), cluster, log.position - 1, n)

    return Figure(
        name="ctr_by_position",
        title="CTR by position",
        axis="position",
        unit="clicks per impression",
        kind="by group",
        real=sample(real),
        simulated=sample(simulated),
        distance=relative_difference,
        distance_name="mean |difference|, in units of the mean CTR",
    )


def _by_decile(
    train: ImpressionLog, real: ImpressionLog, simulated: ImpressionLog, cluster: IntArray
) -> Figure:
    decile = popularity_deciles(train)[real.item]
    known = decile >= 0

    def sample(log: ImpressionLog) -> Sample:
        clicked = log.clicked[known].astype(np.float64)
        return Sample(clicked, cluster[known], decile[known], DECILES)

    return Figure(
        name="ctr_by_item_decile",
        title="CTR by item decile",
        axis="tenth of the items, by clicks in the training part (1: fewest)",
        unit="clicks per impression",
        kind="by group",
        real=sample(real),
        simulated=sample(simulated),
        distance=relative_difference,
        distance_name="mean |difference|, in units of the mean CTR",
    )


def popularity_deciles(train: ImpressionLog) -> IntArray:
    """Tenth of each item by training clicks, then impressions; −1 if never shown, ``(I,)``."""
    clicks = sums(train.item, train.n_items, train.clicked)
    shown = sums(train.item, train.n_items)
    items = np.flatnonzero(shown)
    order = items[np.lexsort((shown[items], clicks[items]))]
    decile = np.full(train.n_items, -1)
    decile[order] = np.arange(len(order)) * DECILES // max(len(order), 1)
    return decile


def _popularity(real: ImpressionLog, simulated: ImpressionLog, cluster: IntArray) -> Figure:
    def sample(log: ImpressionLog) -> Sample:
        on = log.clicked
        return Sample(np.ones(int(on.sum())), cluster[on], log.item[on], log.n_items)

    return Figure(
        name="popularity_curve",
        title="Popularity curve",
        axis="items, the most clicked first",
        unit="share of all clicks",
        kind="rank",
        real=sample(real),
        simulated=sample(simulated),
        distance=total_variation_of_ranks,
        distance_name="total variation of shares by rank",
    )


def _clicks_per(
    of: IntArray, what: str, real: ImpressionLog, simulated: ImpressionLog, cluster: IntArray
) -> Figure:
    _, first, number = np.unique(of, return_index=True, return_inverse=True)

    def sample(log: ImpressionLog) -> Sample:
        return Sample.of_values(sums(number, len(first), log.clicked), cluster[first])

    return Figure(
        name=f"clicks_per_{what}",
        title=f"Clicks per {what}",
        axis="clicks",
        unit=f"share of {what}s",
        kind="distribution",
        real=sample(real),
        simulated=sample(simulated),
        distance=wasserstein,
        distance_name="Wasserstein, clicks",
        remark="" if what == "slate" else "users of the replay do not differ in taste or activity",
    )


def concentration(
    user: IntArray, item: IntArray, topics: FloatArray, n_users: int
) -> tuple[IntArray, FloatArray]:
    """Users with at least ``MIN_PROFILE`` items, and the Herfindahl index of their topics.

    Σ of squared topic shares: 1 where all is one topic, 1 / T where all topics are met alike.
    """
    totals = np.stack([sums(user, n_users, share[item]) for share in topics.T], axis=1)
    mass = totals.sum(axis=1)
    users = np.flatnonzero((sums(user, n_users) >= MIN_PROFILE) & (mass > 0))
    shares = totals[users] / mass[users, None]
    return users, (shares**2).sum(axis=1)


def _concentration(
    real: ImpressionLog,
    simulated: ImpressionLog,
    cluster: IntArray,
    topics: FloatArray,
    missing: dict[str, str],
) -> list[Figure]:
    n = int(cluster.max()) + 1
    samples: list[Sample] = []
    for log in (real, simulated):  # a cluster is a user here
        on = log.clicked
        users, index = concentration(cluster[on], log.item[on], topics, n)
        samples.append(Sample.of_values(index, users))
    if min(map(len, samples)) < MIN_VALUES:
        missing["genre concentration"] = f"too few users have {MIN_PROFILE} clicks"
        return []
    return [
        Figure(
            name="genre_concentration",
            title="Genre concentration per user",
            axis=f"Herfindahl index of clicked genres (users with {MIN_PROFILE} clicks or more)",
            unit="share of users",
            kind="distribution",
            real=samples[0],
            simulated=samples[1],
            distance=kolmogorov_smirnov,
            distance_name="Kolmogorov-Smirnov",
        )
    ]
