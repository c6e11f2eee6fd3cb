"""Users, items and what passed between them, as arrays."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Dataset:
    """Interactions of users with items, and the attributes of both.

    Attributes:
        name: Name of the data set, such as ``"ml-100k"``.
        user_ids: Public user ids, shape ``(U,)``, strings.
        item_ids: Public item ids, shape ``(I,)``, strings.
        user: User index of each interaction, shape ``(R,)``.
        item: Item index of each interaction, shape ``(R,)``.
        rating: Rating of each interaction, shape ``(R,)``, finite.
        timestamp: Unix seconds of each interaction, shape ``(R,)``.
        user_attributes: One row per user, in the order of ``user_ids``.
        item_attributes: One row per item, in the order of ``item_ids``.
    """

    name: str
    user_ids: np.ndarray
    item_ids: np.ndarray
    user: IntArray
    item: IntArray
    rating: FloatArray
    timestamp: FloatArray
    user_attributes: pd.DataFrame
    item_attributes: pd.DataFrame
