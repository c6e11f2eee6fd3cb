"""The package obp, whose estimators are the peer, and small worlds in which all can be listed."""

import importlib
import importlib.util
import sys
import types
import warnings
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def obp() -> Iterator[SimpleNamespace]:
    """obp's estimators themselves.

    ``obp.ope`` imports plotting libraries that nothing here needs, so its modules are loaded from
    their files, in packages of another name: elsewhere it is a test that nothing imports obp.
    """
    found = importlib.util.find_spec("obp")
    assert found is not None and found.origin is not None
    root = Path(found.origin).parent
    for name, folder in (("_obp", root), ("_obp.ope", root / "ope")):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = importlib.import_module("_obp.ope.estimators")
        slates = importlib.import_module("_obp.ope.estimators_slate")
    yield SimpleNamespace(whole=whole, slates=slates)
    for name in [name for name in sys.modules if name.split(".")[0] == "_obp"]:
        del sys.modules[name]


def ordered_slates(m: int, k: int) -> np.ndarray:
    """All slates of k different items out of m, shape ``(m! / (m - k)!, k)``."""
    return np.array(list(permutations(range(m), k)))


def plain_plackett_luce(logits: np.ndarray, slates: np.ndarray) -> np.ndarray:
    """The probability of each prefix of each slate, one user's logits ``(m,)``, by hand."""
    weights = np.exp(logits)
    out = np.empty(slates.shape)
    for row, slate in enumerate(slates):
        left, probability = weights.sum(), 1.0
        for j, item in enumerate(slate):
            probability *= weights[item] / left
            left -= weights[item]
            out[row, j] = probability
    return out
