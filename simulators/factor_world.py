"""The truth about users and a whole catalogue, in factors: no table of users times items.

A column *is* an item index, so a slate may name any item of a catalogue of any size. Needs
memory for users plus items instead of users times items.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from ..arrays import FloatArray, IntArray
from . import randomness
from .arguments import require_arrays
from .config import WorldConfig
from .world import Sensitivities


@dataclass(frozen=True, slots=True)
class FactorWorld:
    """``U`` users and ``I`` items; log-odds are sums of an item's, a topic's and a hidden part.

    Click log-odds at rest, once examined: bias_i + ⟨interest_u, topics_i⟩ + hidden · z_ui, with
    z_ui of mean 0 and variance 1, drawn by hash whenever it is needed; satisfaction likewise.

    Attributes:
        config: The dynamics.
        users: User index of each row, shape ``(U,)``.
        topics: Topic shares of each item, shape ``(I, T)``, float32; rows sum to 1, or to 0.
        usual_topics: Topic shares of the data, shape ``(T,)``.
        bias: Log-odds of each item for appeal and for worth, shape ``(2, I)``, float32.
        interest: Log-odds per topic share for appeal and for worth, shape ``(U, 2, T)``, float32.
        hidden: Standard deviation of the hidden taste in appeal and in worth, shape ``(2,)``.
        luck: Key of each user's hidden taste, shape ``(U,)``.
        sensitivities: Differences between users.
    """

    config: WorldConfig
    users: IntArray
    topics: FloatArray
    usual_topics: FloatArray
    bias: FloatArray
    interest: FloatArray
    hidden: FloatArray
    luck: randomness.Keys
    sensitivities: Sensitivities

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together, or are not finite."""
        n_users, (n_items, n_topics) = len(self.users), self.topics.shape
        shapes = {
            "topics": (n_items, n_topics),
            "usual_topics": (n_topics,),
            "bias": (2, n_items),
            "interest": (n_users, 2, n_topics),
            "hidden": (2,),
            "luck": (n_users,),
        }
        require_arrays({name: getattr(self, name) for name in shapes}, shapes)
        self.sensitivities.require(n_users)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_candidates(self) -> int:
        """Items ``I``: a column is an item index."""
        return len(self.topics)

    @property
    def n_topics(self) -> int:
        """Topics ``T``."""
        return self.topics.shape[1]

    def at_rest(self) -> "Factors":
        """Look-ups into the items' part and the hidden part; interest is by topic."""
        bias = np.ascontiguousarray(self.bias.T, np.float32).view(np.complex64)[:, 0]
        hidden = np.ascontiguousarray(self.hidden, np.float32)
        return Factors(bias, hidden[:, None, None], self.luck[:, None])

    def take(self, rows: IntArray) -> "FactorWorld":
        """The world of some users alone."""
        own = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name in _PER_USER}
        return replace(self, **own, sensitivities=self.sensitivities.take(rows))

    def with_dynamics(self, config: WorldConfig) -> "FactorWorld":
        """The same tastes under other dynamics; see ``World.with_dynamics``."""
        return replace(self, config=config)


_PER_USER = ("users", "interest", "luck")


@dataclass(frozen=True, slots=True)
class Factors:
    """``AtRest`` of factors.

    Attributes:
        bias: Appeal and worth of each item side by side, shape ``(I,)``, complex64.
        hidden: Standard deviations of the hidden taste, shape ``(2, 1, 1)``.
        luck: Key of each user's hidden taste, shape ``(U, 1)``.
    """

    bias: np.ndarray
    hidden: FloatArray
    luck: randomness.Keys

    def items(self, rows: IntArray | None, columns: IntArray) -> IntArray:
        """See ``AtRest``: the columns themselves."""
        return columns

    def log_odds(self, rows: IntArray | None, columns: IntArray, items: IntArray) -> FloatArray:
        """See ``AtRest``: all but lasting interest, which is a part per topic."""
        pairs = self.bias.take(items).view(np.float32).reshape(*items.shape, 2)
        luck = self.luck if rows is None else self.luck[rows]
        taste = randomness.bell(randomness.derive(luck, items))
        return pairs.transpose(2, 0, 1) + self.hidden * taste
