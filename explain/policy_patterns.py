"""How a text may say what a user's state did to the weights, and what it claims by that.

Read from the finished text, apart from the phrases that write it (`rerankers.policy_reason`): a
word changed there without its meaning here is refused, and seen in the tests.
"""

import re
from dataclasses import dataclass

_NOUN = r"[\w'-]+?"
_TOPIC = r"(?P<topic>.+?)"


@dataclass(frozen=True, slots=True)
class PolicyForms:
    """How one language says it.

    Attributes:
        states: State, level and form of each; gaps for nouns and a topic.
        aspects: Aspect and form of each; of other floors and of ceilings, the group tells which.
        variety: How "variety counts" reads before "more" and "less".
        more: The words for more and less of variety.
        higher: The words for what comes higher and lower.
        sentence: The whole, with gaps for the state and the effect.
        moved: What follows where it moved the item up.
    """

    states: tuple[tuple[str, str, str], ...]
    aspects: tuple[tuple[str, str], ...]
    variety: str
    more: tuple[str, str]
    higher: tuple[str, str]
    sentence: str
    moved: str

    def form(self, noun: str, nouns: str, topic: str, subject: str, places: str) -> str:
        """The pattern of the statement, for these words for items, topics, subjects, places."""
        states = "|".join(
            form.format(noun=noun, nouns=nouns, topic=topic) for _, _, form in self.states
        )
        aspects = "|".join(form.format(nouns=nouns) for _, form in self.aspects)
        effects = (
            rf"{self.variety} (?:{'|'.join(self.more)})|(?:{aspects}) (?:{'|'.join(self.higher)})"
        )
        whole = self.sentence.format(state=f"(?P<state>{states})", effect=f"(?P<effect>{effects})")
        return f"{whole}(?:{self.moved.format(subject=subject, places=places)})?"

    def read_state(self, text: str) -> tuple[str, str, str | None, int | None]:
        """State, level, topic and number of a state that `form` has matched."""
        for state, level, form in self.states:
            pattern = form.format(noun=_NOUN, nouns=_NOUN, topic=_TOPIC)
            matched = re.fullmatch(pattern, text, re.IGNORECASE)
            if matched is not None:
                number = re.search(r"\d+", text) if state == "days_away" else None
                return state, level, matched.groupdict().get("topic"), number and int(number[0])
        raise AssertionError(f"matched, and cannot be read: {text!r}")

    def read_effect(self, text: str) -> tuple[str, str | None, str]:
        """Aspect, group and direction of an effect that `form` has matched."""
        words, _, last = text.rpartition(" ")
        if words.casefold() == self.variety.casefold():
            return "diversity", None, "up" if last.casefold() == self.more[0] else "down"
        direction = "up" if last.casefold() == self.higher[0] else "down"
        for aspect, form in self.aspects:
            if re.fullmatch(form.format(nouns=_NOUN), words, re.IGNORECASE):
                group = re.search(r"‘([^‘’]*)’", text)
                return aspect, group and group[1], direction
        raise AssertionError(f"matched, and cannot be read: {text!r}")
