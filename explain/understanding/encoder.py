"""What this room needs of a sentence encoder; which one it is, is decided above."""

from collections.abc import Sequence
from typing import Protocol

from ...arrays import FloatArray


class Encoder(Protocol):
    """Turns texts into vectors whose cosine says how near they are in meaning."""

    @property
    def name(self) -> str:
        """For the records."""
        ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """One unit vector per text, shape ``(n, D)``; the same text gives the same vector."""
        ...
