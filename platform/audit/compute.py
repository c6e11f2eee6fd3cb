"""An audit of recorded recommendations: what was measured, on whom, with what uncertainty.

Pure over arrays. Everything random comes from the configuration's seed, so the same record gives
the same report.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...arrays import FloatArray
from ...candidates.catalogue import Groups
from ...errors import InvalidValue
from .figures import Ratio, Sampled, catalogue_figures, printed, sample_ratios
from .gaps import (
    PlannedTest,
    plan_item_test,
    plan_user_tests,
    run_tests,
    untested,
)
from .groups import item_attribute, item_ratios, user_attribute, user_ratios
from .models import AuditConfig, AuditInputs, AuditReport, Figure, Method, Population
from .targets import check_targets, target_ratios
from .verdict import write_verdict
from .view import SlateView

__all__ = ["AuditConfig", "AuditInputs", "AuditReport", "compute_audit"]

Progress = Callable[[int, int], None]
USER_GROUP_MEASURES = ("ndcg", "ild", "popularity")
_STEPS = 5


def compute_audit(
    inputs: AuditInputs, config: AuditConfig | None = None, progress: Progress | None = None
) -> AuditReport:
    """Measure recorded slates.

    Args:
        inputs: Slates, users, items, groups and held-out pairs.
        config: What to report and how to resample; the defaults unless given.
        progress: Called with steps done and steps in all.

    Raises:
        EmptyData: There is no slate.
        InvalidValue: The inputs do not fit together, or an attribute was not declared.
    """
    config = config or AuditConfig()
    tick = _ticker(progress)
    view = SlateView(inputs)
    items = _chosen(inputs.catalogue.groups, config.item_attributes, "item_attributes")
    users = _chosen(inputs.user_groups, config.user_attributes, "user_attributes")
    for_ratios, for_items, for_tests = _generators(config.seed)
    measures = view.measures()
    tick()

    ratios = _overall_ratios(view, measures)
    ratios |= item_ratios(view, items)
    ratios |= user_ratios(view, users, measures, USER_GROUP_MEASURES)
    ratios |= target_ratios(view, config.constraints, measures["ild"])
    sampled = sample_ratios(ratios, config.n_bootstrap, for_ratios)
    tick()

    overall = _overall(view, sampled, config, for_items)
    tick()

    planned = _plan(view, items, users, measures, config)
    gaps = run_tests(planned, config, for_tests)
    tick()

    population = _population(view, measures["ndcg"])
    method = _method(config, len(planned))
    targets = check_targets(view, config, sampled)
    item_groups = {
        name: item_attribute(view, groups, sampled, gaps.get(f"item.{name}", untested()), config)
        for name, groups in items.items()
    }
    user_groups = {
        name: user_attribute(view, groups, sampled, gaps, config, USER_GROUP_MEASURES)
        for name, groups in users.items()
    }
    verdict = write_verdict(population, method, targets, item_groups, user_groups)
    tick()
    return AuditReport(
        about=inputs.about,
        verdict=verdict,
        population=population,
        method=method,
        targets=targets,
        overall=overall,
        item_groups=item_groups,
        user_groups=user_groups,
    )


def _overall_ratios(view: SlateView, measures: Mapping[str, FloatArray]) -> dict[str, Ratio]:
    out = {f"overall.{name}": Ratio.mean(values) for name, values in measures.items()}
    profile = view.profile()
    both = np.isfinite(profile) & np.isfinite(measures["popularity"])
    shown = np.where(both, measures["popularity"], 0.0)
    before = np.where(both, profile, 0.0)
    lift = Ratio(shown, before, int(both.sum()), offset=-1.0)
    return {**out, "overall.popularity_lift": lift}


def _overall(
    view: SlateView, sampled: Mapping[str, Sampled], config: AuditConfig, rng: np.random.Generator
) -> dict[str, Figure]:
    names = ("ndcg", "recall", "ild", "popularity", "popularity_lift", "novelty")
    figures = {name: printed(sampled[f"overall.{name}"], config) for name in names}
    row, item, exposure = view.entries()
    n_items = view.inputs.catalogue.n_items
    return figures | catalogue_figures(row, item, exposure, view.n_users, n_items, config, rng)


def _plan(
    view: SlateView,
    items: Mapping[str, Groups],
    users: Mapping[str, Groups],
    measures: Mapping[str, FloatArray],
    config: AuditConfig,
) -> list[PlannedTest]:
    planned = [plan_item_test(view, groups, config) for groups in items.values()]
    tests = [test for test in planned if test is not None]
    for groups in users.values():
        tests += plan_user_tests(view, groups, measures, USER_GROUP_MEASURES, config)
    return tests


def _population(view: SlateView, ndcg: FloatArray) -> Population:
    return Population(
        users=view.n_users,
        slates=view.n_slates,
        slate_length=view.k,
        empty_positions=int(np.count_nonzero(~view.filled)),
        items=view.inputs.catalogue.n_items,
        users_with_held_out=int(np.count_nonzero(np.isfinite(ndcg))),
    )


def _method(config: AuditConfig, n_tests: int) -> Method:
    return Method(
        confidence=config.confidence,
        alpha=config.alpha,
        n_bootstrap=config.n_bootstrap,
        n_permutations=config.n_permutations,
        n_tests=n_tests,
        small_cell=config.small_cell,
        seed=config.seed,
    )


def _chosen(
    declared: Mapping[str, Groups], wanted: Sequence[str] | None, field: str
) -> dict[str, Groups]:
    """The attributes to report, in the order asked for."""
    names = list(declared) if wanted is None else wanted
    for name in names:
        if name not in declared:
            raise InvalidValue(
                f"no groups named {name!r} are declared",
                field=field,
                mend=f"Use one of {', '.join(declared) or 'none declared'}.",
            )
    return {name: declared[name] for name in names}


def _generators(seed: int) -> tuple[np.random.Generator, ...]:
    """One stream each for ratios, item amounts and tests."""
    return tuple(np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))


def _ticker(progress: Progress | None) -> Callable[[], None]:
    """A function that reports one more step done at each call."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, _STEPS)

    return tick
