"""What a user wrote, repeated to them: clean, short, and without abuse.

A reply may name what it did not understand. It repeats no word that begins like one of `ABUSE`:
what stands in a record, or on a screen that somebody else can see, is not to be chosen by whoever
writes the rudest. The list is short and in four languages; it bounds what is repeated, and does not
judge people.
"""

import re

from .sanitise import clean_text

MAX_ECHO = 80
"""Characters of somebody's words that are repeated at once."""

_STEMS = """
fuck motherfuck shit bullshit cunt bitch bastard asshole arsehole dickhead wanker twat
whore slut faggot nigg retard tranny spastic kike chink
scheiß scheiss arschl wichser hurens fotze schlampe missgeburt kanak
merde putain connard connasse salope encul bougnoul
mierda puta cabrón cabron gilipollas maricón maricon coño zorra
"""

ABUSE = tuple(_STEMS.split())
"""Stems, compared with the beginnings of words in lower case."""

_WORD = re.compile(r"\w+")


def echoed(text: str, limit: int = MAX_ECHO) -> str:
    """The words as they may be repeated.

    >>> echoed("something with <b>shitty</b> cars")
    'something with ‹b›s…‹/b› cars'
    """
    return _WORD.sub(_masked, clean_text(text, limit))


def _masked(match: re.Match[str]) -> str:
    word = match[0]
    return f"{word[0]}…" if word.casefold().startswith(ABUSE) else word
