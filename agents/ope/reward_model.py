"""A model's guesses of rewards, for the direct and the doubly robust methods."""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Guesses:
    """What a model says, shape ``(n,)`` for whole slates or ``(n, k)`` for `cascade-dr`.

    Attributes:
        shown: Guess for what was logged.
        target: Mean guess over what the target policy would show in the same state.
    """

    shown: FloatArray
    target: FloatArray

    def require_shape(self, shape: tuple[int, ...]) -> None:
        """Refuse another shape, NaN and infinity.

        Raises:
            InvalidValue: One of them.
        """
        for name, values in (("shown", self.shown), ("target", self.target)):
            if values.shape != shape:
                raise InvalidValue(
                    f"shape {values.shape}, expected {shape}",
                    field=f"guesses.{name}",
                    mend="Give one guess for each slate; for cascade-dr one for each position.",
                )
            if not np.isfinite(values).all():
                raise InvalidValue(
                    "holds NaN or infinity", field=f"guesses.{name}", mend="Give finite guesses."
                )

    def take(self, rows: np.ndarray) -> "Guesses":
        """Those for some slates."""
        return Guesses(self.shown[rows], self.target[rows])


def mean_guess(probabilities: FloatArray, guesses: FloatArray) -> FloatArray:
    """Mean of a model's guesses over a policy's choice, ``(n, A)`` twice to ``(n,)``."""
    return np.einsum("na,na->n", probabilities, guesses)


def ridge_guesses(
    shown: FloatArray,
    target: FloatArray,
    rewards: FloatArray,
    users: IntArray,
    penalty: float = 1.0,
    n_folds: int = 5,
    seed: int = 0,
) -> Guesses:
    """Guesses of a ridge regression that never saw the user it speaks of. O(n d² + folds d³).

    The regression is linear in the features, so its mean guess over the target's slates is its
    guess at their mean features. Users are split into folds and each fold is guessed by a model of
    the others (cross-fitting: Chernozhukov et al. 2018, "Double/debiased machine learning"), which
    keeps the doubly robust estimate unbiased.

    Args:
        shown: Features of user and logged slate, shape ``(n, d)``; a constant is added.
        target: Mean features over what the target would show, shape ``(n, d)``.
        rewards: Shape ``(n,)``.
        users: Who saw each slate, shape ``(n,)``.
        penalty: On squared coefficients of standardised features, per slate.
        n_folds: Folds, at least 2.
        seed: Of the split.

    Raises:
        InvalidValue: Fewer users than folds.
    """
    _, codes = np.unique(users, return_inverse=True)
    n_users = int(codes.max()) + 1
    if not 2 <= n_folds <= n_users:
        raise InvalidValue(
            f"{n_folds} folds for {n_users} users",
            field="n_folds",
            mend="Use at least 2 folds and as many users.",
        )
    fold = np.random.default_rng(seed).permutation(np.arange(n_users) % n_folds)[codes]
    guesses = Guesses(np.empty(len(rewards)), np.empty(len(rewards)))
    for number in range(n_folds):
        held = fold == number
        centre, slope, mean = _ridge(shown[~held], rewards[~held], penalty)
        guesses.shown[held] = mean + (shown[held] - centre) @ slope
        guesses.target[held] = mean + (target[held] - centre) @ slope
    return guesses


def _ridge(
    features: FloatArray, rewards: FloatArray, penalty: float
) -> tuple[FloatArray, FloatArray, float]:
    """Centre of the features, coefficients, and the guess at the centre."""
    centre, mean = features.mean(axis=0), float(rewards.mean())
    scale = features.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    x = (features - centre) / scale
    gram = x.T @ x + penalty * np.eye(x.shape[1])
    return centre, np.linalg.solve(gram, x.T @ (rewards - mean)) / scale, mean
