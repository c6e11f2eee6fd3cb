"""Reads the answer to a question back: "the first", "the old one", a title or an era."""

import re

from .context import Clarification, Option

_PLACES = {
    "first": 0, "1st": 0, "1": 0, "former": 0, "second": 1, "2nd": 1, "2": 1, "latter": 1,
    "third": 2, "3rd": 2, "3": 2, "fourth": 3, "4th": 3, "4": 3, "last": -1,
}  # fmt: skip
_NTH = re.compile(
    rf"(?:i (?:mean|meant|want) |number |option )?(?:the )?(?P<nth>{'|'.join(_PLACES)})"
    r"(?: one| film| movie| option| of them)?(?: please)?"
)
_AGE = re.compile(
    r"(?:i (?:mean|meant) )?(?:the )?(?P<age>old|older|oldest|original|earlier|new|newer|newest|"
    r"later|latest|recent|remake)(?: one| film| movie| version)?(?: please)?"
)
_OLD = ("old", "older", "oldest", "original", "earlier")
_IDLE_WORDS = "the a an of i mean meant one please from film movie yes no"
_IDLE = frozenset(_IDLE_WORDS.split())


def chosen(plain: str, asked: Clarification) -> Option | None:
    """The option that an answer names; None where it names none, or more than one."""
    answer = plain.strip(" ,.;!?")
    place = _NTH.fullmatch(answer)
    if place:
        index = _PLACES[place["nth"]]
        return asked.options[index] if index < len(asked.options) else None
    age = _AGE.fullmatch(answer)
    dated = [option for option in asked.options if option.year is not None]
    if age and dated:
        pick = min if age["age"] in _OLD else max
        return pick(dated, key=lambda option: option.year or 0)
    said = {word for word in re.findall(r"\w+", answer) if word not in _IDLE}
    fitting = [option for option in asked.options if said and said <= _words(option)]
    return fitting[0] if len(fitting) == 1 else None


def _words(option: Option) -> set[str]:
    from_name = re.findall(r"\w+", re.sub(r"['’]", "", option.name.casefold()))
    return {*from_name, option.value, *([str(option.year)] if option.year is not None else [])}
