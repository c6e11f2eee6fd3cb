"""What a phrase describes: a topic ("it gave me nightmares") or a title ("the one with the shark").

The phrase's sentence embedding is compared with example phrases of each topic, and with titles.
Only what is near enough, and clearly nearer than the next, counts; else it is reported as not
understood, or asked about.
"""

import re
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray
from ...candidates.catalogue import Catalogue
from ..lexicon import plain_text
from ..sanitise import display_title
from .encoder import Encoder
from .topic_phrases import TOPIC_PHRASES

TOPIC_CLOSE = 0.40
"""Cosine from which a phrase is taken for a topic."""

TOPIC_CLEAR = 0.03
"""How much nearer the topic must be than the next one."""

KNOWN_WEIGHT = 0.03
"""What a title twice as well known gains: people describe what is known."""

TITLE_CLOSE = 0.62
"""Cosine and gain together, from which a description is taken for a title."""

TITLE_CLEAR = 0.04
"""How much nearer the title must be than the next one; else the near ones are offered."""

_DESCRIBED = re.compile(
    r"(?:the |that |this )?(?:one|film|movie|picture|story)s? "
    r"(?:with|about|where|in which|that has|on|of|set in|featuring)(?: the| a| an)? (?P<what>.+)"
)
_LEADING = re.compile(
    r"^(?:(?:a|an|the|some|any|something|anything|nothing|film|films|movie|movies|story|stories|"
    r"tale|tales|with|about|of|that|which|where|things?|stuff|will|would|show|me|kind|sort|type|"
    r"more|like|is|are|really|lots|i|want|to|see) )+"
)


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest things to a phrase, best first.

    Attributes:
        names: Topics, or rows of the catalogue as strings.
        scores: Their cosines.
    """

    names: tuple[str, ...]
    scores: tuple[float, ...]

    def only(self, close: float, clear: float) -> str | None:
        """The first, if it is near enough and clearly nearer than the second."""
        fitting = self.candidates(close, clear)
        return fitting[0] if len(fitting) == 1 else None

    def candidates(self, close: float, clear: float) -> tuple[str, ...]:
        """All that are near enough and not clearly farther than the first."""
        best = self.scores[0] if self.scores else -1.0
        return tuple(
            name
            for name, value in zip(self.names, self.scores, strict=True)
            if value >= close and best - value < clear
        )


class PhraseIndex:
    """The topics and titles of one catalogue, embedded once (about two seconds for 1,700 titles).

    Args:
        catalogue: The items.
        encoder: Embeds texts.
    """

    def __init__(self, catalogue: Catalogue, encoder: Encoder) -> None:
        self._encoder = encoder
        topics = {plain_text(name).strip(" ,.;!?"): name for name in catalogue.topic_names}
        examples = [
            (name, phrase)
            for plain, name in topics.items()
            for phrase in (f"{name} film", *TOPIC_PHRASES.get(plain, ()))
        ]
        self._topic_of = [name for name, _ in examples]
        self._topics = encoder.encode([phrase for _, phrase in examples])
        self._catalogue = catalogue
        self._titles: FloatArray | None = None

    def topic(self, words: str) -> Near:
        """Topics by the mean of their two nearest examples."""
        vector = self._encoder.encode([_LEADING.sub("", words) or words])[0]
        cosines = self._topics @ vector
        best: dict[str, float] = {}
        for name in dict.fromkeys(self._topic_of):
            own = np.sort(cosines[[other == name for other in self._topic_of]])[::-1]
            best[name] = float(own[:2].mean())
        ordered = sorted(best, key=lambda name: -best[name])[:4]
        return Near(tuple(ordered), tuple(best[name] for name in ordered))

    def title(self, words: str) -> Near:
        """Rows of titles near a description such as "the one with the dinosaurs"."""
        described = _DESCRIBED.search(words)
        what = described["what"] if described else words
        if self._titles is None:
            self._titles = self._encoder.encode(_title_texts(self._catalogue))
        cosines = self._titles @ self._encoder.encode([what])[0]
        cosines = cosines + KNOWN_WEIGHT * np.log2(1.0 + self._catalogue.popularity)
        rows = np.argsort(-cosines)[:4]
        return Near(tuple(str(row) for row in rows), tuple(float(v) for v in cosines[rows]))


def describes_title(words: str) -> bool:
    """Whether the words speak of one item ("the one with ...") rather than of a kind."""
    return _DESCRIBED.match(words) is not None


def _title_texts(catalogue: Catalogue) -> list[str]:
    return [
        display_title(str(title), str(item_id))
        for title, item_id in zip(catalogue.titles, catalogue.item_ids, strict=True)
    ]
