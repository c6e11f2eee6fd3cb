"""German: what is written, and what is read.

The recommended item is called "dieser Vorschlag" where its title is not repeated: a word of known
gender, whatever an item is.
"""

import re

from ..rerankers.policy_reason import PolicyReason, reason_clause
from .language import MARK, Language
from .policy_patterns import PolicyForms

_NOUNS = {
    "film": ("Film", "Filme"),
    "movie": ("Film", "Filme"),
    "book": ("Buch", "Bücher"),
    "song": ("Song", "Songs"),
    "article": ("Artikel", "Artikel"),
}


def _nouns(noun: str) -> tuple[str, str]:
    return _NOUNS.get(noun, ("Titel", "Titel"))


def _places(number: int) -> str:
    return "1 Platz" if number == 1 else f"{number} Plätze"


_SENTENCES = {
    "because": (
        "{item} ist hier, weil Sie {titles} {verb}.",
        "Weil Sie {titles} {verb}, steht {item} in Ihrer Liste.",
        "Sie {verb} {titles}, und darum wird {item} vorgeschlagen.",
        "{item} wurde für Sie ausgesucht, weil Sie {titles} {verb}.",
    ),
    "close": (
        "Sie {verb} {titles}, und {item} liegt nahe dabei.",
        "{item} liegt nahe bei dem, was Sie {verb}: {titles}.",
    ),
    "together": (
        "Sie {verb} {titles}; wer das tat, wählte oft auch {item}.",
        "Wer wie Sie {titles} wählte, wählte oft auch {item}.",
    ),
    "rank": (
        "{item} ist Nummer {number} von {pool} nach der Wertung des Modells für Sie.",
        "Nach der Wertung des Modells für Sie ist {item} Nummer {number} von {pool}.",
    ),
    "shares": (
        "Dieser Vorschlag teilt {topics} mit {title}.",
        "Wie {title} ist dieser Vorschlag unter {topics} eingeordnet.",
        "Dieser Vorschlag hat {topics} mit {title} gemeinsam.",
        "Dieser Vorschlag und {title} sind beide unter {topics} eingeordnet.",
    ),
    "share": (
        "{title} macht {number} % dessen aus, was Ihr Verlauf zur Wertung beiträgt.",
        "Von dem, was Ihr Verlauf zur Wertung beiträgt, kommen {number} % von {title}.",
    ),
    "rated": ("Sie haben {title} mit {number} bewertet.",),
    "topic": (
        "Dieser Vorschlag ist unter {topics} eingeordnet.",
        "Eingeordnet ist dieser Vorschlag unter {topics}.",
    ),
    "less_known": ("Dieser Vorschlag ist weniger bekannt.",),
    "popular": ("Dieser Vorschlag wird besonders oft gewählt.",),
    "newer": ("{item} ist neuer als {number} % der {nouns} hier.",),
    "taste_lately": (
        "{number} der letzten {total} {nouns}, die Sie wählten, sind unter {topic} eingeordnet.",
    ),
    "taste_history": (
        "{number} der {total} {nouns} in Ihrem Verlauf sind unter {topic} eingeordnet.",
    ),
    "exposure": (
        "Dieser Vorschlag steht {places} höher, weil {who} einen Mindestanteil an der "
        "Sichtbarkeit behalten.",
        "Ein Mindestanteil an der Sichtbarkeit für {who} hat diesen Vorschlag um {places} nach "
        "oben gerückt.",
        "Dieser Vorschlag wurde um {places} nach oben gerückt, damit {who} einen Mindestanteil "
        "an der Sichtbarkeit erreichen.",
    ),
    "less_known_ones": ("weniger bekannte {nouns}",),
    "group": ("{nouns} der Gruppe ‘{group}’",),
    "diversity": (
        "Dieser Vorschlag wurde um {places} nach oben gerückt, damit Ihre Liste "
        "abwechslungsreich bleibt.",
        "Abwechslung in Ihrer Liste hat diesen Vorschlag um {places} nach oben gerückt.",
    ),
    "state": (
        "Was Sie zuletzt wählten und übergingen, hat diesen Vorschlag um {places} nach oben "
        "gerückt.",
        "Ihre letzten Besuche haben diesen Vorschlag um {places} nach oben gerückt.",
    ),
    "exposure_down": (
        "Ein Mindestanteil an der Sichtbarkeit für {who} hat diesen Vorschlag um {places} nach "
        "unten gerückt.",
    ),
    "diversity_down": (
        "Abwechslung in Ihrer Liste hat diesen Vorschlag um {places} nach unten gerückt.",
    ),
    "state_down": (
        "Ihre letzten Besuche haben diesen Vorschlag um {places} nach unten gerückt.",
    ),
    "instead": (
        "Ohne die Regeln für Sichtbarkeit und Abwechslung stünde {other} an dieser Stelle.",
    ),
    "would_stand": (
        "Ohne die Regeln für Sichtbarkeit und Abwechslung stünde dieser Vorschlag auf Platz "
        "{number}.",
    ),
    "would_stand_lower": (
        "Ohne die Regeln für Sichtbarkeit und Abwechslung stünde dieser Vorschlag auf Platz "
        "{number} oder tiefer.",
    ),
    "ranks": (
        "Nach der Wertung des Modells für Sie ist {item} Nummer {number} von {pool} und {other} "
        "Nummer {other_number}.",
    ),
    "absent": (
        "{other} ist nicht unter den {pool} Kandidaten, die für Sie gefunden wurden.",
    ),
    "seen": (
        "{other} steht in Ihrem Verlauf, und was Sie kennen, wird nicht noch einmal "
        "vorgeschlagen.",
    ),
    "listed": ("{other} steht auch in Ihrer Liste, auf Platz {number}.",),
    "unlike": ("Anders als {other} ist {item} unter {topics} eingeordnet.",),
}  # fmt: skip

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


