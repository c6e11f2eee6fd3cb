"""Puts the common wishes of German, French and Spanish into English, phrase by phrase.

No translator: a list of phrases per language, for what people say to a recommender. Words that are
not on it stay as they are, titles among them, and are read or reported like any other.
"""

import re
import unicodedata
from functools import lru_cache

from . import french, german, spanish
from .phrase_list import Phrases

IDLE = {"de": german.IDLE, "fr": french.IDLE, "es": spanish.IDLE}
"""Words of each language that carry no wish."""

_LANGUAGES: dict[str, Phrases] = {
    "de": german.PHRASES,
    "fr": french.PHRASES,
    "es": spanish.PHRASES,
}
_ENGLISH_WORDS = (
    "the a and or no not with without from more less like films film movies movie please only "
    "show me i want something anything is are was of for it that this my have seen why what "
    "before after since nothing but dont give hate love"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_MARKS_WORDS = (
    "kein keine keinen nicht nichts und oder ohne mehr weniger etwas aus dem der die das den "
    "filme ich ist ein eine einen fur bitte nur zeig mir wie vor nach seit aber habe schon "
    "gesehen hasse mag warum liebe von danke hallo pas de des du un une le la les sans plus "
    "moins quelque chose je veux avant apres depuis et comme deja vu pourquoi merci aime "
    "deteste est bonjour seulement ou mais films nada el los las sin mas menos algo quiero "
    "antes despues desde y o como ya visto por que no peliculas pelicula de solo odio una uno "
    "gracias hola pero muy del me gusta"
)
_MARKS = frozenset(_MARKS_WORDS.split())


def to_english(plain: str) -> tuple[str, str | None]:
    """The text with known phrases put into English, and its language where it is another one.

    Args:
        plain: Plain text (see ``lexicon.plain_text``).

    >>> to_english("keine kriegsfilme, mehr krimis vor 1970")
    ('no war films, more crime films before 1970', 'de')
    """
    bare = _without_accents(plain)
    words = re.findall(r"\w+", bare)
    foreign = sum(word in _MARKS and word not in _ENGLISH for word in words)
    english = sum(word in _ENGLISH and word not in _MARKS for word in words)
    best = max(_LANGUAGES, key=lambda code: _known(code, bare))
    known = _known(best, bare)
    if not known or english > max(foreign, known) or (english and english >= known and not foreign):
        return plain, None
    translated = bare
    for pattern, english_phrase in _patterns(best):
        translated = pattern.sub(english_phrase, translated)
    return " ".join(translated.split()), best


def _known(code: str, bare: str) -> int:
    """Characters of the text that the language's phrases cover, in words."""
    return sum(
        len(match[0].split()) for pattern, _ in _patterns(code) for match in pattern.finditer(bare)
    )


@lru_cache(maxsize=8)
def _patterns(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(rf"(?<!\w)(?:{phrase})(?!\w)"), english) for phrase, english in _LANGUAGES[code]
    )


def _without_accents(text: str) -> str:
    spelled = text.replace("ß", "ss")
    decomposed = unicodedata.normalize("NFD", spelled)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
