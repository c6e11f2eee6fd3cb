"""Feedback into data: a log of what was shown, chosen and rated, and the rule that trains on it.

Sources:
    Marlin & Zemel 2009, "Collaborative prediction and ranking with non-random missing data"
    (RecSys): whether a rating is given depends on the rating ("logit-vd").
    Schmit & Riquelme 2018, "Human interaction with recommendation systems" (AISTATS): models
    trained on ratings of what was chosen, in a loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import expit, logit

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.candidate_set import CandidateSet
from ...candidates.interactions import Interactions
from ..config import parameter
from ..impressions import ImpressionLog

DAY_SECONDS = 86_400.0
MIDDLE = 0.5
"""Satisfaction at which ``rating_probability`` holds."""


class FeedbackConfig(BaseModel):
    """Which reactions become data, and how much of what is shown is explored.

    Attributes:
        trains_on: Every click becomes an interaction, or only those that were rated.
        rating_probability: See below.
        rating_selection: Positive where the satisfied rate more often, negative where the
            dissatisfied do; 0 leaves ratings missing at random.
        exploration: Share of the slates that are drawn at random from the pool, for every arm
            alike, by `EpsilonGreedyReranker`; its propensities are exact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trains_on: Literal["clicks", "ratings"] = "clicks"
    rating_probability: float = parameter(
        1.0, "probability that a click of middling satisfaction is rated", "default", below=1.0
    )
    rating_selection: float = parameter(
        0.0,
        "log-odds of rating per unit of satisfaction",
        "form of Marlin & Zemel 2009; value: default",
        above=-50.0,
        below=50.0,
    )
    exploration: float = parameter(0.0, "share of slates", "default", below=1.0)


def rating_probability(satisfaction: FloatArray, at_middle: float, selection: float) -> FloatArray:
    """Probability that a click is rated, of the shape of ``satisfaction``.

    logit p = logit(at_middle) + selection · (satisfaction − 1/2), after Marlin & Zemel 2009. An
    ``at_middle`` of 0 or 1 is certain, whatever the satisfaction.
    """
    return expit(logit(at_middle) + selection * (satisfaction - MIDDLE))


@dataclass(frozen=True, slots=True)
class Visits:
    """One slate for each of ``P`` users on one day, and what it brought.

    Attributes:
        day: Days since the start of the study, from 0.
        users: User indices, shape ``(P,)``.
        items: Items shown, top position first, shape ``(P, k)``.
        scores: What the model ranked them by, shape ``(P, k)``.
        propensities: Probability of drawing this very slate, shape ``(P,)``; 1 without chance.
        examination: Probability that each position was looked at, shape ``(P, k)``.
        click_probability: Exact probability of each click, shape ``(P, k)``.
        clicks: Shape ``(P, k)``.
        satisfaction: In [0, 1] where clicked, NaN elsewhere; shape ``(P, k)``. Latent: a platform
            sees it only where it was rated.
        rated: Clicks that were rated, shape ``(P, k)``.
        days_away: Days since the visit before, shape ``(P,)``; 0 at the first.
        visit: Number of each user's visit, from 0, shape ``(P,)``; slates of one day share it.
        dwell: Minutes on each clicked item, 0 elsewhere, shape ``(P, k)``; None where dwell is not
            simulated.
    """

    day: int
    users: IntArray
    items: IntArray
    scores: FloatArray
    propensities: FloatArray
    examination: FloatArray
    click_probability: FloatArray
    clicks: BoolArray
    satisfaction: FloatArray
    rated: BoolArray
    days_away: FloatArray
    visit: IntArray
    dwell: FloatArray | None = None

    @property
    def observed_satisfaction(self) -> FloatArray:
        """What a platform sees of the satisfaction: NaN where nothing was rated, ``(P, k)``."""
        return np.where(self.rated, self.satisfaction, np.float32(np.nan))

    def __len__(self) -> int:
        return len(self.users)


