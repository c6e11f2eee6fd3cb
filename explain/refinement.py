"""What a person asked for: wishes that filter, and wishes that shift scores."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator

from ..candidates.catalogue import Catalogue
from ..rerankers.constraints import HardFilters
from .evidence import Record
from .sanitise import display_title


def _sorted_unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


Names = Annotated[tuple[str, ...], AfterValidator(_sorted_unique)]
"""A set that serialises the same way each time: sorted, without repeats."""

Preference = Literal["more", "less"]

_OPPOSITES = (
    ("include_topics", "exclude_topics"),
    ("include_topics", "avoid_topics"),
    ("prefer_topics", "avoid_topics"),
    ("prefer_topics", "exclude_topics"),
    ("like_items", "dislike_items"),
    ("like_items", "exclude_items"),
)


class Refinement(Record):
    """The wishes of one turn, or of several merged.

    Attributes:
        include_topics: Only items with one of these topics. Hard.
        exclude_topics: No item with any of these. Hard.
        prefer_topics: More of these. Soft.
        avoid_topics: Fewer of these. Soft.
        exclude_items: Ids not to show, such as items already known. Hard.
        like_items: Ids of items to show more like. Soft.
        dislike_items: Ids not to show (hard), and to show fewer like (soft).
        min_year: Earliest year. Hard.
        max_year: Latest year. Hard.
        popularity: More or less popular items. Soft.
        diversity: More or less varied slates. Soft.
        reset: Forget what was asked before.
    """

    include_topics: Names = ()
    exclude_topics: Names = ()
    prefer_topics: Names = ()
    avoid_topics: Names = ()
    exclude_items: Names = ()
    like_items: Names = ()
    dislike_items: Names = ()
    min_year: int | None = None
    max_year: int | None = None
    popularity: Preference | None = None
    diversity: Preference | None = None
    reset: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == Refinement()


def merge(earlier: Refinement, later: Refinement) -> Refinement:
    """Both together; where they contradict each other the later one holds.

    A topic now wanted is no longer excluded, and the other way round; a year limit replaces the
    same limit, and removes the opposite one if no year would be left between them.
    """
    if later.reset:
        return later.model_copy(update={"reset": False})
    values: dict[str, object] = {}
    for name in _set_fields():
        values[name] = (*getattr(earlier, name), *getattr(later, name))
    for one, other in _OPPOSITES:
        _drop(values, one, getattr(later, other))
        _drop(values, other, getattr(later, one))
    low = later.min_year if later.min_year is not None else earlier.min_year
    high = later.max_year if later.max_year is not None else earlier.max_year
    if low is not None and high is not None and low > high:
        low, high = later.min_year, later.max_year
    return Refinement.model_validate(
        {
            **values,
            "min_year": low,
            "max_year": high,
            "popularity": later.popularity or earlier.popularity,
            "diversity": later.diversity or earlier.diversity,
        }
    )


class Wishes(Record):
    """The wishes of a conversation, one entry a turn: visible, and removable one by one.

    An entry holds what is still in force of its turn: a later wish that contradicts takes the
    earlier one out, so that what is shown of the stack is what holds.
    """

    refinements: tuple[Refinement, ...] = ()

    @classmethod
    def stored(cls, kept: Mapping[str, Any]) -> "Wishes":
        """From its JSON, or from that of one refinement, as it was kept before there were stacks.

        >>> Wishes.stored({"min_year": 1990}).current.min_year
        1990
        """
        if "refinements" in kept:
            return cls.model_validate(kept)
        return cls().add(Refinement.model_validate(kept))

    def add(self, refinement: Refinement) -> "Wishes":
        """With one turn more; a reset forgets those before it, an empty turn changes nothing."""
        earlier = () if refinement.reset else self.refinements
        # Of a wish that contradicts itself, neither side holds.
        added = merge(Refinement(), refinement.model_copy(update={"reset": False}))
        if added.is_empty:
            return Wishes(refinements=earlier)
        together = merge(Wishes(refinements=earlier).current, added)
        kept = (_in_force(entry, together, added) for entry in earlier)
        return Wishes(refinements=(*(entry for entry in kept if not entry.is_empty), added))

    def remove(self, index: int) -> "Wishes":
        """Without one turn's wishes."""
        left = (*self.refinements[:index], *self.refinements[index + 1 :])
        return Wishes(refinements=left)

    def without(self, wishes: Refinement) -> "Wishes":
        """Without these wishes, whichever turns they came from."""
        left = (_minus(entry, wishes) for entry in self.refinements)
        return Wishes(refinements=tuple(entry for entry in left if not entry.is_empty))

    @property
    def current(self) -> Refinement:
        """All turns merged, later ones holding over earlier ones."""
        merged = Refinement()
        for refinement in self.refinements:
            merged = merge(merged, refinement)
        return merged

    def describe(self, catalogue: Catalogue) -> tuple[str, ...]:
        """One phrase per wish in force."""
        return describe(self.current, catalogue)


