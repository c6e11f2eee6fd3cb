"""How users of a replica react to a slate: a choice model, what it makes of it, and its luck."""

from dataclasses import dataclass

from ...arrays import BoolArray, FloatArray, IntArray
from .. import randomness
from ..choice import ChoiceModel


@dataclass(frozen=True, slots=True)
class VisitKeys:
    """Roots of one visit's luck, each of shape ``(U,)``.

    Attributes:
        choices: For what is clicked.
        visits: For what else happens to the user.
    """

    choices: randomness.Keys
    visits: randomness.Keys


@dataclass(frozen=True, slots=True)
class Response:
    """How users would react to a slate now.

    Attributes:
        choice: The choice model.
        appeal: Its log-odds or scores of the items shown, shape ``(U, k)``.
        attraction: What it makes of them one by one, shape ``(U, k)``; see ``ChoiceModel``.
        click: Probability of a click at each position, shape ``(U, k)``.
        looks: Probability that each position is looked at, shape ``(U, k)`` or ``(k,)``.
        reward: What a click brings, in the original's own unit, shape ``(U, k)``.
    """

    choice: ChoiceModel
    appeal: FloatArray
    attraction: FloatArray
    click: FloatArray
    looks: FloatArray
    reward: FloatArray

    @classmethod
    def of(
        cls, choice: ChoiceModel, appeal: FloatArray, attraction: FloatArray, reward: FloatArray
    ) -> "Response":
        """What a choice model makes of a slate."""
        click, looks = choice.clicks(appeal, attraction), choice.examination(attraction)
        return cls(choice, appeal, attraction, click, looks, reward)

    def draw(self, columns: IntArray, keys: VisitKeys) -> BoolArray:
        """Clicks, with luck that belongs to user, visit and column, shape ``(U, k)``."""
        luck = randomness.derive(keys.choices[:, None], columns)
        uniforms = randomness.uniforms(luck)
        return self.choice.draw(
            self.appeal, self.attraction, self.click, uniforms, luck, keys.visits
        )
