"""What holds limits on slates in a policy that values each look: a price for each of them.

To maximise value under a floor on a group's share of the exposure is, at the right price, to
maximise value plus that price for each look at a member (Lagrange; Boyd & Vandenberghe 2004,
"Convex Optimization", chapter 5). Where users look at positions as exposure is counted (position
bias 1, the default), the slate that does so is a sort, and so exact. Diversity is no sum over
items: it is raised by a price on the mean distance to what stands above, position by position
(Carbonell & Goldstein 1998, "The use of MMR"), which is greedy and not exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue
from ...rerankers.greedy import build_slates
from ..logged import LoggedPopulation
from .best_slate import best_slates


@dataclass(frozen=True)
class LimitPrices:
    """A price for each limit, in expected satisfaction a look; 0 where nothing is to be held.

    Attributes:
        bonuses: Added to the value of a look at what each floor or ceiling lifts, ≥ 0, in the
            order of ``Constraints.exposure``.
        distance: Strength of the distance term, ≥ 0.

    Raises:
        InvalidValue: A price is negative or not finite.
    """

    bonuses: tuple[float, ...] = ()
    distance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse prices that would pay for breaking a limit."""
        prices = np.array([*self.bonuses, self.distance])
        if not (np.isfinite(prices) & (prices >= 0.0)).all():
            raise InvalidValue(
                f"prices {prices.tolist()}", field="limits", mend="Use finite numbers, 0 or more."
            )

    @classmethod
    def of(cls, parameters: Mapping[str, float], labels: tuple[str, ...]) -> "LimitPrices":
        """Those that `named` gave; without any where there is none of these names."""
        bonuses = tuple(parameters.get(f"bonus:{label}", 0.0) for label in labels)
        return cls(bonuses, parameters.get("distance", 0.0))

    def named(self, labels: tuple[str, ...]) -> dict[str, float]:
        """The prices by name; ``labels`` are ``Constraints.labels``."""
        bonuses = {f"bonus:{k}": v for k, v in zip(labels, self.bonuses, strict=True)}
        return {**bonuses, "distance": self.distance}

    def slates(self, logged: LoggedPopulation, odds: FloatArray, value: FloatArray) -> IntArray:
        """The slates of largest value plus prices, ``(U, k)``.

        Exact for the choice model where distance has no price. Else positions are filled one after
        the other by the value of a look, which is exact in no choice model, and in a cascade or a
        logit also passes over what an item does to the looks at the others.

        Args:
            logged: The users.
            odds: Log-odds of a click once looked at, shape ``(U, N)``.
            value: What a look is worth, shape ``(U, N)``.

        Raises:
            InvalidValue: There are more or fewer bonuses than limits on exposure.
        """
        context, config = logged.context, logged.world.config
        if self.bonuses:
            if len(self.bonuses) != len(context.floors):
                raise InvalidValue(
                    f"{len(self.bonuses)} bonuses for {len(context.floors)} limits on exposure",
                    field="limits.bonuses",
                )
            bonuses = np.array(self.bonuses, np.float32)
            value = value + np.einsum("f,fun->un", bonuses, context.floors)
        if self.distance > 0.0:
            return build_slates(value, self.distance, context, config.slate_size)
        return best_slates(odds, value, context.valid, config.choice, config.slate_size)


NO_PRICES = LimitPrices()
"""Nothing is held."""
