"""The simulated users of a study: who comes on a day, and what they make of a slate."""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.candidate_set import CandidateSet
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ...rerankers.base import Slates
from .. import randomness
from ..config import WorldConfig
from ..fit import fit_world
from ..population import StepOutcome, UserPopulation
from ..world import World
from .feedback import FeedbackConfig, Visits, rating_probability


def study_truth(
    ranking: CandidateSet,
    config: WorldConfig,
    k: int,
    days: int,
    seed: int = 0,
    users: IntArray | None = None,
) -> World:
    """A world that knows what each user would make of every item they have not seen.

    Args:
        ranking: A candidate set with all unseen items of each user, as
            ``worker.refit(base, base.train, top_n=base.n_items)`` gives it.
        config: The dynamics; slate length and horizon are replaced.
        k: Slate length.
        days: Days that the study lasts.
        seed: Decides hidden tastes and sensitivities.
        users: Who takes part; everybody where None.
    """
    taking_part = np.arange(ranking.n_users) if users is None else users
    fitted = config.model_copy(update={"slate_size": k, "horizon_days": days})
    return fit_world(ranking, fitted, seed, ranking.pools(taking_part))


class StudyUsers:
    """Users who live through a study: they come, choose, rate, change, stay away and leave.

    The engine's columns are those of the truth's pools; here users and items are named by their
    index, so that the model may change from day to day. What a user has clicked is not proposed
    to them again. Luck belongs to seed, user, visit and item (ratings: user, day and item): two
    sets of users that are shown the same react the same.

    Args:
        truth: Pools of all items that may be shown, from `study_truth`.
        feedback: Who rates.
        seed: Root of the luck.

    Attributes:
        population: The engine, one row per user of the truth.
        day: Today, from 0.
        left: Who has left for good, shape ``(U,)``.
    """

    def __init__(self, truth: World, feedback: FeedbackConfig | None = None, seed: int = 0) -> None:
        self.population = UserPopulation(truth, seed)
        self.day = 0
        self.left: BoolArray = np.zeros(len(truth), np.bool_)
        self._feedback = feedback or FeedbackConfig()
        self._rating_root = randomness.stream_keys(seed, randomness.RATINGS, truth.users)
        n_items = truth.catalogue.n_items
        self._row = np.full(int(truth.users.max(initial=-1)) + 1, -1, np.int64)
        self._row[truth.users] = np.arange(len(truth))
        self._column = np.full((len(truth), n_items), -1, np.int32)
        row, column = np.nonzero(truth.pools.valid)
        self._column[row, truth.pools.items[row, column]] = column
        self._chosen = np.zeros((len(truth), n_items), np.bool_)
        self._visits = np.full(len(truth), -1, np.int32)
        self._last_day = np.full(len(truth), -1, np.int32)
        self._done = np.zeros(len(truth), np.bool_)

    def __len__(self) -> int:
        return len(self.population)

    @property
    def users(self) -> IntArray:
        """User index of each row, shape ``(U,)``."""
        return self.population.world.users

    @property
    def visiting(self) -> IntArray:
        """Indices of the users who are here now, shape ``(P,)``; empty when today is over.

        Who is here and shown nothing comes again the next day.
        """
        here = self.population.alive & (self.population.day <= self.day)
        return self.users[here & ~(self._done & (self._last_day == self.day))]

    def next_day(self) -> None:
        """Go on to the day after."""
        self.day += 1

    def pools(self, candidates: CandidateSet) -> CandidatePools:
        """What the current model proposes to those who are here, without what they clicked.

        Args:
            candidates: The model's candidate set.
        """
        pools = candidates.pools(self.visiting)
        chosen = self._chosen[self._row[pools.users][:, None], np.maximum(pools.items, 0)]
        return pools.keep(~chosen)

    def show(self, pools: CandidatePools, slates: Slates) -> Visits:
        """Show each of the pools' users a slate, and let their time go on. O(U · (k + N)).

        Args:
            pools: Of some or all of ``visiting``, each once.
            slates: What was chosen from them.

        Raises:
            InvalidValue: A user is not here now, or the truth knows nothing of an item for them.
        """
        row = self._rows_of(pools.users)
        outcome = self._step(row, slates.items)
        self.left |= outcome.left
        self._visits[row] += self._last_day[row] < self.day
        self._last_day[row] = self.day
        self._done[row] = outcome.next_day[row] > outcome.day[row]  # no other slate today
        clicks = outcome.clicks[row]
        satisfaction = np.where(clicks, outcome.satisfaction[row], np.float32(np.nan))
        at, position = np.nonzero(clicks)
        self._chosen[row[at], slates.items[at, position]] = True
        return Visits(
            day=self.day,
            users=pools.users,
            items=slates.items,
            scores=np.take_along_axis(pools.scores, slates.columns, axis=1),
            propensities=slates.propensities,
            examination=outcome.examination[row],
            click_probability=outcome.click_probability[row],
            clicks=clicks,
            satisfaction=satisfaction,
            rated=clicks & self._rate(row, slates.items, satisfaction),
            days_away=outcome.days_away[row],
            visit=self._visits[row],
            dwell=None if outcome.minutes is None else outcome.minutes[row],
        )

    def _rows_of(self, users: IntArray) -> IntArray:
        here = np.isin(users, self.visiting)
        if not here.all() or len(np.unique(users)) < len(users):
            raise InvalidValue(
                "slates for users who are not here now, or for one of them twice",
                field="pools.users",
                mend="Show each of `visiting` one slate at a time.",
            )
        return self._row[users]

    def _step(self, row: IntArray, items: IntArray) -> StepOutcome:
        """Let the engine show slates to the given rows alone."""
        columns = self._column[row[:, None], items]
        if (columns < 0).any():
            raise InvalidValue(
                "a slate holds an item that the simulated users know nothing of",
                field="slates",
                mend="Fit the truth on all unseen items: refit(..., top_n=base.n_items).",
            )
        everyone = np.tile(np.arange(items.shape[1]), (len(self), 1))
        everyone[row] = columns
        present = np.zeros(len(self), np.bool_)
        present[row] = True
        return self.population.step(everyone, present)

    def _rate(self, row: IntArray, items: IntArray, satisfaction: FloatArray) -> BoolArray:
        """Who would rate what; meaningless where nothing was clicked."""
        config = self._feedback
        today = randomness.derive(self._rating_root[row], np.full(len(row), self.day))
        luck = randomness.uniforms(randomness.derive(today[:, None], items))
        return luck < rating_probability(
            satisfaction, config.rating_probability, config.rating_selection
        )
