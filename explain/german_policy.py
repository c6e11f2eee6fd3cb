"""A policy's reason in German: what is written, and what is read."""

from ..rerankers.policy_reason import PolicyReason, reason_clause
from .policy_patterns import PolicyForms

_NOUNS = {
    "film": ("Film", "Filme"),
    "movie": ("Film", "Filme"),
    "book": ("Buch", "Bücher"),
    "song": ("Song", "Songs"),
    "article": ("Artikel", "Artikel"),
}


def german_nouns(noun: str) -> tuple[str, str]:
    """Singular and plural of the English word for an item."""
    return _NOUNS.get(noun, ("Titel", "Titel"))


_STATES = {
    ("clicks_lately", "high", True): "Sie haben zuletzt viele {nouns} aus {topic} gewählt",
    ("clicks_lately", "high", False): "Sie haben zuletzt viele {nouns} gewählt",
    ("clicks_lately", "low", False): "Sie haben zuletzt wenige {nouns} gewählt",
    ("taste", "high", True): "Sie haben {nouns} aus {topic} hoch bewertet",
    ("taste", "low", True): "Sie haben {nouns} aus {topic} niedrig bewertet",
    ("satisfaction", "high", False): "Sie haben zuletzt Gewähltes hoch bewertet",
    ("satisfaction", "low", False): "Sie haben zuletzt Gewähltes niedrig bewertet",
    ("click_rate", "high", False): "Sie haben zuletzt mehr vom Gezeigten gewählt als die meisten",
    ("click_rate", "low", False): "Sie haben zuletzt weniger vom Gezeigten gewählt als die meisten",
    ("slates_seen", "high", False): "Sie haben mehr Listen gesehen als die meisten",
    ("slates_seen", "low", False): "Sie haben weniger Listen gesehen als die meisten",
    ("days_away", "high", False): "Sie waren {value} Tage weg",
    ("shown_lately", "high", False): "Ihnen wurden zuletzt viele dieser {nouns} gezeigt",
    ("shown_lately", "low", False): "Ihnen wurden zuletzt wenige dieser {nouns} gezeigt",
    ("pool_topic", "high", True): "für Sie wurde mehr {topic} gefunden als für die meisten",
    ("pool_topic", "low", True): "für Sie wurde weniger {topic} gefunden als für die meisten",
}

_ASPECTS = {
    "relevance": "steht, was das Modell für Sie hoch wertet,",
    "popularity": "stehen oft gewählte {nouns}",
    "recency": "stehen neuere {nouns}",
    "satiation": "stehen {nouns} aus zuletzt gewählten Themen",
    "topic_taste": "stehen {nouns} aus hoch bewerteten Themen",
    "fatigue": "stehen zuletzt gezeigte {nouns}",
    "clicked": "stehen zuletzt gewählte {nouns}",
    "preference": "stehen {nouns}, die Sie oft wählten, wenn Sie sie sahen,",
    "enjoyment": "stehen früher hoch bewertete {nouns}",
    "familiarity": "stehen oft gezeigte {nouns}",
    "history_affinity": "stehen {nouns} aus den Themen, von denen Ihr Verlauf voll ist,",
    "history_taste": "stehen {nouns} aus Themen, die Sie höher bewerteten als andere Leute,",
    "reward": "stehen {nouns}, die Ihnen jetzt gefallen dürften,",
    "rested_reward": "stehen {nouns}, die Ihnen nach einer Pause besser gefielen,",
    "floor:popularity=long_tail": "stehen weniger bekannte {nouns}",
}


