"""What RecBole 1.2.1 needs of numpy and scipy, given back before its first import.

Imported by the worker process alone: it changes both modules for the whole process.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp


def apply() -> None:
    """Restore the names that numpy 2 and scipy 1.13 removed and RecBole still uses."""
    removed: dict[str, Any] = {
        "float_": np.float64,
        "complex_": np.complex128,
        "unicode_": np.str_,
    }
    for name, value in removed.items():
        if not hasattr(np, name):
            setattr(np, name, value)
    if not hasattr(sp.dok_matrix, "_update"):
        sp.dok_matrix._update = _update  # pyright: ignore[reportAttributeAccessIssue]  # restored


def _update(matrix: sp.dok_matrix, data: dict[tuple[int, int], float]) -> None:
    """Set many cells at once; graph models of RecBole fill their adjacency with it."""
    matrix._dict.update(data)  # pyright: ignore  # the cells of a dok_matrix have no public name
