"""The truth about a set of users: what a simulation knows and no policy may see."""

from dataclasses import dataclass, fields, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ..arrays import PAD, FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .arguments import require_arrays
from .config import WorldConfig

NEVER = np.float32(-30.0)
"""Log-odds of padding: never clicked."""


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """How strongly each user reacts: factors with median 1, each of shape ``(U,)``, float32.

    Attributes:
        satiation: On the strength of satiation.
        fatigue: On the strength of fatigue.
        drift: On the rate of drift.
        leaving: On the sensitivity of leaving to mood.
        returning: On the sensitivity to mood of returning, and of asking for another slate.
    """

    satiation: FloatArray
    fatigue: FloatArray
    drift: FloatArray
    leaving: FloatArray
    returning: FloatArray

    def take(self, rows: IntArray) -> "Sensitivities":
        """The given users."""
        return Sensitivities(*(getattr(self, f.name)[rows] for f in fields(self)))

    def require(self, n_users: int) -> None:
        """Refuse factors that are not finite, or not one per user."""
        names = [f.name for f in fields(self)]
        require_arrays({n: getattr(self, n) for n in names}, dict.fromkeys(names, (n_users,)))


class AtRest(Protocol):
    """Looks the truth of shown items up, before any dynamics act."""

    def items(self, rows: IntArray | None, columns: IntArray) -> IntArray:
        """Item indices of columns, ``(R, k)`` to ``(R, k)``, ≥ 0; of ``rows``, or of all users."""
        ...

    def log_odds(self, rows: IntArray | None, columns: IntArray, items: IntArray) -> FloatArray:
        """Log-odds of a click once examined, and of satisfaction once clicked, ``(2, R, k)``."""
        ...


