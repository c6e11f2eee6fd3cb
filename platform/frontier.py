"""The accuracy-fairness frontier of re-rankers: sweep, compare, draw, and keep."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..agents.report import Interval
from ..arrays import FloatArray
from ..candidates.folders import write_file_atomically
from ..errors import FairloopError, InvalidValue
from ..metrics.bootstrap import Estimate, centred_interval
from ..rerankers.attainable import Attainable, ResampledSums, resample
from ..rerankers.config import RerankerSettings
from ..rerankers.dominance import Comparison, compare
from ..rerankers.frontier import Swept, Task, sweep_all
from ..rerankers.frontier_axes import Axis, Judge
from ..rerankers.frontier_summary import front, summarise
from .frontier_plot import draw_plane
from .frontier_report import (
    FrontierComparison,
    FrontierMethod,
    FrontierPlane,
    FrontierPoint,
    FrontierReport,
    LeadFigure,
)
from .ranking import Ranking

DEFAULT_AGAINST = ("exposure-ratio", "ild", "user-gap")
CONFIDENCE = 0.95


def run_frontier(
    ranking: Ranking,
    configs: Mapping[str, RerankerSettings],
    *,
    against: Sequence[str] | None = None,
    points: int = 8,
    seed: int = 2020,
    replicates: int = 1000,
    progress: Callable[[int, int], None] | None = None,
) -> FrontierReport:
    """Sweep the methods and compare them in every plane.

    Args:
        ranking: Lists, knowledge, and what was held out.
        configs: Full-strength settings of each method, by the name to show.
        against: Measures to draw accuracy against; the usual three where None, of which those that
            cannot be computed here are reported and left out.
        points: Strengths per method, the base order included.
        seed: Seed of re-rankers and resampling.
        replicates: Bootstrap replicates.
        progress: Called with methods done and their number.

    Raises:
        InvalidValue: Nothing was held out, a measure that was asked for cannot be computed, or no
            method could run.
    """
    accuracy, measures, skipped_measures = _axes(ranking, against)
    axes = (accuracy, *measures)
    pools, knowledge, k = ranking.proposals.pools, ranking.knowledge, ranking.k
    task = Task(pools, knowledge, k, axes, points, seed)
    swept, skipped = sweep_all(configs, task, progress)
    if not swept:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise InvalidValue(
            f"no method could run ({reasons})",
            field="algorithm",
            mend="Name others, or give what they need.",
        )
    sums = resample(swept, replicates, np.random.default_rng(seed))
    return FrontierReport(
        data=ranking.proposals.name,
        users=len(pools),
        k=k,
        accuracy=accuracy.label,
        points=points,
        seed=seed,
        replicates=replicates,
        confidence=CONFIDENCE,
        item_attribute=ranking.item_attribute,
        user_attribute=ranking.user_attribute,
        constraints=knowledge.constraints,
        notes=ranking.notes,
        seconds={method.name: method.seconds for method in swept},
        planes=tuple(
            _plane(swept, (accuracy, axis), sums, number)
            for number, axis in enumerate(measures, start=1)
        ),
        skipped_methods=skipped,
        skipped_measures=skipped_measures,
    )


def save_frontier(report: FrontierReport, folder: Path) -> FrontierReport:
    """Write ``frontier.json`` and a picture of each plane as PNG and SVG.

    Returns:
        The report with the names of its pictures, as it was written.

    Raises:
        StorageFull: The disk is full; no file is left half-written.
    """
    planes: list[FrontierPlane] = []
    for plane in report.planes:
        pictures = draw_plane(report, plane)
        names = tuple(str(folder / f"{plane.against}{suffix}") for suffix in pictures)
        for name, content in zip(names, pictures.values(), strict=True):
            write_file_atomically(Path(name), content)
        planes.append(plane.model_copy(update={"pictures": names}))
    kept = report.model_copy(update={"planes": tuple(planes)})
    write_file_atomically(folder / "frontier.json", kept.model_dump_json(indent=1).encode())
    return kept


def _axes(
    ranking: Ranking, against: Sequence[str] | None
) -> tuple[Axis, tuple[Axis, ...], dict[str, str]]:
    """Accuracy, the other measures, and why some of the usual ones are missing."""
    judge = Judge(
        ranking.proposals, ranking.knowledge, ranking.item_attribute, ranking.user_attribute
    )
    accuracy = judge.accuracy(ranking.k)
    if against:
        return accuracy, tuple(judge.against(name, ranking.k) for name in against), {}
    found: list[Axis] = []
    skipped: dict[str, str] = {}
    for name in DEFAULT_AGAINST:
        try:
            found.append(judge.against(name, ranking.k))
        except FairloopError as error:
            skipped[name] = str(error)
    if not found:
        raise InvalidValue(
            "there is nothing to draw accuracy against: " + " ".join(skipped.values()),
            field="against",
        )
    return accuracy, tuple(found), skipped


def _plane(
    swept: list[Swept], axes: tuple[Axis, Axis], sums: ResampledSums, number: int
) -> FrontierPlane:
    methods = [Attainable.of(method, axes, sums, number) for method in swept]
    compared = compare(methods, confidence=CONFIDENCE)
    summaries = summarise(methods, CONFIDENCE)
    shares = front(methods)
    sign = 1.0 if axes[1].higher_is_better else -1.0
    return FrontierPlane(
        against=axes[1].name,
        label=axes[1].label,
        higher_is_better=axes[1].higher_is_better,
        level=sign * summaries[0].level,
        methods=tuple(
            FrontierMethod(
                algorithm=method.name,
                points=_points(source, method, axes, number),
                gains=len(method.efficient()) > 0,
                kept=_interval(summary.kept),
                accuracy_at_level=None if summary.at_level is None else _interval(summary.at_level),
                front=shares.get(method.name, 0.0),
                dominates=_names(compared, method.name, dominated=False),
                dominated_by=_names(compared, method.name, dominated=True),
            )
            for source, method, summary in zip(swept, methods, summaries, strict=True)
        ),
        comparisons=tuple(_comparison(c) for c in compared if c.accuracy is not None),
    )


def _points(
    swept: Swept, method: Attainable, axes: tuple[Axis, Axis], number: int
) -> tuple[FrontierPoint, ...]:
    efficient = set(method.efficient().tolist())
    x = _figures(axes[0], swept.terms[0], method.x_sums)
    y = _figures(axes[1], swept.terms[number], method.y_sums)
    settings = ({}, *(config.model_dump(mode="json") for config in swept.configs))
    return tuple(
        FrontierPoint(
            strength=float(strength),
            settings=settings[p],
            accuracy=x[p],
            measure=y[p],
            efficient=p in efficient,
        )
        for p, strength in enumerate(swept.strengths)
    )


def _figures(axis: Axis, terms: FloatArray, sums: FloatArray) -> list[Interval]:
    """The measure at every strength, from terms ``(P, U, m)`` and bootstrap sums ``(B, P, m)``."""
    values, spreads = axis.value(terms.sum(axis=1)), axis.value(sums)
    figures: list[Interval] = []
    for value, spread in zip(values, spreads.T, strict=True):
        low, high = centred_interval(float(value), spread, CONFIDENCE)
        figures.append(Interval(value=float(value), low=max(low, 0.0), high=high))
    return figures


def _names(compared: Sequence[Comparison], name: str, *, dominated: bool) -> tuple[str, ...]:
    sure = [c for c in compared if c.verdict == "dominates"]
    if dominated:
        return tuple(c.method for c in sure if c.other == name)
    return tuple(c.other for c in sure if c.method == name)


def _comparison(found: Comparison) -> FrontierComparison:
    assert found.accuracy is not None and found.worth is not None
    assert found.verdict != "frontiers cross"
    leads = [
        LeadFigure(difference=_interval(lead.difference), p_value=lead.p_value)
        for lead in (found.accuracy, found.worth)
    ]
    return FrontierComparison(
        method=found.method,
        other=found.other,
        verdict=found.verdict,
        accuracy=leads[0],
        measure=leads[1],
    )


def _interval(estimate: Estimate) -> Interval:
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)
