"""When wishes leave too little: which one to give up."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..arrays import PAD, IntArray
from ..candidates.catalogue import Catalogue
from ..errors import InvalidValue
from .refinement import Refinement, describe, to_filters

_MAX_GIVEN_UP = 3


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Wishes with the fewest given up that still fill a slate.

    Attributes:
        refinement: What is left of them.
        dropped: The wishes given up, as phrases.
        remaining: Candidates that then remain.
    """

    refinement: Refinement
    dropped: tuple[str, ...]
    remaining: int


def require_enough(
    refinement: Refinement, catalogue: Catalogue, pool_items: IntArray, k: int
) -> None:
    """Refuse wishes that leave fewer than ``k`` candidates, and name the way out.

    Args:
        refinement: The wishes.
        catalogue: The items.
        pool_items: The user's candidates, shape ``(N,)``, may be padded.
        k: Slate length.

    Raises:
        InvalidValue: Field ``refinement``; ``mend`` names the nearest relaxation.
    """
    left = remaining(refinement, catalogue, pool_items)
    if left >= k:
        return
    wishes = ", ".join(describe(refinement, catalogue))
    relaxed = nearest_relaxation(refinement, catalogue, pool_items, k)
    mend = "Take back some of the wishes, or ask for a shorter list."
    if relaxed is not None:
        mend = f"Without {_quoted(relaxed.dropped)} there are {relaxed.remaining}."
    count = "nothing is" if left == 0 else f"only {left} {'is' if left == 1 else 'are'}"
    raise InvalidValue(
        f"{count} left of the candidates with: {wishes}", field="refinement", mend=mend
    )


def nearest_relaxation(
    refinement: Refinement, catalogue: Catalogue, pool_items: IntArray, k: int
) -> Relaxation | None:
    """The fewest hard wishes to give up for ``k`` candidates; of equals, what leaves most.

    None where the pool holds fewer than ``k`` candidates even without any of up to three wishes.
    """
    single = tuple(_hard_wishes(refinement))
    for size in range(1, min(_MAX_GIVEN_UP, len(single)) + 1):
        best: Relaxation | None = None
        for given_up in combinations(single, size):
            rest = _without(refinement, given_up)
            left = remaining(rest, catalogue, pool_items)
            if left >= k and (best is None or left > best.remaining):
                gone = Refinement.model_validate(_collect(given_up))
                best = Relaxation(rest, describe(gone, catalogue), left)
        if best is not None:
            return best
    return None


def remaining(refinement: Refinement, catalogue: Catalogue, pool_items: IntArray) -> int:
    """Candidates that pass the hard wishes."""
    items = pool_items[pool_items != PAD]
    return int(np.count_nonzero(to_filters(refinement).allowed(catalogue)[items]))


_Wish = tuple[str, tuple[str, ...] | int]


def _hard_wishes(refinement: Refinement) -> Iterator[_Wish]:
    """Each hard wish as field and value; items disliked or known are facts, not up for trade."""
    if refinement.include_topics:
        yield "include_topics", refinement.include_topics
    for topic in refinement.exclude_topics:
        yield "exclude_topics", (topic,)
    if refinement.min_year is not None:
        yield "min_year", refinement.min_year
    if refinement.max_year is not None:
        yield "max_year", refinement.max_year


def _without(refinement: Refinement, given_up: tuple[_Wish, ...]) -> Refinement:
    values = refinement.model_dump()
    for name, value in given_up:
        held = values[name]
        values[name] = (
            tuple(one for one in held if one not in value) if isinstance(value, tuple) else None
        )
    return Refinement.model_validate(values)


def _collect(given_up: tuple[_Wish, ...]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in given_up:
        held = values.get(name, ())
        if isinstance(value, tuple) and isinstance(held, tuple):
            values[name] = (*held, *value)
        else:
            values[name] = value
    return values


def _quoted(phrases: tuple[str, ...]) -> str:
    return " and ".join(f"“{phrase}”" for phrase in phrases)