class Truth(Protocol):
    """What the engine needs to know of a world; ``World`` and ``FactorWorld`` are two."""

    @property
    def config(self) -> WorldConfig:
        """The dynamics."""
        ...

    @property
    def users(self) -> IntArray:
        """User index of each row, shape ``(U,)``; luck belongs to it."""
        ...

    @property
    def n_candidates(self) -> int:
        """Columns that a slate may name."""
        ...

    @property
    def topics(self) -> FloatArray:
        """Topic shares of each item, shape ``(I, T)``, float32."""
        ...

    @property
    def usual_topics(self) -> FloatArray:
        """Topic shares of the data, shape ``(T,)``, float32."""
        ...

    @property
    def interest(self) -> FloatArray | None:
        """Lasting interest by topic: log-odds added to appeal and to worth, shape ``(U, 2, T)``."""
        ...

    @property
    def sensitivities(self) -> Sensitivities:
        """Differences between users."""
        ...

    def at_rest(self) -> AtRest:
        """Look-ups into the truth."""
        ...

    def take(self, rows: IntArray) -> Self:
        """The world of some users alone."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class World:
    """``U`` users with their pools, and how they would react.

    Attributes:
        config: The dynamics.
        pools: The users and their candidates.
        catalogue: The items.
        topics: Topic shares of each item, shape ``(I, T)``, float32; rows sum to 1, or to 0 for
            an item without topics.
        usual_topics: Topic shares of the training interactions, shape ``(T,)``.
        appeal: Click log-odds of each candidate once examined, at rest, shape ``(U, N)``, float32.
        worth: Log-odds of the mean satisfaction once clicked, at rest, shape ``(U, N)``, float32.
        sensitivities: Differences between users.
    """

    config: WorldConfig
    pools: CandidatePools
    catalogue: Catalogue
    topics: FloatArray
    usual_topics: FloatArray
    appeal: FloatArray
    worth: FloatArray
    sensitivities: Sensitivities

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together, or are not finite, and unknown items."""
        (n_items, n_topics), cells = self.topics.shape, self.pools.items.shape
        shapes = {
            "topics": (n_items, n_topics),
            "usual_topics": (n_topics,),
            "appeal": cells,
            "worth": cells,
        }
        require_arrays({name: getattr(self, name) for name in shapes}, shapes)
        self.sensitivities.require(len(self.pools))
        items = self.pools.items
        if items.size and (items.min() < PAD or items.max() >= n_items):
            raise InvalidValue(
                f"items from {items.min()} to {items.max()}, of {n_items}",
                field="pools",
                mend="Give topics for every item of the pools.",
            )

    def __len__(self) -> int:
        return len(self.pools)

    @property
    def users(self) -> IntArray:
        """User index of each row, shape ``(U,)``."""
        return self.pools.users

    @property
    def n_candidates(self) -> int:
        """Pool columns ``N``."""
        return self.pools.items.shape[1]

    @property
    def n_topics(self) -> int:
        """Topics ``T``."""
        return self.topics.shape[1]

    @property
    def interest(self) -> None:
        """None: lasting interest is part of the tables."""
        return None

    def at_rest(self) -> "Tables":
        """Look-ups into the tables, which are laid out anew for it."""
        return Tables.of(self)

    def take(self, rows: IntArray) -> "World":
        """The world of some users alone, such as the training users; nothing else changes."""
        return replace(
            self,
            pools=self.pools.take(rows),
            appeal=self.appeal[rows],
            worth=self.worth[rows],
            sensitivities=self.sensitivities.take(rows),
        )

    def on(self, pools: CandidatePools) -> "World":
        """The same truth on other pools, for example those of a model that was fit again.

        Args:
            pools: Users of this world, with items of their pools in this world.

        Raises:
            InvalidValue: A user or an item of a pool is unknown to this world.
        """
        rows = np.full(int(self.users.max(initial=0)) + 1, -1)
        rows[self.users] = np.arange(len(self))
        known = (pools.users >= 0) & (pools.users < len(rows))
        row = np.where(known, rows[np.where(known, pools.users, 0)], -1)
        column = np.full((len(self), self.catalogue.n_items), -1, np.int32)
        at, where = np.nonzero(self.pools.valid)
        column[at, self.pools.items[at, where]] = where
        columns = np.where(pools.valid, column[row[:, None], np.maximum(pools.items, 0)], 0)
        if (row < 0).any() or (columns < 0).any():
            raise InvalidValue(
                "the pools hold a user or an item that this world knows nothing of",
                field="pools",
                mend="Fit the world on candidates that include them (a larger top-N).",
            )
        return replace(
            self,
            pools=pools,
            appeal=np.where(pools.valid, self.appeal[row[:, None], columns], NEVER),
            worth=np.where(pools.valid, self.worth[row[:, None], columns], NEVER),
            sensitivities=self.sensitivities.take(row),
        )

    def with_dynamics(self, config: WorldConfig) -> "World":
        """The same tastes under other dynamics.

        Everything follows ``config`` but tastes, base attraction and its spread, and
        heterogeneity, which are part of the fit: for other ones, call ``fit_world`` again.
        """
        return replace(self, config=config)


@dataclass(frozen=True, slots=True)
class Tables:
    """``AtRest`` of tables: appeal and worth side by side, so that one access brings both."""

    offset: IntArray
    item_of: IntArray
    pairs: NDArray[np.complex64]

    @classmethod
    def of(cls, world: World) -> "Tables":
        """Lay the tables of a world out."""
        pairs = np.stack([world.appeal, world.worth], axis=-1, dtype=np.float32)
        items = np.maximum(world.pools.items, 0).ravel()
        offset = (np.arange(len(world)) * world.n_candidates)[:, None]
        return cls(offset, items, pairs.view(np.complex64).ravel())

    def items(self, rows: IntArray | None, columns: IntArray) -> IntArray:
        """See ``AtRest``."""
        return self.item_of.take(columns + self._offset(rows))

    def log_odds(self, rows: IntArray | None, columns: IntArray, items: IntArray) -> FloatArray:
        """See ``AtRest``."""
        pairs = self.pairs.take(columns + self._offset(rows)).view(np.float32)
        return pairs.reshape(*columns.shape, 2).transpose(2, 0, 1)

    def _offset(self, rows: IntArray | None) -> IntArray:
        return self.offset if rows is None else self.offset[rows]
