"""Black-box search for a few numbers: CMA-ES (Hansen 2016, "The CMA Evolution Strategy").

The implementation is the author's ``cma`` package.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cma
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..arrays import FloatArray


class SearchConfig(BaseModel):
    """Budget of each tuned baseline, in user-steps of simulation, equal for all of them.

    Attributes:
        steps: User-steps; the search ends with the generation that spends the last of them.
        users: Users simulated for each trial; all trials of a generation share users and luck,
            the next generation draws others, so that the weights don't fit a few users.
        population: Trials per generation.
        spread: Standard deviation of the first generation, in standard deviations of score.
        price: Engagement, relative to top-k's, that a violation of 1 costs a trial. Far above
            what breaking a floor can win, so that the best trial is one that holds it.
        settled: The search ends early once no number varies by more than this.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=600_000, ge=1)
    users: int = Field(default=96, ge=2)
    population: int = Field(default=14, ge=4)
    spread: float = Field(default=0.7, gt=0.0)
    price: float = Field(default=5.0, gt=0.0)
    settled: float = Field(default=0.03, gt=0.0)


Trials = Callable[[FloatArray, int], tuple[FloatArray, int]]
"""Points ``(P, n)`` and the generation, to the values ``(P,)`` to maximise and the user-steps they
took together."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        point: Mean of the final search distribution, shape ``(n,)``; under noise a better estimate
            of the optimum than the best trial seen (Hansen 2016, §B.2).
        halfway: The same at ``start_steps``.
        steps: User-steps spent.
    """

    point: FloatArray
    halfway: FloatArray
    steps: int


def maximise(
    trials: Trials,
    start: FloatArray,
    config: SearchConfig,
    rng: np.random.Generator,
    start_steps: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Search from ``start`` until the budget is spent or the distribution has settled."""
    strategy = cma.CMAEvolutionStrategy(list(start), config.spread, _options(config, rng))
    spent, generation, halfway = 0, 0, None
    while spent < config.steps and not _settled(strategy, config):
        points = strategy.ask()
        values, steps = trials(np.asarray(points), generation)
        spent += steps
        strategy.tell(points, list(-values))
        generation += 1
        if halfway is None and start_steps is not None and spent >= start_steps:
            halfway = _mean(strategy)
        if progress is not None:
            progress(min(spent, config.steps), config.steps)
    point = _mean(strategy)
    return Found(point, point if halfway is None else halfway, spent)


def _mean(strategy: cma.CMAEvolutionStrategy) -> FloatArray:
    return np.array(strategy.result.xfavorite, dtype=np.float64)


def _settled(strategy: cma.CMAEvolutionStrategy, config: SearchConfig) -> bool:
    return float(np.max(strategy.result.stds)) < config.settled


def _options(config: SearchConfig, rng: np.random.Generator) -> dict[str, Any]:
    """The objective changes with the users of a generation, so cma's own endings are off."""
    never = {name: 0 for name in ("tolfun", "tolfunhist", "tolx", "tolfunrel", "tolflatfitness")}
    return {
        **never,
        "tolstagnation": 10**9,
        "tolfacupx": 1e12,
        "maxiter": 10**9,
        "popsize": config.population,
        "randn": lambda *shape: rng.standard_normal(shape),
        "seed": np.nan,  # cma would otherwise seed numpy's global generator
        "verbose": -9,
    }
