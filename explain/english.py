"""English: what is written, and what is read."""

import re

from ..rerankers.policy_reason import reason_clause
from .english_policy import ENGLISH_POLICY
from .language import MARK, Language


def _nouns(noun: str) -> tuple[str, str]:
    return noun, f"{noun}s"


def _places(number: int) -> str:
    return f"{number} place{'' if number == 1 else 's'}"


_SENTENCES = {
    "because": (
        "{item} is here because you {verb} {titles}.",
        "Because you {verb} {titles}, {item} is in your list.",
        "You {verb} {titles}, and that is why {item} is suggested.",
        "{item} was picked for you because you {verb} {titles}.",
        "Since you {verb} {titles}, we suggest {item}.",
        "We picked {item} for you because you {verb} {titles}.",
    ),
    "close": (
        "{item} is close to {titles}, which you {verb}.",
        "You {verb} {titles}, and {item} is close to that.",
    ),
    "together": (
        "People who chose {titles}, which you {verb}, often chose {item} too.",
        "You {verb} {titles}; people who did often chose {item} too.",
    ),
    "rank": (
        "{item} is number {number} of {pool} by the model's score for you.",
        "By the model's score for you, {item} is number {number} of {pool}.",
        "The model's score for you puts {item} at number {number} of {pool}.",
    ),
    "shares": (
        "It shares {topics} with {title}.",
        "Like {title}, it is filed under {topics}.",
        "It has {topics} in common with {title}.",
        "This {noun} and {title} are both filed under {topics}.",
        "It is filed under {topics}, just like {title}.",
    ),
    "share": (
        "{title} makes up {number} % of what your history adds to its score.",
        "Of what your history adds to its score, {number} % comes from {title}.",
    ),
    "rated": ("You rated {title} {number}.", "Your rating of {title} was {number}."),
    "topic": (
        "It is filed under {topics}.",
        "This {noun} is filed under {topics}.",
        "It belongs to {topics}.",
    ),
    "less_known": (
        "It is one of the less-known {nouns}.",
        "This is a less-known {noun}.",
        "It is a lesser-known {noun}.",
    ),
    "popular": ("It is one of the most-chosen {nouns}.", "This is a widely chosen {noun}."),
    "newer": (
        "{item} is newer than {number} % of the {nouns} here.",
        "{item} came out later than {number} % of the {nouns} here.",
    ),
    "taste_lately": (
        "{number} of the last {total} {nouns} you chose are filed under {topic}.",
        "Of the last {total} {nouns} you chose, {number} are filed under {topic}.",
    ),
    "taste_history": (
        "{number} of the {total} {nouns} in your history are filed under {topic}.",
        "Of the {total} {nouns} in your history, {number} are filed under {topic}.",
    ),
    "exposure": (
        "It stands {places} higher because {who} are kept at a minimum share of exposure.",
        "A minimum share of exposure for {who} moved it up {places}.",
        "It was moved up {places} so that {who} reach a minimum share of exposure.",
        "Our rule of a minimum share of exposure for {who} moved it up {places}.",
    ),
    "less_known_ones": ("less-known {nouns}",),
    "group": ("{nouns} of the group ‘{group}’",),
    "diversity": (
        "It was moved up {places} to keep your list varied.",
        "It stands {places} higher because it makes your list more varied.",
        "Variety in your list moved it up {places}.",
        "To keep your list varied, it was moved up {places}.",
    ),
    "state": (
        "What you chose and passed over lately moved it up {places}.",
        "It stands {places} higher because of your recent visits.",
        "Your recent visits moved it up {places}.",
        "Because of your recent visits, it stands {places} higher.",
    ),
    "exposure_down": ("A minimum share of exposure for {who} moved it down {places}.",),
    "diversity_down": ("Variety in your list moved it down {places}.",),
    "state_down": ("Your recent visits moved it down {places}.",),
    "instead": ("Without the rules for exposure and variety, {other} would stand in its place.",),
    "would_stand": (
        "Without the rules for exposure and variety, it would stand at place {number}.",
    ),
    "would_stand_lower": (
        "Without the rules for exposure and variety, it would stand at place {number} or lower.",
    ),
    "ranks": (
        "By the model's score for you, {item} is number {number} of {pool} and {other} is number "
        "{other_number}.",
        "The model's score for you puts {item} at number {number} of {pool} and {other} at number "
        "{other_number}.",
    ),
    "absent": (
        "{other} is not among the {pool} {nouns} found for you.",
        "Among the {pool} {nouns} found for you there is no {other}.",
    ),
    "seen": (
        "{other} is in your history, and what you know is not suggested again.",
        "{other} is not suggested again, because it is in your history.",
    ),
    "filtered": ("{other} is left out, by a wish of yours or because you know it by now.",),
    "listed": ("{other} is in your list too, at place {number}.",),
    "unlike": ("Unlike {other}, {item} is filed under {topics}.",),
}  # fmt: skip

