"""How far recent slates stand above or below the constraints, and a hook for a controller."""

from typing import Protocol

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..rerankers.constraints import Constraints


class Controller(Protocol):
    """Watches the constraints over all users of a platform and may shift everyone's weights.

    ``C`` limits on slates: each floor or ceiling in order, then diversity. A level is the exposure
    share of what the limit lifts (a floor's group, all but a ceiling's), so that all of them ask
    for at least something. ``A`` weights: each scoring feature in order, then the diversity
    strength. Limits on engagement gaps are not among them: no slate shows one.
    """

    @property
    def gaps(self) -> FloatArray:
        """Level minus least level, shape ``(C,)``; part of what a policy observes."""
        ...

    def offsets(self) -> FloatArray:
        """Added to the weights of every user, shape ``(A,)`` or ``()``."""
        ...

    def update(self, measured: FloatArray, active: BoolArray) -> None:
        """Take in a batch of slates.

        Args:
            measured: Level of each limit, shape ``(U, C)``.
            active: Users that were shown a slate, shape ``(U,)``.
        """
        ...

    def reset(self) -> None:
        """Forget all slates, as before the first one."""
        ...


def constraint_targets(constraints: Constraints) -> FloatArray:
    """Least level of each limit, shape ``(C,)``; 0 for diversity where none is set."""
    floors = [limit.least for limit in constraints.exposure]
    return np.array([*floors, constraints.min_diversity or 0.0], np.float32)


class RunningGaps:
    """Measures and does not steer: exponential means over about the last ``window`` slates.

    Args:
        constraints: Limits and windows. A limit on diversity that is not set has gap 0.
    """

    def __init__(self, constraints: Constraints) -> None:
        self._targets = constraint_targets(constraints)
        windows = [limit.window for limit in constraints.exposure]
        self._windows = np.array([*windows, constraints.diversity_window], np.float64)
        self._bounded = np.array([True] * len(windows) + [constraints.min_diversity is not None])
        self.reset()

    @property
    def gaps(self) -> FloatArray:
        """Level minus least level, shape ``(C,)``; 0 before the first slate."""
        if self._seen == 0:
            return np.zeros(len(self._targets), np.float32)
        return np.where(self._bounded, self._means - self._targets, 0.0).astype(np.float32)

    def reset(self) -> None:
        """Forget all slates."""
        self._means = np.zeros(len(self._windows))
        self._seen = 0

    def offsets(self) -> FloatArray:
        """None: shape ``()``."""
        return np.zeros((), np.float32)

    def update(self, measured: FloatArray, active: BoolArray) -> None:
        """Move the means by a batch: plain means at first, exponential once a window is full."""
        n = int(active.sum())
        if n == 0:
            return
        self._seen += n
        weight = np.maximum(n / self._seen, 1.0 - np.exp(-n / self._windows))
        self._means += weight * (measured[active].mean(axis=0) - self._means)
