"""From a log to a report: hold out, fit, replay, compare, and fit again on everything."""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from ...arrays import FloatArray
from ...errors import EmptyData
from ..config import WorldConfig
from ..impressions import ImpressionLog
from .comparison import Figure, compare_runs, plain
from .fit_log import STEPS, FittedLog, fit_log
from .log_figures import figures_of
from .position_bias import MIN_CLICKS, PositionBias
from .replay import believed, hold_out, replay
from .report import CalibrationReport, Examined, PositionRow
from .uncertainty import clusters

HELD_OUT = 0.3
MOST_HELD_OUT = 200_000
"""Impressions, which bounds the time of the comparison."""
Progress = Callable[[int, int], None]


def calibrate_log(
    log: ImpressionLog,
    name: str,
    topics: FloatArray | None = None,
    item_features: FloatArray | None = None,
    *,
    randomised: bool = False,
    start: WorldConfig | None = None,
    seed: int = 0,
    notes: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> tuple[FittedLog, CalibrationReport]:
    """Fit a log, and compare what a fit on 70% of its users simulates with the other 30%.

    The fit that is returned, and whose parameters the report states, is made on all rows.

    Args:
        log: The impressions.
        name: Where they are from.
        topics: Topic shares of the items, shape ``(I, T)``.
        item_features: What else is known of the items, shape ``(I, F)``.
        randomised: Chance, the same for all items, decided what stood where.
        start: Defaults to stand on.
        seed: Of everything that is drawn.
        notes: What a reader has to know of the data.
        progress: Called with steps done and their number.

    Raises:
        EmptyData: There are too few clicks to hold any out.
        NotIdentified: There are too few users to hold any out.
    """
    total = 2 * STEPS + 1

    def step(before: int) -> Progress:
        return lambda done, _: None if progress is None else progress(before + done, total)

    held, n_clusters = hold_out(log, clusters(log), HELD_OUT, MOST_HELD_OUT, seed)
    if min(log.clicked[held].sum(), log.clicked[~held].sum()) < MIN_CLICKS:
        raise EmptyData(
            f"{int(log.clicked.sum()):,} clicks are too few to hold some out",
            field="clicked",
            mend="Give a longer log.",
        )

    def fit(part: ImpressionLog, before: int) -> FittedLog:
        return fit_log(
            part,
            topics,
            item_features,
            randomised=randomised,
            start=start,
            seed=seed,
            progress=step(before),
        )

    train, real = log.take(~held), log.take(held)
    fitted = fit(train, 0)
    cluster = np.unique(clusters(real), return_inverse=True)[1]
    missing: dict[str, str] = {}

    def simulate(run: int, drawn: bool) -> list[Figure]:
        rng = np.random.default_rng([seed, run])
        model = believed(fitted, rng) if drawn else fitted
        simulated = replay(model, real, rng)
        figures, without = figures_of(train, real, simulated, model, cluster, rng)
        missing.update(without)
        return figures

    compared = compare_runs(simulate, n_clusters, seed)
    step(STEPS)(1, 0)
    whole = fit(log, STEPS + 1)
    what = "slates" if log.user is None else "users"
    return whole, CalibrationReport(
        data=name,
        kind="impressions",
        rows=len(log),
        clicks=int(log.clicked.sum()),
        users=None if log.user is None else len(np.unique(log.user)),
        items=len(np.unique(log.item)),
        positions=log.n_positions,
        held_out=int(held.sum()),
        held_out_how=f"all impressions of {n_clusters:,} {what}, drawn at random",
        held_out_clicks=int(real.clicked.sum()),
        seed=seed,
        world=whole.config,
        findings=whole.findings,
        position=_position_rows(whole.position),
        position_notes=_position_notes(whole),
        compared=compared,
        not_compared=missing,
        notes=notes,
    )


def _position_rows(position: PositionBias | None) -> tuple[PositionRow, ...]:
    if position is None:
        return ()
    curve = position.curve
    return tuple(
        PositionRow(
            position=j + 1,
            shown=int(position.shown[j]),
            clicked=int(position.clicked[j]),
            examination={
                estimate.method: Examined(
                    value=float(estimate.value[j]),
                    low=plain(estimate.low)[j],
                    high=plain(estimate.high)[j],
                )
                for estimate in position.estimates
            },
            curve=float(curve[j]),
        )
        for j in range(len(curve))
    )


def _position_notes(fitted: FittedLog) -> tuple[str, ...]:
    position = fitted.position
    if position is None:
        return (f"Position bias is not identified: {fitted.position_refusal}",)
    notes = [
        f"The curve 1 / log2(j + 1)^{position.position_bias:.3f} is at most {position.misfit:.3f} "
        "away from the estimates."
    ]
    if position.disagreement is not None:
        n = len(position.shown) - 1
        bound = float(ndtri(0.5 + 0.5 * 0.95 ** (1 / n)))  # of the largest of n
        verb = "agree" if position.disagreement <= bound else "do not agree"
        notes.append(
            f"Regression-EM and the randomised estimate {verb}: they differ by at most "
            f"{position.disagreement:.2f} standard errors of the difference (chance alone: below "
            f"{bound:.2f} with 95% probability)."
        )
    return tuple(notes)