class FeedbackLog:
    """All visits so far, in order, and the training data that they amount to.

    Args:
        config: Which reactions become interactions.
    """

    def __init__(self, config: FeedbackConfig | None = None) -> None:
        self.config = config or FeedbackConfig()
        self._visits: list[Visits] = []

    def append(self, visits: Visits) -> None:
        """Take in one slate for each of some users."""
        self._visits.append(visits)

    @property
    def visits(self) -> tuple[Visits, ...]:
        """What was appended, oldest first."""
        return tuple(self._visits)

    def __len__(self) -> int:
        """Impressions: items shown, not slates."""
        return sum(visits.items.size for visits in self._visits)

    def training(self, base: Interactions) -> Interactions:
        """The interactions before the study and those that the log adds to them.

        The rule: a click (or, by ``trains_on``, a rated click) becomes an interaction, once per
        user and item, unless ``base`` has it already. Its time is a day per day of the study
        after the last of ``base``. Its rating is the satisfaction on the scale between the lowest
        and the highest rating of ``base``; a click that was not rated gets the mean of ``base``,
        because a data set of this form has no empty rating. O((R + n) log(R + n)).

        Args:
            base: Interactions before the study.
        """
        parts = [_reactions(visits, self.config.trains_on) for visits in self._visits]
        if not parts:
            return base
        user, item, rating, day = (np.concatenate(column) for column in zip(*parts, strict=True))
        first = np.unique(user.astype(np.int64) * base.n_items + item, return_index=True)[1]
        new = first[~base.contains(user[first], item[first, None])[:, 0]]
        low, high = float(base.rating.min()), float(base.rating.max())
        scaled = np.where(
            np.isnan(rating[new]), float(base.rating.mean()), low + (high - low) * rating[new]
        )
        seconds = float(base.timestamp.max()) + DAY_SECONDS * (day[new] + 1.0)
        added = Interactions.build(
            user[new], item[new], scaled, seconds, base.n_users, base.n_items
        )
        return base.plus(added)

    def impressions(self, candidates: CandidateSet) -> Iterator[ImpressionLog]:
        """The log in the schema of impression logs, one part per visit, for ``write_impressions``.

        Satisfaction is there only where it was rated.

        Args:
            candidates: Whose ids the users and items have.
        """
        slates = 0
        for visits in self._visits:
            yield _impressions(visits, candidates, slates)
            slates += len(visits)


def _reactions(
    visits: Visits, trains_on: Literal["clicks", "ratings"]
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """User, item, satisfaction (NaN where not rated) and day of what becomes data."""
    row, position = np.nonzero(visits.clicks if trains_on == "clicks" else visits.rated)
    rated = visits.rated[row, position]
    satisfaction = np.where(rated, visits.satisfaction[row, position], np.nan)
    day = np.full(len(row), float(visits.day))
    return visits.users[row], visits.items[row, position], satisfaction, day


def _impressions(visits: Visits, candidates: CandidateSet, first_slate: int) -> ImpressionLog:
    """One row per item shown."""
    n, k = visits.items.shape
    dwell = visits.dwell
    return ImpressionLog(
        item_ids=candidates.catalogue.item_ids,
        item=visits.items.ravel(),
        position=np.tile(np.arange(1, k + 1), n),
        clicked=visits.clicks.ravel(),
        slate=np.repeat(first_slate + np.arange(n), k),
        user_ids=candidates.user_ids,
        user=np.repeat(visits.users, k),
        day=np.full(n * k, float(visits.day)),
        visit=np.repeat(visits.visit, k),
        satisfaction=visits.observed_satisfaction.ravel(),
        dwell=None if dwell is None else np.where(visits.clicks, dwell, np.nan).ravel(),
        score=visits.scores.ravel(),
        propensity_slate=np.repeat(visits.propensities, k),
        examination=visits.examination.ravel(),
        click_probability=visits.click_probability.ravel(),
    )
