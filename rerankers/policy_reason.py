"""What a user's state did to the weights of their list, as a record and as a sentence.

A room above finds such reasons (`agents.interpret`), another one tells them to people (`explain`).
Neither knows the other, so the record and its words are here, beside the names of features and
observations that they speak of.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal[
    "clicks_lately",
    "taste",
    "satisfaction",
    "click_rate",
    "slates_seen",
    "days_away",
    "shown_lately",
    "pool_topic",
]

HIGH, LOW = 75.0, 25.0
"""Percentiles from which, and up to which, a state is called high or low."""

MANY_CLICKS = 0.5
"""Choices of a topic per list, lately, from which they are called many."""

RATED_HIGH, RATED_LOW = 0.65, 0.35
"""Satisfaction from which, and up to which, ratings are called high or low; 0.5 is neutral."""

TASTE = 0.2
"""Distance of a topic's satisfaction from neutral, in [-1, 1], from which it is spoken of."""


class PolicyReason(BaseModel):
    """One state of a user that moved one aspect of how their candidates are weighed.

    Attributes:
        state: What moved it. ``clicks_lately`` counts choices per list, of a topic or of all;
            ``taste`` is a topic's satisfaction around neutral in [-1, 1]; ``satisfaction`` that
            of what was rated lately, in [0, 1]; ``click_rate`` the share of what was shown that
            was chosen; ``slates_seen`` and ``days_away`` are numbers of lists and days;
            ``shown_lately`` is the mean over the candidates of how often they were shown, per
            list; ``pool_topic`` the topic's share of the candidates.
        topic: The topic that the state is about.
        level: Whether the state is high or low among those of other visits.
        value: The state.
        percentile: Share of the other visits with a lower value, equal ones counting half, in %.
        aspect: What was moved: ``relevance``, ``satiation``, ``diversity``, or the name of another
            feature (`rerankers.features`).
        group: Group of items, for a limit on exposure.
        direction: Whether it counts more or less than usual.
        size: How much of this the state did, in standard deviations of score per standard
            deviation of the aspect within the pool.
        places: Places that one item of the list gained by it; 0 where no item is spoken of.
        exact: False when the item gained at least ``places``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    state: State
    topic: str | None = None
    level: Literal["high", "low"]
    value: float
    percentile: Annotated[float, Field(ge=0.0, le=100.0)]
    aspect: str
    group: str | None = None
    direction: Literal["up", "down"]
    size: Annotated[float, Field(gt=0.0)]
    places: int = 0
    exact: bool = True


def sentence(reason: PolicyReason, noun: str = "title") -> str | None:
    """The reason as one sentence; None where there are no true words for it.

    >>> reason = PolicyReason(
    ...     state="clicks_lately", topic="Thriller", level="high", value=1.2, percentile=90,
    ...     aspect="diversity", direction="up", size=0.1,
    ... )
    >>> sentence(reason, "film")
    'You chose many Thriller films lately, so variety counts more now.'

    Args:
        reason: What moved what.
        noun: What an item is called, in the singular (its plural takes an s).
    """
    clause = reason_clause(reason, noun)
    return None if clause is None else f"{clause[0].upper()}{clause[1:]}."


def reason_clause(reason: PolicyReason, noun: str) -> str | None:
    """The same without capital and full stop."""
    state, effect = state_words(reason, noun), effect_words(reason, noun)
    return None if state is None or effect is None else f"{state}, so {effect}"


def state_words(reason: PolicyReason, noun: str) -> str | None:
    """What is so of the user; None where the value does not bear any words out."""
    if not _is_so(reason):
        return None
    about = (reason.state, reason.level, reason.topic is not None)
    words = _STATES.get(about)
    if words is None:
        return None
    return words.format(noun=noun, topic=reason.topic, value=round(reason.value))


def effect_words(reason: PolicyReason, noun: str) -> str | None:
    """What follows from it; None for an aspect without words."""
    up = reason.direction == "up"
    if reason.aspect == "diversity":
        return f"variety counts {'more' if up else 'less'} now"
    what = _ASPECTS.get(reason.aspect)
    if what is None and reason.group is not None:
        # The weight of a ceiling belongs to all but its group.
        side = "outside" if "!=" in reason.aspect else "of"
        what = f"{{noun}}s {side} the group ‘{{group}}’ come"
    if what is None:
        return None
    what = what.format(noun=noun, group=reason.group)
    return f"{what} {'higher' if up else 'lower'} now"


_STATES = {
    ("clicks_lately", "high", True): "you chose many {topic} {noun}s lately",
    ("clicks_lately", "high", False): "you chose many {noun}s lately",
    ("clicks_lately", "low", False): "you chose few {noun}s lately",
    ("taste", "high", True): "you rated {topic} {noun}s high",
    ("taste", "low", True): "you rated {topic} {noun}s low",
    ("satisfaction", "high", False): "you rated what you chose lately high",
    ("satisfaction", "low", False): "you rated what you chose lately low",
    ("click_rate", "high", False): "you chose more of what you were shown lately than most",
    ("click_rate", "low", False): "you chose less of what you were shown lately than most",
    ("slates_seen", "high", False): "you have seen more lists than most",
    ("slates_seen", "low", False): "you have seen fewer lists than most",
    ("days_away", "high", False): "you were away for {value} days",
    ("shown_lately", "high", False): "you were shown many of these {noun}s lately",
    ("shown_lately", "low", False): "you were shown few of these {noun}s lately",
    (
        "pool_topic",
        "high",
        True,
    ): "more of the {noun}s found for you are {topic} than for most",
    (
        "pool_topic",
        "low",
        True,
    ): "fewer of the {noun}s found for you are {topic} than for most",
}

_ASPECTS = {
    "relevance": "what the model scores high for you comes",
    "popularity": "popular {noun}s come",
    "recency": "newer {noun}s come",
    "satiation": "{noun}s of the topics you chose lately come",
    "topic_taste": "{noun}s of the topics you rated high come",
    "fatigue": "{noun}s you were shown lately come",
    "clicked": "{noun}s you chose lately come",
    "preference": "{noun}s you often chose when you saw them come",
    "enjoyment": "{noun}s you rated high before come",
    "familiarity": "{noun}s you were shown often come",
    "history_affinity": "{noun}s of the topics that your history is full of come",
    "history_taste": "{noun}s of the topics you rated higher than others did come",
    "reward": "{noun}s that are expected to please you now come",
    "rested_reward": "{noun}s that would please you more after a while come",
    "floor:popularity=long_tail": "less-known {noun}s come",
}


def _is_so(reason: PolicyReason) -> bool:
    """Whether the value bears out the word that its percentile suggests."""
    high, value = reason.level == "high", reason.value
    if not (reason.percentile >= HIGH if high else reason.percentile <= LOW):
        return False
    if reason.state == "clicks_lately":
        return value >= MANY_CLICKS if high else value < MANY_CLICKS
    if reason.state == "taste":
        return value >= TASTE if high else value <= -TASTE
    if reason.state == "satisfaction":
        return value >= RATED_HIGH if high else value <= RATED_LOW
    if reason.state == "days_away":
        return high and round(value) >= 2
    return True
