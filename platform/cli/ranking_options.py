"""The options that ``fairloop rerank`` and ``fairloop frontier`` share."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from ...candidates.groups import GroupsConfig
from ...candidates.proposals import Proposals
from ...candidates.top_n_tables import TopNFiles
from ...config_files import read_yaml, validate
from ...errors import InvalidValue
from ...rerankers.constraints import Constraints
from ..ranking import proposals_from_files, proposals_in_service
from .context import opened

Lists = Annotated[
    Path | None,
    typer.Argument(
        metavar="TOPN",
        help="Lists of any recommender, one row per user, item and score: Parquet, CSV, TSV or "
        "RecBole's format. Without it, the candidates that are deployed in the home folder.",
    ),
]
SlateLength = Annotated[int | None, typer.Option("--k", help="Slate length.", min=1)]
Items = Annotated[
    Path | None, typer.Option(help="One row per item: topics, year, columns of groups.")
]
Users = Annotated[Path | None, typer.Option(help="One row per user: columns of groups.")]
Relevance = Annotated[
    Path | None, typer.Option(help="Held-out pairs of user and item, perhaps rated.")
]
RelevantFrom = Annotated[
    float | None, typer.Option(help="Least rating that counts as relevant; all pairs without it.")
]
History = Annotated[
    Path | None, typer.Option(help="Past pairs of user and item: popularity, profiles, activity.")
]
GroupsFile = Annotated[
    Path | None, typer.Option("--groups", help="YAML file that declares groups (docs/data.md).")
]
Limits = Annotated[
    Path | None,
    typer.Option(help="YAML file with limits on exposure, ratios, min_diversity, filters."),
]
ItemAttribute = Annotated[
    str | None,
    typer.Option(
        "--attribute", help="Groups of items whose exposure is compared; a*b crosses two."
    ),
]
UserAttribute = Annotated[
    str | None, typer.Option(help="Groups of users whose accuracy is compared; a*b crosses two.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="WHAT=NAME", help="What a file calls a column: user, item, score, …"
    ),
]
TopicsSeparator = Annotated[str, typer.Option(help="What stands between an item's topics.")]
DropShort = Annotated[
    bool, typer.Option("--drop-short", help="Leave users with fewer than k candidates out.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of every random choice.", min=0)]


def files_of(
    lists: Path | None,
    items: Path | None,
    users: Path | None,
    relevance: Path | None,
    history: Path | None,
    columns: Sequence[str] | None,
    topics_separator: str,
    relevant_from: float | None,
) -> TopNFiles | None:
    """The files that were named; None where the deployed candidates are meant.

    Raises:
        InvalidValue: Files describe lists that were not given.
    """
    told = {"items": items, "users": users, "relevance": relevance, "history": history}
    named = [f"--{name}" for name, path in told.items() if path is not None]
    if lists is None:
        if named:
            raise InvalidValue(
                f"{', '.join(named)} say more about lists in a file, and no file was given",
                field="TOPN",
                mend="Name the file with the lists; deployed candidates know all this already.",
            )
        return None
    given = {
        "lists": lists,
        "items": items,
        "users": users,
        "relevant": relevance,
        "history": history,
        "columns": named_columns(columns),
        "topics_separator": topics_separator,
        "relevant_from": relevant_from,
    }
    return validate(TopNFiles, given)


def named_columns(columns: Sequence[str] | None) -> dict[str, str]:
    """What a file calls its columns, by what they are.

    Raises:
        InvalidValue: A pair has no ``=``.
    """
    return dict(_pair(column, "column") for column in columns or ())


@contextmanager
def opened_proposals(files: TopNFiles | None, groups: Path | None) -> Generator[Proposals]:
    """The lists, out of files or of the home folder; files need no home folder.

    Raises:
        InvalidValue: Groups are declared for candidates that have theirs.
    """
    if files is not None:
        yield proposals_from_files(
            files, None if groups is None else validate(GroupsConfig, read_yaml(groups))
        )
        return
    if groups is not None:
        raise InvalidValue(
            "the deployed candidates have the groups that were declared when they were imported",
            field="groups",
            mend="Import the data again with other groups, or give the lists as a file.",
        )
    with opened() as house:
        yield proposals_in_service(house.home, house.database)


def read_limits(path: Path | None) -> Constraints | None:
    """Floors and filters out of a file, if one was named."""
    return None if path is None else validate(Constraints, read_yaml(path))


def parse_settings(settings: Sequence[str] | None) -> dict[str, Any]:
    """``key=value`` pairs, values as in YAML; ``a.b=1`` reaches into a nested setting.

    Raises:
        InvalidValue: A pair has no ``=``, a value is no YAML, or a key is set twice.
    """
    found: dict[str, Any] = {}
    for setting in settings or ():
        key, text = _pair(setting, "set")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise InvalidValue(
                f"{text!r} is no value", field=key, mend="Write it as in a YAML file."
            ) from None
        *path, last = key.split(".")
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        if not isinstance(inner, dict) or last in inner:
            raise InvalidValue("it is set twice", field=key, mend="Set it once.")
        inner[last] = value
    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise InvalidValue(
            f"{text!r} is no pair", field=f"--{option}", mend="Write key=value, without spaces."
        )
    return key.strip(), value.strip()