def _in_force(entry: Refinement, together: Refinement, later: Refinement) -> Refinement:
    """What still holds of an earlier turn's wishes."""
    values: dict[str, object] = {}
    for name, value in entry:
        if isinstance(value, tuple):
            values[name] = tuple(one for one in value if one in getattr(together, name))
        elif value is not None and getattr(together, name) == value:
            values[name] = value if getattr(later, name) is None else None
    return Refinement.model_validate({**values, "reset": False})


def _minus(entry: Refinement, gone: Refinement) -> Refinement:
    values: dict[str, object] = {}
    for name, value in entry:
        out = getattr(gone, name)
        if isinstance(value, tuple):
            values[name] = tuple(one for one in value if one not in out)
        elif value is not None and value != out:
            values[name] = value
    return Refinement.model_validate(values)


def to_filters(refinement: Refinement) -> HardFilters:
    """The hard wishes as filters of candidates."""
    return HardFilters(
        exclude_items=frozenset((*refinement.exclude_items, *refinement.dislike_items)),
        exclude_topics=frozenset(refinement.exclude_topics),
        include_topics=frozenset(refinement.include_topics),
        min_year=refinement.min_year,
        max_year=refinement.max_year,
    )


def describe(refinement: Refinement, catalogue: Catalogue) -> tuple[str, ...]:
    """One plain phrase per wish, such as ``"no Horror"`` or ``"from 1990 or later"``."""
    phrases = [f"only {_any(refinement.include_topics)}"] if refinement.include_topics else []
    phrases += [f"no {topic}" for topic in refinement.exclude_topics]
    phrases += [f"more {topic}" for topic in refinement.prefer_topics]
    phrases += [f"less {topic}" for topic in refinement.avoid_topics]
    phrases += [f"without {_title(item, catalogue)}" for item in refinement.exclude_items]
    phrases += [f"more like {_title(item, catalogue)}" for item in refinement.like_items]
    phrases += [f"nothing like {_title(item, catalogue)}" for item in refinement.dislike_items]
    if refinement.min_year is not None:
        phrases.append(f"from {refinement.min_year} or later")
    if refinement.max_year is not None:
        phrases.append(f"from {refinement.max_year} or earlier")
    if refinement.popularity is not None:
        phrases.append(f"{refinement.popularity} popular")
    if refinement.diversity is not None:
        phrases.append(f"{refinement.diversity} variety")
    return tuple(phrases)


def diversity_factor(refinement: Refinement) -> float:
    """What to multiply the strength of diversity with: 1 without a wish about it."""
    return {None: 1.0, "more": 2.0, "less": 0.5}[refinement.diversity]


def _set_fields() -> tuple[str, ...]:
    return tuple(name for name, value in Refinement().model_dump().items() if value == ())


def _drop(values: dict[str, object], name: str, gone: tuple[str, ...]) -> None:
    held = values[name]
    assert isinstance(held, tuple)
    values[name] = tuple(value for value in held if value not in gone)


def _any(names: tuple[str, ...]) -> str:
    return " or ".join(names)


def _title(item_id: str, catalogue: Catalogue) -> str:
    """The quoted title of a public id, with its year where another item bears the same title.

    The id alone where the catalogue has no such item.
    """
    found = (catalogue.item_ids == item_id).nonzero()[0]
    if not len(found):
        return f'"{display_title("", item_id)}"'
    row = found[0]
    shared = int((catalogue.titles == catalogue.titles[row]).sum()) > 1
    year = float(catalogue.year[row])
    dated = f" ({year:.0f})" if shared and np.isfinite(year) else ""
    return f'"{display_title(str(catalogue.titles[row]), item_id)}"{dated}'
