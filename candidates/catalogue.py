"""What every room above may know of the items and of the groups of people and items."""

from dataclasses import dataclass

import numpy as np

from ..arrays import MISSING, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Groups:
    """One attribute of users or of items, as codes.

    Attributes:
        attribute: Name as declared in the configuration, such as ``"popularity"`` or ``"gender"``.
        names: Group names; code ``g`` means ``names[g]``.
        codes: Shape ``(n,)``, one code per user or item; ``MISSING`` where it is not known.
    """

    attribute: str
    names: tuple[str, ...]
    codes: IntArray

    @property
    def n_missing(self) -> int:
        """How many rows have no value; they are counted, never guessed."""
        return int(np.count_nonzero(self.codes == MISSING))

    def mask(self, name: str) -> BoolArray:
        """Rows in the group ``name``, shape ``(n,)``.

        Raises:
            InvalidValue: The attribute has no such group.
        """
        if name not in self.names:
            raise InvalidValue(
                f"attribute {self.attribute!r} has no group {name!r}",
                field="group",
                mend=f"Use one of {', '.join(self.names)}.",
            )
        return self.codes == self.names.index(name)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The items, row ``i`` describing item index ``i``.

    Attributes:
        item_ids: Public ids, shape ``(I,)``, strings.
        titles: Display titles, shape ``(I,)``, strings; the id where there is no title.
        topics: Topic (genre) membership, shape ``(I, T)``, bool.
        topic_names: ``T`` names.
        year: Year of release, shape ``(I,)``, NaN where not known.
        popularity: Training interactions per item, shape ``(I,)``.
        groups: Item groups by attribute.
    """

    item_ids: np.ndarray
    titles: np.ndarray
    topics: BoolArray
    topic_names: tuple[str, ...]
    year: FloatArray
    popularity: FloatArray
    groups: dict[str, Groups]

    @property
    def n_items(self) -> int:
        """Number of items ``I``."""
        return len(self.item_ids)

    def group(self, attribute: str) -> Groups:
        """The item groups of ``attribute``.

        Raises:
            InvalidValue: No such attribute was declared.
        """
        if attribute not in self.groups:
            raise InvalidValue(
                f"no item groups named {attribute!r}",
                field="attribute",
                mend=f"Declare it, or use one of {', '.join(self.groups) or 'none declared'}.",
            )
        return self.groups[attribute]
