"""``fairloop/Slate-v0``: choose the slate itself, a candidate for each position.

Action: ``MultiDiscrete([N] * k)``, a column for each position, top first. In a world of candidate
pools a column is a rank: pools are sorted by base score, column 0 is what the base model ranks
first, and the item of a column differs from user to user. In a ``FactorWorld`` a column is an item
of the catalogue, the same for all. A slate cannot hold an item twice: what repeats gives way as
``distinct_columns`` says, and ``info["replaced"]`` counts it.

Observation: ``Box`` ``(O,)``, the columns of ``slate_observation_names``. All of it follows from
what a platform logs: recent clicks and taste by topic, satisfaction seen, click rate, slates, days
away, and the topics of the user's pool where there is one.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ...arrays import PAD, BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ..engines import EngineName
from ..outcome import StepOutcome
from ..population import UserPopulation
from ..world import Truth, World
from .default_world import default_world
from .observed import Observed, observed_names
from .picks import distinct_columns
from .single import TaskEnv
from .task import Info, Reward, Task, Visit, chosen_rows, observation_box
from .vector import TaskVectorEnv


class SlateTask(Task):
    """Raw slates for many users.

    Args:
        world: The truth about the users, one row each.
        seed: Root of the users' luck.
        reward: Satisfaction sampled, or expected given slate and state.
        engine: As of ``UserPopulation``.

    Attributes:
        population: The users.

    Raises:
        InvalidValue: A pool has fewer candidates than a slate has positions.
    """

    def __init__(
        self,
        world: Truth,
        seed: int = 0,
        reward: Reward = "sampled",
        engine: EngineName | None = None,
    ) -> None:
        self._k, self._n_columns = world.config.slate_size, world.n_candidates
        self._expected = reward == "expected"
        topics, constant, self._sizes = _known_of(world)
        if int(self._sizes.min(initial=self._k)) < self._k:
            raise InvalidValue(
                f"a pool of {int(self._sizes.min())} candidates for slates of {self._k}",
                field="world",
                mend="Use larger pools or a smaller slate_size.",
            )
        self._engine: EngineName | None = engine
        self.population = UserPopulation(world, seed, engine=engine)
        self._compiled = self.population.engine == "compiled"
        self._observed = Observed(topics, self._k, constant, self._compiled)
        # Where a column is a rank, its item stands in the pool; else it is the item.
        self._pools = world.pools.items.ravel() if isinstance(world, World) else None
        self._first_cell = (np.arange(len(world)) * self._n_columns)[:, None]
        self.observation_space = observation_box(self.observe().shape[1])
        self.action_space = spaces.MultiDiscrete([self._n_columns] * self._k)

    def __len__(self) -> int:
        return len(self.population)

    def seed(self, seed: int) -> None:
        """See ``Task``."""
        self.population = UserPopulation(self.population.world, seed, engine=self._engine)
        self._observed.forget(slice(None))

    def reset(self, rows: BoolArray | None = None) -> None:
        """See ``Task``."""
        self.population.reset(rows)
        self._observed.forget(slice(None) if rows is None else rows)

    def observe(self) -> FloatArray:
        """See ``Task``."""
        return self._observed.columns()

    def step(self, actions: NDArray[Any]) -> Visit:
        """Show every user the slate that was picked, once it is one."""
        columns, replaced = distinct_columns(actions, self._sizes, self._n_columns, self._compiled)
        items = columns
        if self._pools is not None:
            items = self._pools.take(columns + self._first_cell)
        outcome = self.population.step(columns)
        self._observed.take_in(
            items, outcome.clicks, outcome.satisfaction, outcome.days_away, outcome.active
        )
        reward = outcome.engagement
        if self._expected:
            reward = outcome.expected_engagement * outcome.active
        info = self._info(items, replaced, outcome)
        return Visit(reward, outcome.left, outcome.ended, info)

    def start_info(self) -> Info:
        """See ``Task``."""
        return {"user": self.population.world.users, "day": np.zeros(len(self), np.float32)}

    def _info(self, items: IntArray, replaced: IntArray, outcome: StepOutcome) -> Info:
        return {
            "user": self.population.world.users,
            "day": outcome.day,
            "engagement": outcome.engagement,
            "clicks": outcome.clicks,
            "replaced": replaced,
            "slate": items,
        }


def _known_of(world: Truth) -> tuple[FloatArray | BoolArray, FloatArray, IntArray]:
    """Topics of the items, constant columns of the observation, and candidates of each user."""
    if not isinstance(world, World):
        every_item = np.full(len(world), world.n_candidates)
        return world.topics, np.zeros((len(world), 0), np.float32), every_item
    sizes = world.pools.sizes
    shares = np.zeros((len(world), world.n_topics), np.float32)
    for column in world.pools.items.T:  # one at a time keeps (U, N, T) out of memory
        shares += world.topics[column] * (column != PAD)[:, None]
    per_user = np.maximum(sizes, 1)[:, None].astype(np.float32)
    return world.catalogue.topics, shares / per_user, sizes


def slate_observation_names(topic_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns of the observation, in order; the last ones only where pools are."""
    return (*observed_names(topic_names), *(f"pool_topic:{t}" for t in topic_names))


class SlateEnv(TaskEnv):
    """One user; registered as ``fairloop/Slate-v0``.

    Args:
        world: The truth about the users; ``default_world()`` where none is given.
        seed: Root of the user's luck until ``reset(seed=...)`` gives another.
        row: Row of the world whose user this is.
        reward: Satisfaction sampled, or expected given slate and state.
    """

    def __init__(
        self,
        world: Truth | None = None,
        seed: int = 0,
        row: int = 0,
        reward: Reward = "sampled",
    ) -> None:
        world = default_world() if world is None else world
        one = world.take(chosen_rows(len(world), 1, np.array([row])))
        super().__init__(SlateTask(one, seed, reward))


class SlateVectorEnv(TaskVectorEnv):
    """One row per user; ``gymnasium.make_vec("fairloop/Slate-v0", num_envs=…)`` makes it.

    Args:
        world: The truth about the users; ``default_world()`` where none is given.
        seed: Root of the users' luck until ``reset(seed=...)`` gives another.
        num_envs: Rows; every user of the world once by default.
        rows: Rows of the world, repeats allowed; the first ``num_envs``, around and around, by
            default.
        reward: Satisfaction sampled, or expected given slate and state.
        autoreset_mode: What follows on the end of an episode; see ``TaskVectorEnv``.
    """

    def __init__(
        self,
        world: Truth | None = None,
        seed: int = 0,
        num_envs: int | None = None,
        rows: IntArray | None = None,
        reward: Reward = "sampled",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        world = default_world() if world is None else world
        many = world.take(chosen_rows(len(world), num_envs, rows))
        super().__init__(SlateTask(many, seed, reward), autoreset_mode)
