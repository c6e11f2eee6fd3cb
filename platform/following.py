"""Tells of a slate's texts as they become final."""

import re
import threading
from collections.abc import Iterator

from .db.engine import Database
from .records import Wording
from .rewording import Rewording
from .store.wordings import wordings_of

LOOK_SECONDS = 1.0
"""How often the record is read where nobody says that something changed: another process may be
the one that words the texts."""

# The end of a sentence outside quotation marks, with the space behind it.
_SENTENCE = re.compile(r'(?:"[^"]*"|.)*?(?:[.!?…](?=\s|$)\s*|$)', re.DOTALL)


class Follower:
    """Remembers which texts of a slate were told.

    Args:
        database: The record.
        recommendation_id: The slate.
    """

    def __init__(self, database: Database, recommendation_id: str) -> None:
        self._database = database
        self.recommendation_id = recommendation_id
        self._told: set[str] = set()
        self.done = False

    def news(self) -> list[Wording]:
        """The texts that became final since; sets ``done`` when no other is to come.

        Raises:
            UnknownRecord: No such recommendation.
        """
        with self._database.reading() as session:
            found = wordings_of(session, self.recommendation_id)
        final = [one for one in found if one.state == "final"]
        new = [one for one in final if one.item_id not in self._told]
        self._told |= {one.item_id for one in new}
        self.done = len(final) == len(found)
        return new


def follow(
    database: Database, later: Rewording | None, recommendation_id: str
) -> Iterator[Wording]:
    """Each text of a slate when it is final; it waits for those that are not.

    Raises:
        UnknownRecord: No such recommendation.
    """
    follower = Follower(database, recommendation_id)
    if later is None:
        yield from follower.news()
        return
    changed = threading.Event()
    with later.listening(recommendation_id, changed.set):
        while True:
            changed.clear()
            yield from follower.news()
            if follower.done:
                return
            changed.wait(LOOK_SECONDS)


def sentences(text: str) -> list[str]:
    """A text in pieces that make it up when joined; full stops in quoted titles end none."""
    return [piece for piece in _SENTENCE.findall(text) if piece]
