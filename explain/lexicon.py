"""Words for topics, and words that say nothing."""

import re
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

from .topic_words import TOPIC_WORDS

_SPELL = 0.82
_SPELL_SHORT = 0.88
_SHORTEST = 4

_FILLERS = (
    "a an the some any i im me my we us you your it its this that these those is are was were be "
    "to of for in on at with by from as and or nor so very really quite too please maybe perhaps "
    "film films movie movies title titles show shows ones one stuff thing things item items "
    "picture pictures flick flicks story stories tale tales kinds types "
    "would could can should do does did have has had ve d ll want like watch see watching "
    "today tonight now well also then kind type sort bit little lot more much good great nice "
    "genre genres list again all been them they there what if still made released came out "
    "years year set let s actually either though although no yes ok okay oh hey hmm well wait "
    "decent proper few another other else thanks thank fine instead after because since "
    "ever whatsoever whatever anything something everything every kind just already before "
    "recommendations suggestions suggestion option options idea ideas choice choices top mine "
    "he she his her him our their got get going go need needs said says say told around about "
    "guys people mate dear friend lovely wonderful interesting possible possibly mostly usual "
    "here where when who which not am will shall how time day evening night weekend long short"
)
FILLERS = frozenset(_FILLERS.split())
"""Words that carry no wish of their own."""

SMALL_TALK = re.compile(
    r"(?:(?:hi|hello|hey|hiya|thanks|thank you|thx|cheers|ok|okay|great|cool|nice|perfect|bye"
    r"|goodbye|good (?:morning|evening|day|night|afternoon|bye|job|work|list|one|stuff|choice)"
    r"|how are you(?: doing| today)?|how (?:is it|are things) going|whats up|no thanks"
    r"|no thank you|sounds good|looks good|so much|there|very much|a lot|that is all|thats all"
    r"|see you|later|for now|that is|thats|this is|you are|it is|its|the|list|very|really|awesome"
    r"|wonderful|excellent|lovely|brilliant|helpful|amazing|good|well done|ta|much appreciated"
    r"|got it|i see|alright|all right|sure|yes|no problem|fine|nice to meet you|pleased to meet you"
    r"|merci beaucoup|merci|gracias|danke|hallo|hola|bonjour|buenas|for (?:your|the) help|wow"
    r"|who are you|are you (?:a )?(?:bot|human|real|robot)|haha|lol|job|choices|suggestions|help"
    r"|this|today|my friend|friend|everyone|all|again|take care|have a (?:nice|good) \w+)[ ,.!?]*)+"
)


class TopicWords:
    """Recognises the topics of one catalogue in plain words."""

    def __init__(self, topic_names: tuple[str, ...]) -> None:
        self._names: dict[str, str] = {}
        for name in topic_names:
            plain = plain_text(name).strip(" ,.;!?")
            for word in (plain, *TOPIC_WORDS.get(plain, ())):
                for form in (word, f"{word}s", f"{word}es"):
                    self._names.setdefault(form, name)
        self._swapped = {swap_key(form): name for form, name in self._names.items()}
        self._longest = max((len(form.split()) for form in self._names), default=0)

    def match(self, text: str, place: int) -> tuple[str, int] | None:
        """The topic named at this place, and where its name ends."""
        words = re.compile(r"\w+(?: \w+){0,3}").match(text, place)
        parts = words[0].split() if words else []
        for size in range(min(self._longest, len(parts)), 0, -1):
            form = " ".join(parts[:size])
            if form in self._names:
                return self._names[form], place + len(form)
        return None

    def misspelt(self, word: str) -> str | None:
        """The topic that words of four letters or more nearly spell."""
        if len(word) < _SHORTEST:
            return None
        if swap_key(word) in self._swapped:
            return self._swapped[swap_key(word)]
        cutoff = _SPELL if len(word) > _SHORTEST else _SPELL_SHORT
        close = get_close_matches(word, self._names, n=3, cutoff=cutoff)
        # "sience fiction" is one slip, "love fiction" is another thing: each word must be near.
        return next((self._names[form] for form in close if _alike(word, form)), None)


def swap_key(word: str) -> tuple[str, str]:
    """Equal for words that differ by swapped letters behind the first: "crmie" and "crime"."""
    return word[:1], "".join(sorted(word))


def _alike(said: str, meant: str) -> bool:
    pairs = list(zip(said.split(), meant.split(), strict=False))
    return len(said.split()) == len(meant.split()) and all(
        SequenceMatcher(None, one, other).ratio() >= _SPELL for one, other in pairs
    )


@lru_cache(maxsize=16)
def topic_words(topic_names: tuple[str, ...]) -> TopicWords:
    """One recogniser per list of topics."""
    return TopicWords(topic_names)


def plain_text(text: str) -> str:
    """Lower case; words, digits and , . ; ! ? with single spaces; apostrophes drop out.

    >>> plain_text("I don't want Sci-Fi — or 90's films!")
    'i dont want sci fi or 90s films!'
    """
    lowered = re.sub(r"['’`]", "", text.casefold()).replace("&", " and ")
    return " ".join(re.sub(r"[^\w,.;!?]+|_", " ", lowered).split())
