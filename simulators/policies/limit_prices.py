"""What holds limits on slates in a policy that values each look: a price for each of them.

To maximise value under a floor on a group's share of the exposure is, at the right price, to
maximise value plus that price for each look at a member (Lagrange; Boyd & Vandenberghe 2004,
"Convex Optimization", chapter 5). Where users look at positions as exposure is counted (position
bias 1, the default), the slate that does so is a sort, and so exact. Diversity is no sum over
items: its price is paid for the mean distance between the items of a slate, and value and distance
are maximised together, by swaps that go on while one improves (`rerankers.joint`). Such a slate is
nearly always the best one, and not surely.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue
from ...rerankers.joint import joint_slates
from ..choice import discount
from ..config import ChoiceConfig
from ..logged import LoggedPopulation
from .best_slate import best_slates


@dataclass(frozen=True)
class LimitPrices:
    """A price for each limit, in expected satisfaction a look; 0 where nothing is to be held.

    Attributes:
        bonuses: Added to the value of a look at what each floor or ceiling lifts, ≥ 0, in the
            order of ``Constraints.exposure``.
        diversity: Of the mean pairwise distance of a slate, ≥ 0.

    Raises:
        InvalidValue: A price is negative or not finite.
    """

    bonuses: tuple[float, ...] = ()
    diversity: float = 0.0

    def __post_init__(self) -> None:
        """Refuse prices that would pay for breaking a limit."""
        prices = np.array([*self.bonuses, self.diversity])
        if not (np.isfinite(prices) & (prices >= 0.0)).all():
            raise InvalidValue(
                f"prices {prices.tolist()}", field="limits", mend="Use finite numbers, 0 or more."
            )

    @classmethod
    def of(cls, parameters: Mapping[str, float], labels: tuple[str, ...]) -> "LimitPrices":
        """Those that `named` gave; without any where there is none of these names."""
        bonuses = tuple(parameters.get(f"bonus:{label}", 0.0) for label in labels)
        return cls(bonuses, parameters.get("diversity", 0.0))

    def named(self, labels: tuple[str, ...]) -> dict[str, float]:
        """The prices by name; ``labels`` are ``Constraints.labels``."""
        bonuses = {f"bonus:{k}": v for k, v in zip(labels, self.bonuses, strict=True)}
        return {**bonuses, "diversity": self.diversity}

    def slates(self, logged: LoggedPopulation, odds: FloatArray, value: FloatArray) -> IntArray:
        """The slates of largest value plus prices, ``(U, k)``.

        Exact for the choice model where diversity has no price. Else no swap of one item raises
        the mean value of a look plus the price of diversity, positions being looked at as in the
        position model; in a cascade or a logit that passes over what an item does to the looks at
        the others.

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
        if self.diversity > 0.0:
            looks = _looks(config.choice, config.slate_size)
            return joint_slates(value, self.diversity, looks, context)
        return best_slates(odds, value, context.valid, config.choice, config.slate_size)


NO_PRICES = LimitPrices()
"""Nothing is held."""


def _looks(choice: ChoiceConfig, k: int) -> FloatArray:
    """How much each position is looked at, ``(k,)``; as exposure is counted where that depends."""
    return discount(k, 1.0 if choice.model == "cascade" else choice.position_bias)