_FRAGMENTS = {
    "subject": rf"(?P<subject>it|this(?: {{noun}})?|this one|{MARK})",
    "title": rf"(?P<titles>{MARK})",
    "titles": rf"(?P<titles>{MARK}(?:, {MARK})*(?:,? and {MARK})?)",
    "topics": r"(?P<topics>{topic}(?:, {topic})*(?:,? and {topic})?)",
    "number": r"(?P<number>\d+(?:\.\d+)?)",
    "of": r"(?P<of>\d+)",
    "places": r"(?P<least>at least )?(?P<number>\d+) places?",
    "verb": r"(?:(?P<liking>liked|enjoyed)|(?P<choosing>chose|watched|saw|picked))",
    "you_liked": r"you {verb} {titles}",
    "because": r"(?:because|since|as)",
    "here": r"(?:is|was) (?:here|(?:in|on) your list|suggested|recommended|shown|chosen|picked)"
    r"(?: to you| for you)?",
    "we_show": r"we (?:suggest|suggested|recommend|recommended|show|picked|chose) {subject}"
    r"(?: to you| for you)?",
    "filed": r"(?:is |was )?(?:filed|listed) under",
    "who": r"(?:(?P<tail>(?:less|lesser)-known {nouns})|{nouns} of the group ‘(?P<group>[^‘’]*)’)",
    "rule": r"(?:a|our|the) minimum share of exposure",
    "no_rules": r"without the rules for exposure and variety",
    "score": r"the model's score for you",
}

