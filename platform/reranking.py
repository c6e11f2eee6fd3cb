"""Re-rank lists and measure what changed, and how surely: before, after, difference, by user."""

from typing import cast

import numpy as np

from ..agents.report import Interval
from ..errors import EmptyData
from ..metrics.accuracy import relevance_of
from ..metrics.bootstrap import Estimate
from ..metrics.by_group import ndcg_by_user_group
from ..metrics.comparison import Difference, compare
from ..metrics.measure import measure
from ..metrics.permutation import holm
from ..rerankers.base import Slates
from ..rerankers.config import RerankerSettings
from ..rerankers.factory import RerankerConfig, make_reranker
from ..rerankers.slate_statistics import SlateStatistics, Statistic
from ..rerankers.topk import TopKReranker
from .ranking import Ranking
from .rerank_report import Effect, RerankReport, ShownAs, UserGap, Verdict

LEVEL = 0.05
SWAPS_PER_FIGURE = 100


def rerank_lists(ranking: Ranking, config: RerankerSettings, seed: int) -> Slates:
    """The slates of every user.

    Raises:
        FairloopError: The re-ranker needs what is not known here.
    """
    reranker = make_reranker(cast(RerankerConfig, config), ranking.knowledge)
    return reranker.rerank(ranking.proposals.pools, ranking.k, np.random.default_rng(seed))


def measure_effects(
    ranking: Ranking,
    config: RerankerSettings,
    slates: Slates,
    seed: int,
    *,
    replicates: int = 2000,
    with_variants: bool = False,
) -> RerankReport:
    """Compare slates with the base order in every figure that can be computed.

    Args:
        ranking: Lists, knowledge, and what was held out.
        config: What made the slates.
        slates: In the order of the pools.
        seed: Seed of resampling.
        replicates: Bootstrap replicates; random swaps for the p-values are at least as many.
        with_variants: Add what other libraries compute under the same names.
    """
    pools, k = ranking.proposals.pools, ranking.k
    base = TopKReranker().rerank(pools, k, np.random.default_rng(seed))
    statistics = SlateStatistics(ranking.proposals, ranking.knowledge, with_variants=with_variants)
    before, after = statistics.of(base.items), statistics.of(slates.items)
    moved = (base.columns != slates.columns).any(axis=1)
    return RerankReport(
        data=ranking.proposals.name,
        algorithm=config.model_dump()["algorithm"],
        settings=config.model_dump(mode="json", exclude={"algorithm"}),
        users=len(pools),
        k=k,
        seed=seed,
        replicates=replicates,
        changed=float(moved.mean()),
        stochastic=bool((slates.propensities < 1.0).any()),
        constraints=ranking.knowledge.constraints,
        notes=ranking.notes,
        effects=_effects(before, after, replicates, np.random.default_rng(seed)),
        gaps=_user_gaps(ranking, base, slates, replicates, np.random.default_rng(seed)),
        missing=statistics.missing(base.items),
    )


def _effects(
    before: list[Statistic],
    after: list[Statistic],
    replicates: int,
    rng: np.random.Generator,
) -> tuple[Effect, ...]:
    """Every figure with its intervals, all on the same resampled users."""
    first = {statistic.key: statistic.measured for statistic in before}
    second = {statistic.key: statistic.measured for statistic in after}
    values_before, values_after = (measure(s, replicates, rng) for s in (first, second))
    # So many that one clear change stays clear after the correction for all of them.
    swaps = max(replicates, SWAPS_PER_FIGURE * len(before))
    differences = compare(first, second, replicates, swaps, rng)
    kinds = list(dict.fromkeys(statistic.kind for statistic in before))
    return tuple(
        Effect(
            name=statistic.name,
            of=statistic.of,
            kind=statistic.kind,
            meaning=statistic.meaning,
            direction=statistic.direction,
            target=statistic.target,
            before=_interval(values_before[statistic.key]),
            after=_interval(values_after[statistic.key]),
            difference=_change(differences[statistic.key]),
            p_value=differences[statistic.key].p_holm,
            verdict=_verdict(statistic, differences[statistic.key]),
        )
        for statistic in sorted(before, key=lambda statistic: kinds.index(statistic.kind))
    )


def _verdict(statistic: Statistic, found: Difference) -> Verdict:
    """Better or worse where both say so: the interval and the test.

    They ask different questions. The test asks whether the methods are exchangeable user by user,
    the interval how far the change would move with other users; for figures of the whole catalogue,
    such as amortised inequity, one can be clear where the other is not.
    """
    within = not (found.low > 0 or found.high < 0)
    if not np.isfinite(found.change) or found.p_holm > LEVEL or within:
        return "not decided"
    if statistic.direction == "target":
        aim = statistic.target or 0.0
        return "better" if abs(found.after - aim) < abs(found.before - aim) else "worse"
    return "better" if (found.change > 0) == (statistic.direction == "higher") else "worse"


def _user_gaps(
    ranking: Ranking, base: Slates, slates: Slates, n_permutations: int, rng: np.random.Generator
) -> tuple[UserGap, ...]:
    """Permutation tests of the accuracy gap, for every attribute of users, before and after."""
    proposals = ranking.proposals
    relevant, users = proposals.relevant, proposals.pools.users
    if relevant is None:
        return ()
    found: list[UserGap] = []
    for attribute, groups in proposals.user_groups.items():
        of_rows = type(groups)(attribute, groups.names, groups.codes[users])
        shown_as: tuple[tuple[ShownAs, Slates], ...] = (("base order", base), ("re-ranked", slates))
        for name, shown in shown_as:
            judged = relevance_of(
                shown.items, users, relevant.user, relevant.item, proposals.catalogue.n_items
            )
            try:
                test = ndcg_by_user_group(*judged, of_rows, n_permutations=n_permutations, rng=rng)
            except EmptyData:
                continue
            if test.p_value is None or test.minimum_detectable is None:
                continue
            found.append(
                UserGap(
                    attribute=attribute,
                    slates=name,
                    gap=test.gap,
                    p_value=test.p_value,
                    minimum_detectable=test.minimum_detectable,
                )
            )
    adjusted = holm(np.array([gap.p_value for gap in found])) if found else []
    return tuple(
        gap.model_copy(update={"p_value": float(p)}) for gap, p in zip(found, adjusted, strict=True)
    )


def _interval(estimate: Estimate) -> Interval | None:
    if not np.isfinite(estimate.value):
        return None
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)


def _change(found: Difference) -> Interval | None:
    if not np.isfinite(found.change):
        return None
    return Interval(value=found.change, low=found.low, high=found.high)
