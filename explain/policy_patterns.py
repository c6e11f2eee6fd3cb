"""How a text may say what a user's state did to the weights, and what it claims by that.

Read from the finished text, apart from the phrases that write it (`rerankers.policy_reason`): a
word changed there without its meaning here is refused, and seen in the tests.
"""

import re

_STATES = (
    ("clicks_lately", "high", r"you chose many (?:{topic} )?{noun}s lately"),
    ("clicks_lately", "low", r"you chose few {noun}s lately"),
    ("taste", "high", r"you rated {topic} {noun}s high"),
    ("taste", "low", r"you rated {topic} {noun}s low"),
    ("satisfaction", "high", r"you rated what you chose lately high"),
    ("satisfaction", "low", r"you rated what you chose lately low"),
    ("click_rate", "high", r"you chose more of what you were shown lately than most"),
    ("click_rate", "low", r"you chose less of what you were shown lately than most"),
    ("slates_seen", "high", r"you have seen more lists than most"),
    ("slates_seen", "low", r"you have seen fewer lists than most"),
    ("days_away", "high", r"you were away for \d+ days"),
    ("shown_lately", "high", r"you were shown many of these {noun}s lately"),
    ("shown_lately", "low", r"you were shown few of these {noun}s lately"),
    ("pool_topic", "high", r"more of the {noun}s found for you are {topic} than for most"),
    ("pool_topic", "low", r"fewer of the {noun}s found for you are {topic} than for most"),
)
"""State and level of each form."""

_ASPECTS = (
    ("relevance", r"what the model scores high for you comes"),
    ("popularity", r"popular {noun}s come"),
    ("recency", r"newer {noun}s come"),
    ("satiation", r"{noun}s of the topics you chose lately come"),
    ("topic_taste", r"{noun}s of the topics you rated high come"),
    ("fatigue", r"{noun}s you were shown lately come"),
    ("clicked", r"{noun}s you chose lately come"),
    ("preference", r"{noun}s you often chose when you saw them come"),
    ("enjoyment", r"{noun}s you rated high before come"),
    ("familiarity", r"{noun}s you were shown often come"),
    ("history_affinity", r"{noun}s of the topics that your history is full of come"),
    ("history_taste", r"{noun}s of the topics you rated higher than others did come"),
    ("reward", r"{noun}s that are expected to please you now come"),
    ("rested_reward", r"{noun}s that would please you more after a while come"),
    ("floor:popularity=long_tail", r"less-known {noun}s come"),
    ("floor:", r"{noun}s of the group ‘[^‘’]*’ come"),
    ("floor!", r"{noun}s outside the group ‘[^‘’]*’ come"),
)
"""Aspect of each form; of other floors and of ceilings, the group tells which."""

_NOUN = r"[\w'-]+?"
_TOPIC = r"(?P<topic>.+?)"


def policy_form(noun: str, topic: str, subject: str, places: str) -> str:
    """The pattern of the statement, for these words for items, topics, subjects and places."""
    states = "|".join(form.format(noun=noun, topic=topic) for _, _, form in _STATES)
    aspects = "|".join(form.format(noun=noun) for _, form in _ASPECTS)
    effects = rf"variety counts (?:more|less)|(?:{aspects}) (?:higher|lower)"
    moved = rf"(?:, and that moved {subject} up {places})?"
    return rf"(?P<state>{states}), so (?P<effect>{effects}) now{moved}"


def read_state(text: str) -> tuple[str, str, str | None, int | None]:
    """State, level, topic and number of a state that `policy_form` has matched."""
    for state, level, form in _STATES:
        matched = re.fullmatch(form.format(noun=_NOUN, topic=_TOPIC), text, re.IGNORECASE)
        if matched is not None:
            number = re.search(r"\d+", text) if state == "days_away" else None
            return state, level, matched.groupdict().get("topic"), number and int(number[0])
    raise AssertionError(f"matched, and cannot be read: {text!r}")


def read_effect(text: str) -> tuple[str, str | None, str]:
    """Aspect, group and direction of an effect that `policy_form` has matched."""
    words, _, last = text.casefold().rpartition(" ")
    direction = "up" if last in ("more", "higher") else "down"
    if words == "variety counts":
        return "diversity", None, direction
    for aspect, form in _ASPECTS:
        if re.fullmatch(form.format(noun=_NOUN), text.rpartition(" ")[0], re.IGNORECASE):
            group = re.search(r"‘([^‘’]*)’", text)
            return aspect, group and group[1], direction
    raise AssertionError(f"matched, and cannot be read: {text!r}")
