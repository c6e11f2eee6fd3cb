"""Which engine moves the users on: compiled where numba is installed, plain numpy anywhere."""

from importlib.util import find_spec
from typing import Literal

from ..errors import InvalidValue
from .numpy_engine import NumpyEngine
from .users import Engine, Lives

EngineName = Literal["compiled", "numpy"]


def make_engine(lives: Lives, name: str | None = None) -> Engine:
    """The engine of a name; compiled where that is possible, if None.

    Raises:
        InvalidValue: There is no such engine, or it needs what is not installed.
    """
    can_compile = find_spec("numba") is not None
    if name == "numpy" or (name is None and not can_compile):
        return NumpyEngine(lives)
    if name not in (None, "compiled") or not can_compile:
        raise InvalidValue(
            f"no engine {name!r} here",
            field="engine",
            mend="Use numpy, or install numba for the compiled one.",
        )
    from .compiled_engine import CompiledEngine

    return CompiledEngine(lives)
