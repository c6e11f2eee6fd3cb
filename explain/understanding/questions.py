"""Reads questions: why, why not, compare, describe, and which wishes hold."""

import re

from .context import Question, QuestionKind
from .references import References

_HERE = (
    r"(?: (?:in|on|at|from|among)(?: the top)?(?: of)? (?:my|the|this|your) "
    r"(?:list|lists|suggestions|recommendations|top|slate|first place|second place)"
    r"| (?:there|here|listed|recommended|suggested|shown|included|in it|in there|on it))*"
    r"(?: to me| for me| at all| again| now| then)*"
)
_SHOWN = (
    r"(?:recommend|suggest|show|pick|choose|chose|list|propose|include|give|offer|bring up|select)"
    r"(?:ed|ing|ended)?(?: me| us| to me)?"
)


def _compiled(
    worded: tuple[tuple[QuestionKind, str], ...],
) -> tuple[tuple[QuestionKind, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(form)) for kind, form in worded)


_FORMS = _compiled(
    (
        (
            "wishes",
            r"(?:what|which)(?: wishes| filters| things)? (?:have|did|had) i (?:\w+ ){0,2}?"
            r"(?:ask|asked|say|said|tell|told|wish|wished|want|wanted|set|request|requested)\b.*",
        ),
        (
            "wishes",
            r"(?:what|which|show|list|tell me|whats|what are|what is|show me)(?: all)?(?: of)? ?"
            r"(?:are |is )?(?:my |the |current |active )*(?:wishes|filters|constraints|preferences"
            r"|criteria|limits)(?: (?:are|is|do|that|which|in|on|hold|holds|active|set|now|i|you|"
            r"have|so|far|right|apply|force|place|currently))*",
        ),
        (
            "why_not",
            rf"(?:why|how come)(?: did| do| have| was| is| are| were)?(?: you\b| i\b| we\b)?"
            rf"(?: not| no|nt| never)(?: see| get| {_SHOWN})? (?P<a>.+?){_HERE}",
        ),
        (
            "why_not",
            rf"(?:why|how come)(?: did(?:nt| not| you not)| do(?:nt| not)| have(?:nt| not)"
            rf"| was(?:nt| not)| is(?:nt| not)| are(?:nt| not)| you did(?:nt| not)"
            rf"| you do(?:nt| not)| is there no| are there no| theres no| there is no| no)"
            rf"(?: you\b| i\b| we\b)?(?: see| get| find)?(?: {_SHOWN})? ?(?P<a>.+?){_HERE}",
        ),
        (
            "why_not",
            rf"(?:why|how come) (?P<a>.+?) (?:is(?:nt| not)|was(?:nt| not)|(?:is )?missing){_HERE}",
        ),
        ("why_not", rf"(?:where|what happened to)(?: is| are|s)? (?P<a>.+?){_HERE}"),
        (
            "compare",
            r"(?:please |can you |could you )?compare (?P<a>.+?) (?:and|with|to|against) (?P<b>.+)",
        ),
        ("compare", r"(?:please |can you |could you )?compare (?P<both>.+)"),
        (
            "compare",
            r"(?:what|whats|which|explain|tell me)(?: is| are)?(?: the)? (?:main )?(?:difference|"
            r"differences) between (?:(?P<a>.+?) and (?P<b>.+)|(?P<both>.+))",
        ),
        (
            "compare",
            r"how (?:does|do|is|are) (?P<a>.+?) (?:differ|different|compare|compared|similar)"
            r"(?: from| to| with)? (?P<b>.+)",
        ),
        ("compare", r"(?P<a>.+?) (?:vs|versus|compared to|compared with|against) (?P<b>.+)"),
        (
            "compare",
            r"(?P<a>.+?) or (?P<b>.+?) ?[,?:] ?(?:which|what|who)(?: one)? (?:is|was|has|came)\b.*",
        ),
        (
            "compare",
            r"(?:which|what)(?: one| film| movie)? (?:is|was|has|came)\b.*?[,:] ?(?P<a>.+?) or "
            r"(?P<b>.+)",
        ),
        (
            "compare",
            r"(?:is|was) (?P<a>.+?) (?:(?:more|less|as|better|worse) ?(?:\w+ )?|older |newer |"
            r"longer |shorter )(?:than|as) (?P<b>.+)",
        ),
        (
            "why",
            rf"(?:why|how come|what is the reason|for what reason|explain why)"
            rf"(?: did| do| was| is| are| were| have| am| would)?(?: you\b| i\b)?"
            rf"(?: {_SHOWN}| see| seeing| get| getting| got)? ?(?P<a>.*?){_HERE}",
        ),
        (
            "why",
            rf"(?:(?:whats |what is )?(?:the )?reasons? (?:for|behind)|explain|justify|"
            rf"what (?:made|makes) you (?:{_SHOWN}|think of)|how did you (?:come up with|get to"
            rf"|arrive at|{_SHOWN})) (?P<a>.+?){_HERE}",
        ),
        (
            "describe",
            r"(?:please |can you |could you )?(?:describe|tell me(?: more| something)? about|"
            r"give me (?:details|more|information|info) (?:on|about)|more about|details (?:on|of)|"
            r"info(?:rmation)? (?:on|about)|what do you know about|what about the film) (?P<a>.+)",
        ),
        (
            "describe",
            r"what(?:s| is| was)? (?:the )?(?:genres?|year|kind of (?:film|movie)|topics?|"
            r"sort of (?:film|movie)|type of (?:film|movie)|decade)s? (?:is|was|does|of|has) "
            r"(?P<a>.+?)(?: from| made| have| belong to| released| in)?",
        ),
        (
            "describe",
            r"(?:when|in (?:what|which) year) (?:was|is|did|were) (?P<a>.+?)"
            r"(?: from| made| released| come out| filmed| shot)?",
        ),
        ("describe", r"how (?:old|popular|well known|famous|new) (?:is|was) (?P<a>.+)"),
        ("describe", r"(?:what|whats) ?(?:is|are|was)? (?P<a>.+?) (?:about|like)"),
        ("describe", r"what (?:is|was) (?P<a>.+)"),
        (
            "describe",
            r"(?:is|was) (?P<a>.+?) (?:an?|really an?|any|good|popular|old|new|scary|funny|safe|"
            r"suitable|well known|famous|recent|for)\b.*",
        ),
    )
)
_ALL = re.compile(
    r"(?:these|those|them|all of (?:these|them|it)|the (?:list|films|movies|titles|suggestions)|"
    r"these ones|this list|(?:these|those) \w+|all(?: this| that)?|this|that|so|)"
)
_ASKS = re.compile(
    r"(?:why|what|whats|which|who|when|where|how|explain|compare|describe|tell me|is|was|are|does|"
    r"did|do you know)(?!\w)"
)


