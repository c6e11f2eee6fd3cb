"""RecSim's interest evolution as a configuration: one session, a time budget, interests that move.

Documents have one topic, a length and a quality; topics run from trashy to nutritious. A user
picks at most one document of a slate, by interest alone. Watching costs time; a good document gives
some of it back, a bad one takes more, so that the session ends later the better the documents were.
Interest in the topic watched moves up or down. The reward is the minutes watched: a greedy policy
sells clicks now for a shorter session.

Ie et al. 2019 (see ``recsim_dynamics``). Each episode is a new user; an episode is one session, so
all its slates fall on one day.
"""

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ...arrays import BoolArray, FloatArray, IntArray
from .. import randomness
from ..choice import Cascade, ChoiceModel, Logit
from ..config import parameter
from . import recsim_dynamics as dynamics
from .base import ReplicaConfig, ReplicaPopulation
from .response import Response, VisitKeys

_SOURCE = "Ie et al. 2019, interest_evolution.py"
_QUALITY = np.zeros(1, np.int64)  # which further luck of a document
_SMALLEST = np.float32(1e-30)
_EXACT = np.float32(1.0)


class RecSimConfig(ReplicaConfig):
    """The parameters of RecSim's interest evolution; the defaults are the original's.

    Attributes:
        n_candidates: Documents that a slate is chosen from, ``N``; 5 in the original's example.
        slate_size: Documents shown at a time, ``k``; 2 in the original's example.
        resample_documents: New documents for every slate; otherwise one catalogue for all.
        n_topics: Topics, ``T``.
        choice_model: The original's environment has ``proportional``; the other three are those
            of its ``choice_model.py``.
    """

    n_candidates: int = Field(default=5, ge=1)
    slate_size: int = Field(default=2, ge=1)
    resample_documents: bool = True
    n_topics: int = Field(default=20, ge=2, le=10_000)
    choice_model: Literal[
        "proportional", "logit", "exponential_cascade", "proportional_cascade"
    ] = "proportional"
    no_click_mass: float = parameter(1.0, "score of choosing nothing", _SOURCE, above=-1e3)
    min_normalizer: float = parameter(
        -1.0, "subtracted from scores", _SOURCE, above=-1e3, below=-1.0
    )
    attention_prob: float = parameter(
        0.65, "probability of looking on (cascades)", _SOURCE, below=1.0
    )
    score_scaling: float = parameter(
        0.05, "click probability per unit of score (cascades)", _SOURCE, below=1.0
    )
    min_utility: float = parameter(-3.0, "lowest mean quality", _SOURCE, above=-1e3, below=0.0)
    max_utility: float = parameter(3.0, "highest mean quality", _SOURCE)
    trashy_share: float = parameter(0.7, "share of topics of quality ≤ 0", _SOURCE, below=1.0)
    quality_spread: float = parameter(
        0.1, "standard deviation of quality (0.1 is called a variance there)", _SOURCE
    )
    video_length: float = parameter(4.0, "minutes", _SOURCE, above=0.01)
    time_budget: float = parameter(200.0, "minutes at the start", _SOURCE, above=0.01, below=1e5)
    step_penalty: float = parameter(0.5, "minutes lost without a click", _SOURCE, above=0.001)
    user_update_alpha: float = parameter(
        0.9 / 3.4, "share of the minutes watched given back per unit of utility", _SOURCE
    )
    document_quality_factor: float = parameter(1.0, "weight of quality in utility", _SOURCE)
    user_quality_factor: float = parameter(0.0, "weight of the user's score in utility", _SOURCE)
    alpha_x_intercept: float = parameter(
        1.0, "strength of interest that no longer moves", _SOURCE, above=0.01
    )
    alpha_y_intercept: float = parameter(0.3, "largest step of interest", _SOURCE, below=1.0)

    @model_validator(mode="after")
    def _probabilities(self) -> Self:
        """Scores of interests in [−1, 1] must give probabilities, as the original asserts."""
        if self.slate_size > self.n_candidates:
            raise ValueError("slate_size must not exceed n_candidates")
        if self.choice_model == "proportional" and self.no_click_mass < self.min_normalizer:
            raise ValueError("no_click_mass must not be below min_normalizer")
        highest = {
            "exponential_cascade": float(np.e),
            "proportional_cascade": 1.0 - self.min_normalizer,
        }.get(self.choice_model, 0.0)
        if self.score_scaling * highest > 1.0:
            raise ValueError(f"score_scaling must be at most {1.0 / highest:.3f} here")
        return self

    def make_world(self, n_users: int = 1, seed: int = 0) -> "RecSimWorld":
        """Draw documents and users."""
        rng = np.random.default_rng([seed, randomness.WORLD])
        means = self.topic_quality()
        topics = rng.integers(0, self.n_topics, self.n_candidates)
        quality = rng.normal(means[topics], self.quality_spread).astype(np.float32)
        return RecSimWorld(self, seed, np.arange(n_users), topics, quality)

    def make(
        self,
        n_users: int = 1,
        seed: int = 0,
        luck: int | None = None,
        rows: IntArray | None = None,
        twins: bool = False,
    ) -> "RecSimPopulation":
        """A population in a world of ``seed``, with choices of ``luck`` (``seed`` by default)."""
        world = self.make_world(n_users, seed)
        return RecSimPopulation(world, seed if luck is None else luck, rows, twins)

    def topic_quality(self) -> FloatArray:
        """Mean quality of each topic, shape ``(T,)``."""
        return dynamics.topic_quality(
            self.n_topics, self.min_utility, self.max_utility, self.trashy_share
        ).astype(np.float32)

    def utility_and_choice(self, scores: FloatArray) -> tuple[FloatArray, ChoiceModel]:
        """What the choice model makes of interests, and what draws from it.

        Returns:
            The original's ``scores`` of each document alone, of the shape of ``scores``, and the
            choice model: a logit over their logarithms, or a cascade over them.
        """
        if self.choice_model == "proportional":
            nothing = np.log(
                np.maximum(np.float32(self.no_click_mass - self.min_normalizer), _SMALLEST)
            )
            return scores - np.float32(self.min_normalizer), _logit(nothing)
        if self.choice_model == "logit":
            nothing = np.float32(self.no_click_mass)
            return _EXACT / (_EXACT + np.exp(nothing - scores)), _logit(nothing)
        plain = self.choice_model == "proportional_cascade"
        attraction = scores - np.float32(self.min_normalizer) if plain else np.exp(scores)
        attraction = attraction * np.float32(self.attention_prob * self.score_scaling)
        return attraction, Cascade(np.float32(0.0), _EXACT)


