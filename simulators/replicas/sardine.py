"""SARDINE's environments as configurations: slates, position bias and boredom.

Each episode is a new user with few interests. An item is relevant when it points where the user
does; it is clicked when it is relevant and looked at. Five recent clicks on one main topic bore the
user: for five steps nothing is clicked (or nothing of that topic). So a greedy policy earns about a
third of what one earns that never bores (``sardine_policy``).

Deffayet et al. 2024 (see ``sardine_dynamics``).
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, FloatArray, IntArray
from .. import randomness
from ..choice import PositionBased
from ..config import parameter
from . import sardine_dynamics as dynamics
from .base import ReplicaConfig, ReplicaPopulation
from .response import Response, VisitKeys

_SOURCE = "Deffayet et al. 2024, SlateTopK-Bored"
_NEVER = -(10**6)
_INTEREST, _FIRST_SLATE = 0, 1


class SardineConfig(ReplicaConfig):
    """The parameters of SARDINE; the defaults are those of its ``SlateTopK-Bored-v0``.

    Attributes:
        n_items: Items, ``I``.
        slate_size: Items shown at a time, ``k``.
        n_topics: Topics, ``T``.
        episode_length: Steps of an episode, after the one that the original takes by itself.
        topics_per_item: An item has this many topics or one more.
        topics_per_user: A user is interested in this many topics, or one more or less.
        click_model: ``tdPBM`` looks from the top down; ``mixPBM`` starts at either end.
        relevance_threshold: Scores above are relevant and others are not; None for the logistic.
        recent_clicks: Clicks that are remembered at most.
        boredom_threshold: Remembered clicks on one main topic that bore the user.
        boredom_window: Steps that a click is remembered, and that boredom lasts.
        boredom_type: ``user_car``: a bored user clicks nothing; ``user_tloi``: nothing that is
            relevant through the boring topic.
        relevance_penalty: Each boring topic halves all relevance.
        diversity_threshold: Items of one main topic in a slate from which its attractiveness is
            divided by ``diversity_penalty``.
        influence: How clicks move interests where ``omega`` < 1: ``as_published``, one number
            added to all topics alike, or ``by_topic``, towards the topics that were clicked.
    """

    n_items: int = Field(default=1000, ge=1)
    slate_size: int = Field(default=10, ge=1)
    n_topics: int = Field(default=10, ge=1, le=1000)
    episode_length: int = Field(default=100, ge=1, lt=1 << 20)
    topics_per_item: int = Field(default=2, ge=1)
    topics_per_user: int = Field(default=4, ge=1)
    click_model: Literal["tdPBM", "mixPBM"] = "tdPBM"
    click_prop: float = parameter(
        0.85, "factor on attention from one position to the next", _SOURCE, below=1.0
    )
    alpha: float = parameter(1.0, "clicks per relevant item looked at", _SOURCE, below=1.0)
    offset: float = parameter(0.65, "score of relevance one half", _SOURCE, below=1.0)
    slope: float = parameter(100.0, "log-odds of relevance per unit of score", _SOURCE)
    relevance_threshold: float | None = None
    omega: float = parameter(1.0, "share of the interests that a click leaves", _SOURCE, below=1.0)
    influence: Literal["as_published", "by_topic"] = "as_published"
    recent_clicks: int = Field(default=10, ge=1, le=1000)
    boredom_threshold: int = Field(default=5, ge=1)
    boredom_window: int = Field(default=5, ge=1)
    boredom_type: Literal["user_car", "user_tloi"] = "user_car"
    relevance_penalty: bool = False
    diversity_threshold: int = Field(default=4, ge=1)
    diversity_penalty: float = parameter(1.0, "divisor", _SOURCE, above=1.0)

    @classmethod
    def published(cls, name: str) -> "SardineConfig":
        """One of the environments that SARDINE registers, such as ``SlateTopK-BoredInf-v0``.

        Raises:
            KeyError: There is none of that name in ``PUBLISHED``.
        """
        return cls.model_validate(PUBLISHED[name])

    def make_world(self, n_users: int = 1, seed: int = 0) -> "SardineWorld":
        """Draw items and users."""
        rng = np.random.default_rng([seed, randomness.WORLD])
        items = dynamics.draw_items(rng, self.n_items, self.n_topics, self.topics_per_item)
        return SardineWorld(self, seed, np.arange(n_users), items)

    def make(
        self,
        n_users: int = 1,
        seed: int = 0,
        luck: int | None = None,
        rows: IntArray | None = None,
        twins: bool = False,
    ) -> "SardinePopulation":
        """A population in a world of ``seed``, with choices of ``luck`` (``seed`` by default)."""
        world = self.make_world(n_users, seed)
        return SardinePopulation(world, seed if luck is None else luck, rows, twins)


_SINGLE = {"slate_size": 1, "boredom_threshold": 11}
_RERANK = {"n_items": 10, "episode_length": 10, "offset": 0.3, "slope": 5.0, "click_prop": 0.7}
PUBLISHED: dict[str, dict[str, object]] = {
    "SingleItem-Static-v0": {**_SINGLE},
    "SingleItem-BoredInf-v0": {"slate_size": 1, "omega": 0.95},
    "SingleItem-Uncertain-v0": {**_SINGLE, "slope": 10.0},
    "SlateTopK-Bored-v0": {},
    "SlateTopK-BoredInf-v0": {"omega": 0.95},
    "SlateTopK-Uncertain-v0": {"omega": 0.95, "slope": 10.0},
    "SlateRerank-Static-v0": {**_RERANK, "boredom_threshold": 11},
    "SlateRerank-Bored-v0": {**_RERANK, "boredom_threshold": 4},
}
"""What each environment of SARDINE changes from the defaults. Items are drawn by the original's
law; the two files of items that it ships are not used."""


@dataclass(frozen=True, slots=True)
class SardineWorld:
    """Items, and who the users of each episode are.

    Attributes:
        config: The dynamics.
        seed: Root of the items and of the users' interests.
        users: User index of each row, shape ``(U,)``.
        topics: Item vectors of length 1, shape ``(I, T)``, float32; columns are items.
    """

    config: SardineConfig
    seed: int
    users: IntArray
    topics: FloatArray

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_candidates(self) -> int:
        """Items."""
        return len(self.topics)

    @property
    def slate_size(self) -> int:
        """Items shown at a time."""
        return self.config.slate_size

    @property
    def main_topics(self) -> IntArray:
        """The topic with the largest weight of each item, shape ``(I,)``."""
        return self.topics.argmax(axis=1)

    def take(self, rows: IntArray) -> "SardineWorld":
        """Some rows alone."""
        return replace(self, users=self.users[rows])


class SardinePopulation(ReplicaPopulation[SardineWorld]):
    """Users of SARDINE, stepped together.

    An episode starts, as the original's, with one slate of random items that nobody chose and
    that earns nothing, but may be clicked and counts towards boredom. An episode ends at its length
    (``ended``); the original calls that terminated.

    Attributes:
        interests: Interests without boredom, of length 1, shape ``(U, T)``.
        bored: Topics that bore, shape ``(U, T)``.
        timeout: Steps that boredom still lasts, shape ``(U, T)``.
    """

    per_row = (
        *ReplicaPopulation.per_row,
        *("_user_root", "interests", "bored", "timeout", "_clicked_topics", "_clicked_steps"),
        "_n_clicked",
    )

    def _allocate(self, n: int) -> None:
        c = self.world.config
        self._user_root = randomness.stream_keys(
            self.world.seed, randomness.SENSITIVITIES, self.world.users
        )
        mixed = c.click_model == "mixPBM"
        self._choice = PositionBased(dynamics.propensities(c.slate_size, c.click_prop, mixed))
        self._main_topics = self.world.main_topics
        self.interests = np.zeros((n, c.n_topics), np.float32)
        self.bored = np.zeros((n, c.n_topics), np.bool_)
        self.timeout = np.zeros((n, c.n_topics), np.int64)
        # The last clicks of each user, as a ring: the oldest is written over.
        self._clicked_topics = np.zeros((n, c.recent_clicks), np.int64)
        self._clicked_steps = np.zeros((n, c.recent_clicks), np.int64)
        self._n_clicked = np.zeros(n, np.int64)

    def _draw_users(self) -> None:
        c = self.world.config
        keys = randomness.derive(self._user_root, self.episode)
        own = randomness.derive(keys, np.full(len(self), _INTEREST))
        self.interests = dynamics.draw_interests(own, c.n_topics, c.topics_per_user)
        self.bored[:] = False
        self.timeout[:] = c.boredom_window
        self._clicked_steps[:] = _NEVER
        self._n_clicked[:] = 0
        columns = self.first_slate()
        response, luck = self._respond(columns), self._visit_keys()
        self._remember(columns, response.draw(columns, luck), response, luck)
        self._visit += 1

    def first_slate(self) -> IntArray:
        """Random items that the original shows when it resets, at step 0; repeats are possible."""
        keys = randomness.derive(self._user_root, self.episode)
        keys = randomness.derive(keys, np.full(len(self), _FIRST_SLATE))
        position = np.arange(self.world.slate_size)[None, :]
        drawn = randomness.uniforms(randomness.derive(keys[:, None], position))
        return (drawn * np.float32(self.world.n_candidates)).astype(np.int64)

    def current_interests(self) -> FloatArray:
        """Interests as boredom leaves them, shape ``(U, T)``."""
        if self.world.config.boredom_type == "user_tloi":
            return np.where(self.bored, np.float32(0.0), self.interests)
        return np.where(self.bored.any(axis=1, keepdims=True), np.float32(0.0), self.interests)

    def scores(self) -> FloatArray:
        """How far each item points where the user does now, shape ``(U, I)``."""
        return self.current_interests() @ self.world.topics.T

    def privileged(self) -> FloatArray:
        """Current interests, recent clicks per topic and time left of boredom: its ideal state."""
        c = self.world.config
        recent = np.minimum(self.recent_counts() / c.boredom_threshold, 1.0)
        parts = [self.current_interests(), recent, self.timeout / c.boredom_window]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def recent_counts(self) -> IntArray:
        """Remembered clicks per main topic, shape ``(U, T)``."""
        c = self.world.config
        return dynamics.recent_counts(
            self._clicked_topics, self._clicked_steps, self._visit, c.boredom_window, c.n_topics
        )

    def _respond(self, columns: IntArray) -> Response:
        c = self.world.config
        vectors = self.world.topics.take(columns, axis=0)
        scores = np.matmul(vectors, self.current_interests()[:, :, None])[:, :, 0]
        attraction = dynamics.relevance(scores, c.offset, c.slope, c.relevance_threshold)
        attraction *= np.float32(c.alpha)
        if c.relevance_penalty:
            attraction *= np.exp2(-self.bored.sum(axis=1, dtype=np.float32))[:, None]
        if c.diversity_penalty != 1.0:
            alike = dynamics.most_alike(self._main_topics.take(columns), c.n_topics)
            alike = alike >= c.diversity_threshold
            attraction[alike] /= np.float32(c.diversity_penalty)
        return Response.of(self._choice, scores, attraction, np.ones_like(attraction))

    def _remember(
        self, columns: IntArray, clicks: BoolArray, response: Response, keys: VisitKeys
    ) -> None:
        c = self.world.config
        self._note_clicks(columns, clicks)
        now = np.add(self._visit, 1)
        counts = dynamics.recent_counts(
            self._clicked_topics, self._clicked_steps, now, c.boredom_window, c.n_topics
        )
        self.bored, self.timeout = dynamics.next_boredom(
            self.bored, self.timeout, counts, c.boredom_threshold, c.boredom_window
        )
        if c.omega < 1.0:
            vectors = self.world.topics.take(columns, axis=0)
            clicked = np.einsum("uk,ukt->ut", clicks.astype(np.float32), vectors)
            self.interests = dynamics.influenced(
                self.interests, clicked, clicks.sum(axis=1), c.omega, c.influence == "by_topic"
            )

    def _note_clicks(self, columns: IntArray, clicks: BoolArray) -> None:
        """Write the clicks into the ring, in the order of their positions."""
        size = self.world.config.recent_clicks
        nth = np.cumsum(clicks, axis=1)
        total = nth[:, -1]
        kept = clicks & (nth > (total - size)[:, None])  # more than the ring holds: the last ones
        row, position = np.nonzero(kept)
        slot = (self._n_clicked[row] + nth[row, position] - 1) % size
        self._clicked_topics[row, slot] = self._main_topics[columns[row, position]]
        self._clicked_steps[row, slot] = self._visit[row]
        self._n_clicked += total

    def _over(self) -> tuple[BoolArray, BoolArray]:
        ended: BoolArray = np.greater(self._visit, self.world.config.episode_length)
        return np.zeros_like(ended), ended
