"""Words for topics, and the phrases that say what is wanted of them."""

import re
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

TOPIC_WORDS: dict[str, tuple[str, ...]] = {
    "action": (
        "action packed", "fighting", "martial arts", "kung fu", "stunt", "adrenaline",
    ),
    "adventure": ("adventurous", "expedition", "quest", "swashbuckler"),
    "animation": ("animated", "cartoon", "anime", "hand drawn", "drawn", "claymation"),
    "childrens": (
        "children", "kid", "kids", "family", "for kids", "for children", "child", "toddler",
        "family friendly", "for the family", "for the whole family", "toddlers",
    ),
    "comedy": (
        "funny", "comedies", "comic", "hilarious", "make me laugh", "humor", "humour", "laugh",
        "laughs", "humorous", "sitcom", "slapstick", "satire", "parody", "spoof", "silly", "goofy",
        "farce", "lighthearted", "light hearted", "comedic", "feel good", "witty",
    ),
    "crime": (
        "gangster", "heist", "mafia", "mob", "robbery", "criminal", "organised crime",
        "organized crime",
    ),
    "documentary": (
        "documentaries", "true story", "docu", "doc", "docs", "nature film", "real life footage",
        "non fiction", "nonfiction",
    ),
    "drama": (
        "dramatic", "tearjerker", "tear jerker", "weepie", "moving", "melodrama",
        "emotional", "touching", "heartbreaking", "serious",
    ),
    "fantasy": (
        "fantasies", "magical", "fairy tale", "elves", "unicorn", "sword and sorcery", "mythical",
    ),
    "film noir": ("noir", "private eye", "femme fatale", "hard boiled", "hardboiled"),
    "horror": (
        "scary", "frightening", "creepy", "slasher", "scared", "spooky", "ghost", "zombie",
        "vampire", "haunted", "monster", "gory", "terrifying", "jump scare", "werewolf",
        "chilling", "scarier", "scariest",
    ),
    "musical": ("music", "singing", "song and dance", "broadway"),
    "mystery": (
        "mysteries", "whodunit", "detective", "whodunnit", "murder mystery", "sleuth", "mysterious",
        "who did it", "riddle", "unsolved",
    ),
    "romance": (
        "romantic", "love story", "love stories", "rom com", "romcom", "chick flick",
        "date movie", "mushy", "love affair", "sappy", "schmaltzy",
    ),
    "sci fi": (
        "science fiction", "scifi", "sci fi", "space", "futuristic", "time travel", "outer space",
        "dystopia", "dystopian", "cyborg", "space travel", "sf",
    ),
    "thriller": (
        "suspense", "suspenseful", "thrilling", "nail biter", "nail biting", "gripping",
        "espionage",
    ),
    "war": (
        "wartime", "battlefield", "military", "world war", "combat",
    ),
    "western": (
        "cowboy", "gunslinger", "wild west", "spaghetti western",
    ),
}
"""What people say for common topics; a word counts only where the catalogue has the topic."""

_SPELL = 0.82
_SPELL_SHORT = 0.88
_SHORTEST = 4

