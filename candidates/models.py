"""Which RecBole models can be fitted, read from the installed package without importing it."""

import ast
import difflib
import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..errors import InvalidValue, NotReady
from .config import CandidateConfig

_NOT_SELECTABLE = {
    "GRU4RecKG": "needs pretrained embeddings of entities",
    "KSR": "needs pretrained embeddings of entities and relations",
    "S3Rec": "is pretrained and fine-tuned through checkpoint files",
    "RaCT": "is pretrained and fine-tuned through checkpoint files",
}

_TRAINING_PARAMETERS = frozenset(
    {
        "MAX_ITEM_LIST_LENGTH",
        "clip_grad_norm",
        "eval_step",
        "learner",
        "learning_rate",
        "stopping_step",
        "train_batch_size",
        "train_neg_sample_args",
        "valid_metric",
        "weight_decay",
    }
)

_PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_@-]*")


def recbole_folder() -> Path:
    """Where RecBole is installed.

    Raises:
        NotReady: It is not installed.
    """
    spec = importlib.util.find_spec("recbole")
    if spec is None or not spec.submodule_search_locations:
        raise NotReady(
            "RecBole is not installed", field="recbole", mend="Install the extra fairloop[train]."
        )
    return Path(spec.submodule_search_locations[0])


def available_models() -> tuple[str, ...]:
    """Names of the general and sequential models that can be fitted, sorted."""
    return tuple(sorted(_general_models() | _sequential_models()))


def is_sequential(model: str) -> bool:
    """Whether the model reads the order of a user's interactions."""
    return model in _sequential_models()


def require_model(config: CandidateConfig) -> None:
    """Refuse a model, split or parameter that RecBole could not use.

    Raises:
        InvalidValue: The model is unknown or cannot be selected, a sequential model is to be
            split at random, or a parameter is not one of the model's.
    """
    model = config.model
    if model not in available_models():
        raise InvalidValue(f"{_why_not(model)}", field="model", mend=_near_names(model))
    if is_sequential(model) and config.split == "random":
        raise InvalidValue(
            f"{model} reads the order of interactions and needs a chronological split",
            field="split",
            mend='Set split to "chronological".',
        )
    known = frozenset(default_parameters(model)) | _TRAINING_PARAMETERS
    for name, value in config.model_parameters.items():
        if name not in known:
            raise InvalidValue(
                f"{model} has no parameter {name!r}",
                field=f"model_parameters.{name}",
                mend=f"Use some of {', '.join(sorted(known))}.",
            )
        _require_plain(name, value)


@cache
def default_parameters(model: str) -> dict[str, Any]:
    """RecBole's own defaults for a model."""
    path = recbole_folder() / "properties" / "model" / f"{model}.yaml"
    if not path.is_file():
        return {}
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _require_plain(name: str, value: object) -> None:
    # RecBole evaluates string parameters as Python, so only plain words may reach it.
    if isinstance(value, str) and not _PLAIN_WORD.fullmatch(value):
        raise InvalidValue(
            f"{value!r} is not a plain word",
            field=f"model_parameters.{name}",
            mend="Give numbers and lists as such, not as text.",
        )


def _why_not(model: str) -> str:
    if model in _NOT_SELECTABLE:
        return f"model {model} {_NOT_SELECTABLE[model]}"
    return f"no RecBole model {model!r}"


def _near_names(model: str) -> str:
    by_lower = {name.lower(): name for name in available_models()}
    near = [by_lower[n] for n in difflib.get_close_matches(model.lower(), by_lower, n=5)]
    return (
        f"Did you mean {', '.join(near)}?"
        if near
        else f"Use one of {', '.join(available_models())}."
    )


@cache
def _general_models() -> frozenset[str]:
    return _exported("general_recommender") - frozenset(_NOT_SELECTABLE)


@cache
def _sequential_models() -> frozenset[str]:
    return _exported("sequential_recommender") - frozenset(_NOT_SELECTABLE)


def _exported(kind: str) -> frozenset[str]:
    """Names that a package of RecBole imports into its ``__init__``."""
    source = (recbole_folder() / "model" / kind / "__init__.py").read_text(encoding="utf-8")
    return frozenset(
        alias.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )
