"""What is measured of a simulation, user by user: engagement, staying, diversity, exposure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..agents.report import Interval
from ..arrays import FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..metrics.bootstrap import Estimate
from ..metrics.comparison import Difference, compare
from ..metrics.measure import measure
from ..metrics.terms import Terms, mean_terms, ratio_terms
from ..simulators.rollout import UserOutcomes
from .simulation_report import SimulatedFigure

SWAPS_PER_FIGURE = 100

FigureKey = tuple[str, str]
"""Name, and the groups it is about (``attribute=group``), or empty."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A statistic over users, and what it means."""

    terms: Terms
    meaning: str


Figures = dict[FigureKey, Figure]


def figures_of(
    outcomes: Sequence[UserOutcomes],
    received: Mapping[str, FloatArray],
    candidates: CandidateSet,
    users: IntArray,
) -> Figures:
    """Every figure of one policy.

    Args:
        outcomes: One per episode; rows are the same users in all.
        received: Exposure of each group of items from each user, by attribute, ``(U, G)``.
        candidates: The groups.
        users: User index of each row, shape ``(U,)``.
    """

    def mean(name: str) -> FloatArray:
        return np.mean([getattr(outcome, name) for outcome in outcomes], axis=0)

    engagement, clicks, slates = mean("engagement"), mean("clicks"), mean("n_slates")

    def each(values: FloatArray, meaning: str) -> Figure:
        return Figure(mean_terms(values), f"{meaning}, per user and episode")

    figures: Figures = {
        ("engagement", ""): each(engagement, "satisfaction summed over clicks"),
        ("expected engagement", ""): each(
            mean("expected_engagement"),
            "the same with the probability of each click in place of the click: less noise",
        ),
        ("clicks", ""): each(clicks, "clicks"),
        ("slates", ""): each(slates, "slates shown"),
        ("days", ""): each(mean("days"), "days until the user left, or the horizon"),
        ("retained", ""): each(
            mean("retained").astype(np.float64), "share who were still there at the horizon"
        ),
        ("clicks per slate", ""): Figure(ratio_terms(clicks, slates), "clicks over slates"),
        ("satisfaction", ""): Figure(
            ratio_terms(engagement, clicks), "mean satisfaction of a click, in [0, 1]"
        ),
        ("diversity", ""): Figure(
            ratio_terms(mean("diversity"), slates),
            "mean Jaccard distance on topics between the items of a slate",
        ),
    }
    for attribute, amounts in received.items():
        every = amounts.sum(axis=1)
        for code, name in enumerate(candidates.catalogue.groups[attribute].names):
            figures["exposure share", f"{attribute}={name}"] = Figure(
                ratio_terms(amounts[:, code], every),
                "share of all exposure, 1/log2(position + 1), that the group's items received",
            )
    for attribute, groups in candidates.user_groups.items():
        codes = groups.codes[users]
        for code, name in enumerate(groups.names):
            if (codes == code).any():
                own = np.where(codes == code, engagement, np.nan)
                figures["engagement", f"{attribute}={name}"] = each(
                    own, "satisfaction summed over clicks of the group's users"
                )
    return figures


def measured(
    figures: Figures, reference: Figures | None, seed: int, replicates: int
) -> tuple[SimulatedFigure, ...]:
    """Every figure with its interval, and its difference to the reference.

    Args:
        figures: Of one policy.
        reference: The same of another one, for the same users; None for that one itself.
        seed: Of the resampling; equal seeds resample the same users.
        replicates: Bootstrap replicates; random swaps for the p-values are at least as many.
    """
    terms = {_text(key): figure.terms for key, figure in figures.items()}
    values = measure(terms, replicates, np.random.default_rng(seed))
    changes: dict[str, Difference] = {}
    if reference is not None:
        before = {_text(key): figure.terms for key, figure in reference.items()}
        # So many that one clear difference stays clear after the correction for all of them.
        swaps = max(replicates, SWAPS_PER_FIGURE * len(figures))
        changes = compare(before, terms, replicates, swaps, np.random.default_rng(seed))
    return tuple(
        _figure(key, figures[key].meaning, values[_text(key)], changes.get(_text(key)))
        for key in figures
    )


def _text(key: FigureKey) -> str:
    return "|".join(key)


def _figure(
    key: FigureKey, meaning: str, value: Estimate, change: Difference | None
) -> SimulatedFigure:
    name, of = key
    found = None if change is None else Estimate(change.change, change.low, change.high)
    return SimulatedFigure(
        name=name,
        of=of,
        meaning=meaning,
        value=_interval(value),
        difference=None if found is None else _interval(found),
        p_value=None if change is None else change.p_holm,
    )


def _interval(found: Estimate) -> Interval | None:
    if not np.isfinite(found).all():
        return None
    return Interval(value=found.value, low=found.low, high=found.high)
