"""Facts of items out of a catalogue, with what all of them need computed once."""

from collections.abc import Sequence

import numpy as np

from ..arrays import MISSING, BoolArray, IntArray
from ..candidates.catalogue import Catalogue
from .evidence import ItemFacts
from .sanitise import clean_name, display_title


class CatalogueFacts:
    """Makes an `ItemFacts` of an item's index.

    Args:
        catalogue: The items.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._popularity = np.sort(catalogue.popularity)
        self._years = np.sort(catalogue.year[np.isfinite(catalogue.year)])
        self._names = tuple(clean_name(name) for name in catalogue.topic_names)
        tail = catalogue.groups.get("popularity")
        self._tail = tail if tail is not None and "long_tail" in tail.names else None

    def of(self, item: int) -> ItemFacts:
        """The facts of one item."""
        catalogue = self._catalogue
        year = float(catalogue.year[item])
        item_id = str(catalogue.item_ids[item])
        return ItemFacts(
            item_id=item_id,
            title=display_title(str(catalogue.titles[item]), item_id),
            year=int(year) if np.isfinite(year) else None,
            topics=self.topics_of(item),
            popularity_percentile=_below(self._popularity, float(catalogue.popularity[item])),
            long_tail=self._long_tail(item),
            newer_than=_below(self._years, year) if np.isfinite(year) else None,
        )

    def names(self, member: BoolArray) -> tuple[str, ...]:
        """Names of the topics that are set, shape ``(T,)``."""
        return tuple(self._names[column] for column in np.flatnonzero(member))

    def topics_of(self, item: int) -> tuple[str, ...]:
        """Names of an item's topics."""
        return self.names(self._catalogue.topics[item])

    def topics_of_each(self, items: IntArray) -> Sequence[tuple[str, ...]]:
        """Names of each item's topics."""
        return [self.topics_of(int(item)) for item in items]

    def _long_tail(self, item: int) -> bool | None:
        if self._tail is None or int(self._tail.codes[item]) == MISSING:
            return None
        return self._tail.names[int(self._tail.codes[item])] == "long_tail"


def _below(ascending: np.ndarray, value: float) -> float:
    """Share of the others with a smaller value, in %."""
    below = int(np.searchsorted(ascending, value, side="left"))
    return 100.0 * below / max(1, len(ascending) - 1)
