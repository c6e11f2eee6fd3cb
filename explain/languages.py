"""The languages that texts are written and read in."""

from typing import Literal, get_args

from ..errors import InvalidValue
from .english import ENGLISH
from .german import GERMAN
from .language import Language

LanguageCode = Literal["en", "de"]

_LANGUAGES = {language.code: language for language in (ENGLISH, GERMAN)}


def language_of(code: str) -> Language:
    """The language of a code.

    Raises:
        InvalidValue: There is none such.
    """
    if code not in _LANGUAGES:
        known = ", ".join(get_args(LanguageCode))
        raise InvalidValue(f"no texts in {code!r}", field="language", mend=f"Use one of {known}.")
    return _LANGUAGES[code]
