"""What a history says of a taste: counts of topics, nothing guessed."""

from collections.abc import Iterator, Sequence

from .evidence import Scope, TopicShare

LATELY = 10
"""Items at the end of a history that count as what was chosen lately."""

_SPOKEN_OF = 3
"""Items with the topic, from which a count is worth a sentence."""


def topic_shares(
    topics: Sequence[str], history: Sequence[Sequence[str]], in_order: bool
) -> tuple[TopicShare, ...]:
    """Counts over a history of the topics of one recommended item.

    Kept are topics of at least a third of the items counted over and of three of them.

    Args:
        topics: The recommended item's.
        history: Those of each item of the history, oldest first.
        in_order: Whether the history's order is known; without it there is no "lately".
    """
    scopes: list[tuple[Scope, Sequence[Sequence[str]]]] = [("history", history)]
    if in_order and len(history) > LATELY:
        scopes.insert(0, ("lately", history[-LATELY:]))
    return tuple(share for scope, items in scopes for share in _over(topics, scope, items))


def _over(
    topics: Sequence[str], scope: Scope, items: Sequence[Sequence[str]]
) -> Iterator[TopicShare]:
    for topic in topics:
        count = sum(topic in of_item for of_item in items)
        if count >= _SPOKEN_OF and 3 * count >= len(items):
            yield TopicShare(topic=topic, scope=scope, count=count, total=len(items))
