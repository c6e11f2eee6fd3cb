"""How a policy's reason reads in English; what is written is in `rerankers.policy_reason`."""

from .policy_patterns import PolicyForms

_STATES = (
    ("clicks_lately", "high", r"you chose many (?:{topic} )?{nouns} lately"),
    ("clicks_lately", "low", r"you chose few {nouns} lately"),
    ("satisfaction", "high", r"you rated what you chose lately high"),
    ("satisfaction", "low", r"you rated what you chose lately low"),
    ("taste", "high", r"you rated {topic} {nouns} high"),
    ("taste", "low", r"you rated {topic} {nouns} low"),
    ("click_rate", "high", r"you chose more of what you were shown lately than most"),
    ("click_rate", "low", r"you chose less of what you were shown lately than most"),
    ("slates_seen", "high", r"you have seen more lists than most"),
    ("slates_seen", "low", r"you have seen fewer lists than most"),
    ("days_away", "high", r"you were away for \d+ days"),
    ("shown_lately", "high", r"you were shown many of these {nouns} lately"),
    ("shown_lately", "low", r"you were shown few of these {nouns} lately"),
    ("pool_topic", "high", r"more of the {nouns} found for you are {topic} than for most"),
    ("pool_topic", "low", r"fewer of the {nouns} found for you are {topic} than for most"),
)
_ASPECTS = (
    ("relevance", r"what the model scores high for you comes"),
    ("popularity", r"popular {nouns} come"),
    ("recency", r"newer {nouns} come"),
    ("satiation", r"{nouns} of the topics you chose lately come"),
    ("topic_taste", r"{nouns} of the topics you rated high come"),
    ("fatigue", r"{nouns} you were shown lately come"),
    ("clicked", r"{nouns} you chose lately come"),
    ("preference", r"{nouns} you often chose when you saw them come"),
    ("enjoyment", r"{nouns} you rated high before come"),
    ("familiarity", r"{nouns} you were shown often come"),
    ("history_affinity", r"{nouns} of the topics that your history is full of come"),
    ("history_taste", r"{nouns} of the topics you rated higher than others did come"),
    ("reward", r"{nouns} that are expected to please you now come"),
    ("rested_reward", r"{nouns} that would please you more after a while come"),
    ("floor:popularity=long_tail", r"less-known {nouns} come"),
    ("floor:", r"{nouns} of the group ‘[^‘’]*’ come"),
    ("floor!", r"{nouns} outside the group ‘[^‘’]*’ come"),
)
ENGLISH_POLICY = PolicyForms(
    states=_STATES,
    aspects=_ASPECTS,
    variety="variety counts",
    more=("more", "less"),
    higher=("higher", "lower"),
    sentence="{state}, so {effect} now",
    moved=", and that moved {subject} up {places}",
)
