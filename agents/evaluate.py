"""Policies compared on held-out users: same users, same luck, intervals from resampling users.

Baselines, learned policies and references stand in one table. A reference sees the truth; it never
counts as the best baseline. The gap that policies close starts at top-k and ends at the planning
oracle; those that hold the limits are other ends of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import FloatArray
from ..candidates.candidate_set import CandidateSet
from ..metrics.accuracy import ndcg, relevance_of
from ..metrics.bootstrap import bootstrap_sums, interval
from ..rerankers.constraints import Constraints
from ..simulators.gaps import RunningGaps
from ..simulators.logged import LoggedPopulation
from ..simulators.policies import PolicyLuck
from .baselines import Entrant
from .config import EvaluationConfig
from .constraints.figures import gap_columns, gap_figures, slate_figures
from .constraints.user_groups import UserGaps
from .families import TopK
from .outcomes import Arena, UserTotals, run
from .references import BAYES, LIMITED, PLANNING
from .report import ConstraintFigure, EvaluationReport, Interval, PolicyFigures


def evaluate(
    arena: Arena,
    entrants: Sequence[Entrant],
    published: str,
    candidates: CandidateSet,
    seed: int,
    config: EvaluationConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> EvaluationReport:
    """Let every entrant serve the same held-out users through the same luck.

    Args:
        arena: The held-out users and the limits.
        entrants: The policies, baselines among them.
        published: Name of the entrant that would be deployed.
        candidates: Where the held-out interactions are.
        seed: Root of the luck and of the resampling; the first seeds do not depend on how many.
        config: Seeds, resamples and confidence.
        progress: Called with policies done and in all.
    """
    config = config or EvaluationConfig()
    luck, resampling = np.random.SeedSequence(seed).spawn(2)
    seeds = tuple(int(s) for s in luck.generate_state(config.seeds))
    totals: list[UserTotals] = []
    accuracy: list[FloatArray] = []
    for entrant in entrants:
        totals.append(run(arena, entrant.make, seeds))
        accuracy.append(first_slate_ndcg(arena, entrant, candidates, seeds[0]))
        if progress is not None:
            progress(len(totals), len(entrants))
    return compare(
        arena,
        entrants,
        totals,
        accuracy,
        published,
        seeds,
        np.random.default_rng(resampling),
        config,
    )


def compare(
    arena: Arena,
    entrants: Sequence[Entrant],
    totals: Sequence[UserTotals],
    accuracy: Sequence[FloatArray],
    published: str,
    seeds: tuple[int, ...],
    rng: np.random.Generator,
    config: EvaluationConfig,
) -> EvaluationReport:
    """Figures and intervals of what entrants brought the same users.

    Args:
        arena: The limits, and the groups of the users that ``totals`` are of.
        entrants: The policies, baselines among them.
        totals: What each of them brought, user by user.
        accuracy: NDCG of each user's first slate under each of them, NaN where not known.
        published: Name of the entrant that would be deployed.
        seeds: Simulator seeds that ``totals`` are means over.
        rng: Source of the resamples.
        config: Resamples and confidence.
    """
    best = best_baseline(entrants, totals, arena.targets, arena.gaps)
    gaps = _Gaps.of(entrants)
    rows = [_columns(t, a, arena.gaps) for t, a in zip(totals, accuracy, strict=True)]
    table = np.stack(rows, axis=1)
    figures = _Figures(table, best, gaps, arena, config, rng)
    return EvaluationReport(
        n_users=len(table),
        seeds=seeds,
        slate_size=arena.world.config.slate_size,
        confidence=config.confidence,
        n_bootstrap=config.n_bootstrap,
        published=published,
        best_baseline=None if best is None else entrants[best].name,
        policies=tuple(figures.of(i, entrant) for i, entrant in enumerate(entrants)),
        gap_from=None if gaps is None else TopK().name,
        gap_to=None if gaps is None else PLANNING,
        gaps_to=() if gaps is None else tuple(gaps.others),
        left_out=(*_without_ratio(arena.constraints), *arena.gaps.left_out),
    )


def _without_ratio(constraints: Constraints) -> tuple[str, ...]:
    """Groups of items that no ratio limits, and why, in words."""
    return tuple(f"{o.attribute}={o.group}: {o.reason}" for o in constraints.left_out)


@dataclass(frozen=True)
class _Gaps:
    """Which policies the shares of the gap are taken between.

    Attributes:
        start: Top-k.
        end: The planning oracle without limits.
        others: References that hold limits, by name.
    """

    start: int
    end: int
    others: Mapping[str, int]

    @classmethod
    def of(cls, entrants: Sequence[Entrant]) -> "_Gaps | None":
        """Where they stand; None if top-k or the planning oracle was not entered."""
        names = [entrant.name for entrant in entrants]
        if not {TopK().name, PLANNING} <= set(names):
            return None
        others = {name: names.index(name) for name in (LIMITED, BAYES) if name in names}
        return cls(names.index(TopK().name), names.index(PLANNING), others)


def best_baseline(
    entrants: Sequence[Entrant],
    totals: Sequence[UserTotals],
    targets: FloatArray,
    gaps: UserGaps | None = None,
) -> int | None:
    """Index of the baseline of highest engagement that breaks no constraint, by its levels."""

    def holds(found: UserTotals) -> bool:
        behind = gaps is not None and bool((gaps.excess(found.expected_engagement) > 0.0).any())
        return bool((found.levels() >= targets).all()) and not behind

    holding = [
        i for i, entrant in enumerate(entrants) if entrant.kind == "baseline" and holds(totals[i])
    ]
    return max(holding, key=lambda i: float(totals[i].expected_engagement.mean()), default=None)


def first_slate_ndcg(
    arena: Arena, entrant: Entrant, candidates: CandidateSet, seed: int
) -> FloatArray:
    """NDCG of each user's first slate against held-out interactions, NaN without any, ``(U,)``."""
    logged = LoggedPopulation(arena.world, arena.constraints, seed, context=arena.context)
    everyone = np.ones(len(arena), np.bool_)
    luck = PolicyLuck.at(logged, seed)
    decision = entrant.make().decide(logged, everyone, RunningGaps(arena.constraints), luck)
    lists = np.take_along_axis(arena.world.pools.items, decision.columns, axis=1)
    held = candidates.heldout
    relevance, n_relevant = relevance_of(
        lists, arena.world.users, held.user, held.item, candidates.catalogue.n_items
    )
    return ndcg(relevance, n_relevant)


