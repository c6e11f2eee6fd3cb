"""Reads one utterance in its context: rules first, then meaning, then, where it helps, a model."""

import re
from dataclasses import dataclass, field

import numpy as np

from ...candidates.catalogue import Catalogue
from ...errors import InvalidValue
from ..cues import CUES
from ..echo import echoed
from ..lexicon import FILLERS, SMALL_TALK, TopicWords, plain_text, topic_words
from ..linking import TitleIndex
from ..model import LanguageModel
from ..parsing import TOPIC_FIELDS, Phrase, Reader
from ..refinement import Refinement, describe, merge
from ..topic_words import TOPIC_WORDS
from .clarifying import chosen
from .context import Clarification, Context, TakenBack
from .encoder import Encoder
from .model_reader import read_with_model
from .phrases import (
    TITLE_CLEAR,
    TITLE_CLOSE,
    TOPIC_CLEAR,
    TOPIC_CLOSE,
    PhraseIndex,
    describes_title,
)
from .questions import looks_like_question, read_question
from .references import References
from .scope import is_out_of_scope, without_markup
from .spelling import respell
from .taking_back import is_fine, read_taken_back
from .title_reading import ITEM_FIELDS, TitleReader
from .translation import IDLE, to_english
from .turn import MAX_UTTERANCE, Guess, Intent, ParsedTurn
from .verdicts import read_verdict

_FEEDBACK = frozenset({"liked", "dislike", "seen"})
_ITEM_WISHES = frozenset({"like_items", "dislike_items", "exclude_items"})
_CLAUSES = re.compile(r"[.;!?]|, (?=but |and |though )|(?<=\w), | but ")
_CORRECTING = re.compile(
    r"^(?:(?:no|nope|nah)(?:,| wait| sorry| actually)+ ?|"
    r"(?:sorry|wait|actually|on second thoughts?|hmm|oh|well|i changed my mind|i mean)[ ,]+)+"
)
_SAID = {
    "exclude": "no",
    "dislike": "I dislike",
    "unlike": "nothing like",
    "avoid": "less",
    "prefer": "more",
    "liked": "I like",
    "like_this": "more like",
    "seen": "I have seen",
}
"""What was said before a phrase, in short."""

_INSTEAD = re.compile(
    r"\b(?:instead|no wait|wait no|rather than that|make (?:that|it)|i meant|"
    r"on second thoughts?|switch to|changed my mind)\b"
)


