"""Random numbers by counter: luck that belongs to a user, not to a batch.

Every uniform is a hash of (seed, stream, user, episode, visit, item). So a user meets the
same luck in any batch size, in any API and under any policy, and two policies can be compared
user by user. The hash is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators"), in vectorised numpy.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..arrays import FloatArray, IntArray

Keys = NDArray[np.uint64]

WORLD, SENSITIVITIES, CHOICES, VISITS, POLICY, PROVIDERS, ARRIVALS, RATINGS = range(8)

GAMMA = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
NEXT_VISIT = np.uint64(0xD1342543DE82EF95)  # not GAMMA: visits and items must not collide
_FORWARD = -1 if sys.byteorder == "little" else 1  # the upper half of a key comes first
BELL_SCALE = np.float32((4 * (65536.0**2 - 1) / 12) ** -0.5)
SCALE = np.float32(2.0**-24)


def stream_keys(seed: int, stream: int, users: IntArray) -> Keys:
    """One key per user for a named stream, shape ``(U,)``; equal user indices get equal keys."""
    root = np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64).astype(np.uint64)
    return derive(np.broadcast_to(root, users.shape), users)


def derive(keys: Keys, counters: IntArray) -> Keys:
    """Child keys: one hash of each key (broadcast) with a counter."""
    return _mix(salts(counters) + keys)


def salts(counters: IntArray) -> Keys:
    """What each counter adds to a key before it is hashed; see ``hashed``."""
    return (counters.astype(np.uint64) + np.uint64(1)) * GAMMA


def visit_key(roots: Keys, episode: IntArray, visit: int = 0) -> Keys:
    """Each user's key of a visit, shape ``(U,)``; not hashed yet: see ``hashed``."""
    counter = (episode.astype(np.uint64) << np.uint64(20)) + np.uint64(visit)
    return roots + counter * NEXT_VISIT


def next_visit(keys: Keys) -> None:
    """Move keys of ``visit_key`` to the next visit of the same episode, in place."""
    keys += NEXT_VISIT


def hashed(keys: Keys) -> tuple[Keys, FloatArray]:
    """Hash sums of a ``visit_key`` and ``salts``, in place.

    Returns:
        The keys, from which more can be derived, and two float32 uniforms in [0, 1) of each, from
        its high and its low half: ``uniforms`` and another one, of shape ``(…, 2)``.
    """
    halves = _mix(keys).view(np.uint32).reshape(*keys.shape, 2)
    both = (halves >> np.uint32(8)).astype(np.float32)
    both *= SCALE
    return keys, both[..., ::_FORWARD]


def uniforms(keys: Keys) -> FloatArray:
    """A float32 uniform in [0, 1) from the high 24 bits of each key."""
    return (keys >> np.uint64(40)).astype(np.float32) * SCALE


def normals(keys: Keys) -> FloatArray:
    """A float32 standard normal per key, by the inverse distribution function."""
    return ndtri((keys >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54).astype(
        np.float32
    )


def bell(keys: Keys) -> FloatArray:
    """A float32 of mean 0, variance 1 and a bell shape within ±3.5 per key; cheaper than a normal.

    The sum of four 16-bit uniforms, scaled (Irwin-Hall): excess kurtosis -0.3.
    """
    parts = keys.view(np.uint16).reshape(*keys.shape, 4)
    total = parts.sum(axis=-1, dtype=np.int32)
    total -= np.int32(2 * 65535)
    return total.astype(np.float32) * BELL_SCALE


def _mix(z: Keys) -> Keys:
    """SplitMix64's finaliser, in place."""
    shifted = z >> np.uint64(30)
    z ^= shifted
    z *= FIRST_FACTOR
    np.right_shift(z, np.uint64(27), out=shifted)
    z ^= shifted
    z *= SECOND_FACTOR
    np.right_shift(z, np.uint64(31), out=shifted)
    z ^= shifted
    return z