def _columns(totals: UserTotals, accuracy: FloatArray, gaps: UserGaps) -> FloatArray:
    """What is resampled of one policy: a row per user, a column per sum that a figure needs."""
    known = np.isfinite(accuracy)
    columns = np.zeros((len(known), _LEVELS))
    columns[:, _ENGAGEMENT] = totals.expected_engagement
    columns[:, _SLATES] = totals.slates
    columns[:, _RETAINED] = totals.retained
    columns[:, _NDCG] = np.where(known, accuracy, 0.0)
    columns[:, _HAS_NDCG] = known
    of_groups = gap_columns(gaps, totals.expected_engagement)
    return np.concatenate([columns, totals.measured, of_groups], axis=1)


_ENGAGEMENT, _SLATES, _RETAINED, _NDCG, _HAS_NDCG, _LEVELS = range(6)


class _Figures:
    """Means over users and over resampled users, the same ones for every policy.

    Args:
        table: Shape ``(U, policies, columns)``.
        best: Policy that engagement is divided by; each by itself where None.
        gaps: Policies between whose engagement a share is taken; no share where None.
        arena: Users and limits.
        config: Resamples and confidence.
        rng: Source of the resamples.
    """

    def __init__(
        self,
        table: FloatArray,
        best: int | None,
        gaps: _Gaps | None,
        arena: Arena,
        config: EvaluationConfig,
        rng: np.random.Generator,
    ) -> None:
        n_users, *shape = table.shape
        sums = bootstrap_sums(table.reshape(n_users, -1), config.n_bootstrap, rng)
        self._resampled = sums.reshape(-1, *shape) / n_users
        self._means = table.mean(axis=0)
        self._best, self._gaps, self._arena, self._config = best, gaps, arena, config

    def of(self, index: int, entrant: Entrant) -> PolicyFigures:
        """The figures of one policy."""
        means, resampled, gaps = self._means[index], self._resampled[:, index], self._gaps
        other = index if self._best is None else self._best
        has_accuracy = means[_HAS_NDCG] > 0 and bool((resampled[:, _HAS_NDCG] > 0).all())
        return PolicyFigures(
            name=entrant.name,
            kind=entrant.kind,
            parameters=entrant.parameters,
            simulator_steps=entrant.steps,
            engagement=self._interval(means[_ENGAGEMENT], resampled[:, _ENGAGEMENT]),
            engagement_ratio=self._interval(
                means[_ENGAGEMENT] / self._means[other, _ENGAGEMENT],
                resampled[:, _ENGAGEMENT] / self._resampled[:, other, _ENGAGEMENT],
            ),
            slates=self._interval(means[_SLATES], resampled[:, _SLATES]),
            retained=self._interval(means[_RETAINED], resampled[:, _RETAINED]),
            constraints=self._constraints(means, resampled),
            ndcg=self._interval(
                means[_NDCG] / means[_HAS_NDCG], resampled[:, _NDCG] / resampled[:, _HAS_NDCG]
            )
            if has_accuracy
            else None,
            gap_closed=None if gaps is None else self._gap_closed(index, gaps.start, gaps.end),
            gaps_closed={} if gaps is None else self._other_gaps_closed(index, gaps),
        )

    def _gap_closed(self, index: int, start: int, end: int) -> Interval | None:
        """Share of the gap that a policy closes; the same users make every gap of a resample."""
        everyone, resampled = self._means[:, _ENGAGEMENT], self._resampled[:, :, _ENGAGEMENT]
        gap, gaps = everyone[end] - everyone[start], resampled[:, end] - resampled[:, start]
        if gap <= 0.0 or not bool((gaps > 0.0).all()):
            return None
        gained = resampled[:, index] - resampled[:, start]
        return self._interval((everyone[index] - everyone[start]) / gap, gained / gaps)

    def _other_gaps_closed(self, index: int, gaps: _Gaps) -> dict[str, Interval]:
        shares = {n: self._gap_closed(index, gaps.start, end) for n, end in gaps.others.items()}
        return {name: share for name, share in shares.items() if share is not None}

    def _constraints(
        self, means: FloatArray, resampled: FloatArray
    ) -> tuple[ConstraintFigure, ...]:
        arena, confidence = self._arena, self._config.confidence
        of_groups = _LEVELS + len(arena.targets)
        return (
            *slate_figures(
                arena.constraints,
                means[_LEVELS:of_groups] / means[_SLATES],
                resampled[:, _LEVELS:of_groups] / resampled[:, _SLATES, None],
                confidence,
            ),
            *gap_figures(
                arena.gaps,
                means[of_groups:],
                means[_ENGAGEMENT],
                resampled[:, of_groups:],
                resampled[:, _ENGAGEMENT],
                confidence,
            ),
        )

    def _interval(self, value: float, replicates: FloatArray) -> Interval:
        low, high = interval(replicates, self._config.confidence)
        return Interval(value=float(value), low=float(low), high=float(high))
