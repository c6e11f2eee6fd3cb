"""Reads what is said of an item in a sentence about it: "Star Wars was amazing"."""

import re

from .references import References

_GOOD_WORDS = (
    "great amazing good brilliant wonderful fantastic excellent awesome superb perfect lovely "
    "beautiful terrific marvellous marvelous outstanding incredible magnificent masterful fun "
    "nice cool gorgeous stunning fabulous phenomenal charming unforgettable impressive"
)
_GOOD = _GOOD_WORDS.split()
_BAD_WORDS = (
    "awful terrible bad boring rubbish horrible dreadful poor garbage trash crap lousy dull "
    "weak disappointing overrated stupid unwatchable annoying tedious worthless pathetic "
    "ridiculous mediocre dumb abysmal atrocious appalling unbearable"
)
_BAD = _BAD_WORDS.split()
_MUCH = (
    r"(?:really |so |very |quite |absolutely |just |truly |pretty |simply |totally |rather |too |"
    r"an? |the |such |one of |my |our |kind of |a bit )*"
)
_GOOD_NOUN = r"(?:masterpiece|favou?rites?|best(?: film| movie)?(?: ever)?|gem|classic|delight|joy)"
_BAD_NOUN = r"(?:worst(?: film| movie)?(?: ever)?|waste of time|disappointment|mess|disaster|bore)"
_IS = r"(?:is|was|are|were|s)"
_LIKED = tuple(
    re.compile(form)
    for form in (
        rf"(?P<a>.+?) {_IS} {_MUCH}(?:{'|'.join(_GOOD)}|{_GOOD_NOUN})"
        r"(?: film| movie| one| films| movies)?(?: of all time| of mine| ever| indeed| though)?",
        rf"(?:my|our) (?:all time )?(?:favou?rite|best)(?: \w+)? (?:{_IS}|would be) (?P<a>.+)",
        r"(?:thumbs up|five stars|5 stars|hats off|bravo|a like|props)(?: for| to)?[,:]? (?P<a>.+)",
        r"(?P<a>.+?)[,:]? (?:thumbs up|five stars|5 stars)",
        r"(?P<a>.+?) (?:made my day|blew me away|blew my mind|moved me|rocks|rocked|rules)",
        r"(?:a )?big fan of (?P<a>.+)",
    )
)
_DISLIKED = tuple(
    re.compile(form)
    for form in (
        rf"(?P<a>.+?) {_IS} (?:not {_MUCH}(?:{'|'.join(_GOOD)})|{_MUCH}(?:{'|'.join(_BAD)}|"
        rf"{_BAD_NOUN}))(?: film| movie| one| films| movies)?(?: of all time| ever| though)?",
        rf"(?P<a>.+?) (?:isnt|wasnt|arent) {_MUCH}(?:{'|'.join(_GOOD)}|for me|my cup of tea)",
        rf"(?P<a>.+?) {_IS} not (?:for me|my cup of tea|my thing|my taste)",
        r"(?:thumbs down|one star|1 star|boo)(?: for| to| on)?[,:]? (?P<a>.+)",
        r"(?P<a>.+?)[,:]? (?:thumbs down|one star|1 star)",
        r"(?P<a>.+?) (?:bored me|bores me|sucks|sucked|stinks|put me to sleep|annoyed me|"
        r"disappointed me|let me down)(?: \w+){0,3}",
        rf"(?:my )?least favou?rite(?: \w+)? {_IS} (?P<a>.+)",
    )
)
_SEEN = tuple(
    re.compile(form)
    for form in (
        r"(?:i |we |ive |weve |i have |we have |yes |already |just |only just )*"
        r"(?:know|knew|seen|saw|watched|rewatched)(?: already)? (?P<a>.+?)"
        r"(?: already| before| (?:two|three|many|a few|several) times| last \w+| yesterday| twice"
        r"| once| again| recently| a while ago| \w+ (?:days?|weeks?|months?|years?) ago| today"
        r"| in the cinema| at the cinema| too| as well)*",
        rf"(?P<a>.+?) (?:{_IS} )?(?:(?:i )?(?:have |ive )?(?:already |just )*"
        r"(?:seen|watched|known))(?: already| before)?",
    )
)


def read_verdict(clause: str, references: References) -> tuple[str, tuple[str, ...]] | None:
    """The cue (``liked``, ``dislike`` or ``seen``) and the items of one clause.

    None where the clause is no verdict, or not on something the catalogue has.
    """
    plain = clause.strip(" ,.;!?")
    for cue, forms in (("dislike", _DISLIKED), ("liked", _LIKED), ("seen", _SEEN)):
        for form in forms:
            match = form.fullmatch(plain)
            items = _items(match["a"], references) if match else ()
            if items:
                return cue, items
    return None


def _items(words: str, references: References) -> tuple[str, ...]:
    words = re.sub(r"^(?:and|but|i think|honestly|well|oh) ", "", words)
    one = references.named(words)
    if one is not None:
        return (one,)
    pointed = references.pointing(words, 0, references.context.focus)
    if pointed is not None and pointed[1] == len(words):
        return pointed[0]
    parts = [references.named(part) for part in re.split(r" and | or |, ", words)]
    found = tuple(part for part in parts if part is not None)
    return found if len(found) == len(parts) else ()
