"""Who is in a canary: by a hash, so that nobody changes sides and nothing need be stored."""

import hashlib
from collections.abc import Sequence

import numpy as np

from ...arrays import BoolArray
from ...errors import InvalidValue

_STEPS = 2**64


def in_canary(user_ids: Sequence[str], share: float, salt: str) -> BoolArray:
    """Which users the new policy serves, shape ``(U,)``.

    Users of different salts are assigned independently; a larger share keeps those of a smaller
    one and adds others.

    Args:
        user_ids: Public ids.
        share: Probability of each user.
        salt: Different for each canary, such as the policy's version; without one the same users
            would try everything.

    Raises:
        InvalidValue: The share is not within 0 and 1.
    """
    if not 0.0 <= share <= 1.0:
        raise InvalidValue(f"share is {share}", field="share", mend="Use one from 0 to 1.")
    below = int(share * _STEPS)
    return np.array([_number(user, salt) < below for user in user_ids], np.bool_)


def _number(user_id: str, salt: str) -> int:
    key = hashlib.sha256(salt.encode()).digest()  # fixed length: no salt and id can run together
    digest = hashlib.blake2b(user_id.encode(), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big")
