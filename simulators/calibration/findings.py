"""What was learned of each parameter, and what stands where nothing was."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..config import WorldConfig


class Finding(BaseModel):
    """One parameter of the simulated world.

    Attributes:
        parameter: Its path in ``WorldConfig``, such as ``choice.position_bias``.
        identified: Whether the data say anything of it.
        value: Fitted, or the default that stands.
        low: Lower end of the 95% interval; None where it is not known.
        high: Upper end.
        unit: What is measured in what.
        source: How it was fitted; or where the default comes from.
        note: What limits the estimate; or why there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: str
    identified: bool
    value: float
    low: float | None = None
    high: float | None = None
    unit: str
    source: str
    note: str = ""


class Found(BaseModel):
    """An estimate before it is set beside the parameter's unit and default.

    Attributes:
        value: The estimate; None where the data say nothing.
        low: Lower end of its 95% interval.
        high: Upper end.
        how: How it was fitted.
        note: What limits it, or why there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None = None
    high: float | None = None
    how: str = ""
    note: str = ""


NOT_TRIED = Found(value=None, note="not estimated")


def with_values(config: WorldConfig, values: dict[str, object]) -> WorldConfig:
    """A configuration with some parameters, by path, set to other values."""
    plain = config.model_dump()
    for path, value in values.items():
        *parents, name = path.split(".")
        part = plain
        for parent in parents:
            part = part[parent]
        part[name] = value
    return WorldConfig.model_validate(plain)


def within_bounds(path: str, value: float) -> float:
    """The nearest value that ``WorldConfig`` allows."""
    for name, _, info in parameters(WorldConfig()):
        if name == path:
            low = next(m.ge for m in info.metadata if hasattr(m, "ge"))
            high = next(m.le for m in info.metadata if hasattr(m, "le"))
            return min(max(value, low), high)
    raise KeyError(path)


def tabulate_findings(config: WorldConfig, found: dict[str, Found]) -> tuple[Finding, ...]:
    """Every parameter, the identified ones first; ``config`` holds the values that stand."""
    rows = [_finding(path, value, info, found) for path, value, info in parameters(config)]
    return tuple(sorted(rows, key=lambda row: not row.identified))


def parameters(config: WorldConfig) -> Iterator[tuple[str, float, Any]]:
    """Path, value and pydantic's field of every numeric parameter."""
    yield from _parameters(config, "")


def _parameters(part: BaseModel, prefix: str) -> Iterator[tuple[str, float, Any]]:
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from _parameters(value, f"{prefix}{name}.")
        elif isinstance(info.json_schema_extra, dict) and "unit" in info.json_schema_extra:
            yield f"{prefix}{name}", float(value), info


def _finding(path: str, value: float, info: Any, found: dict[str, Found]) -> Finding:
    one = found.get(path, NOT_TRIED)
    said = info.json_schema_extra
    identified = one.value is not None
    return Finding(
        parameter=path,
        identified=identified,
        value=value,
        low=one.low if identified else None,
        high=one.high if identified else None,
        unit=str(said["unit"]),
        source=one.how if identified else str(said["source"]),
        note=one.note,
    )
