"""Slates drawn one position after another, with a probability that is known exactly.

At each position every candidate that is left has the score that the greedy builder would give it
(`rerankers.greedy.build_slates`): a weighted sum of features plus the strength of diversity times
its mean distance to what stands above it. It is drawn in proportion to ``exp(score / temperature)``
and the probability of a slate is the product over its positions. Without diversity the scores do
not change on the way down, and this is the model of Plackett 1975, "The analysis of permutations";
at temperature 0 nothing is left to chance, and it is the greedy builder itself.

Needs numpy alone: a serving process can draw slates and log their propensities without torch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ...rerankers.context import PoolContext
from ...rerankers.greedy import build_slates
from ...rerankers.scores import candidate_scores
from ...simulators.gaps import Controller
from ...simulators.logged import LoggedPopulation
from ...simulators.policies import Decision, PolicyLuck, SlatePolicy
from ..policy import WeightPolicy
from ..steering import Steered

Choose = Callable[[int, FloatArray], IntArray]
"""From a position and the probability of every column there, ``(U, N)``, to columns ``(U,)``."""


def draw_slates(
    scores: FloatArray,
    diversity: FloatArray,
    context: PoolContext,
    temperature: float,
    uniforms: FloatArray,
) -> tuple[IntArray, FloatArray]:
    """Draw a slate for every user. O(U · N · k).

    Args:
        scores: Shape ``(U, N)``.
        diversity: Strength of the distance term, shape ``(U,)``.
        context: The pools.
        temperature: At least 0; 0 is `build_slates`.
        uniforms: One in [0, 1) for each position, shape ``(U, k)``.

    Returns:
        Columns ``(U, k)``, and the log-probability of each slate, ``(U,)``.

    Raises:
        InvalidValue: The temperature is below 0, or a pool has fewer than ``k`` candidates.
    """
    k = uniforms.shape[1]
    _require(context, temperature, k)
    if temperature == 0.0:
        return build_slates(scores, diversity, context, k), np.zeros(len(scores))

    def choose(position: int, chances: FloatArray) -> IntArray:
        below = np.cumsum(chances, axis=1)
        # The total is 1 up to rounding; a column of chance 0 never comes first above the mark.
        mark = uniforms[:, position, None] * below[:, -1:]
        return np.argmax(below > mark, axis=1)

    return _walk(scores, diversity, context, k, temperature, choose)


def log_probability(
    scores: FloatArray,
    diversity: FloatArray,
    context: PoolContext,
    temperature: float,
    columns: IntArray,
) -> FloatArray:
    """Log-probability with which `draw_slates` draws these very slates, shape ``(U,)``.

    Args:
        scores: Shape ``(U, N)``.
        diversity: Strength of the distance term, shape ``(U,)``.
        context: The pools.
        temperature: At least 0.
        columns: Shape ``(U, k)``, no column twice.

    Raises:
        InvalidValue: The temperature is below 0, or a slate holds a column twice.
    """
    _require(context, temperature, columns.shape[1])
    ordered = np.sort(columns, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        raise InvalidValue("a slate holds a column twice", field="columns")
    if temperature == 0.0:
        best = build_slates(scores, diversity, context, columns.shape[1])
        return np.where((best == columns).all(axis=1), 0.0, -np.inf)

    def choose(position: int, chances: FloatArray) -> IntArray:
        return columns[:, position]

    return _walk(scores, diversity, context, columns.shape[1], temperature, choose)[1]


def distances_above(context: PoolContext, columns: IntArray) -> FloatArray:
    """Mean distance of every candidate to what stands above each position, ``(U, k, N)``.

    0 at the first position, where nothing stands above.
    """
    n_users, k = columns.shape
    out = np.zeros((n_users, k, context.n_candidates), np.float32)
    for j in range(1, k):
        out[:, j] = out[:, j - 1] + _distances(context, columns[:, j - 1])
    out[:, 1:] /= np.arange(1, k, dtype=np.float32)[:, None]
    return out


def _walk(
    scores: FloatArray,
    diversity: FloatArray,
    context: PoolContext,
    k: int,
    temperature: float,
    choose: Choose,
) -> tuple[IntArray, FloatArray]:
    """Down the positions: columns ``(U, k)`` as chosen, and their log-probabilities, ``(U,)``."""
    users = np.arange(len(scores))
    relevance = np.where(context.valid, scores, -np.inf).astype(np.float64)
    strength = np.asarray(diversity, np.float64)[:, None]
    summed = np.zeros(relevance.shape)
    columns = np.empty((len(scores), k), np.intp)
    log_p = np.zeros(len(scores))
    for j in range(k):
        logits = (relevance + strength * (summed / max(j, 1))) / temperature
        logits -= logits.max(axis=1, keepdims=True)
        chances = np.exp(logits)
        total = chances.sum(axis=1)
        columns[:, j] = chosen = choose(j, chances / total[:, None])
        log_p += logits[users, chosen] - np.log(total)
        relevance[users, chosen] = -np.inf
        summed += _distances(context, chosen)
    return columns, log_p


def _distances(context: PoolContext, chosen: IntArray) -> FloatArray:
    """Distance of every candidate to one column of its pool, ``(U,)`` to ``(U, N)``."""
    patterns = context.patterns
    own = patterns[np.arange(len(chosen)), chosen]
    return context.pattern_distance[own[:, None], patterns]


def _require(context: PoolContext, temperature: float, k: int) -> None:
    if not (np.isfinite(temperature) and temperature >= 0.0):
        raise InvalidValue(
            f"the temperature is {temperature}", field="temperature", mend="Use 0 or more."
        )
    if k < 1 or k > int(context.n_valid.min(initial=k)):
        raise InvalidValue(
            f"{k} positions for pools of {int(context.n_valid.min(initial=k))} and more", field="k"
        )


class PlackettLucePolicy:
    """Draws slates by the weights that a policy gives; its propensities are exact.

    The marginal probability of an item at a position is not known: ``Decision.item`` is NaN.

    Args:
        policy: Observation to weights.
        temperature: Of the draws, in units of the score; 0 leaves nothing to chance.
        name: Name for tables.
    """

    def __init__(
        self, policy: WeightPolicy, temperature: float, name: str = "plackett-luce"
    ) -> None:
        self._policy, self._temperature, self.name = policy, temperature, name

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """Slates and the probability of each."""
        weights = self._policy.weights(logged.observation(controller.gaps)) + controller.offsets()
        columns, log_p = draw_slates(
            candidate_scores(
                logged.context.answered_by(self._policy.response), logged.observed, weights[:, :-1]
            ),
            np.maximum(weights[:, -1], 0.0),
            logged.context,
            self._temperature,
            position_uniforms(luck, logged.world.config.slate_size),
        )
        if self._temperature == 0.0:
            return Decision.certain(columns)
        return Decision.drawn(columns, np.exp(log_p), None)


def position_uniforms(luck: PolicyLuck, k: int) -> FloatArray:
    """A float64 uniform in [0, 1) for each position of each user's slate, ``(U, k)``."""
    keys = luck.keys_of(np.arange(k)[None, :])
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True)
class ServeSampled:
    """Makes the sampling policy with its controller anew for each simulation."""

    policy: WeightPolicy
    temperature: float

    def __call__(self) -> SlatePolicy:
        """Its weights follow from the observation, and its controller watches the limits."""
        return Steered(PlackettLucePolicy(self.policy, self.temperature), self.policy)