def looks_like_question(plain: str) -> bool:
    """Whether the words are put as a question, whatever it is about."""
    return bool(_ASKS.match(plain)) or plain.rstrip().endswith("?")


def read_question(plain: str, references: References) -> Question | None:
    """The question, if it is one that the evidence and the catalogue can answer.

    None for other questions, and for wishes that are put as a question ("any westerns?").
    """
    asked = plain.strip(" ,.;!?")
    asked = re.sub(r"^(?:and|but|so|ok|okay|well|hey|hmm)[ ,]+", "", asked)
    unresolved: Question | None = None
    for kind, form in _FORMS:
        match = form.fullmatch(asked)
        if match is None:
            continue
        found = _items(match.groupdict(), references, kind)
        if found is not None:
            return Question(kind=kind, items=found)
        if _points(match.groupdict()):
            unresolved = unresolved or Question(kind=kind, missing=True)
    return unresolved


def _items(
    names: dict[str, str | None], references: References, kind: QuestionKind
) -> tuple[str, ...] | None:
    """The items of a question; None where one of its names is none."""
    if kind == "wishes":
        return ()
    if names.get("both"):
        both = names["both"] or ""
        pointed = references.pointing(both, 0, references.context.focus)
        return pointed[0] if pointed and len(pointed[0]) > 1 and pointed[1] == len(both) else None
    given = [name for name in (names.get("a"), names.get("b")) if name is not None]
    if kind == "why" and len(given) == 1 and _ALL.fullmatch(given[0].strip()):
        focus = references.context.focus
        if given[0].strip() in ("this", "that") and focus is not None:
            return (focus,)
        return ()
    items = [references.named(name) for name in given]
    found = tuple(item for item in items if item is not None)
    return found if len(found) == len(given) and found else None


def _points(names: dict[str, str | None]) -> bool:
    """Whether a name is a word that points, with nothing to point at."""
    return any(name in ("it", "that one", "this one", "that", "this") for name in names.values())
