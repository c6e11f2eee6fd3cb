"""What every re-ranker's configuration can do: make its re-ranker, and be swept in strength."""

from abc import ABC, abstractmethod
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from ..errors import InvalidValue
from .base import Reranker
from .knowledge import Knowledge


class RerankerSettings(BaseModel, ABC):
    """Base of all configurations: frozen, finite, refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @abstractmethod
    def make(self, knowledge: Knowledge) -> Reranker:
        """The re-ranker with these settings, without hard filters (see `make_reranker`).

        Raises:
            InvalidValue: The settings name what the knowledge does not hold.
        """

    @abstractmethod
    def _scaled(self, strength: float) -> Self:
        """These settings with their effect scaled, ``strength`` in [0, 1]."""

    def at_strength(self, strength: float) -> Self:
        """These settings with less or more effect: one point of an accuracy-fairness frontier.

        Args:
            strength: 0 keeps the base order (the slates of top-k); 1 is the full effect, as far as
                the definition or these settings let it go.

        Raises:
            InvalidValue: ``strength`` lies outside [0, 1].
        """
        if not 0.0 <= strength <= 1.0:
            raise InvalidValue(f"strength is {strength}", field="strength", mend="Use [0, 1].")
        return self._scaled(strength)

    def changed(self, **values: Any) -> Self:
        """A validated copy with other values."""
        return type(self).model_validate({**self.model_dump(), **values})