_FORMS = (
    ("because", r"{subject} {here} {because} {you_liked}"),
    ("because", r"{because} {you_liked}, {subject} {here}"),
    ("because", r"{you_liked}, (?:and that is why|so|which is why|that is why) {subject} {here}"),
    ("because", r"{because} {you_liked}, {we_show}"),
    ("because", r"{you_liked}, (?:and that is why|so|which is why|that is why) {we_show}"),
    ("because", r"{we_show} {because} {you_liked}"),
    ("because", r"{titles}, which you {verb}, (?:is|are) why {subject} {here}"),
    ("because", r"the reason (?:for|why) {subject}(?: {here})? is that {you_liked}"),
    ("close", r"{subject} is close to {titles}, which you {verb}"),
    ("close", r"{you_liked}, and {subject} is close to (?:that|it|them)"),
    ("close", r"{subject} is close to {titles}"),
    ("together", r"people who chose {titles}, which you {verb}, often chose {subject} too"),
    ("together", r"{you_liked}; people who did often chose {subject} too"),
    ("together", r"people who chose {titles} often chose {subject}(?: too| as well)?"),
    ("liked", r"{you_liked}"),
    ("rated", r"you rated {title}(?: with)? {number}"),
    ("rated", r"you gave {title} an? {number}"),
    ("rated", r"your rating of {title} (?:is|was) {number}"),
    ("shares", r"{subject} (?:also )?shares {topics} with {titles}"),
    ("shares", r"{subject} (?:also )?has {topics} in common with {titles}"),
    ("shares", r"(?:just )?like {title}, {subject} is (?:filed under|listed under|an?) {topics}"),
    ("shares", r"{subject} {filed} {topics}, (?:just )?like {title}"),
    ("shares", r"(?:both )?{subject} and {title} are (?:both )?(?:filed|listed) under {topics}"),
    ("shares", r"{subject} and {title} share {topics}"),
    ("shares", r"{subject} and {title} have {topics} in common"),
    ("topic", r"{subject} {filed} {topics}(?: too| as well)?"),
    ("topic", r"{subject} (?:is an?|belongs to|falls under|is in) {topics}(?: {noun})?"),
    ("year", r"{subject} (?:is|was released|came out|was made|dates) (?:from|in) {number}"),
    ("year", r"{subject} is an? {number} {noun}"),
    ("year", r"{subject} is an? {noun} from {number}"),
    ("newer", r"{subject} is newer than {number} ?% of the {nouns} here"),
    ("newer", r"{subject} came out later than {number} ?% of the {nouns} here"),
    ("taste_lately", r"{number} of the last {of} {nouns} you (?:chose|picked) are filed under "
     r"(?P<topics>{topic})"),
    ("taste_lately", r"of the last {of} {nouns} you (?:chose|picked), {number} are filed under "
     r"(?P<topics>{topic})"),
    ("taste_history", r"{number} of the {of} {nouns} in your history are filed under "
     r"(?P<topics>{topic})"),
    ("taste_history", r"of the {of} {nouns} in your history, {number} are filed under "
     r"(?P<topics>{topic})"),
    ("less_known", r"{subject} is (?:one of the|an?) (?:less|lesser)-known (?:{nouns}|{noun})"),
    ("less_known", r"{subject} is (?:less|lesser)-known"),
    ("popular", r"{subject} is (?:one of the most-chosen {nouns}|an? widely chosen {noun})"),
    ("popular", r"{subject} is (?:one of the most popular {nouns}|an? popular {noun}|popular"
     r"|widely chosen|among the most-chosen {nouns})"),
    ("share", r"{title} (?:makes up|accounts for) {number} ?% of what your history adds to its "
     r"score"),
    ("share", r"of what your history adds to its score, {number} ?% comes from {title}"),
    ("share", r"{number} ?% of what your history adds to its score comes from {title}"),
    ("exposure", r"{subject} (?:stands|is) {places} higher because {who} are kept at {rule}"),
    ("exposure", r"{rule} for {who} moved {subject} up(?: by)? {places}"),
    ("exposure", r"{subject} was moved up(?: by)? {places} so that {who} (?:reach|get) {rule}"),
    ("exposure", r"we moved {subject} up(?: by)? {places} so that {who} (?:reach|get) {rule}"),
    ("exposure", r"our rule of {rule} for {who} moved {subject} up(?: by)? {places}"),
    ("diversity", r"{subject} was moved up(?: by)? {places} (?:to keep your list varied"
     r"|for variety|for more variety)"),
    ("diversity", r"we moved {subject} up(?: by)? {places} (?:to keep your list varied"
     r"|for variety|for more variety)"),
    ("diversity", r"(?:to keep your list varied|for variety|for more variety), "
     r"{subject} was moved up(?: by)? {places}"),
    ("diversity", r"{subject} (?:stands|is) {places} higher because it makes your list more "
     r"varied"),
    ("diversity", r"{subject} (?:stands|is) {places} higher (?:for variety|to keep your list "
     r"varied)"),
    ("diversity", r"variety in your list moved {subject} up(?: by)? {places}"),
    ("state", r"what you chose and passed over lately moved {subject} up(?: by)? {places}"),
    ("state", r"{subject} (?:stands|is) {places} higher because of your recent visits"),
    ("state", r"because of your recent visits, {subject} (?:stands|is) {places} higher"),
    ("state", r"your recent visits moved {subject} up(?: by)? {places}"),
    ("exposure_down", r"{rule} for {who} moved {subject} down(?: by)? {places}"),
    ("diversity_down", r"variety in your list moved {subject} down(?: by)? {places}"),
    ("state_down", r"your recent visits moved {subject} down(?: by)? {places}"),
    ("instead", r"{no_rules}, {title} would (?:stand|be) in its place"),
    ("would_stand", r"{no_rules}, {subject} would (?:stand|be) at place {number}"
     r"(?P<lower> or lower)?"),
    ("rank", r"{subject} (?:is|was) number {number} of {of} by {score}"),
    ("rank", r"by {score}, {subject} (?:is|ranks)(?: at)? number {number} of {of}"),
    ("rank", r"{score} puts {subject} at number {number} of {of}"),
    ("rank", r"{subject} ranks(?: at)? number {number} of {of} by {score}"),
    ("ranks", r"by {score}, {subject} is number {number} of {of} and {title} is number "
     r"(?P<other>\d+)"),
    ("ranks", r"{score} puts {subject} at number {number} of {of} and {title} at number "
     r"(?P<other>\d+)"),
    ("absent", r"{title} is not among the {of} {nouns} found for you"),
    ("absent", r"among the {of} {nouns} found for you there is no {title}"),
    ("seen", r"{title} is in your history, and what you know is not suggested again"),
    ("seen", r"{title} is not suggested again, because it is in your history"),
    ("filtered", r"{title} is left out, by a wish of yours or because you know it by now"),
    ("listed", r"{title} is in your list too, at place {number}"),
    ("place", r"{subject} (?:is|stands) at place {number} of your list"),
    ("unlike", r"unlike {title}, {subject} {filed} {topics}"),
)  # fmt: skip

