"""One hash for everything that a result was made from."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("agents", "simulators", "rerankers", "candidates", "metrics")
LIBRARIES = ("numpy", "scipy", "torch", "stable-baselines3", "cma", "numba")


def digest(value: Any) -> str:
    """SHA-256 of a value's content, hexadecimal; equal in every process.

    Takes numbers, strings, arrays, and configurations, dataclasses and collections of these. Sets
    are hashed by their sorted members: their own order differs between processes.

    Raises:
        TypeError: The value holds something else.
    """
    if isinstance(value, np.ndarray):
        plain = value.tolist() if value.dtype == object else np.ascontiguousarray(value).tobytes()
        return _joined("array", str(value.dtype), str(value.shape), _text(plain))
    if isinstance(value, BaseModel):
        return _joined(type(value).__name__, digest(dict(value)))
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: getattr(value, f.name) for f in fields(value)}
        return _joined(type(value).__name__, digest(content))
    if isinstance(value, Mapping):
        pairs = sorted((str(name), digest(entry)) for name, entry in value.items())
        return _joined("mapping", *(part for pair in pairs for part in pair))
    if isinstance(value, set | frozenset):
        return _joined("set", *sorted(digest(entry) for entry in value))
    if isinstance(value, list | tuple):
        return _joined("sequence", *(digest(entry) for entry in value))
    if value is None or isinstance(value, bool | int | float | str | np.generic):
        return _joined(type(value).__name__, _text(value))
    raise TypeError(f"no hash is defined for {type(value).__name__}")


@cache
def code_digest() -> str:
    """SHA-256 over the code that tunes and learns, and the versions of what it computes with."""
    files = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    parts = [(path.relative_to(ROOT).as_posix(), path.read_text()) for path in files]
    return digest([parts, [(name, _version(name)) for name in LIBRARIES]])


def _joined(*parts: str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode()
        whole.update(len(data).to_bytes(8, "big"))  # so that no two lists of parts look alike
        whole.update(data)
    return whole.hexdigest()


def _text(value: Any) -> str:
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else repr(value)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # numba may be absent, and numpy does the same without it
        return "absent"
