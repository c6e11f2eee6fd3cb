"""Sweeping a re-ranker's strength: what each setting costs and brings, user by user.

How much a strength does differs from method to method: one may do most of its work below 0.1,
another above 0.9. The strengths are therefore placed where the measures move: after 0 and 1, always
half-way between the two neighbours that lie furthest apart, in the measure in which they lie
furthest apart, in parts of its range over the method's points.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.pools import CandidatePools
from ..errors import FairloopError, InvalidValue
from .base import Slates
from .config import RerankerSettings
from .factory import RerankerConfig, make_reranker
from .frontier_axes import Axis
from .knowledge import Knowledge
from .topk import TopKReranker

NARROWEST = 1.0 / 256.0
"""Strengths no further apart than this are not told apart."""

DRAWS = 3
"""Slates drawn per user from a stochastic re-ranker; its terms are their means."""


@dataclass(frozen=True, slots=True)
class Swept:
    """One method at rising strengths, the base order first.

    Attributes:
        name: The method.
        strengths: Shape ``(P,)``, from 0 upwards.
        configs: Settings at each strength but the first, ``P − 1`` of them.
        terms: Per-user terms of each axis, each of shape ``(P, U, m)``.
        seconds: Processor time of making and running the re-rankers, all strengths together.
    """

    name: str
    strengths: FloatArray
    configs: tuple[RerankerSettings, ...]
    terms: tuple[FloatArray, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Task:
    """What every method is swept on.

    Attributes:
        pools: The candidates.
        knowledge: What re-rankers may know.
        k: Slate length.
        axes: The measures; accuracy first.
        points: Strengths per method, the base order included; at least 2.
        seed: Every re-ranker at every strength starts from this seed.
    """

    pools: CandidatePools
    knowledge: Knowledge
    k: int
    axes: tuple[Axis, ...]
    points: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse what makes no sweep."""
        if self.points < 2:
            raise InvalidValue(f"{self.points} points", field="points", mend="Use at least 2.")


def sweep_all(
    configs: Mapping[str, RerankerSettings],
    task: Task,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Swept], dict[str, str]]:
    """Sweep several methods; one that cannot run here is reported, never dropped.

    Args:
        configs: Full-strength settings by the name to show.
        task: What to sweep on.
        progress: Called with methods done and their number.

    Returns:
        The methods that ran, and the reasons of those that did not, by name.
    """
    base = _terms(base_slates(task), task.axes)
    swept: list[Swept] = []
    skipped: dict[str, str] = {}
    for done, (name, config) in enumerate(configs.items()):
        if progress is not None:
            progress(done, len(configs))
        try:
            found = _sweep(name, config, task, base)
        except FairloopError as error:
            skipped[name] = str(error)
            continue
        if found is None:
            skipped[name] = "With these settings it shows the base order at every strength."
        else:
            swept.append(found)
    if progress is not None:
        progress(len(configs), len(configs))
    return swept, skipped


def base_slates(task: Task) -> Slates:
    """The base order: every method at strength 0."""
    return TopKReranker().rerank(task.pools, task.k, np.random.default_rng(task.seed))


@dataclass(frozen=True, slots=True)
class _Point:
    """One setting, its terms per axis ``(U, m)``, and whether any slate left the base order."""

    strength: float
    config: RerankerSettings | None
    terms: list[FloatArray]
    moved: bool


def _sweep(
    name: str, config: RerankerSettings, task: Task, base: Sequence[FloatArray]
) -> Swept | None:
    """Run one method at every strength; None if it never leaves the base order."""
    top = base_slates(task).columns
    points = [_Point(0.0, None, list(base), False)]
    seconds = 0.0
    for _ in range(task.points - 1):
        strength = 1.0 if len(points) == 1 else next_strength(*_curve(points, task.axes))
        scaled = config.at_strength(strength)
        started = time.process_time()
        draws = _draw(scaled, task)
        seconds += time.process_time() - started
        drawn = [_terms(draw, task.axes) for draw in draws]
        terms = [cast(FloatArray, np.mean(each, axis=0)) for each in zip(*drawn, strict=True)]
        moved = any(not np.array_equal(draw.columns, top) for draw in draws)
        points.append(_Point(strength, scaled, terms, moved))
        points.sort(key=lambda point: point.strength)
    if not any(point.moved for point in points):
        return None
    return Swept(
        name=name,
        strengths=np.array([point.strength for point in points]),
        configs=tuple(point.config for point in points if point.config is not None),
        terms=tuple(np.stack(each) for each in zip(*(p.terms for p in points), strict=True)),
        seconds=seconds,
    )


def _curve(points: Sequence[_Point], axes: Sequence[Axis]) -> tuple[FloatArray, FloatArray]:
    """Strengths ``(P,)`` and values ``(P, axes)`` of what was run so far."""
    values = [
        [axis.value(terms.sum(axis=0)) for axis, terms in zip(axes, p.terms, strict=True)]
        for p in points
    ]
    return np.array([point.strength for point in points]), np.array(values)


def next_strength(strengths: FloatArray, values: FloatArray) -> float:
    """Half-way between the neighbours furthest apart; of equal ones, the widest interval.

    Args:
        strengths: Rising, shape ``(P,)``, at least 2.
        values: One row per strength, one column per measure, shape ``(P, M)``.
    """
    span = np.ptp(values, axis=0)
    steps = np.abs(np.diff(values, axis=0)) / np.where(span > 0, span, 1.0)
    apart, width = steps.max(axis=1), np.diff(strengths)
    apart = np.where(width > NARROWEST, apart, -1.0)  # a jump has no middle to look for
    widest = np.lexsort((width, apart))[-1]
    return float(strengths[widest] + width[widest] / 2)


def _draw(config: RerankerSettings, task: Task) -> list[Slates]:
    """One slate per user, and more of them where chance decides.

    Each draw is a fresh re-ranker's first, so that none learns from another.
    """
    slates: list[Slates] = []
    for draw in range(DRAWS):
        reranker = make_reranker(cast(RerankerConfig, config), task.knowledge)
        rng = np.random.default_rng([task.seed, draw])
        slates.append(reranker.rerank(task.pools, task.k, rng))
        if (slates[-1].propensities == 1.0).all():
            break
    return slates


def _terms(slates: Slates, axes: Sequence[Axis]) -> list[FloatArray]:
    items: IntArray = slates.items
    return [axis.per_user(items) for axis in axes]
