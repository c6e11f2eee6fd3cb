"""``fairloop/Provider-v0``: a whole market a step, steered by the weights of a few scores.

Action: ``Box`` ``(6,)`` in [-1, 1], times ``ACTION_SCALE``: the weights of relevance, popularity,
the provider's shortfall, newness, repeats of a topic and repeats of an item (``ScoreWeights``).
Everybody who comes that day sees the candidates with the highest weighted score.

Observation: ``Box`` ``(22,)``, the columns of ``OBSERVATION_NAMES``; all of it is known to a
platform.

Reward: the satisfaction earned in a day, per user who has arrived by then: users who were lost keep
counting, so that losing users costs. What becomes of providers is not in the reward. It is in
``info``: ``provider_welfare`` is the mean over all providers of log2(1 + received / need), 0 for
those who left (the saturating form of Zhan et al. 2021).

In the words of ``envs.task``, a row is a market and its user the whole of its users:

- **terminated**: every user, or every provider, has left for good.
- **truncated**: the horizon is reached.
- A step is one day, or ``days`` of them with the same weights; the reward is their sum. A step ends
  early with its episode.
- **Rows** are the markets of a seed: the same users, items and providers, with arrivals and luck of
  their own; row ``r`` is ``Market(…, seed=market_seed(seed, r))``. They are stepped one after the
  other: a market is an array program over its users already.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ...metrics.diversity import gini
from ..envs.single import TaskEnv
from ..envs.task import Info, Reward, Task, Visit, chosen_rows, observation_box
from ..envs.vector import TaskVectorEnv
from ..world import Truth
from .config import MarketConfig
from .made_up import PROVIDER, brisk_market
from .market import Market
from .observation import OBSERVATION_NAMES, Trend, observe
from .policies import ScoreWeights, best_slates

ACTION_SCALE = ScoreWeights(
    relevance=1.0,
    popularity=1.0,
    shortfall=2.0,
    newness=1.0,
    topic_repeat=0.5,
    item_repeat=3.0,
)
"""Weights of an action of 1; an action of −1 has the opposite ones."""

N_MARKETS = 100_000
"""Markets of one seed that an environment can name as rows."""


def market_seed(seed: int, row: int) -> int:
    """Root of the luck of one of a seed's markets."""
    return int(np.random.SeedSequence([seed, row]).generate_state(1, np.uint64)[0])


