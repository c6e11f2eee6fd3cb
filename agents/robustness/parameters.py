"""The parameters of a world by name, such as ``"satiation.strength"``: their bounds and values.

What ``simulators.config`` declares with ``parameter`` can be varied, but for the ``tastes``: these
are part of what `fit_world` makes of the data. How well a world knows its users' tastes is varied
by noise on what it made of them instead (`worlds.with_taste_noise`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from ...errors import InvalidValue
from ...simulators.config import WorldConfig

FITTED = "tastes"
"""Part of the configuration that only a new fit can vary."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the world.

    Attributes:
        name: ``"<part>.<field>"``, or the field alone where it stands at the top.
        unit: What it counts, and what it means.
        least: Smallest value that is allowed.
        most: Largest value that is allowed.
    """

    name: str
    unit: str
    least: float
    most: float

    def bounded(self, value: float) -> float:
        """The value, or the nearest one that is allowed."""
        return min(max(value, self.least), self.most)


@cache
def known_parameters() -> dict[str, Parameter]:
    """Every parameter that can be varied without a new fit, in the order of the configuration."""
    return {p.name: p for p in _declared(WorldConfig, "") if not p.name.startswith(f"{FITTED}.")}


def parameter(name: str) -> Parameter:
    """The parameter of that name.

    Raises:
        InvalidValue: There is none, or only a new fit can vary it.
    """
    known = known_parameters()
    if name in known:
        return known[name]
    if name.startswith(f"{FITTED}."):
        raise InvalidValue(
            f"{name} is part of the fit to the data",
            field="parameter",
            mend="Vary the noise on tastes instead, or fit another world.",
        )
    raise InvalidValue(
        f"no parameter {name!r}", field="parameter", mend=f"Use one of {', '.join(known)}."
    )


def value_of(config: WorldConfig, name: str) -> float:
    """The value of a parameter.

    Raises:
        InvalidValue: There is no such parameter.
    """
    value: Any = config
    for part in parameter(name).name.split("."):
        value = getattr(value, part)
    return float(value)


def scaled(config: WorldConfig, factors: Mapping[str, float]) -> WorldConfig:
    """The configuration with some parameters multiplied, as far as their bounds allow.

    Raises:
        InvalidValue: There is no such parameter.
    """
    values: dict[str, Any] = config.model_dump()
    for name, factor in factors.items():
        known = parameter(name)
        *parts, field = name.split(".")
        holder = values
        for part in parts:
            holder = holder[part]
        holder[field] = known.bounded(factor * value_of(config, name))
    return WorldConfig.model_validate(values)


def acting(config: WorldConfig) -> tuple[str, ...]:
    """Parameters that change anything in this world: those of what is switched on, and not 0."""
    choice = config.choice.model
    silent = {
        "choice.position_bias": choice == "cascade",
        "choice.continue_after_click": choice != "cascade",
        "choice.continue_after_skip": choice != "cascade",
        "choice.no_click": choice != "logit",
    }
    return tuple(
        name
        for name in known_parameters()
        if not silent.get(name, False)
        and getattr(getattr(config, name.split(".")[0]), "enabled", True)
        and value_of(config, name) != 0.0
    )


def _declared(model: type[BaseModel], prefix: str) -> list[Parameter]:
    """Parameters of a part and of the parts within it."""
    found: list[Parameter] = []
    for name, info in model.model_fields.items():
        kind, extra = info.annotation, info.json_schema_extra
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += _declared(kind, f"{prefix}{name}.")
        elif isinstance(extra, dict) and extra.get("perturb"):
            bounds: dict[str, float] = {}
            for limit in info.metadata:
                bounds.update({k: getattr(limit, k) for k in ("ge", "le") if hasattr(limit, k)})
            unit = str(extra["unit"])
            found.append(Parameter(f"{prefix}{name}", unit, bounds["ge"], bounds["le"]))
    return found
