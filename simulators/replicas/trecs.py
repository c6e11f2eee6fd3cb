"""T-RECS' users as a configuration: each picks the best of the slate, and drifts towards it.

A user has a profile, an item attributes; the true score is their inner product. Of each slate
exactly one item is chosen: the one of the highest score, weighed by its position. Profiles may turn
towards what was chosen. Nothing is left to chance once the users are drawn.

Lucherini et al. 2021 (see ``trecs_dynamics``). The original's recommenders, content creators and
social networks are not part of this replica: any policy can make the slates.
"""

from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, FloatArray, IntArray
from .. import randomness
from ..config import parameter
from . import trecs_dynamics as dynamics
from .base import ReplicaConfig, ReplicaPopulation
from .response import Response, VisitKeys

_SOURCE = "Lucherini et al. 2021"
_CELLS = 1 << 20  # attributes of shown items held at a time


class TrecsConfig(ReplicaConfig):
    """The parameters of T-RECS' users and items; the defaults are the original's.

    Attributes:
        n_items: Items, ``I``.
        n_attributes: Length of profiles and attributes, ``A`` (of its content filtering).
        slate_size: Items shown at a time, ``k``.
        timesteps: Steps of an episode.
        repeat_interactions: Whether an item may be chosen again. Where not, and all of a slate was
            chosen before, the first is chosen, as in the original.
    """

    n_items: int = Field(default=1250, ge=1)
    n_attributes: int = Field(default=1000, ge=1)
    slate_size: int = Field(default=10, ge=1)
    timesteps: int = Field(default=50, ge=1, lt=1 << 20)
    density: float = parameter(
        0.5, "probability that an item has an attribute", _SOURCE, above=1e-6, below=1.0
    )
    drift: float = parameter(
        0.0, "share of the angle to the item chosen that a profile turns", _SOURCE, below=1.0
    )
    attention_exp: float = parameter(
        0.0, "exponent of the position on the score", _SOURCE, above=-100.0, below=100.0
    )
    repeat_interactions: bool = True

    def make_world(self, n_users: int = 100, seed: int = 0) -> "TrecsWorld":
        """Draw items and users."""
        rng = np.random.default_rng([seed, randomness.WORLD])
        attributes = rng.random((self.n_items, self.n_attributes), np.float32) < self.density
        users = np.arange(n_users)
        roots = randomness.stream_keys(seed, randomness.SENSITIVITIES, users)
        by_attribute = np.arange(self.n_attributes)[None, :]
        profiles = randomness.normals(randomness.derive(roots[:, None], by_attribute))
        return trecs_world(self, profiles, attributes.astype(np.float32))

    def make(
        self,
        n_users: int = 100,
        seed: int = 0,
        luck: int | None = None,
        rows: IntArray | None = None,
        twins: bool = False,
    ) -> "TrecsPopulation":
        """A population in a world of ``seed``; ``luck`` is there for symmetry: no luck is used."""
        world = self.make_world(n_users, seed)
        return TrecsPopulation(world, seed if luck is None else luck, rows, twins)


@dataclass(frozen=True, slots=True)
class TrecsWorld:
    """Items, and the users at the start.

    Attributes:
        config: The dynamics.
        users: User index of each row, shape ``(U,)``.
        profiles: Of length 1, shape ``(U, A)``, float32: the original scales users to that length
            before it scores, and drift keeps lengths.
        topics: Attributes of the items, shape ``(I, A)``, float32; columns are items.
    """

    config: TrecsConfig
    users: IntArray
    profiles: FloatArray
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

    def take(self, rows: IntArray) -> "TrecsWorld":
        """Some rows alone."""
        return replace(self, users=self.users[rows], profiles=self.profiles[rows])


def trecs_world(config: TrecsConfig, profiles: FloatArray, attributes: FloatArray) -> TrecsWorld:
    """A world of given users ``(U, A)`` and items ``(I, A)``, of any length."""
    length = np.linalg.norm(profiles, axis=1, keepdims=True)
    unit = (profiles / np.where(length == 0, 1.0, length)).astype(np.float32)
    return TrecsWorld(config, np.arange(len(unit)), unit, attributes.astype(np.float32))


class Best:
    """A ``ChoiceModel``: the item of the highest score is chosen, the first of equal ones."""

    def examination(self, attraction: FloatArray) -> FloatArray:
        """All are looked at."""
        return np.ones(attraction.shape[1], np.float32)

    def clicks(self, appeal: FloatArray, attraction: FloatArray) -> FloatArray:
        """1 for the highest score, 0 for the others."""
        click = np.zeros_like(appeal)
        np.put_along_axis(click, appeal.argmax(axis=1)[:, None], 1.0, axis=1)
        return click

    def draw(
        self,
        appeal: FloatArray,
        attraction: FloatArray,
        click: FloatArray,
        uniforms: FloatArray,
        keys: randomness.Keys,
        visit: randomness.Keys,
    ) -> BoolArray:
        """No luck is needed."""
        return click > 0


class TrecsPopulation(ReplicaPopulation[TrecsWorld]):
    """Users of T-RECS, stepped together. An episode ends after ``timesteps`` (``ended``).

    Attributes:
        profiles: Of length 1, shape ``(U, A)``.
        chosen: Items chosen so far, shape ``(U, I)``; of width 0 where repeats are allowed.
    """

    per_row = (*ReplicaPopulation.per_row, "profiles", "chosen")

    def _allocate(self, n: int) -> None:
        c = self.world.config
        self._attention = dynamics.attention(c.slate_size, c.attention_exp)
        self.profiles = np.zeros((n, c.n_attributes), np.float32)
        width = 0 if c.repeat_interactions else self.world.n_candidates
        self.chosen = np.zeros((n, width), np.bool_)

    def _draw_users(self) -> None:
        self.profiles = self.world.profiles
        self.chosen[:] = False

    def scores(self) -> FloatArray:
        """True scores of all items, shape ``(U, I)``."""
        return self.profiles @ self.world.topics.T

    def privileged(self) -> FloatArray:
        """The profiles."""
        return self.profiles

    def _respond(self, columns: IntArray) -> Response:
        scores = self._shown_scores(columns)
        weighed = scores * self._attention
        if not self.world.config.repeat_interactions:
            weighed[np.take_along_axis(self.chosen, columns, axis=1)] = -np.inf
        return Response.of(Best(), weighed, weighed, scores)

    def _shown_scores(self, columns: IntArray) -> FloatArray:
        """Scores of the items shown alone, some users at a time: memory stays bounded."""
        scores = np.empty(columns.shape, np.float32)
        step = max(1, _CELLS // (columns.shape[1] * self.profiles.shape[1]))
        for start in range(0, len(columns), step):
            part = slice(start, start + step)
            shown = self.world.topics.take(columns[part], axis=0)
            scores[part] = np.matmul(shown, self.profiles[part, :, None])[:, :, 0]
        return scores

    def _remember(
        self, columns: IntArray, clicks: BoolArray, response: Response, keys: VisitKeys
    ) -> None:
        rows, position = np.nonzero(clicks)
        items = columns[rows, position]
        if not self.world.config.repeat_interactions:
            self.chosen[rows, items] = True
        if self.world.config.drift > 0:
            profiles = self.profiles.copy()
            profiles[rows] = dynamics.slerp(
                self.profiles[rows], self.world.topics[items], self.world.config.drift
            )
            self.profiles = profiles

    def _over(self) -> tuple[BoolArray, BoolArray]:
        ended: BoolArray = np.greater_equal(self._visit, self.world.config.timesteps)
        return np.zeros_like(ended), ended
