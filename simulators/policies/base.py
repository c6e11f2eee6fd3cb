"""What chooses slates in a simulation: the protocol, what it answers, and what it may draw from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from .. import randomness
from ..gaps import Controller
from ..logged import LoggedPopulation


@dataclass(frozen=True, slots=True)
class Decision:
    """Slates of ``U`` users, and how probable they were.

    Attributes:
        columns: Distinct pool columns, top position first, shape ``(U, k)``.
        slate: Probability with which this very slate was drawn, given what the policy knew,
            shape ``(U,)``, float64; 1 where nothing was left to chance. One that is too small for
            a float is the smallest positive one: what was drawn is never impossible.
        item: Probability of this item at this position, whatever stands beside it, shape
            ``(U, k)``, float64; NaN where it is not known.
    """

    columns: IntArray
    slate: FloatArray
    item: FloatArray

    @classmethod
    def certain(cls, columns: IntArray) -> "Decision":
        """Slates without chance."""
        return cls(columns, np.ones(len(columns)), np.ones(columns.shape))

    @classmethod
    def drawn(cls, columns: IntArray, slate: FloatArray, item: FloatArray | None) -> "Decision":
        """Slates with these probabilities; what was certain is so at every position."""
        whole = np.maximum(np.asarray(slate, np.float64), np.finfo(np.float64).tiny)
        if item is None:
            item = np.where(whole[:, None] == 1.0, np.ones(columns.shape), np.nan)
        return cls(columns, whole, item)


@dataclass(frozen=True)
class PolicyLuck:
    """What a policy may draw from at one visit: a stream of its own for each user.

    It depends on seed, user, episode and slate alone, so a user is shown the same slates in any
    batch, and users' own luck is the same whatever a policy draws.

    Attributes:
        seed: Root.
        users: User indices, shape ``(U,)``.
        visits: A number for each slate of a user in any episode, shape ``(U,)``.
    """

    seed: int
    users: IntArray
    visits: IntArray

    @classmethod
    def at(cls, logged: LoggedPopulation, seed: int, slate: int = 0) -> "PolicyLuck":
        """The luck of the slate of that number, from 0, in each user's episode."""
        return cls(seed, logged.world.users, (logged.population.episode << 20) + slate)

    @cached_property
    def keys(self) -> randomness.Keys:
        """A key for each user at this visit, shape ``(U,)``."""
        roots = randomness.stream_keys(self.seed, randomness.POLICY, self.users)
        return randomness.derive(roots, self.visits)

    def keys_of(self, items: IntArray) -> randomness.Keys:
        """A key for each item of each user at this visit, ``(U, n)`` to ``(U, n)``."""
        return randomness.derive(self.keys[:, None], items)

    def generator(self, visit: int) -> np.random.Generator:
        """For what draws for many users at once: one generator for all who are at that visit."""
        return np.random.default_rng([self.seed, randomness.POLICY, visit])


class SlatePolicy(Protocol):
    """Chooses a slate for every user of a population."""

    @property
    def name(self) -> str:
        """Short name for tables."""
        ...

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """Choose.

        Args:
            logged: The users, as far as a platform knows them (``context``, ``observed``), and
                the truth, for oracles only (``population``).
            active: Users that will see the slate, shape ``(U,)``; rows of others are ignored.
            controller: Gaps to the constraints, and offsets to add to weights.
            luck: The only source of chance.
        """
        ...
