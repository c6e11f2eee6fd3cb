"""German: what is written, and what is read.

The recommended item is called "dieser Vorschlag" where its title is not repeated: a word of known
gender, whatever an item is.
"""

import re

from .german_policy import GERMAN_POLICY, german_nouns, policy_clause
from .language import MARK, Language


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
    "filtered": (
        "{other} bleibt weg, auf Ihren Wunsch oder weil Sie es inzwischen kennen.",
    ),
    "listed": ("{other} steht auch in Ihrer Liste, auf Platz {number}.",),
    "unlike": ("Anders als {other} ist {item} unter {topics} eingeordnet.",),
}  # fmt: skip

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
    ("filtered", r"{title} bleibt weg, auf ihren wunsch oder weil sie es inzwischen kennen"),
    ("listed", r"{title} steht auch in ihrer liste, auf platz {number}"),
    ("place", r"{subject} steht auf platz {number} ihrer liste"),
    ("unlike", r"anders als {title} ist {subject} {filed}"),
)  # fmt: skip

_PROVIDER = {
    "shown": "{item} war unter den Kandidaten von {candidate} aus {lists} Listen und wurde in "
    "{shown} davon gezeigt.",
    "by_score": "Nach den Wertungen des Modells allein wäre es in {number} davon gezeigt worden.",
    "without_rules": "Ohne die Regeln für Sichtbarkeit und Abwechslung wäre es in {number} davon "
    "gezeigt worden.",
    "exposure": "Der Mindestanteil an der Sichtbarkeit für {who} hat es in {into} davon gebracht "
    "und aus {out} ferngehalten.",
    "diversity": "Abwechslung hat es in {into} davon gebracht und aus {out} ferngehalten.",
    "state": "Was Leute zuletzt wählten und übergingen, hat es in {into} davon gebracht und aus "
    "{out} ferngehalten.",
}

_PROVIDER_FORMS = (
    ("shown", r"{item} war unter den kandidaten von (?P<candidate>\d+) aus (?P<lists>\d+) "
     r"listen und wurde in (?P<shown>\d+) davon gezeigt\."),
    ("by_score", r"nach den wertungen des modells allein wäre es in (?P<number>\d+) davon "
     r"gezeigt worden\."),
    ("without_rules", r"ohne die regeln für sichtbarkeit und abwechslung wäre es in "
     r"(?P<number>\d+) davon gezeigt worden\."),
    ("exposure", r"der mindestanteil an der sichtbarkeit für {who} hat es in (?P<into>\d+) davon "
     r"gebracht und aus (?P<out>\d+) ferngehalten\."),
    ("diversity", r"abwechslung hat es in (?P<into>\d+) davon gebracht und aus (?P<out>\d+) "
     r"ferngehalten\."),
    ("state", r"was leute zuletzt wählten und übergingen, hat es in (?P<into>\d+) davon gebracht "
     r"und aus (?P<out>\d+) ferngehalten\."),
)  # fmt: skip

_AUDIT_LABELS = {
    "item": "Titelnummer",
    "title": "Titel",
    "place": "Platz",
    "base_rank": "Rang nach Wertung",
    "base_score": "Wertung",
    "part": "Punkte aus",
    "rule": "Plätze durch",
    "without_rules": "Platz ohne Regeln für Sichtbarkeit und Abwechslung",
    "instead_of": "anstelle von",
    "attribution": "Zuschreibung",
    "share": "Anteil von",
    "evidence": "Beleg SHA-256",
    "version": "Fassung von",
}

GERMAN = Language(
    code="de",
    quotes=("„", "“"),
    conjunction="und",
    nouns=german_nouns,
    verbs=("mochten", "wählten"),
    places=_places,
    at_least="mindestens {places}",
    sentences=_SENTENCES,
    policy=policy_clause,
    and_so="{clause}, und das hat diesen Vorschlag um {places} nach oben gerückt.",
    read_nouns=(("film", "titel"), ("filme", "titel")),
    fragments=_FRAGMENTS,
    forms=_FORMS,
    separator=re.compile(r"(?P<end>[.!])(?: |$)|, und auch |, und |; | und "),
    policy_forms=GERMAN_POLICY,
    provider=_PROVIDER,
    provider_forms=_PROVIDER_FORMS,
    audit_labels=_AUDIT_LABELS,
)
