"""The equations of T-RECS: pure functions over arrays.

Lucherini, Sun, Winecoff & Narayanan 2021, "T-RECS: a simulation tool to study the societal impact
of recommender systems", and its authors' code (elucherini/t-recs). ``U`` users, ``A`` attributes.
"""

import numpy as np

from ...arrays import FloatArray
from ...errors import InvalidValue

_SMALL = np.float32(1e-6)


def attention(k: int, exponent: float) -> FloatArray:
    """Factor on the score at each position, j ** exponent for j = 1 … k, shape ``(k,)``.

    Chaney, Stewart & Engelhardt 2018, "How algorithmic confounding in recommendation systems
    increases homogeneity and decreases utility". A negative exponent favours the top of the slate
    for scores above zero, and its end for scores below.
    """
    return (np.arange(1, k + 1, dtype=np.float64) ** exponent).astype(np.float32)


def slerp(profiles: FloatArray, targets: FloatArray, share: float) -> FloatArray:
    """Unit profiles turned by a share of the angle towards targets, of unit length, ``(U, A)``.

    Spherical linear interpolation: sin((1 − s)ω) / sin ω · profile + sin(sω) / sin ω · target.
    Where there is no angle, and for targets of length zero, the profile stays; the original
    divides by zero there.

    Args:
        profiles: Of length 1, shape ``(U, A)``.
        targets: Of any length, shape ``(U, A)``.
        share: Of the angle, 0 to 1.

    Raises:
        InvalidValue: A target points exactly away from its profile.
    """
    length = np.linalg.norm(targets, axis=1, keepdims=True)
    unit = targets / np.where(length == 0, np.float32(1.0), length)
    # Kahan's form of the angle: exact to rounding also where it is small.
    apart, along = (np.linalg.norm(profiles + sign * unit, axis=1) for sign in (-1.0, 1.0))
    angle = 2.0 * np.arctan2(apart, along)
    turns = (length[:, 0] > 0) & (apart > _SMALL)
    if (turns & (along <= _SMALL)).any():
        raise InvalidValue(
            "an item points exactly away from a user: which way to turn is not defined",
            field="drift",
        )
    angle = np.where(turns, angle, 1.0)
    stays = np.sin((1.0 - share) * angle) / np.sin(angle)
    goes = np.sin(share * angle) / np.sin(angle)
    turned = stays[:, None] * profiles + goes[:, None] * unit
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)  # rounding must not add up
    return np.where(turns[:, None], turned, profiles).astype(np.float32)
