"""What RecBole 1.2.1 needs of numpy and scipy, given back before its first import.

Imported by the worker process alone: it changes both modules for the whole process.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
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
    pd.read_csv = _quick_read_csv(pd.read_csv)
    if not hasattr(sp.dok_matrix, "_update"):
        sp.dok_matrix._update = _update  # pyright: ignore[reportAttributeAccessIssue]  # restored


def _quick_read_csv(read_csv: Callable[..., Any]) -> Callable[..., Any]:
    """RecBole asks for pandas' Python parser, which takes ten times as long for the same table."""

    @functools.wraps(read_csv)
    def quick(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("engine") == "python" and kwargs.get("delimiter") == "\t":
            kwargs["engine"] = "c"
        return read_csv(*args, **kwargs)

    return quick


def _update(matrix: sp.dok_matrix, data: dict[tuple[int, int], float]) -> None:
    """Set many cells at once; graph models of RecBole fill their adjacency with it."""
    matrix._dict.update(data)  # pyright: ignore  # the cells of a dok_matrix have no public name
