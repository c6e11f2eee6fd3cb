"""Reads the utterance set and resolves its titles in a catalogue."""

import json
import re
from importlib.resources import files
from typing import Any, Literal, get_args

import numpy as np

from ...candidates.catalogue import Catalogue
from ...errors import InvalidValue
from .. import utterances
from ..evidence import Record
from ..refinement import Refinement

Split = Literal["dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

SHOWN = ("Fargo", "Toy Story", "Titanic", "Scream", "Blade Runner")
"""The list that the person has before them, from the top."""

_ITEM_FIELDS = ("like_items", "dislike_items", "exclude_items")
_DATED = re.compile(r"(?P<title>.+) \((?P<year>(?:18|19|20)\d\d)\)")


class Meaning(Record):
    """What a conversation comes to after its last turn, as gold or as a parser's reading of it.

    Attributes:
        intent: Of the last turn.
        refinement: All wishes in force; ``reset`` if the last turn forgot the earlier ones.
        ask: Kind of a question.
        about: Ids of the items it is about.
        options: What a question back offers: item ids, or eras such as ``"60s"``.
    """

    intent: str
    refinement: Refinement = Refinement()
    ask: str | None = None
    about: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Utterance(Record):
    """What a person says, and what it means.

    Attributes:
        id: Kind and number.
        kind: See the set's README.
        say: The turns, in order.
        gold: What they mean.
        focus: Id of the item that was spoken of last.
    """

    id: str
    kind: str
    say: tuple[str, ...]
    gold: Meaning
    focus: str | None = None


def load_utterances(split: Split, catalogue: Catalogue) -> tuple[Utterance, ...]:
    """One half of the set, in its order.

    Raises:
        InvalidValue: The catalogue lacks a title or topic that the set names.
    """
    text = files(utterances).joinpath(f"{split}.jsonl").read_text("utf-8")
    return tuple(_utterance(json.loads(line), catalogue) for line in text.splitlines())


def shown_items(catalogue: Catalogue) -> tuple[str, ...]:
    """Ids of `SHOWN`."""
    return tuple(item_of(title, catalogue) for title in SHOWN)


def item_of(title: str, catalogue: Catalogue) -> str:
    """Id of a title, ``"Name"`` or ``"Name (1962)"``; of several the best known.

    Raises:
        InvalidValue: There is no such title.
    """
    found = catalogue.titles == title
    dated = _DATED.fullmatch(title)
    if not found.any() and dated:
        found = (catalogue.titles == dated["title"]) & (catalogue.year == int(dated["year"]))
    rows = np.flatnonzero(found)
    if not len(rows):
        raise InvalidValue(
            f"the catalogue has no {title!r}",
            field="utterances",
            mend="The set is written for MovieLens-100K: `fairloop data import ml-100k`.",
        )
    return str(catalogue.item_ids[rows[catalogue.popularity[rows].argmax()]])


def _utterance(row: dict[str, Any], catalogue: Catalogue) -> Utterance:
    wishes: dict[str, Any] = dict(row.get("wishes", {}))
    for name in _ITEM_FIELDS:
        if name in wishes:
            wishes[name] = tuple(item_of(title, catalogue) for title in wishes[name])
    refinement = Refinement.model_validate(wishes)
    _require_topics(refinement, catalogue)
    eras = re.compile(r"\d0s")
    return Utterance(
        id=row["id"],
        kind=row["kind"],
        say=tuple(row["say"]),
        gold=Meaning(
            intent=row["intent"],
            refinement=refinement,
            ask=row.get("ask"),
            about=tuple(item_of(title, catalogue) for title in row.get("about", ())),
            options=tuple(
                option if eras.fullmatch(option) else item_of(option, catalogue)
                for option in row.get("options", ())
            ),
        ),
        focus=item_of(row["focus"], catalogue) if "focus" in row else None,
    )


def _require_topics(refinement: Refinement, catalogue: Catalogue) -> None:
    named = {
        *refinement.include_topics, *refinement.exclude_topics,
        *refinement.prefer_topics, *refinement.avoid_topics,
    }  # fmt: skip
    unknown = sorted(named.difference(catalogue.topic_names))
    if unknown:
        raise InvalidValue(
            f"the catalogue has no topic {unknown[0]!r}",
            field="utterances",
            mend="The set is written for MovieLens-100K: `fairloop data import ml-100k`.",
        )
