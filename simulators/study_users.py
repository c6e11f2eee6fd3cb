"""The simulated users of a study: who takes part, what they choose, what is known of them."""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.catalogue import Catalogue
from ..candidates.interactions import Interactions
from ..candidates.pools import CandidatePools
from ..rerankers.base import Slates
from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from ..rerankers.state import ObservedState, SlateFeedback, new_state, observe
from . import randomness
from .config import WorldConfig
from .dynamics import examination, noisy_satisfaction, sigmoid
from .fit import fit_world

DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one round of slates brought.

    Attributes:
        clicks: Shape ``(U, k)``.
        satisfaction: In [0, 1], NaN where not clicked; shape ``(U, k)``.
    """

    clicks: BoolArray
    satisfaction: FloatArray


@dataclass(frozen=True, slots=True)
class StudyUsers:
    """Users with a truth about every item they have not seen.

    Attributes:
        users: User indices, shape ``(U,)``.
        attraction: Click probability of an item once examined, shape ``(U, I)``.
        worth: Mean satisfaction of an item once clicked, shape ``(U, I)``.
        examined: Probability that each position is looked at, shape ``(k,)``.
        noise: Spread of the satisfaction around its mean.
        luck: Key of each user's luck, shape ``(U,)``.
    """

    users: IntArray
    attraction: FloatArray
    worth: FloatArray
    examined: FloatArray
    noise: float
    luck: randomness.Keys

    @classmethod
    def fit(
        cls, ranking: CandidateSet, users: IntArray, world: WorldConfig, k: int, seed: int
    ) -> "StudyUsers":
        """Fit the truth on the training ratings.

        Args:
            ranking: A candidate set with all unseen items of each user.
            users: Who takes part.
            world: Choice, tastes and satisfaction.
            k: Slate length.
            seed: Decides hidden tastes and luck.
        """
        pools = ranking.pools(users)
        truth = fit_world(ranking, world, seed, pools)
        rows, columns = np.nonzero(pools.valid)
        attraction = np.zeros((len(users), ranking.n_items), dtype=np.float32)
        worth = np.zeros_like(attraction)
        attraction[rows, pools.items[rows, columns]] = sigmoid(truth.appeal[rows, columns])
        worth[rows, pools.items[rows, columns]] = sigmoid(truth.worth[rows, columns])
        return cls(
            users=users,
            attraction=attraction,
            worth=worth,
            examined=examination(k, world.choice.position_bias),
            noise=world.satisfaction.noise,
            luck=randomness.stream_keys(seed, randomness.CHOICES, users),
        )

    def react(self, items: IntArray, round_number: int) -> Reaction:
        """Choose: examined with the probability of the position, then clicked by attraction.

        The luck of a click belongs to user, round and item, not to the position or the arm: two
        arms that show the same item at the same place see the same choice.

        Args:
            items: Item indices, shape ``(U, k)``.
            round_number: Counts from 1.
        """
        row = np.arange(len(self.users))[:, None]
        this_round = randomness.derive(self.luck, np.full(len(self.users), round_number))
        keys = randomness.derive(this_round[:, None], items)
        clicks = randomness.uniforms(keys) < self.examined * self.attraction[row, items]
        drawn = noisy_satisfaction(
            self.worth[row, items], randomness.second_uniforms(keys), self.noise
        )
        return Reaction(clicks, np.where(clicks, drawn, np.nan))


def append_clicks(
    train: Interactions,
    base: Interactions,
    items: IntArray,
    users: IntArray,
    reaction: Reaction,
    round_number: int,
) -> Interactions:
    """The training interactions with what was clicked in a round.

    A click counts as an interaction whose rating is the satisfaction on the scale of the ratings
    in ``base``, one day per round after the last of them. What was clicked before stays as it is.
    """
    row, position = np.nonzero(reaction.clicks)
    user, item = users[row], items[row, position]
    low, high = float(base.rating.min()), float(base.rating.max())
    rating = low + (high - low) * reaction.satisfaction[row, position]
    day = float(base.timestamp.max()) + DAY_SECONDS * round_number
    new = ~train.contains(user, item[:, None])[:, 0]
    clicked = Interactions.build(
        user[new],
        item[new],
        rating[new],
        np.full(int(new.sum()), day),
        train.n_users,
        train.n_items,
    )
    return train.plus(clicked)


class RunningStates:
    """What a platform could have observed of the users so far; follows them from pool to pool.

    Rounds are taken in when someone asks: re-rankers without memory never do.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._state: ObservedState | None = None
        self._pools: CandidatePools | None = None
        self._pending: list[tuple[CandidatePools, Slates, Reaction]] = []

    def of(self, pools: CandidatePools) -> ObservedState:
        """The state of the pools' users, its columns those of the pools."""
        pending, self._pending = self._pending, []
        for shown, slates, reaction in pending:
            context = PoolContext.of(shown, self._catalogue, Constraints())
            days = np.ones(len(shown), dtype=np.float32)
            feedback = SlateFeedback(slates.columns, reaction.clicks, reaction.satisfaction, days)
            observe(self._on(shown), context, feedback)
        return self._on(pools)

    def note(self, pools: CandidatePools, slates: Slates, reaction: Reaction) -> None:
        """Remember one round."""
        self._pending.append((pools, slates, reaction))

    def _on(self, pools: CandidatePools) -> ObservedState:
        """The state with its columns moved to those of the pools."""
        if self._state is None or self._pools is None:
            n_topics = self._catalogue.topics.shape[1]
            self._state = new_state(len(pools), pools.items.shape[1], n_topics)
        elif not np.array_equal(self._pools.items, pools.items):
            self._state.item_shown = self._moved(self._state.item_shown, pools)
            self._state.item_clicked = self._moved(self._state.item_clicked, pools)
        self._pools = pools
        return self._state

    def _moved(self, per_column: FloatArray, pools: CandidatePools) -> FloatArray:
        """Counts of the old pools' columns at those of new pools; 0 for new items."""
        assert self._pools is not None
        old = self._pools
        per_item = np.zeros((len(old), self._catalogue.n_items), dtype=np.float32)
        rows, columns = np.nonzero(old.valid)
        per_item[rows, old.items[rows, columns]] = per_column[rows, columns]
        moved = np.take_along_axis(per_item, np.maximum(pools.items, 0), axis=1)
        return np.where(pools.valid, moved, np.float32(0.0))
