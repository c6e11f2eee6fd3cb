"""Every re-ranker by name: its settings, where it is from, and how to configure it."""

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from ..config_files import validate
from ..errors import InvalidValue
from .config import RerankerSettings
from .factory import RerankerConfig


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a re-ranker.

    Attributes:
        name: As in a configuration file.
        default: Its default, as JSON would write it.
        meaning: What it does, in words.
    """

    name: str
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A re-ranker as the list of all shows it.

    Attributes:
        name: The value of ``algorithm``.
        origin: What it is, and the paper it is from.
        settings: Its settings.
    """

    name: str
    origin: str
    settings: tuple[Setting, ...]


def algorithms() -> dict[str, type[RerankerSettings]]:
    """The configuration class of every re-ranker that the factory knows, by name."""
    return {kind.model_fields["algorithm"].default: kind for kind in _members(RerankerConfig)}


def configured(name: str, settings: Mapping[str, Any] | None = None) -> RerankerSettings:
    """The configuration of a re-ranker with these settings, the others at their defaults.

    Raises:
        InvalidValue: There is no such re-ranker, or a setting or its value is refused.
    """
    kinds = algorithms()
    if name not in kinds:
        raise InvalidValue(
            f"no re-ranker named {name!r}", field="algorithm", mend=f"Use {', '.join(kinds)}."
        )
    return validate(kinds[name], {**(settings or {}), "algorithm": name})


def on_attributes(
    config: RerankerSettings, item_attribute: str | None, user_attribute: str | None
) -> RerankerSettings:
    """The same configuration about other groups, where it is about groups at all.

    Args:
        config: Any re-ranker's.
        item_attribute: Replaces its groups of items; kept as they are where None.
        user_attribute: Replaces its groups of users; kept as they are where None.
    """
    wanted = {
        "attribute": item_attribute,
        "item_attribute": item_attribute,
        "user_attribute": user_attribute,
    }
    known = type(config).model_fields
    changes = {field: name for field, name in wanted.items() if name is not None and field in known}
    return config.changed(**changes) if changes else config


def described() -> tuple[Algorithm, ...]:
    """Every re-ranker with its origin and settings, in the order of the factory."""
    return tuple(_describe(name, kind) for name, kind in algorithms().items())


def _describe(name: str, kind: type[RerankerSettings]) -> Algorithm:
    module = sys.modules[kind.__module__].__doc__ or kind.__doc__ or ""
    meanings: dict[str, str] = {}
    for ancestor in reversed(kind.__mro__):
        meanings |= _attributes(ancestor.__dict__.get("__doc__") or "")
    defaults = kind().model_dump(mode="json")
    settings = tuple(
        Setting(field, defaults[field], meanings.get(field, ""))
        for field in kind.model_fields
        if field != "algorithm"
    )
    return Algorithm(name, " ".join(inspect.cleandoc(module).split("\n\n")[0].split()), settings)


def _attributes(text: str) -> dict[str, str]:
    """The entries under ``Attributes:`` of a docstring in Google's style."""
    lines = inspect.cleandoc(text).splitlines()
    if "Attributes:" not in lines:
        return {}
    found: dict[str, str] = {}
    name = ""
    for line in lines[lines.index("Attributes:") + 1 :]:
        if line and not line.startswith("    "):
            break
        entry = line[4:]
        if entry and not entry.startswith(" "):
            name, _, first = entry.partition(":")
            found[name] = first.strip()
        elif entry.strip():
            found[name] += " " + entry.strip()
    return found


def _members(annotation: Any) -> Iterator[type[RerankerSettings]]:
    """The classes of a union, however it is nested or annotated."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation
