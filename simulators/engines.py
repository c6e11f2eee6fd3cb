"""Which engine moves the users on: compiled where numba is installed, plain numpy anywhere."""

from importlib.util import find_spec
from typing import Literal

from ..errors import InvalidValue
from .numpy_engine import NumpyEngine
from .users import Engine, Lives

EngineName = Literal["compiled", "numpy"]


def usual_engine() -> EngineName:
    """The engine that is used where none is asked for."""
    return "compiled" if find_spec("numba") is not None else "numpy"


def make_engine(lives: Lives, name: str | None = None) -> Engine:
    """The engine of a name; compiled where that is possible, if None.

    Raises:
        InvalidValue: There is no such engine, or it needs what is not installed.
    """
    asked, name = name, name or usual_engine()
    if name == "numpy":
        return NumpyEngine(lives)
    if name != "compiled" or usual_engine() != "compiled":
        raise InvalidValue(
            f"no engine {asked!r} here",
            field="engine",
            mend="Use numpy, or install numba for the compiled one.",
        )
    from .compiled_engine import CompiledEngine

    return CompiledEngine(lives)