def _policy(reason: PolicyReason, noun: str) -> str | None:
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
    nouns = _nouns(noun)[1]
    return f"{state}, darum {effect}".format(
        nouns=nouns, topic=reason.topic, group=reason.group, value=round(reason.value)
    )


_FRAGMENTS = {
    "subject": rf"(?P<subject>diese[rn] vorschlag|er|ihn|{MARK})",
    "title": rf"(?P<titles>{MARK})",
    "titles": rf"(?P<titles>{MARK}(?:, {MARK})*(?:,? und {MARK})?)",
    "topics": r"(?P<topics>{topic}(?:, {topic})*(?:,? und {topic})?)",
    "number": r"(?P<number>\d+(?:\.\d+)?)",
    "of": r"(?P<of>\d+)",
    "places": r"(?P<least>mindestens )?(?P<number>\d+) (?:platz|plätze)",
    "verb": r"(?:(?P<liking>mochten)|(?P<choosing>wählten))",
    "up": r"(?:um )?{places} nach oben gerückt",
    "down": r"(?:um )?{places} nach unten gerückt",
    "who": r"(?:(?P<tail>weniger bekannte {nouns})|{nouns} der gruppe ‘(?P<group>[^‘’]*)’)",
    "rule": r"(?:ein|einen) mindestanteil an der sichtbarkeit",
    "no_rules": r"ohne die regeln für sichtbarkeit und abwechslung",
    "score": r"nach der wertung des modells für sie",
    "filed": r"unter {topics} eingeordnet",
}