class MarketTask(Task):
    """Several markets of the same world, each with its own arrivals and luck.

    Args:
        world: The users' truth; ``brisk_market()`` by default.
        providers: As in ``Market``; that market's by default.
        config: Of the markets; that market's by default.
        seed: Root of all luck.
        rows: Which of the seed's markets, shape ``(n,)``; where one is named R times, they share
            its episodes out among them.
        days: Days per step.
        reward: Satisfaction sampled, or expected given slates and state.

    Attributes:
        markets: The markets.

    Raises:
        InvalidValue: ``days`` is below 1, or a world comes without providers.
    """

    def __init__(
        self,
        world: Truth | None = None,
        providers: str | IntArray | None = None,
        config: MarketConfig | None = None,
        seed: int = 0,
        rows: IntArray | None = None,
        days: int = 1,
        reward: Reward = "sampled",
    ) -> None:
        if days < 1:
            raise InvalidValue(f"{days} days a step", field="days", mend="Use 1 or more.")
        if world is None:
            world, default = brisk_market()
            providers, config = PROVIDER, default if config is None else config
        elif providers is None:
            raise InvalidValue(
                "a world needs the providers of its items",
                field="providers",
                mend="Name an item group of its catalogue, or pass an array.",
            )
        self._made_of = world, providers, config
        self._days, self._expected = days, reward == "expected"
        self._scale = ACTION_SCALE.array()
        rows = np.zeros(1, np.int64) if rows is None else rows
        self._rows, self._n = rows.tolist(), len(rows)
        self.observation_space = observation_box(len(OBSERVATION_NAMES))
        self.action_space = spaces.Box(-1.0, 1.0, self._scale.shape, np.float32)
        self.seed(seed)

    def __len__(self) -> int:
        return self._n

    def seed(self, seed: int) -> None:
        """See ``Task``."""
        world, providers, config = self._made_of
        self.markets: list[Market] = []
        for i, row in enumerate(self._rows):
            episodes = self._rows[:i].count(row), self._rows.count(row)
            root = market_seed(seed, row)
            self.markets.append(Market(world, providers, config, root, episodes=episodes))
        self._trends = [Trend() for _ in self.markets]

    def reset(self, rows: BoolArray | None = None) -> None:
        """See ``Task``."""
        for row in range(self._n) if rows is None else np.flatnonzero(rows).tolist():
            self.markets[row].reset()
            self._trends[row] = Trend()

    def observe(self) -> FloatArray:
        """See ``Task``."""
        return np.stack(
            [observe(m, trend) for m, trend in zip(self.markets, self._trends, strict=True)]
        )

    def start_info(self) -> Info:
        """See ``Task``."""
        return {"day": np.array([float(market.day) for market in self.markets], np.float32)}

    def step(self, actions: NDArray[Any]) -> Visit:
        """Let each market live through its next days."""
        if np.shape(actions) != (self._n, len(self._scale)):
            raise InvalidValue(
                f"actions of shape {np.shape(actions)}, expected {(self._n, len(self._scale))}",
                field="actions",
            )
        weights = np.clip(actions, -1.0, 1.0).astype(np.float32) * self._scale
        facts = [self._live(row, weights[row]) for row in range(self._n)]
        info = {name: np.array([fact[name] for fact in facts]) for name in facts[0]}
        terminated = info.pop("deserted")
        truncated = info.pop("late") & ~terminated
        return Visit(info.pop("reward"), terminated, truncated, info)

    def _live(self, row: int, weights: FloatArray) -> dict[str, Any]:
        """Some days of one market; nothing happens in one that is over."""
        market, trend = self.markets[row], self._trends[row]
        was_over, first = market.over, market.day
        sums = dict.fromkeys(("reward", "engagement", "clicks", "visits"), 0.0)
        lost = {"users_left": 0, "providers_left": 0}
        exposure = np.zeros(len(market.providers))
        while not market.over and market.day < first + self._days:
            n_arrived = int(market.arrived.sum())
            outcome = market.step(best_slates(market, weights))
            trend.update(outcome)
            step = outcome.step
            earned = step.expected_engagement if self._expected else step.engagement
            sums["reward"] += float(earned.sum()) / n_arrived
            sums["engagement"] += float(step.engagement.sum())
            sums["clicks"] += float(step.clicks.sum())
            sums["visits"] += float(outcome.present.sum())
            lost["users_left"] += int(step.left.sum())
            lost["providers_left"] += int(outcome.providers_left.sum())
            exposure += outcome.exposure
        return {
            **sums,
            **lost,
            "day": float(market.day),
            "providers_viable": int(market.providers.viable.sum()),
            "provider_welfare": market.providers.welfare(),
            "exposure_gini": float(gini(exposure)) if exposure.any() else 0.0,
            "deserted": market.deserted and not was_over,
            "late": market.day >= market.horizon and not was_over,
        }


class ProviderEnv(TaskEnv):
    """One market; registered as ``fairloop/Provider-v0``.

    Args:
        world: The users' truth; ``brisk_market()`` by default.
        providers: As in ``Market``; that market's by default.
        config: Of the market; that market's by default.
        seed: Root of all luck until ``reset(seed=...)`` gives another.
        row: Which of the seed's markets.
        days: Days per step.
        reward: Satisfaction sampled, or expected given slates and state.
    """

    def __init__(
        self,
        world: Truth | None = None,
        providers: str | IntArray | None = None,
        config: MarketConfig | None = None,
        seed: int = 0,
        row: int = 0,
        days: int = 1,
        reward: Reward = "sampled",
    ) -> None:
        rows = chosen_rows(N_MARKETS, 1, np.array([row]))
        super().__init__(MarketTask(world, providers, config, seed, rows, days, reward))


class ProviderVectorEnv(TaskVectorEnv):
    """Several markets; ``gymnasium.make_vec("fairloop/Provider-v0", num_envs=…)`` makes it.

    Args:
        world: The users' truth; ``brisk_market()`` by default.
        providers: As in ``Market``; that market's by default.
        config: Of the markets; that market's by default.
        seed: Root of all luck until ``reset(seed=...)`` gives another.
        num_envs: Markets; one by default.
        rows: Which of the seed's markets, repeats allowed; the first ``num_envs`` by default.
        days: Days per step.
        reward: Satisfaction sampled, or expected given slates and state.
        autoreset_mode: What follows on the end of an episode; see ``TaskVectorEnv``.
    """

    def __init__(
        self,
        world: Truth | None = None,
        providers: str | IntArray | None = None,
        config: MarketConfig | None = None,
        seed: int = 0,
        num_envs: int | None = None,
        rows: IntArray | None = None,
        days: int = 1,
        reward: Reward = "sampled",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        n = 1 if num_envs is None and rows is None else num_envs
        rows = chosen_rows(N_MARKETS, n, rows)
        task = MarketTask(world, providers, config, seed, rows, days, reward)
        super().__init__(task, autoreset_mode)
