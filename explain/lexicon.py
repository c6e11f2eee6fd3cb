"""Words for topics, and the phrases that say what is wanted of them."""

import re
from difflib import get_close_matches
from functools import lru_cache

TOPIC_WORDS: dict[str, tuple[str, ...]] = {
    "action": ("action packed",),
    "adventure": ("adventurous",),
    "animation": ("animated", "cartoon", "anime"),
    "childrens": ("children", "kid", "kids", "family", "for kids", "for children", "child"),
    "comedy": ("funny", "comedies", "comic", "hilarious", "make me laugh", "humor", "humour"),
    "crime": ("gangster", "heist", "mafia"),
    "documentary": ("documentaries", "true story"),
    "drama": ("dramatic",),
    "fantasy": ("fantasies", "magical", "fairy tale"),
    "film noir": ("noir",),
    "horror": ("scary", "frightening", "creepy", "slasher"),
    "musical": ("music", "singing"),
    "mystery": ("mysteries", "whodunit", "detective"),
    "romance": ("romantic", "love story", "love stories", "rom com", "romcom"),
    "sci fi": ("science fiction", "scifi", "sci fi", "space"),
    "thriller": ("suspense", "suspenseful", "thrilling"),
    "war": ("wartime",),
    "western": ("cowboy",),
}
"""What people say for common topics; a word counts only where the catalogue has the topic."""

_SPELL = 0.85

CUES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"(?:{phrase})(?!\w)"))
    for name, phrase in (
        ("reset", r"start over|start again|start fresh|reset|never ?mind all that"),
        ("reset", r"forget (?:everything|all that|all of that|it all|what i said|my wishes)"),
        ("reset", r"clear (?:everything|all|my filters|the filters|my wishes)"),
        ("more_variety", r"surprise me|mix it up|(?:something|anything) (?:completely )?different"),
        ("more_variety", r"(?:more|greater|some) (?:variety|varied|diverse|diversity|mixed)"),
        ("more_variety", r"(?:too (?:similar|samey|repetitive)|all the same|not so similar)"),
        ("less_variety", r"less (?:variety|varied|diverse|diversity|mixed)|more of the same"),
        ("less_variety", r"too (?:varied|diverse|mixed)"),
        (
            "less_popular",
            r"(?:less|not (?:so |too |that )?|too|non) ?(?:popular|mainstream|well known|famous"
            r"|known|obvious)|hidden gems?|obscure|lesser known|unknown|niche|underrated"
            r"|off the beaten (?:track|path)",
        ),
        (
            "popular",
            r"(?:more |very |really |most |quite )?(?:popular|mainstream|famous|well known"
            r"|blockbusters?|big hits?|crowd pleasers?)",
        ),
        ("include", r"nothing but|nothing except|nothing other than"),
        ("exclude", r"anything (?:but|except|other than)|no more|not any more|none of"),
        ("dislike", r"(?:i )?(?:really )?(?:hate|hated|dislike|disliked|detest|loathe)"),
        ("dislike", r"(?:i )?(?:really )?(?:cant|cannot|could not|couldnt) stand"),
        (
            "dislike",
            r"(?:i )?(?:really )?(?:did not|didnt|do not|dont|never) (?:really )?"
            r"(?:like|liked|love|enjoy|enjoyed|care for)",
        ),
        ("seen", r"(?:i have|ive|i) (?:already )?(?:seen|saw|watched)|already (?:seen|watched)"),
        (
            "exclude",
            r"(?:i )?(?:do not|dont|wont|will not) (?:want|need|show me|show|give me"
            r"|recommend|suggest|feel like|include)(?: to (?:see|watch))?(?: any)?",
        ),
        (
            "exclude",
            r"no|not|without|nothing|never|avoid|except(?: for)?|skip|exclude|remove"
            r"|sick of|tired of|enough|other than|leave out|drop",
        ),
        (
            "like_this",
            r"(?:more |something |anything |films? |movies? |titles? |ones? |stuff )?"
            r"(?:similar to|in the style of|along the lines of|reminiscent of)",
        ),
        ("like_this", r"(?:more|something|anything|films?|movies?|titles?|ones?|stuff) like"),
        (
            "include",
            r"(?:i )?(?:would like|id like|feel like|would love|id love)"
            r"(?: to (?:see|watch))?",
        ),
        ("liked", r"i (?:really |also |do )?(?:like|liked|love|loved|enjoy|enjoyed|adore|adored)"),
        ("prefer", r"(?:i )?(?:would )?prefer|more|extra|preferably|ideally|rather"),
        ("avoid", r"less|fewer|not (?:so much|as much|too much|too many|so many)"),
        (
            "include",
            r"only|just|i want|i need|give me|show me|find me|looking for|how about"
            r"|what about|in the mood for|recommend(?: me)?|suggest|something|instead"
            r"|let us see|lets see|please show",
        ),
        ("like_this", r"like"),
    )
)
"""Phrases by what they say, in the order in which they are tried. Apostrophes are gone by then."""

_FILLERS = (
    "a an the some any i im me my we us you your it its this that these those is are was were be "
    "to of for in on at with by from as and or nor so very really quite too please maybe perhaps "
    "film films movie movies title titles show shows ones one stuff thing things item items "
    "would could can should do does did have has had ve d ll want like watch see watching "
    "today tonight now well also then kind type sort bit little lot more much good great nice "
    "genre genres list again all been them they there what if still made released came out "
    "years year set let s"
)
FILLERS = frozenset(_FILLERS.split())
"""Words that carry no wish of their own."""

SMALL_TALK = re.compile(
    r"(?:(?:hi|hello|hey|thanks|thank you|thx|cheers|ok|okay|great|cool|nice|perfect|bye|goodbye"
    r"|good (?:morning|evening|day|night)|how are you|no thanks|no thank you|sounds good"
    r"|so much|there|very much|a lot|that is all|thats all)[ ,.!?]*)+"
)
QUESTION = re.compile(
    r"(?:why|explain|who|when|compare|describe|tell me (?:about|why|more)|how (?:do|"
    r"did|does|come|many|is|are)|what (?:is|was|are|does|do you know))(?!\w)"
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
        """The topic that a word of five letters or more nearly spells."""
        close = get_close_matches(word, self._names, n=1, cutoff=_SPELL) if len(word) > 4 else []
        return self._names[close[0]] if close else None


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
