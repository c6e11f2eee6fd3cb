"""Array types shared by all rooms.

Shapes are written in docstrings with these letters: ``U`` users in a batch, ``N`` candidates per
user, ``k`` slate positions, ``I`` items in the catalogue, ``T`` topics (genres), ``G`` groups,
``F`` scoring features.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

PAD = -1
"""Item index that fills the unused columns of a ragged batch."""

MISSING = -1
"""Group code of a user or item whose attribute is not known."""
