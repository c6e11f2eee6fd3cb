"""Random numbers by counter: luck that belongs to a user, not to a batch.

Every uniform is a hash of (seed, stream, user, episode, visit, pool column). So a user meets the
same luck in any batch size, in any API and under any policy, and two policies can be compared
user by user. The hash is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators"), in vectorised numpy.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..arrays import FloatArray, IntArray

Keys = NDArray[np.uint64]

WORLD, SENSITIVITIES, CHOICES, VISITS, POLICY = range(5)

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LOW_BITS = np.uint64(0xFFFFFF)
_SCALE = np.float32(2.0**-24)


def stream_keys(seed: int, stream: int, users: IntArray) -> Keys:
    """One key per user for a named stream, shape ``(U,)``; equal user indices get equal keys."""
    root = np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64).astype(np.uint64)
    return derive(np.broadcast_to(root, users.shape), users)


def derive(keys: Keys, counters: IntArray) -> Keys:
    """Child keys: one hash of each key (broadcast) with a counter."""
    mixed = (counters.astype(np.uint64) + np.uint64(1)) * _GAMMA
    mixed = mixed + keys
    return _mix(mixed)


def uniforms(keys: Keys) -> FloatArray:
    """A float32 uniform in [0, 1) from the high 24 bits of each key."""
    return (keys >> np.uint64(40)).astype(np.float32) * _SCALE


def second_uniforms(keys: Keys) -> FloatArray:
    """A second float32 uniform in [0, 1), from 24 other bits of the same key."""
    return ((keys >> np.uint64(8)) & _LOW_BITS).astype(np.float32) * _SCALE


def normals(keys: Keys) -> FloatArray:
    """A float32 standard normal per key, by the inverse distribution function."""
    return ndtri((keys >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54).astype(
        np.float32
    )


def _mix(z: Keys) -> Keys:
    """SplitMix64's finaliser, in place."""
    shifted = z >> np.uint64(30)
    z ^= shifted
    z *= _FIRST
    np.right_shift(z, np.uint64(27), out=shifted)
    z ^= shifted
    z *= _SECOND
    np.right_shift(z, np.uint64(31), out=shifted)
    z ^= shifted
    return z
