"""A linear re-ranker: fixed weights over features, and greedy distance on top."""

from typing import Literal, Self

import numpy as np
from pydantic import Field

from ..arrays import FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .base import Reranker, Slates, require_k
from .config import RerankerSettings
from .constraints import Constraints
from .context import PoolContext
from .features import REWARD, feature_names
from .greedy import build_slates
from .knowledge import Knowledge
from .patterns import TopicPatterns
from .scores import candidate_scores
from .state import MEMORY, Memory, ObservedState, StateLookup, new_state


class LinearConfig(RerankerSettings):
    """Weights by the name of the feature; those not named weigh nothing.

    Attributes:
        weights: Weight of each feature in `feature_names`.
        diversity: Strength of the distance term of `build_slates`.
    """

    algorithm: Literal["linear"] = "linear"
    weights: dict[str, float] = Field(default_factory=lambda: {"base": 1.0})
    diversity: float = 0.0

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return LinearReranker(self, knowledge.catalogue, knowledge.constraints, knowledge.states)

    def _scaled(self, strength: float) -> Self:
        base = self.weights.get("base", 0.0)
        others = {name: strength * weight for name, weight in self.weights.items()}
        # Without a positive weight on it there would be no base order to start from.
        start = base if base > 0.0 else (1.0 - strength) + strength * base
        return self.changed(weights={**others, "base": start}, diversity=strength * self.diversity)


def linear_slates(
    context: PoolContext,
    state: ObservedState,
    weights: FloatArray,
    diversity: FloatArray | float,
    k: int,
    memory: Memory = MEMORY,
) -> IntArray:
    """Scores, then slates: the hot path of training and of serving.

    Args:
        context: The pools of ``U`` users.
        state: Their state.
        weights: Shape ``(U, F)`` or ``(F,)``.
        diversity: Strength of the distance term, shape ``(U,)`` or one number.
        k: Slate length.
        memory: Decay constants.

    Returns:
        Pool columns, shape ``(U, k)``.
    """
    return build_slates(candidate_scores(context, state, weights, memory), diversity, context, k)


class LinearReranker:
    """Ranks by a weighted sum of features of the candidate and of the user's observed state.

    With weights on memoryless features alone it is the static baseline; with the others it is
    what the strongest heuristic and a learned policy come down to at serving time.
    O(U · (P · T + N · (F + k))).
    """

    name = "linear"

    def __init__(
        self,
        config: LinearConfig,
        catalogue: Catalogue,
        constraints: Constraints,
        states: StateLookup | None = None,
    ) -> None:
        """Bind the weights to the features that these constraints give.

        Args:
            config: Weights and diversity strength.
            catalogue: The items.
            constraints: Their floors add feature columns.
            states: Looks the users' state up; without it every user is new.

        Raises:
            InvalidValue: A weight names no feature, or one that only a policy has.
        """
        names = feature_names(constraints)
        unknown = sorted(set(config.weights).difference(names))
        if unknown:
            raise InvalidValue(
                f"no feature named {', '.join(map(repr, unknown))}",
                field="weights",
                mend=f"Use names among {', '.join(names)}.",
            )
        self._weights = np.array([config.weights.get(n, 0.0) for n in names], np.float32)
        if self._weights[[names.index(name) for name in REWARD]].any():
            raise InvalidValue(
                f"{' and '.join(REWARD)} follow from a model that a policy brings with it",
                field="weights",
                mend="Leave these two out, or train a policy.",
            )
        self._diversity = config.diversity
        self._catalogue, self._constraints = catalogue, constraints
        self._patterns = TopicPatterns.of(catalogue)
        self._states = states

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        context = PoolContext.of(pools, self._catalogue, self._constraints, self._patterns)
        if self._states is None:
            state = new_state(len(pools), context.n_candidates, context.n_topics)
        else:
            state = self._states(pools)
        columns = linear_slates(context, state, self._weights, self._diversity, k)
        return Slates.from_columns(pools, columns)
