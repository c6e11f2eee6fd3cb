"""What users answer to a look, as a platform can learn it from its log: two logistic models.

The chance that a look becomes a click, and the satisfaction that a click is expected to bring, each
follow from the scoring features of a candidate. Their product is the reward that one look at the
candidate is expected to bring *now*. The same with nothing shown or chosen lately is what it would
bring *at rest*; what showing it now forgoes is in proportion to that. A linear re-ranker weighs
both (``REWARD`` of `rerankers.features`): the reward now less a price of the reward at rest is the
index of a recovering bandit (Pike-Burke & Grünewälder 2019, "Recovering Bandits"; Whittle 1988,
"Restless Bandits: Activity Allocation in a Changing World"), with one price for all in the place of
an index for each state.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import FloatArray
from ..errors import InvalidValue


@dataclass(frozen=True, slots=True)
class ResponseModel:
    """Weights of both models over the features in ``LOGGED`` of `rerankers.features`.

    Attributes:
        click: Log-odds that a look becomes a click, shape ``(L,)``, float32.
        click_at_zero: The same where all features are 0.
        worth: Log-odds of a click's satisfaction, shape ``(L,)``, float32.
        worth_at_zero: The same where all features are 0.
    """

    click: FloatArray
    click_at_zero: float
    worth: FloatArray
    worth_at_zero: float

    def __post_init__(self) -> None:
        """Refuse what gives no probabilities.

        Raises:
            InvalidValue: The two differ in length, or a number is not finite.
        """
        if self.click.ndim != 1 or self.click.shape != self.worth.shape:
            raise InvalidValue(
                f"click weights of shape {self.click.shape}, worth weights of {self.worth.shape}",
                field="response",
            )
        if not np.isfinite(self.vector()).all():
            raise InvalidValue("a weight is not finite", field="response")

    def vector(self) -> FloatArray:
        """All numbers in one array, shape ``(2 L + 2,)``, float32: click, then worth."""
        parts = (self.click, [self.click_at_zero], self.worth, [self.worth_at_zero])
        return np.concatenate(parts).astype(np.float32)

    @classmethod
    def of_vector(cls, vector: FloatArray) -> "ResponseModel":
        """The model of what `vector` gave.

        Raises:
            InvalidValue: The vector has an odd length or is too short.
        """
        if vector.ndim != 1 or len(vector) < 2 or len(vector) % 2:
            raise InvalidValue(f"a vector of shape {vector.shape}", field="response")
        click, worth = vector.astype(np.float32).reshape(2, -1)
        return cls(click[:-1], float(click[-1]), worth[:-1], float(worth[-1]))