_FORMS = (
    ("because", r"{subject} ist hier, weil sie {titles} {verb}"),
    ("because", r"weil sie {titles} {verb}, steht {subject} in ihrer liste"),
    ("because", r"sie {verb} {titles}, und darum wird {subject} vorgeschlagen"),
    ("because", r"{subject} wurde für sie ausgesucht, weil sie {titles} {verb}"),
    ("close", r"sie {verb} {titles}, und {subject} liegt nahe dabei"),
    ("close", r"{subject} liegt nahe bei dem, was sie {verb}: {titles}"),
    ("together", r"sie {verb} {titles}; wer das tat, wählte oft auch {subject}"),
    ("together", r"wer wie sie {titles} (?P<choosing>wählte), wählte oft auch {subject}"),
    ("liked", r"sie {verb} {titles}"),
    ("rank", r"{subject} ist nummer {number} von {of} {score}"),
    ("rank", r"{score} ist {subject} nummer {number} von {of}"),
    ("ranks", r"{score} ist {subject} nummer {number} von {of} und {title} nummer "
     r"(?P<other>\d+)"),
    ("shares", r"{subject} teilt {topics} mit {titles}"),
    ("shares", r"wie {title} ist {subject} {filed}"),
    ("shares", r"{subject} hat {topics} mit {titles} gemeinsam"),
    ("shares", r"{subject} und {title} sind beide {filed}"),
    ("share", r"{title} macht {number} ?% dessen aus, was ihr verlauf zur wertung beiträgt"),
    ("share", r"von dem, was ihr verlauf zur wertung beiträgt, kommen {number} ?% von {title}"),
    ("rated", r"sie haben {title} mit {number} bewertet"),
    ("topic", r"{subject} ist {filed}"),
    ("topic", r"eingeordnet ist {subject} unter {topics}"),
    ("less_known", r"{subject} ist weniger bekannt"),
    ("popular", r"{subject} wird besonders oft gewählt"),
    ("year", r"{subject} ist aus dem jahr {number}"),
    ("newer", r"{subject} ist neuer als {number} ?% der {nouns} hier"),
    ("taste_lately", r"{number} der letzten {of} {nouns}, die sie wählten, sind unter "
     r"(?P<topics>{topic}) eingeordnet"),
    ("taste_history", r"{number} der {of} {nouns} in ihrem verlauf sind unter "
     r"(?P<topics>{topic}) eingeordnet"),
    ("exposure", r"{subject} steht {places} höher, weil {who} {rule} behalten"),
    ("exposure", r"{rule} für {who} hat {subject} {up}"),
    ("exposure", r"{subject} wurde {up}, damit {who} {rule} erreichen"),
    ("diversity", r"{subject} wurde {up}, damit ihre liste abwechslungsreich bleibt"),
    ("diversity", r"abwechslung in ihrer liste hat {subject} {up}"),
    ("state", r"was sie zuletzt wählten und übergingen, hat {subject} {up}"),
    ("state", r"ihre letzten besuche haben {subject} {up}"),
    ("exposure_down", r"{rule} für {who} hat {subject} {down}"),
    ("diversity_down", r"abwechslung in ihrer liste hat {subject} {down}"),
    ("state_down", r"ihre letzten besuche haben {subject} {down}"),
    ("instead", r"{no_rules} stünde {title} an dieser stelle"),
    ("would_stand", r"{no_rules} stünde {subject} auf platz {number}(?P<lower> oder tiefer)?"),
    ("absent", r"{title} ist nicht unter den {of} kandidaten, die für sie gefunden wurden"),
    ("seen", r"{title} steht in ihrem verlauf, und was sie kennen, wird nicht noch einmal "
     r"vorgeschlagen"),
    ("listed", r"{title} steht auch in ihrer liste, auf platz {number}"),
    ("place", r"{subject} steht auf platz {number} ihrer liste"),
    ("unlike", r"anders als {title} ist {subject} {filed}"),
)  # fmt: skip

_POLICY = PolicyForms(
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

GERMAN = Language(
    code="de",
    quotes=("„", "“"),
    conjunction="und",
    nouns=_nouns,
    verbs=("mochten", "wählten"),
    places=_places,
    at_least="mindestens {places}",
    sentences=_SENTENCES,
    policy=_policy,
    and_so="{clause}, und das hat diesen Vorschlag um {places} nach oben gerückt.",
    read_nouns=(("film", "titel"), ("filme", "titel")),
    fragments=_FRAGMENTS,
    forms=_FORMS,
    separator=re.compile(r"(?P<end>[.!])(?: |$)|, und auch |, und |; | und "),
    policy_forms=_POLICY,
)