@dataclass
class Parser:
    """Reads the utterances of one catalogue; safe to share between threads.

    Args:
        catalogue: The items.
        encoder: Compares phrases by meaning; without it such phrases are not understood.
        model: Reads clauses of which neither rules nor encoder understood anything. Only for
            models that are larger than the embedded one.
    """

    catalogue: Catalogue
    encoder: Encoder | None = None
    model: LanguageModel | None = None
    titles: TitleIndex = field(init=False)
    _topics: TopicWords = field(init=False)
    _known: frozenset[str] = field(init=False)
    _newest: int | None = field(init=False)
    _phrases: PhraseIndex | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Build the indices once."""
        self.titles = TitleIndex(self.catalogue)
        self._topics = topic_words(self.catalogue.topic_names)
        said = " ".join(phrase for words in TOPIC_WORDS.values() for phrase in words)
        self._known = frozenset({*said.split(), *FILLERS, *_cue_words()}) | self.titles.words
        years = self.catalogue.year[np.isfinite(self.catalogue.year)]
        self._newest = int(years.max()) if len(years) else None

    def read(self, text: str, context: Context | None = None) -> ParsedTurn:
        """Read one utterance.

        Args:
            text: What was said.
            context: What was said and shown before.

        Raises:
            InvalidValue: The text is empty or longer than 1,000 characters.
        """
        if not text.strip() or len(text) > MAX_UTTERANCE:
            raise InvalidValue(
                f"a message needs 1 to {MAX_UTTERANCE} characters, "
                f"this one has {len(text.strip())}",
                field="text",
            )
        said = plain_text(without_markup(text))
        if not re.search(r"\w", said):
            return ParsedTurn(refinement=Refinement(), intent="unknown")
        references = References(self.titles, context or Context())
        english, language = to_english(said)
        plain = respell(english, self._known)
        turn = self._answer(said, references.context) or self._talk(plain, references)
        turn = turn or self._wishes(plain, language, references)
        return turn.model_copy(update={"language": language})

    def warm_up(self) -> None:
        """Embed topics and titles now; the first phrase that needs them waits a second else."""
        if self.encoder is not None:
            self._index().title("")

    def _index(self) -> PhraseIndex:
        assert self.encoder is not None
        if self._phrases is None:
            self._phrases = PhraseIndex(self.catalogue, self.encoder)
        return self._phrases

    def _answer(self, said: str, context: Context) -> ParsedTurn | None:
        """The answer to a question back."""
        option = chosen(said, context.asked) if context.asked else None
        if option is None:
            return None
        understood = describe(option.refinement, self.catalogue)
        return ParsedTurn(refinement=option.refinement, understood=understood, intent="refine")

    def _talk(self, plain: str, references: References) -> ParsedTurn | None:
        """Small talk, questions, and what this conversation is not for."""
        if SMALL_TALK.fullmatch(plain):
            return ParsedTurn(refinement=Refinement(), intent="small_talk")
        question = read_question(plain, references)
        if question is not None:
            return ParsedTurn(refinement=Refinement(), intent="question", question=question)
        return None

    def _wishes(self, plain: str, language: str | None, references: References) -> ParsedTurn:
        taken, rest = self._taken_back(plain, references)
        spoken, left = self._verdicts(_CORRECTING.sub("", rest), references)
        reader = Reader(left, self.catalogue, references, IDLE.get(language or "", frozenset()))
        wishes, guesses, unclear = reader.refinement, list[Guess](), reader.unclear
        off_topic = is_out_of_scope(plain)
        for phrase in () if off_topic else reader.phrases:
            found, guess, options = self._by_meaning(phrase, references)
            if found.is_empty and options is None:
                found, guess = self._by_model(phrase, references)
            wishes = merge(wishes, found) if not found.is_empty else wishes
            unclear = unclear or options
            if guess is not None:
                guesses.append(guess)
                reader.cues.add(phrase.mode)
        wishes = merge(spoken, wishes).model_copy(update={"reset": reader.refinement.reset})
        if _INSTEAD.search(plain) and wishes.include_topics:
            held = references.context.wishes.current.include_topics
            gone = tuple(topic for topic in held if topic not in wishes.include_topics)
            taken = TakenBack(wishes=merge(taken.wishes, Refinement(include_topics=gone)))
        about = {*reader.cues, *(("liked",) if not spoken.is_empty else ())}
        explained = {guess.phrase for guess in guesses}
        unread = (run for run in reader.unread if not any(run in phrase for phrase in explained))
        return ParsedTurn(
            refinement=wishes,
            understood=describe(wishes, self.catalogue),
            not_understood=tuple(map(echoed, unread)),
            corrected=tuple(item.title for item in reader.corrected),
            intent=_intent(wishes, taken, unclear, frozenset(about), plain),
            unclear=unclear,
            taken_back=taken,
            guessed=tuple(guesses),
        )

    def _taken_back(self, plain: str, references: References) -> tuple[TakenBack, str]:
        """What is taken back, and the clauses that say something else."""
        whole = read_taken_back(plain, references, self._topics, self._newest)
        if not whole.is_empty:
            return whole, "" if not _INSTEAD.search(plain) else plain
        gone, rest = TakenBack(), plain
        clauses = [clause.strip(" ,") for clause in _CLAUSES.split(plain)]
        for clause in clauses if len(clauses) > 1 else ():
            found = read_taken_back(clause, references, self._topics, self._newest)
            if is_fine(clause, self._topics):
                rest = rest.replace(clause, " ", 1)
            if not found.is_empty:
                gone = TakenBack(
                    wishes=merge(gone.wishes, found.wishes),
                    last_turn=gone.last_turn or found.last_turn,
                )
                rest = rest.replace(clause, " ", 1)
        return gone, " ".join(rest.split()).lstrip(" ,.;!?")

    def _verdicts(self, plain: str, references: References) -> tuple[Refinement, str]:
        """What is said of items in sentences about them, and the clauses that say else."""
        wishes, rest = Refinement(), plain
        for clause in _CLAUSES.split(plain):
            found = read_verdict(clause, references)
            if found is not None:
                cue, items = found
                wishes = merge(wishes, Refinement.model_validate({ITEM_FIELDS[cue]: items}))
                rest = rest.replace(clause, " ", 1)
        return wishes, " ".join(rest.split()).lstrip(" ,.;!?")

    def _by_meaning(
        self, phrase: Phrase, references: References
    ) -> tuple[Refinement, Guess | None, Clarification | None]:
        """A wish for what a phrase describes, or a question back where several things fit."""
        nothing = (Refinement(), None, None)
        if self.encoder is None:
            return nothing
        phrases = self._index()
        if (
            phrase.mode in ITEM_FIELDS
            and phrase.mode != "exclude"
            and describes_title(phrase.words)
        ):
            near = phrases.title(phrase.words)
            rows = near.candidates(TITLE_CLOSE, TITLE_CLEAR)
            if not rows:
                return nothing
            titles = TitleReader(self.catalogue, references, self._topics)
            options = [titles.option(int(row), phrase.mode) for row in rows]
            if len(options) > 1:
                return Refinement(), None, Clarification(about=phrase.words, options=tuple(options))
            guess = self._guess(phrase, options[0].name, near.scores[0])
            return options[0].refinement, guess, None
        near = phrases.topic(phrase.words)
        topic = near.only(TOPIC_CLOSE, TOPIC_CLEAR)
        field_name = TOPIC_FIELDS.get(phrase.mode, "include_topics")
        if topic is None:
            return nothing
        wish = Refinement.model_validate({field_name: (topic,)})
        return wish, self._guess(phrase, topic, near.scores[0]), None

    def _by_model(self, phrase: Phrase, references: References) -> tuple[Refinement, Guess | None]:
        """What a larger model makes of a phrase; nothing where it fails or names nothing known."""
        if self.model is None:
            return Refinement(), None
        said = f"{_SAID.get(phrase.mode, '')} {phrase.words}".strip()
        reading = read_with_model(said, self.catalogue, references, self.model)
        if reading.refinement.is_empty:
            return Refinement(), None
        meant = ", ".join(describe(reading.refinement, self.catalogue))
        return reading.refinement, Guess(phrase=phrase.words, meant=meant, by=self.model.name)

    def _guess(self, phrase: Phrase, meant: str, score: float) -> Guess:
        assert self.encoder is not None
        return Guess(phrase=phrase.words, meant=meant, by=self.encoder.name, score=score)


def _intent(
    wishes: Refinement,
    taken: TakenBack,
    unclear: Clarification | None,
    cues: frozenset[str],
    plain: str,
) -> Intent:
    if unclear is not None:
        return "clarify"
    if wishes.reset:
        return "reset"
    if wishes.is_empty and taken.is_empty:
        if is_out_of_scope(plain):
            return "out_of_scope"
        return "out_of_scope" if looks_like_question(plain) else "unknown"
    about_items = {name for name, value in wishes if value} <= _ITEM_WISHES
    said_of_items = about_items and not wishes.is_empty and cues <= _FEEDBACK
    return "feedback" if said_of_items else "refine"


def _cue_words() -> frozenset[str]:
    """Words that the phrases of wishes are made of."""
    return frozenset(word for _, form in CUES for word in re.findall(r"[a-z]{3,}", form.pattern))
