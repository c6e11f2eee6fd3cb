"""Reading YAML files into validated configurations, with errors that name the field."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from .errors import InvalidValue

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping.

    Raises:
        InvalidValue: The file cannot be read or holds something else.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidValue(
            f"cannot be read: {error}", field=str(path), mend="Give a readable YAML file."
        ) from None
    if not isinstance(values, dict):
        raise InvalidValue("holds no mapping", field=str(path), mend="Write `key: value` lines.")
    return values


def validate(kind: type[Model], values: dict[str, Any], name: str = "settings") -> Model:
    """A validated configuration.

    Args:
        kind: What it is to become.
        values: As read from a file.
        name: What to call the whole in an error that concerns no single field.

    Raises:
        InvalidValue: Names the first key or value that was refused.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or name
        unknown = first["type"] == "extra_forbidden" and len(first["loc"]) == 1
        mend = f"Known keys: {', '.join(kind.model_fields)}." if unknown else None
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidValue(message, field=where, mend=mend) from None
