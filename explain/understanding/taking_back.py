"""Reads which of the wishes that hold are taken back: "forget the horror thing", "drop the 90s".

Only wishes that hold can be taken back. "Remove" and "drop" also ask to leave something out, so
that before a topic that is left out already they need a word such as "filter" behind it.
"""

import re

from ..lexicon import TopicWords
from ..refinement import Refinement
from ..years import match_years
from .context import Context, TakenBack
from .references import References

_THING = (
    r"(?: (?:thing|things|wish|wishes|filter|filters|rule|rules|limit|limits|part|bit|constraint|"
    r"constraints|preference|preferences|requirement|requirements|condition|request|ban|stuff))"
)
_FORGET = (
    r"(?:please )?(?:forget(?: about)?|never ?mind|cancel|lift|take back|disregard|ignore|undo|"
    r"withdraw|relax|i (?:dont|do not|no longer) care about|(?:you can )?stop (?:avoiding"
    r"|excluding|"
    r"with))"
)
_DROP = r"(?:please )?(?:drop|remove|delete|scrap|clear|get rid of|throw out)"
_ABOUT = r"(?: the| my| that| this| what i said about| wish| filter| about| of| on| for| limit)*"
_FINE = (
    r"(?:is|are|s)? ?(?:actually |now )?(?:fine|ok|okay|allowed|alright|all right|welcome|good|"
    r"acceptable|back in|no problem)(?: again| after all| now| too| with me| by me| for me)*"
)
_FORGET_X = re.compile(rf"{_FORGET}{_ABOUT} (?P<what>.+?)(?P<thing>{_THING})?(?: please)?")
_DROP_X = re.compile(rf"{_DROP}{_ABOUT} (?P<what>.+?)(?P<thing>{_THING})?(?: please)?")
_FINE_X = re.compile(rf"(?:.*?[,;] ?)?(?:so |but |and |then )?(?P<what>[^,;]+?) {_FINE}(?: |$)")
_ANY_X = re.compile(
    r"(?:i (?:dont|do not) mind |let us have |show me )?(?:any|all|every) (?P<what>genres?|topics?|"
    r"kinds?|sorts?|years?|decades?|eras?|age|period|time)"
    r"(?: (?:is|are|will|would|s))?(?: (?:do|be))?(?: \w+){0,3}"
)
_NO_MATTER = re.compile(
    r"(?:the )?(?P<what>genres?|topics?|years?|decades?|eras?|age|popularity|variety)"
    r" (?:does|do)(?:nt| not) matter(?: any ?more| now)?"
)
_UNDO = re.compile(
    r"(?:no[, ]+)?(?:please )?(?:undo|revert|go back|(?:take|took) (?:that|it) back|scratch that|"
    r"back up|forget (?:that|it|the last (?:one|wish|thing))|(?:remove|drop|cancel|delete) "
    r"(?:that|it|(?:my|the) last (?:one|wish|thing)))"
    r"(?: that| it| the last (?:one|thing|wish)| my last wish| one)?(?: please| again)?"
)
_TOPICS = ("include_topics", "exclude_topics", "prefer_topics", "avoid_topics")
_ITEMS = ("like_items", "dislike_items", "exclude_items")
_LEFT_OUT = ("exclude_topics", "avoid_topics", "exclude_items", "dislike_items")
_GENRE = re.compile(r"(?:genre|topic|kind|sort)s?")
_TIME = re.compile(r"(?:release )?(?:year|decade|era|age|date|period|time)s?(?: range| span)?")