def policy_clause(reason: PolicyReason, noun: str) -> str | None:
    """The reason as a clause; None where there are no true words for it."""
    if reason_clause(reason, noun) is None:  # it also knows what the value does not bear out
        return None
    state = _STATES.get((reason.state, reason.level, reason.topic is not None))
    up = reason.direction == "up"
    effect = f"zählt Abwechslung jetzt {'mehr' if up else 'weniger'}"
    if reason.aspect != "diversity":
        what = _ASPECTS.get(reason.aspect)
        if what is None and reason.group is not None:
            side = "außerhalb der" if "!=" in reason.aspect else "der"
            what = f"stehen {{nouns}} {side} Gruppe ‘{{group}}’"
        effect = f"{what} jetzt {'höher' if up else 'tiefer'}" if what else ""
    if state is None or not effect:
        return None
    nouns = german_nouns(noun)[1]
    return f"{state}, darum {effect}".format(
        nouns=nouns, topic=reason.topic, group=reason.group, value=round(reason.value)
    )


GERMAN_POLICY = PolicyForms(
    states=(
        ("clicks_lately", "high", r"sie haben zuletzt viele {nouns}(?: aus {topic})? gewählt"),
        ("clicks_lately", "low", r"sie haben zuletzt wenige {nouns} gewählt"),
        ("taste", "high", r"sie haben {nouns} aus {topic} hoch bewertet"),
        ("taste", "low", r"sie haben {nouns} aus {topic} niedrig bewertet"),
        ("satisfaction", "high", r"sie haben zuletzt gewähltes hoch bewertet"),
        ("satisfaction", "low", r"sie haben zuletzt gewähltes niedrig bewertet"),
        ("click_rate", "high", r"sie haben zuletzt mehr vom gezeigten gewählt als die meisten"),
        ("click_rate", "low", r"sie haben zuletzt weniger vom gezeigten gewählt als die meisten"),
        ("slates_seen", "high", r"sie haben mehr listen gesehen als die meisten"),
        ("slates_seen", "low", r"sie haben weniger listen gesehen als die meisten"),
        ("days_away", "high", r"sie waren \d+ tage weg"),
        ("shown_lately", "high", r"ihnen wurden zuletzt viele dieser {nouns} gezeigt"),
        ("shown_lately", "low", r"ihnen wurden zuletzt wenige dieser {nouns} gezeigt"),
        ("pool_topic", "high", r"für sie wurde mehr {topic} gefunden als für die meisten"),
        ("pool_topic", "low", r"für sie wurde weniger {topic} gefunden als für die meisten"),
    ),
    aspects=(
        ("relevance", r"steht, was das modell für sie hoch wertet, jetzt"),
        ("popularity", r"stehen oft gewählte {nouns} jetzt"),
        ("recency", r"stehen neuere {nouns} jetzt"),
        ("satiation", r"stehen {nouns} aus zuletzt gewählten themen jetzt"),
        ("topic_taste", r"stehen {nouns} aus hoch bewerteten themen jetzt"),
        ("fatigue", r"stehen zuletzt gezeigte {nouns} jetzt"),
        ("clicked", r"stehen zuletzt gewählte {nouns} jetzt"),
        ("preference", r"stehen {nouns}, die sie oft wählten, wenn sie sie sahen, jetzt"),
        ("enjoyment", r"stehen früher hoch bewertete {nouns} jetzt"),
        ("familiarity", r"stehen oft gezeigte {nouns} jetzt"),
        ("history_affinity", r"stehen {nouns} aus den themen, von denen ihr verlauf voll ist, "
         r"jetzt"),
        ("history_taste", r"stehen {nouns} aus themen, die sie höher bewerteten als andere "
         r"leute, jetzt"),
        ("reward", r"stehen {nouns}, die ihnen jetzt gefallen dürften, jetzt"),
        ("rested_reward", r"stehen {nouns}, die ihnen nach einer pause besser gefielen, jetzt"),
        ("floor:popularity=long_tail", r"stehen weniger bekannte {nouns} jetzt"),
        ("floor:", r"stehen {nouns} der gruppe ‘[^‘’]*’ jetzt"),
        ("floor!", r"stehen {nouns} außerhalb der gruppe ‘[^‘’]*’ jetzt"),
    ),
    variety="zählt Abwechslung jetzt",
    more=("mehr", "weniger"),
    higher=("höher", "tiefer"),
    sentence="{state}, darum {effect}",
    moved=", und das hat {subject} um {places} nach oben gerückt",
)  # fmt: skip