CUES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"(?:{phrase})(?!\w)"))
    for name, phrase in (
        (
            "reset",
            r"(?:let us |lets |please |can we |i want to )?(?:start|begin)(?: all)?"
            r" (?:over|again|fresh|anew|from scratch|from the beginning|from zero)"
            r"(?: again)?(?: from (?:scratch|the beginning|zero))?",
        ),
        ("reset", r"reset(?: everything| all| it all)?|never ?mind all that|clean slate|from scratch"),
        (
            "reset",
            r"(?:forget|scrap|clear|delete|remove|drop|wipe|cancel|undo|erase|discard|lose)"
            r"(?: about)? (?:everything|all of (?:that|it|this|them)|all that|it all|the lot"
            r"|all (?:of )?(?:my |the )?(?:filters|wishes|preferences)"
            r"|(?:my|the) (?:filters|wishes|preferences)|the slate(?: clean)?)"
            r"(?: i (?:have )?(?:said|asked|told you|wanted)(?: for| so far)?)?",
        ),
        ("reset", r"forget what i (?:have )?(?:said|told you|asked(?: for)?)|forget my wishes"),
        ("reset", r"clear all"),
        (
            "more_variety",
            r"surprise me|(?:mix|shake) (?:it|things|them) up|(?:something|anything|a) "
            r"(?:completely |totally |bit |little |entirely )?different",
        ),
        (
            "more_variety",
            r"(?:(?:a )?(?:bit |little |much |lot )?more|greater|some|wider) "
            r"(?:variety|varied|diverse|diversity|mixed|variation|range|mixture)",
        ),
        (
            "more_variety",
            r"(?:too (?:similar|samey|repetitive|alike|uniform|one sided|monotonous)|(?:all|always)"
            r" (?:the|so) (?:same|alike|similar)|not so similar|less (?:similar|alike|repetitive"
            r"|samey|uniform)|vary (?:it|them|things|the list)|not all the same)",
        ),
        (
            "less_variety",
            r"less (?:variety|varied|diverse|diversity|mixed|variation|random)|more of the same"
            r"|more (?:similar|alike|uniform|focused|consistent|coherent)(?= ?(?:[,.;!?]|$|to each))"
            r"|(?:closer|keep (?:it|them) close) together|stick to one (?:kind|thing)",
        ),
        (
            "less_variety",
            r"(?:way |far |much )?too (?:varied|diverse|mixed|random|much variety|much variation"
            r"|many different \w+|scattered|broad)|not so (?:varied|diverse|mixed|random)",
        ),
        (
            "less_popular",
            r"(?:less|not (?:so |too |that |all that |the usual )?|too|non|fewer|no) ?"
            r"(?:popular|mainstream|well known|famous|known|obvious|hyped|blockbusters?|big hits?)"
            r"|(?:more |really |very |rather |a bit more |something |some )?(?:hidden gems?|obscure"
            r"|lesser known|little known|less known|unknown|niche|underrated|overlooked|indie"
            r"|off the beaten (?:track|path)|under the radar|forgotten|unheard of|cult)"
            r"|(?:most|many|few|no one|nobody|hardly any|not many)(?: people| persons)?"
            r"(?: \w+){0,2} (?:never |not |ever )?(?:heard|heard of|know|knows|seen)(?: of)?"
            r"|(?:that )?not everyone (?:knows|has seen|watches)|(?:something |that )?everyone knows"
            r"(?= less)",
        ),
        (
            "popular",
            r"(?:more |very |really |most |the most |quite |big |better |best |the )?(?:popular"
            r"|mainstream|famous|well known|known|blockbusters?|big hits?|smash hits?|hits"
            r"|crowd pleas(?:er|ers|ing)|box office|top grossing|successful|household names?"
            r"|(?:that |which |something |what )?(?:everyone|everybody)(?: else)?"
            r" (?:is watching|watches|knows|likes|loves|has seen|talks about|is talking about))",
        ),
        ("include", r"not (?:just|only)|nothing but|nothing except|nothing other than|(?:would ?nt|not) say no to"),
        ("neutral", r"(?:i am|im|am) not against|(?:do not|dont|would not|wouldnt) mind|nothing against"),
        (
            "exclude",
            r"(?:anything|everything|all|any \w+) (?:but|except(?: for)?|other than|apart from"
            r"|besides)|no more|not any more|none of|by no means|under no circumstances",
        ),
        (
            "dislike",
            r"(?:i |we )?(?:really |absolutely |just |so |also )*(?:hate|hated|dislike|disliked"
            r"|detest|detested|loathe|loathed|despise|despised|abhor)",
        ),
        (
            "dislike",
            r"(?:i |we )?(?:really |just |simply )*(?:cant|cannot|can not|could not|couldnt)"
            r" (?:stand|bear|take|abide|stomach)(?: any(?: more)?)?",
        ),
        (
            "dislike",
            r"(?:i |we )?(?:really |just )*(?:did not|didnt|do not|dont|does not|doesnt|never)"
            r" (?:really |much |at all )*(?:like|liked|love|enjoy|enjoyed|care (?:much )?for|dig)",
        ),
        (
            "dislike",
            r"(?:im |i am |we are |were )?not (?:a |much of a |really a |such a )*(?:big |great )?"
            r"(?:fan|fond|keen)(?: of| on)?|thumbs down(?: for| to| on)?",
        ),
        (
            "seen",
            r"(?:i have|ive|i|we have|weve|we)(?: all)? (?:already |just |only just )?"
            r"(?:seen|saw|watched|know|knew)(?: already)?|already (?:seen|saw|watched|know)"
            r"|(?:seen|saw)(?= )",
        ),
        (
            "exclude",
            r"(?:i |we |please )?(?:do not|dont|wont|will not|would not|wouldnt|never) (?:want|need"
            r"|show me|show us|show|give me|give|recommend|suggest|feel like|include|bring|fancy"
            r"|bother with)(?: to (?:see|watch))?(?: me)?(?: any(?:thing| more)?)?",
        ),
        (
            "exclude",
            r"(?:im |i am |we are )?(?:not|never) (?:really )?in the mood for|(?:im |i am )?(?:so )?"
            r"(?:sick|tired|bored|fed up|sick and tired)(?: of| with)|(?:i |we )?(?:have |ve )?"
            r"(?:had |seen )?(?:more than )?enough(?: of)?|spare (?:me|us)|hold the"
            r"|keep (?:away from|clear of)|stay away from|rid (?:me )?of|get rid of|steer clear of"
            r"|do without|could do without|weg with|anything without|ban|block|hide|omit|cut(?: out)?",
        ),
        (
            "avoid",
            r"less|fewer|not (?:so much|as much|too much|too many|so many|as many|that much|that"
            r" many|overly|terribly|particularly|especially)|(?:tone|turn|dial|cut) (?:down|back)"
            r"(?: on)?|ease (?:off|up)(?: on)?|go (?:easy|easier|light) on|cut down on|reduce"
            r"|(?:please )?limit|not as|a bit too",
        ),
        (
            "exclude",
            r"no|not|without|nothing|never|neither|nor|none|avoid|except(?: for)?|skip|exclude|"
            r"excluding|remove|enough|other than|leave out|drop|minus|instead of|rather than"
            r"|not even|apart from|leave|keep",
        ),
        (
            "like_this",
            r"(?:some |more |something |anything |any |other |films? |movies? |titles? |ones? |stuff "
            r"|things )*(?:similar to|in the (?:style|vein|spirit) of|along the lines of|reminiscent"
            r" of|resembling|comparable (?:to|with)|akin to|close to|in the same vein as|a la"
            r"|which resemble|that resemble)",
        ),
        (
            "like_this",
            r"(?:more|something|anything|films?|movies?|titles?|ones?|stuff|things|pictures?) like",
        ),
        (
            "include",
            r"(?:i |we )?(?:would (?:really )?like|id (?:really )?like|feel like|would (?:really )?"
            r"love|id (?:really )?love|id (?:really )?enjoy|would (?:really )?enjoy|could go for"
            r"|fancy|crave|am craving|could do with|long for)(?: to (?:see|watch))?"
            r"|(?:im |i am |we are )?in (?:the )?mood for",
        ),
        (
            "liked",
            r"(?:i |we )(?:really |also |do |absolutely |just |always |quite |so |usually )*"
            r"(?:like|liked|love|loved|enjoy|enjoyed|adore|adored)"
            r"|(?:really |also |absolutely |just |always )*(?:liked|love|loved|enjoyed|adore|adored)"
            r"|(?:im |i am )?(?:a )?(?:big |huge |great )?(?:fan of|fond of|keen on|into)"
            r"|thumbs up (?:for|to)",
        ),
        (
            "prefer",
            r"(?:i |we )?(?:id |would )?(?:much |rather )?prefer(?:ably|red)?|more(?: of)?|extra"
            r"|ideally|(?:i |id |i would |we would |wed )?rather(?: have| see| watch)?"
            r"|(?:a )?(?:bit|touch|dash|hint|pinch|little) of|add(?: in)?(?: some| a few)? more"
            r"|with (?:a )?(?:bit|touch|dash|hint|pinch|little)(?: of)?|above all|especially",
        ),
        (
            "include",
            r"only|just|i want|i need|we need|we want|give (?:me|us)|show (?:me|us)|find (?:me|us)"
            r"|looking for|how about|what about|recommend(?: me| us)?|suggest|something|instead"
            r"|let us (?:see|watch|have)|lets (?:see|watch|have)|please show|add|got any(?:thing)?"
            r"|any(?:thing)?|switch to|put on|bring(?: me| on)?|play me|pick",
        ),
        ("like_this", r"like"),
    )
)
"""Phrases by what they say, in the order in which they are tried. Apostrophes are gone by then."""

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
        cutoff = _SPELL if len(word) > _SHORTEST else _SPELL_SHORT
        close = get_close_matches(word, self._names, n=3, cutoff=cutoff)
        # "sience fiction" is one slip, "love fiction" is another thing: each word must be near.
        return next((self._names[form] for form in close if _alike(word, form)), None)


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
