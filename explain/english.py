"""English: what is written, and what is read."""

import re

from ..rerankers.policy_reason import reason_clause
from .language import MARK, Language
from .policy_patterns import PolicyForms


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
    ),
    "share": (
        "{title} makes up {number} % of what your history adds to its score.",
        "Of what your history adds to its score, {number} % comes from {title}.",
    ),
    "rated": ("You rated {title} {number}.",),
    "topic": ("It is filed under {topics}.", "This {noun} is filed under {topics}."),
    "less_known": ("It is one of the less-known {nouns}.", "This is a less-known {noun}."),
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
    ),
    "state": (
        "What you chose and passed over lately moved it up {places}.",
        "It stands {places} higher because of your recent visits.",
        "Your recent visits moved it up {places}.",
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
    ("listed", r"{title} is in your list too, at place {number}"),
    ("place", r"{subject} (?:is|stands) at place {number} of your list"),
    ("unlike", r"unlike {title}, {subject} {filed} {topics}"),
)  # fmt: skip

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
_POLICY = PolicyForms(
    states=_STATES,
    aspects=_ASPECTS,
    variety="variety counts",
    more=("more", "less"),
    higher=("higher", "lower"),
    sentence="{state}, so {effect} now",
    moved=", and that moved {subject} up {places}",
)

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
    policy_forms=_POLICY,
)