def _logit(nothing: np.float32) -> Logit:
    return Logit(np.zeros(1, np.float32), nothing)


@dataclass(frozen=True, slots=True)
class RecSimWorld:
    """Documents, and who the users of each episode are.

    Attributes:
        config: The dynamics.
        seed: Root of the documents and of the users' interests.
        users: User index of each row, shape ``(U,)``.
        topics: Topic of each document of the catalogue, shape ``(N,)``; not used where documents
            are resampled.
        quality: Quality of each of them, shape ``(N,)``.
    """

    config: RecSimConfig
    seed: int
    users: IntArray
    topics: IntArray
    quality: FloatArray

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_candidates(self) -> int:
        """Documents that a slate is chosen from."""
        return self.config.n_candidates

    @property
    def slate_size(self) -> int:
        """Documents shown at a time."""
        return self.config.slate_size

    def take(self, rows: IntArray) -> "RecSimWorld":
        """Some rows alone."""
        return replace(self, users=self.users[rows])


class RecSimPopulation(ReplicaPopulation[RecSimWorld]):
    """Users of RecSim's interest evolution, stepped together.

    An episode ends (``left``) when no time is left. Columns are the documents of the coming slate's
    candidate set, which is another one each time where documents are resampled: see ``documents``.

    Attributes:
        interests: In each topic, −1 (disgust) to 1, shape ``(U, T)``.
        budget: Minutes left, shape ``(U,)``.
    """

    rewards_minutes = True
    per_row = (
        *ReplicaPopulation.per_row,
        *("_user_root", "_document_root", "interests", "budget"),
    )

    def _allocate(self, n: int) -> None:
        world, c = self.world, self.world.config
        self._user_root = randomness.stream_keys(world.seed, randomness.SENSITIVITIES, world.users)
        self._document_root = randomness.stream_keys(world.seed, randomness.WORLD, world.users)
        self._means = c.topic_quality()
        self.interests = np.zeros((n, c.n_topics), np.float32)
        self.budget = np.zeros(n, np.float32)

    def _draw_users(self) -> None:
        c = self.world.config
        keys = randomness.derive(self._user_root, self.episode)
        by_topic = randomness.derive(keys[:, None], np.arange(c.n_topics)[None, :])
        self.interests = randomness.uniforms(by_topic) * np.float32(2.0) - _EXACT
        self.budget[:] = c.time_budget

    @property
    def n_items(self) -> int:
        """Documents of the catalogue; topics where documents are new for every slate."""
        c = self.world.config
        return c.n_topics if c.resample_documents else c.n_candidates

    def items(self, columns: IntArray) -> IntArray:
        """Documents of the catalogue; their topics where they are shown once and never again."""
        return self._topics_of(columns) if self.world.config.resample_documents else columns

    def documents(self, columns: IntArray | None = None) -> tuple[IntArray, FloatArray]:
        """Topic and quality of the coming candidates, each of shape ``(U, N)``.

        A policy may see the topics; quality is hidden, as in the original.

        Args:
            columns: Of these columns alone, shape ``(U, n)``.
        """
        if columns is None:
            columns = np.tile(np.arange(self.world.n_candidates), (len(self), 1))
        return self._documents(slice(None), columns)

    def _documents(self, rows: IntArray | slice, columns: IntArray) -> tuple[IntArray, FloatArray]:
        """Topic and quality of columns ``(R, n)`` of some rows."""
        if not self.world.config.resample_documents:
            return self.world.topics.take(columns), self.world.quality.take(columns)
        keys = self._document_keys(rows, columns)
        topics = self._drawn_topics(keys)
        noise = randomness.normals(randomness.derive(keys, _QUALITY))
        spread = np.float32(self.world.config.quality_spread)
        return topics, self._means.take(topics) + spread * noise

    def scores(self) -> FloatArray:
        """Interest in each candidate, shape ``(U, N)``: what users choose by."""
        columns = np.tile(np.arange(self.world.n_candidates), (len(self), 1))
        return self._interest_in(self._topics_of(columns))

    def privileged(self) -> FloatArray:
        """Interests, and the share of the time that is left."""
        left = self.budget / np.float32(self.world.config.time_budget)
        return np.concatenate([self.interests, left[:, None]], axis=1, dtype=np.float32)

    def _document_keys(self, rows: IntArray | slice, columns: IntArray) -> randomness.Keys:
        counter = (self.episode[rows] << 20) + self._visit[rows]
        keys = randomness.derive(self._document_root[rows], counter)
        return randomness.derive(keys[:, None], columns)

    def _drawn_topics(self, keys: randomness.Keys) -> IntArray:
        return (randomness.uniforms(keys) * np.float32(self.world.config.n_topics)).astype(np.int64)

    def _topics_of(self, columns: IntArray) -> IntArray:
        if self.world.config.resample_documents:
            return self._drawn_topics(self._document_keys(slice(None), columns))
        return self.world.topics.take(columns)

    def _interest_in(self, topics: IntArray) -> FloatArray:
        cells = topics + (np.arange(len(self)) * self.world.config.n_topics)[:, None]
        return self.interests.ravel().take(cells)

    def _respond(self, columns: IntArray) -> Response:
        c = self.world.config
        scores = self._interest_in(self._topics_of(columns))
        utility, choice = c.utility_and_choice(scores)
        appeal = scores if c.choice_model == "logit" else np.log(np.maximum(utility, _SMALLEST))
        watched = np.minimum(self.budget, np.float32(c.video_length))
        reward = np.broadcast_to(watched[:, None], columns.shape)
        response = Response.of(choice, appeal, utility, reward)
        if c.choice_model.endswith("cascade"):  # who gets to a document may still not look at it
            return replace(response, looks=response.looks * np.float32(c.attention_prob))
        return response

    def _remember(
        self, columns: IntArray, clicks: BoolArray, response: Response, keys: VisitKeys
    ) -> None:
        c = self.world.config
        rows, position = np.nonzero(clicks)  # at most one each
        topics, quality = self._documents(rows, columns[rows, position][:, None])
        topics, quality = topics[:, 0], quality[:, 0]
        interest = self.interests[rows, topics]
        utility, _ = c.utility_and_choice(interest)
        utility = c.user_quality_factor * utility + c.document_quality_factor * quality
        step = dynamics.interest_step(interest, c.alpha_x_intercept, c.alpha_y_intercept)
        rises = randomness.uniforms(keys.visits[rows]) < dynamics.chance_of_rising(interest)
        self.interests[rows, topics] = dynamics.moved_interest(interest, step, rises)
        budget = self.budget - np.float32(c.step_penalty)
        budget[rows] = dynamics.budget_after_click(
            self.budget[rows], response.reward[rows, position], utility, c.user_update_alpha
        )
        self.budget = budget

    def _pass_time(self) -> None:
        """All slates of a session fall on the same day."""
        self._visit += 1

    def _session_over(self, left: BoolArray) -> BoolArray:
        return left

    def _over(self) -> tuple[BoolArray, BoolArray]:
        left: BoolArray = np.less_equal(self.budget, 0.0)
        return left, np.zeros_like(left)