def read_taken_back(
    plain: str, references: References, topics: TopicWords, newest: int | None
) -> TakenBack:
    """What is taken back; empty where nothing is, or nothing of that kind holds."""
    text = plain.strip(" .;!?")
    context: Context = references.context
    held = context.wishes.current
    if held.is_empty:
        return TakenBack()
    if _UNDO.fullmatch(text):
        return TakenBack(last_turn=True)
    reader = _Held(held, references, topics, newest)
    for form in (_ANY_X, _NO_MATTER):
        match = form.fullmatch(text)
        if match:
            return TakenBack(wishes=reader.of_kind(match["what"]))
    match = _FINE_X.match(text)
    if match:
        return TakenBack(wishes=reader.left_out(match["what"]))
    match = _FORGET_X.fullmatch(text)
    if match:
        return TakenBack(wishes=reader.named(match["what"]))
    match = _DROP_X.fullmatch(text)
    if match:
        found = reader.named(match["what"])
        if match["thing"] or re.match(rf"{_DROP} (?:the |my |that )*(?:wish|filter)", text):
            return TakenBack(wishes=found)
        # "drop horror" where horror is left out already asks for nothing new.
        return TakenBack(wishes=found.model_copy(update={name: () for name in _LEFT_OUT}))
    return TakenBack()


def is_fine(clause: str, topics: TopicWords) -> bool:
    """Whether a clause says that topics are fine, which asks for nothing: "war is ok"."""
    match = _FINE_X.fullmatch(clause.strip(" ,.;!?") + " ")
    words = match["what"].split() if match else []
    return 0 < len(words) <= 3 and topics.match(" ".join(words), 0) is not None


class _Held:
    """Finds wishes that hold by what they are called."""

    def __init__(
        self, held: Refinement, references: References, topics: TopicWords, newest: int | None
    ) -> None:
        self._held, self._references = held, references
        self._topics, self._newest = topics, newest

    def of_kind(self, what: str) -> Refinement:
        """All wishes about topics, or all about years."""
        if _GENRE.fullmatch(what):
            return self._fields(_TOPICS)
        if _TIME.fullmatch(what):
            return self._years()
        return (
            Refinement(popularity=self._held.popularity)
            if what == "popularity"
            else (Refinement(diversity=self._held.diversity))
        )

    def named(self, words: str) -> Refinement:
        """The wishes that the words name: a topic, years, popularity, variety or a title."""
        words = re.sub(r"^(?:no |not |only |more |less |the |my |films? |movies? )+", "", words)
        if _GENRE.fullmatch(words):
            return self._fields(_TOPICS)
        if _TIME.fullmatch(words) or match_years(words, 0, self._newest, negated=False):
            return self._years()
        if re.search(
            r"popular|mainstream|famous|hidden gem|obscure|blockbuster|well known|hits", words
        ):
            return Refinement(popularity=self._held.popularity)
        if re.search(r"variety|varied|divers|mix", words):
            return Refinement(diversity=self._held.diversity)
        topic = self._topic(words)
        if topic is not None:
            return self._with(topic, _TOPICS)
        item = self._references.named(re.sub(r"^(?:like|films like) ", "", words))
        return Refinement() if item is None else self._with(item, _ITEMS)

    def left_out(self, words: str) -> Refinement:
        """Of the topics that the words name, those that are left out or kept rare."""
        found: dict[str, tuple[str, ...]] = {"exclude_topics": (), "avoid_topics": ()}
        place = 0
        while place < len(words):
            match = self._topics.match(words, place)
            if match is None:
                following = re.compile(r"\w+\W*").match(words, place)
                place = following.end() if following else place + 1
                continue
            topic, place = match
            for name in found:
                if topic in getattr(self._held, name):
                    found[name] = (*found[name], topic)
        return Refinement.model_validate(found)

    def _topic(self, words: str) -> str | None:
        found = self._topics.match(words, 0)
        if found is not None and re.fullmatch(r"(?: films?| movies?| ones?)?", words[found[1] :]):
            return found[0]
        return self._topics.misspelt(words)

    def _years(self) -> Refinement:
        return Refinement(min_year=self._held.min_year, max_year=self._held.max_year)

    def _fields(self, names: tuple[str, ...]) -> Refinement:
        return Refinement.model_validate({name: getattr(self._held, name) for name in names})

    def _with(self, value: str, names: tuple[str, ...]) -> Refinement:
        return Refinement.model_validate(
            {name: (value,) for name in names if value in getattr(self._held, name)}
        )
