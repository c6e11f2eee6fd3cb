"""Noise that belongs to a user and an item, not to a place in a batch."""

import numpy as np

from ..arrays import FloatArray, IntArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def keyed_uniforms(seed: int, users: IntArray, items: IntArray) -> FloatArray:
    """Uniform numbers in (0, 1) that depend on seed, user and item alone.

    However a batch is ordered or split, a user meets the same luck. Each number is a chained
    SplitMix64 hash (Steele, Lea & Flood, OOPSLA 2014) of the three keys.

    Args:
        seed: Drawn once per request from the caller's generator, 0 ≤ seed < 2^64.
        users: Shape ``(U,)``.
        items: Shape ``(U, n)``.

    Returns:
        Shape ``(U, n)``, float64.
    """
    per_user = _mix(_mix(np.full(1, seed, np.uint64)) ^ users.astype(np.uint64))
    bits = _mix(per_user[:, None] ^ items.astype(np.int64).astype(np.uint64))
    # The upper 53 bits, moved half a step from 0 so that logarithms stay finite.
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def draw_seed(rng: np.random.Generator) -> int:
    """One 64-bit seed for `keyed_uniforms`."""
    return int(rng.integers(0, 2**64, dtype=np.uint64))


def _mix(x: np.ndarray) -> np.ndarray:
    """The output function of SplitMix64; unsigned overflow wraps, as it is meant to."""
    z = x + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))
