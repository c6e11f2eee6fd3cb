"""The gap tests of an audit: planned first, so that their number is known, then run together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import MISSING, FloatArray
from ...candidates.catalogue import Groups
from ...metrics.permutation import GapTest, gap_test, holm, sign_flip_test
from .models import AuditConfig, GapFigure
from .view import SlateView


@dataclass(frozen=True, slots=True)
class PlannedTest:
    """A test to run.

    Attributes:
        key: ``item.<attribute>`` or ``user.<attribute>.<measure>``.
        names: Names of the compared groups, in the order of the test's means.
        run: Takes a generator and the level of the minimum detectable gap.
    """

    key: str
    names: tuple[str, ...]
    run: Callable[[np.random.Generator, float], GapTest]


def plan_item_test(view: SlateView, groups: Groups, config: AuditConfig) -> PlannedTest | None:
    """Equal exposure per item, compared within users; None where nothing can be compared."""
    sizes = np.bincount(groups.codes[groups.codes != MISSING], minlength=len(groups.names))
    compared = np.flatnonzero(sizes > 0)
    if len(compared) < 2 or view.n_users < config.small_cell:
        return None
    by_group = view.exposure_by_group(groups)[:, compared]
    per_item = 1000.0 * by_group / sizes[compared] / view.slates_per_user[:, None]

    def run(rng: np.random.Generator, level: float) -> GapTest:
        return sign_flip_test(per_item, config.n_permutations, rng, level=level)

    names = tuple(groups.names[g] for g in compared)
    return PlannedTest(f"item.{groups.attribute}", names, run)


def plan_user_tests(
    view: SlateView,
    groups: Groups,
    measures: Mapping[str, FloatArray],
    wanted: Sequence[str],
    config: AuditConfig,
) -> list[PlannedTest]:
    """Equal means between the user groups that are large enough, one test per measure."""
    codes = view.codes(groups)
    planned: list[PlannedTest] = []
    for measure in wanted:
        values = measures[measure]
        known = np.isfinite(values) & (codes != MISSING)
        sizes = np.bincount(codes[known], minlength=len(groups.names))
        compared = np.flatnonzero(sizes >= config.small_cell)
        if len(compared) < 2:
            continue
        relabelled = np.full(len(groups.names) + 1, MISSING)
        relabelled[compared] = np.arange(len(compared))
        names = tuple(groups.names[g] for g in compared)
        planned.append(
            PlannedTest(
                f"user.{groups.attribute}.{measure}",
                names,
                _user_test(values, relabelled[codes], len(compared), config),
            )
        )
    return planned


def run_tests(
    planned: Sequence[PlannedTest], config: AuditConfig, rng: np.random.Generator
) -> dict[str, GapFigure]:
    """Run all tests, correct their p-values together and say what each shows.

    The minimum detectable gap is taken at the strictest level that Holm may use, alpha divided by
    the number of tests, so that it is never promised too small.
    """
    if not planned:
        return {}
    level = config.alpha / len(planned)
    outcomes = [
        test.run(stream, level)
        for test, stream in zip(planned, rng.spawn(len(planned)), strict=True)
    ]
    adjusted = holm(np.array([outcome.p_value for outcome in outcomes]))
    return {
        test.key: _gap_figure(test.names, outcome, float(p), config.alpha)
        for test, outcome, p in zip(planned, outcomes, adjusted, strict=True)
    }


def untested() -> GapFigure:
    """Where fewer than two groups are large enough to be compared."""
    return GapFigure(
        difference=None,
        ratio=None,
        highest=None,
        lowest=None,
        p_value=None,
        p_holm=None,
        minimum_detectable=None,
        outcome="not tested",
    )


def _user_test(
    values: FloatArray, codes: np.ndarray, n_groups: int, config: AuditConfig
) -> Callable[[np.random.Generator, float], GapTest]:
    def run(rng: np.random.Generator, level: float) -> GapTest:
        return gap_test(values, codes, n_groups, config.n_permutations, rng, level=level)

    return run


def _gap_figure(names: tuple[str, ...], test: GapTest, p_holm: float, alpha: float) -> GapFigure:
    high, low = int(test.means.argmax()), int(test.means.argmin())
    largest, smallest = float(test.means[high]), float(test.means[low])
    reach = test.minimum_detectable
    return GapFigure(
        difference=test.gap,
        ratio=smallest / largest if largest > 0 else None,
        highest=names[high],
        lowest=names[low],
        p_value=test.p_value,
        p_holm=p_holm,
        minimum_detectable=reach if np.isfinite(reach) else None,
        outcome="gap" if p_holm <= alpha else "no gap detected",
    )
