"""Choice models: how a slate is looked at, and what is clicked.

Each gives the exact marginal probability that a position is looked at and clicked, and draws
clicks from that very law with luck that belongs to user, visit and item, so that two policies
that show a user the same item meet the same luck.

Sources:
    Craswell, Zoeter, Taylor & Ramsey 2008, "An experimental comparison of click position-bias
    models": position-based and cascade.
    Guo, Liu & Wang 2009, "Efficient multiple-click models in web search": reading on after a
    click. Chapelle & Zhang 2009, "A dynamic Bayesian network click model for web search ranking":
    giving up without one.
    McFadden 1974, "Conditional logit analysis of qualitative choice behavior", with no click as an
    alternative; drawn by the largest of utility plus Gumbel noise.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arrays import BoolArray, FloatArray
from . import randomness
from .config import ChoiceConfig

_ONE = np.float32(1.0)
_PATIENCE, _NOTHING = np.zeros(1, np.int64), np.ones(1, np.int64)  # which further luck
SMALLEST = np.float32(2.0**-25)  # below the smallest uniform above 0


class ChoiceModel(Protocol):
    """``U`` users, ``k`` positions, float32 throughout.

    ``appeal`` (U, k) are the click log-odds of the items shown, ``attraction`` (U, k) their
    logistic function: the probability of a click once looked at.
    """

    def examination(self, attraction: FloatArray) -> FloatArray:
        """Probability that each position is looked at, shape ``(U, k)`` or ``(k,)``."""
        ...

    def clicks(self, appeal: FloatArray, attraction: FloatArray) -> FloatArray:
        """Probability of a click at each position, shape ``(U, k)``."""
        ...

    def draw(
        self,
        appeal: FloatArray,
        attraction: FloatArray,
        click: FloatArray,
        uniforms: FloatArray,
        keys: randomness.Keys,
        visit: randomness.Keys,
    ) -> BoolArray:
        """Draw the clicks, shape ``(U, k)``.

        Args:
            appeal: Log-odds.
            attraction: Their logistic function.
            click: What ``clicks`` returned.
            uniforms: In [0, 1), one per item shown, shape ``(U, k)``.
            keys: From which more luck can be derived, one per item shown, shape ``(U, k)``.
            visit: The same, one per user, shape ``(U,)``.
        """
        ...


def make_choice(config: ChoiceConfig, k: int) -> ChoiceModel:
    """The choice model that a configuration names, for slates of ``k``."""
    looks = discount(k, config.position_bias)
    if config.model == "cascade":
        return Cascade(
            np.float32(config.continue_after_click), np.float32(config.continue_after_skip)
        )
    if config.model == "logit":
        return Logit(np.log(looks), np.float32(config.no_click))
    return PositionBased(looks)


def discount(k: int, position_bias: float) -> FloatArray:
    """(1 / log2(j + 1)) ** position_bias for positions j = 1 … k, shape ``(k,)``.

    The propensity form of Joachims, Swaminathan & Schnabel 2017, "Unbiased learning-to-rank with
    biased feedback", over the discount that measures exposure (Singh & Joachims 2018, "Fairness of
    exposure in rankings"). The first position has 1.
    """
    return (1.0 / np.log2(np.arange(2, k + 2)) ** position_bias).astype(np.float32)


@dataclass(frozen=True, slots=True)
class PositionBased:
    """Looked at with a probability of the position, then clicked or not, each on its own.

    Attributes:
        looks: Probability that each position is looked at, shape ``(k,)``.
    """

    looks: FloatArray

    def examination(self, attraction: FloatArray) -> FloatArray:
        """See ``ChoiceModel``."""
        return self.looks

    def clicks(self, appeal: FloatArray, attraction: FloatArray) -> FloatArray:
        """See ``ChoiceModel``."""
        return attraction * self.looks

    def draw(
        self,
        appeal: FloatArray,
        attraction: FloatArray,
        click: FloatArray,
        uniforms: FloatArray,
        keys: randomness.Keys,
        visit: randomness.Keys,
    ) -> BoolArray:
        """See ``ChoiceModel``."""
        return uniforms < click


@dataclass(frozen=True, slots=True)
class Cascade:
    """Read from the top; after each item the user reads on, or stops.

    P(examine j) = Π_{i<j} [a_i · after_click + (1 − a_i) · after_skip], with attractions a.
    ``after_click`` 0 and ``after_skip`` 1 is the cascade of Craswell et al. 2008.
    """

    after_click: np.float32
    after_skip: np.float32

    def examination(self, attraction: FloatArray) -> FloatArray:
        """See ``ChoiceModel``."""
        reads_on = self.after_skip + (self.after_click - self.after_skip) * attraction[:, :-1]
        looks = np.ones_like(attraction)
        np.cumprod(reads_on, axis=1, out=looks[:, 1:])
        return looks

    def clicks(self, appeal: FloatArray, attraction: FloatArray) -> FloatArray:
        """See ``ChoiceModel``."""
        return attraction * self.examination(attraction)

    def draw(
        self,
        appeal: FloatArray,
        attraction: FloatArray,
        click: FloatArray,
        uniforms: FloatArray,
        keys: randomness.Keys,
        visit: randomness.Keys,
    ) -> BoolArray:
        """See ``ChoiceModel``."""
        would = uniforms < attraction
        patience = randomness.uniforms(randomness.derive(keys, _PATIENCE))
        stops = patience >= np.where(would, self.after_click, self.after_skip)
        reached = np.ones_like(would)
        np.logical_and.accumulate(~stops[:, :-1], axis=1, out=reached[:, 1:])
        return would & reached


@dataclass(frozen=True, slots=True)
class Logit:
    """Multinomial logit: at most one item is chosen, among all of the slate and nothing.

    P(j) = exp(appeal_j + bias_j) / (exp(no_click) + Σ_i exp(appeal_i + bias_i)). Every position
    counts as looked at; the bias of the position acts on the odds.

    Attributes:
        bias: Added to the log-odds by position, shape ``(k,)``.
        no_click: Log-odds of choosing nothing.
    """

    bias: FloatArray
    no_click: np.float32

    def examination(self, attraction: FloatArray) -> FloatArray:
        """See ``ChoiceModel``."""
        return np.ones_like(attraction)

    def clicks(self, appeal: FloatArray, attraction: FloatArray) -> FloatArray:
        """See ``ChoiceModel``."""
        utility = appeal + self.bias
        largest = np.maximum(utility.max(axis=1, keepdims=True), self.no_click)
        odds = np.exp(utility - largest)
        return odds / (odds.sum(axis=1, keepdims=True) + np.exp(self.no_click - largest))

    def draw(
        self,
        appeal: FloatArray,
        attraction: FloatArray,
        click: FloatArray,
        uniforms: FloatArray,
        keys: randomness.Keys,
        visit: randomness.Keys,
    ) -> BoolArray:
        """See ``ChoiceModel``."""
        idle = randomness.uniforms(randomness.derive(visit, _NOTHING))
        utility = appeal + self.bias + _gumbel(uniforms)
        best = utility.argmax(axis=1)[:, None]
        clicked = np.take_along_axis(utility, best, axis=1)[:, 0] > self.no_click + _gumbel(idle)
        drawn = np.zeros(appeal.shape, np.bool_)
        np.put_along_axis(drawn, best, clicked[:, None], axis=1)
        return drawn


def _gumbel(uniforms: FloatArray) -> FloatArray:
    """Standard Gumbel noise, by inversion."""
    u = np.clip(uniforms, SMALLEST, _ONE - SMALLEST * 2)
    return -np.log(-np.log(u))