_PROVIDER = {
    "shown": "{item} was among the candidates of {candidate} of {lists} lists, and was shown in "
    "{shown} of them.",
    "by_score": "By the model's scores alone it would have been shown in {number} of them.",
    "without_rules": "Without the rules for exposure and variety it would have been shown in "
    "{number} of them.",
    "exposure": "The minimum share of exposure for {who} brought it into {into} of them and kept "
    "it out of {out}.",
    "diversity": "Variety brought it into {into} of them and kept it out of {out}.",
    "state": "What people chose and passed over lately brought it into {into} of them and kept it "
    "out of {out}.",
}

_PROVIDER_FORMS = (
    ("shown", r"{item} was among the candidates of (?P<candidate>\d+) of (?P<lists>\d+) lists, "
     r"and was shown in (?P<shown>\d+) of them\."),
    ("by_score", r"by the model's scores alone it would have been shown in (?P<number>\d+) of "
     r"them\."),
    ("without_rules", r"without the rules for exposure and variety it would have been shown in "
     r"(?P<number>\d+) of them\."),
    ("exposure", r"the minimum share of exposure for {who} brought it into (?P<into>\d+) of them "
     r"and kept it out of (?P<out>\d+)\."),
    ("diversity", r"variety brought it into (?P<into>\d+) of them and kept it out of "
     r"(?P<out>\d+)\."),
    ("state", r"what people chose and passed over lately brought it into (?P<into>\d+) of them "
     r"and kept it out of (?P<out>\d+)\."),
)  # fmt: skip

_AUDIT_LABELS = {
    "item": "item",
    "title": "title",
    "place": "place",
    "base_rank": "rank by base score",
    "base_score": "base score",
    "part": "score from",
    "rule": "places by",
    "without_rules": "place without exposure and diversity rules",
    "instead_of": "instead of item",
    "attribution": "attribution",
    "share": "share of item",
    "evidence": "evidence SHA-256",
    "version": "version of",
}

ENGLISH = Language(
    code="en",
    quotes=('"', '"'),
    conjunction="and",
    nouns=_nouns,
    verbs=("liked", "chose"),
    places=_places,
    at_least="at least {places}",
    sentences=_SENTENCES,
    policy=reason_clause,
    and_so="{clause}, and that moved it up {places}.",
    read_nouns=(
        ("film", "movie", "title", "item", "pick"),
        ("films", "movies", "titles", "items", "picks"),
    ),
    fragments=_FRAGMENTS,
    forms=_FORMS,
    separator=re.compile(r"(?P<end>[.!])(?: |$)|, and also |, and |, also |; | and "),
    policy_forms=ENGLISH_POLICY,
    provider=_PROVIDER,
    provider_forms=_PROVIDER_FORMS,
    audit_labels=_AUDIT_LABELS,
)
