"""Repairs misspelt words of wishes; words of titles and topics are left to their own indices."""

import re
from collections.abc import Container
from difflib import get_close_matches
from functools import lru_cache

from ..lexicon import swap_key

_SLIPS = {
    "les": "less", "lest": "less", "moar": "more", "mor": "more", "lik": "like", "liek": "like",
    "plz": "please", "pls": "please", "u": "you", "r": "are", "abt": "about", "smth": "something",
    "sth": "something", "nothin": "nothing", "anythin": "anything", "teh": "the", "flim": "film",
    "flims": "films", "flick": "film", "flicks": "films", "pix": "films", "wanna": "want to",
    "gimme": "give me", "lets": "let us", "dnt": "dont", "wnt": "want", "hav": "have",
    "movis": "movies", "wit": "with", "thx": "thanks", "befor": "before", "afer": "after",
    "aftr": "after", "alredy": "already", "sine": "since", "nt": "not", "noo": "no",
}  # fmt: skip
"""Slips too short to tell by likeness, and what people type for short."""

_WORDS = (
    "something anything nothing recommend recommendation similar documentary documentaries please "
    "before after since between recent recently newer older classic classics popular popularity "
    "mainstream famous obscure unknown underrated hidden variety varied diverse diversity "
    "different surprise without instead except exclude remove forget everything start again "
    "prefer less more fewer enjoyed loved hated liked disliked watched already seen should would "
    "could movies films movie film nineties eighties seventies sixties fifties forties thirties "
    "explain compare describe difference favourite favorite awful terrible boring brilliant "
    "amazing great wonderful blockbusters released scary funny hilarious romantic detective "
    "science together style version greatest biggest decade modern vintage anymore whatever "
    "include including suggestions recommendations romance comedies repetitive mixed better "
    "science suspense suspenseful gangster cartoon cartoons family children scratch reset "
    "filters wishes"
)
_VOCABULARY = tuple(sorted(set(_WORDS.split())))
_SWAPPED = {swap_key(word): word for word in _VOCABULARY}
_CLOSE = 0.84
_SHORTEST = 5
_FROM_ERA = re.compile(r"\bform (?=the |\d)")


def respell(plain: str, known: Container[str]) -> str:
    """The text with its misspelt words repaired.

    Args:
        plain: Plain text (see ``lexicon.plain_text``).
        known: Words of five letters and more that are right as they are: of topics, titles and
            phrases.

    >>> respell("somthing simmilar, but nothin form the 90s", ())
    'something similar, but nothing from the 90s'
    """
    repaired = re.sub(r"[^\W\d]+", lambda match: _word(match[0], known), plain)
    return _FROM_ERA.sub("from ", repaired)


def _word(word: str, known: Container[str]) -> str:
    # A title may hold "u": what people type for short is meant so all the same.
    if len(word) < _SHORTEST:
        return _SLIPS.get(word, word)
    if word in known:
        return word
    if word in _SLIPS:
        return _SLIPS[word]
    return _nearest(word)


@lru_cache(maxsize=4096)
def _nearest(word: str) -> str:
    if word in _VOCABULARY:
        return word
    if swap_key(word) in _SWAPPED:
        return _SWAPPED[swap_key(word)]
    close = get_close_matches(word, _VOCABULARY, n=1, cutoff=_CLOSE)
    # The first letter is seldom the wrong one; "hated" is no slip of "dated".
    return close[0] if close and close[0][0] == word[0] else word
