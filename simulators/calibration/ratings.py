"""Ratings instead of impressions: what they tell of tastes, and how that holds on held-out ones.

The rating model is the one that ``fit_world`` makes satisfaction of (``tastes``): quality of the
item, level of the user, taste for topics, each trusted as far as it holds on ratings not used for
it. What people choose to rate is simulated too, since the world's appeal is built on it: a user
draws items in proportion to exp(log-odds of popularity + affinity to the topics), without those
rated before (log-odds, because nobody rates an item twice). Ratings hold no impressions, so nothing
is learned of clicks, positions or repetition.
"""

from collections.abc import Callable

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...candidates import tastes
from ...candidates.build import build_catalogue
from ...candidates.dataset import Dataset
from ...candidates.groups import GroupsConfig
from ...candidates.interactions import Interactions
from ...candidates.tastes import topic_shares
from ...errors import EmptyData, InvalidValue
from ..config import WorldConfig
from .comparison import Figure, compare_runs
from .findings import Finding, Found, parameters, tabulate_findings
from .rating_figures import RatingFit, choice_figures, rating_figures
from .report import CalibrationReport
from .samples import POINT_RUNS, RUNS
from .uncertainty import interval, jackknife, random_groups, spread

HELD_OUT = 0.2
GROUPS = 20
Progress = Callable[[int, int], None]

_UNTOLD = {
    "choice": "ratings hold no impressions: what was shown and where is not known",
    "satiation": "ratings hold no repeated consumption",
    "fatigue": "ratings hold no repeated consumption",
    "dwell": "ratings hold no dwell times",
    "session": "times of ratings are when they were entered, not when something was consumed",
    "leaving": "times of ratings are when they were entered, not when something was consumed",
    "returning": "times of ratings are when they were entered, not when something was consumed",
    "drift": "choices follow what was offered, which is not known",
}


def calibrate_ratings(
    dataset: Dataset,
    *,
    start: WorldConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> CalibrationReport:
    """Fit 80% of the ratings, and compare what they simulate with the other 20%.

    Args:
        dataset: Ratings, and the topics of items where they are known.
        start: The configuration whose shrinkage holds and whose defaults stand.
        seed: Of the split and of everything that is drawn.
        progress: Called with steps done and their number.

    Raises:
        EmptyData: There are too few ratings.
        InvalidValue: All ratings are alike.
    """
    config = start or WorldConfig()
    every = Interactions.build(
        dataset.user, dataset.item, dataset.rating, dataset.timestamp,
        dataset.n_users, dataset.n_items,
    )  # fmt: skip
    if len(every) < 100:
        raise EmptyData(
            f"{len(every)} ratings are too few to hold some out",
            field="ratings",
            mend="Give at least 100.",
        )
    if every.rating.min() == every.rating.max():
        raise InvalidValue(
            "all ratings are alike: nothing can be learned from them",
            field="rating",
            mend="Import a data set with ratings, or calibrate on a log: --log FILE.",
        )
    steps = POINT_RUNS + RUNS + 2

    def advance(done: int) -> None:
        if progress is not None:
            progress(done, steps)

    catalogue = build_catalogue(dataset, GroupsConfig(items=(), users=()), every)
    topics = topic_shares(catalogue.topics)
    held = np.random.default_rng([seed, 0]).random(len(every)) < HELD_OUT
    train, real = _part(every, ~held), _part(every, held)
    fitted = RatingFit.of(train, topics, config.tastes.shrinkage, seed)
    advance(1)

    def simulate(run: int, drawn: bool) -> list[Figure]:
        rng = np.random.default_rng([seed, 1, run])
        model = fitted.believed(train, config.tastes.shrinkage, rng) if drawn else fitted
        advance(2 + run)
        figures = rating_figures(real, model, topics, rng)
        return figures + choice_figures(train, real, model, topics, rng)

    compared = compare_runs(simulate, every.n_users, seed)
    found = _slopes_found(every, topics, config.tastes.shrinkage, seed)
    defaults = tabulate_findings(config, _untold(config))
    advance(steps)
    return CalibrationReport(
        data=dataset.name,
        kind="ratings",
        rows=len(every),
        clicks=None,
        users=int((every.counts_per_user() > 0).sum()),
        items=int((every.counts_per_item() > 0).sum()),
        positions=0,
        held_out=len(real),
        held_out_how="drawn at random from every user",
        held_out_clicks=None,
        seed=seed,
        world=config,
        findings=(*found, *defaults),
        position=(),
        position_notes=("Position bias is not identified: ratings hold no impressions.",),
        compared=compared,
        not_compared={
            "CTR by position": "ratings hold no impressions",
            "CTR by item decile": "ratings hold no impressions",
            "session length": "times of ratings are when they were entered",
            "return time": "times of ratings are when they were entered",
        },
        notes=(
            "Ratings exist of items that people chose: quality and satisfaction are those of "
            "chosen items.",
            "fit_world takes quality and taste for topics from all training ratings with these "
            "slopes; which part of the residual is lasting taste is not identified "
            "(tastes.hidden_share).",
        ),
    )


def _slopes_found(
    every: Interactions, topics: FloatArray, shrinkage: float, seed: int
) -> tuple[Finding, ...]:
    """Slopes and residual on all ratings, with intervals over users."""
    group = random_groups(every.user, GROUPS, seed)

    def estimate(rows: BoolArray) -> FloatArray:
        rng = np.random.default_rng(seed)
        s = tastes.held_out_slopes(_part(every, rows), topics, shrinkage, rng)
        return np.array([s.quality, s.taste, s.residual])

    value = estimate(np.ones(len(every), bool))
    error = spread(jackknife(lambda g: estimate(group != g), GROUPS))
    low, high = interval(value, error, GROUPS)
    told = (
        ("ratings.quality", "slope on the item's shrunk mean"),
        ("ratings.taste", "slope on the user's shrunk taste for topics"),
        ("ratings.residual", "rating points; standard deviation of what is left"),
    )
    return tuple(
        Finding(
            parameter=name,
            identified=True,
            value=float(value[i]),
            low=float(low[i]),
            high=float(high[i]),
            unit=unit,
            source="regression of one half of the ratings on means of the other",
            note="used by fit_world; no parameter of WorldConfig",
        )
        for i, (name, unit) in enumerate(told)
    )


def _untold(config: WorldConfig) -> dict[str, Found]:
    """Why parameters are not identified, where there is something to say."""
    parts = {path: path.split(".")[0] for path, _, _ in parameters(config)}
    return {
        path: Found(value=None, note=_UNTOLD[part])
        for path, part in parts.items()
        if part in _UNTOLD
    }


def _part(every: Interactions, rows: BoolArray) -> Interactions:
    return Interactions.build(
        every.user[rows], every.item[rows], every.rating[rows], every.timestamp[rows],
        every.n_users, every.n_items,
    )  # fmt: skip
