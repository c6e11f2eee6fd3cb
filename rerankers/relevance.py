"""Base scores on common scales: what re-rankers weigh against everything else."""

from typing import Literal

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue

RelevanceScale = Literal["scaled", "raw"]
"""``"scaled"``: base scores scaled to [0, 1] within each pool. ``"raw"``: as they are."""


def relevance(pools: CandidatePools, scale: RelevanceScale = "scaled") -> FloatArray:
    """Relevance of every candidate, float64, shape ``(U, N)``, not negative; 0 in padding.

    Raises:
        InvalidValue: Raw scores are asked for and one of them is negative.
    """
    if scale == "scaled":
        return scaled_relevance(pools.scores, pools.valid).astype(np.float64)
    raw = np.where(pools.valid, pools.scores, 0.0).astype(np.float64)
    if (raw < 0).any():
        raise InvalidValue(
            f"raw relevance must not be negative, and a score is {float(raw.min()):g}",
            field="pools.scores",
            mend="Use the scale 'scaled', or give scores that mean gain.",
        )
    return raw


def scaled_relevance(scores: FloatArray, valid: BoolArray) -> FloatArray:
    """Scores scaled to [0, 1] within each pool, float32 ``(U, N)``; 0 where all are equal."""
    low = np.where(valid, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    high = np.where(valid, scores, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    span = np.where(high > low, high - low, 1.0)
    return (np.where(valid, scores - low, 0.0) / span).astype(np.float32)


def standardised(scores: FloatArray, valid: BoolArray) -> FloatArray:
    """Mean 0 and standard deviation 1 within each pool, float64; 0 where all are equal."""
    n = np.maximum(valid.sum(axis=1, keepdims=True), 1)
    mean = np.where(valid, scores, 0.0).sum(axis=1, keepdims=True) / n
    centred = np.where(valid, scores - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / n)
    return centred / np.where(spread > 0, spread, 1.0)
