"""What a message may hold that is no wish: markup, orders to the program, other topics.

Nothing here keeps rules safe: wishes are the only thing that a message can become, so that an
order to ignore rules has nothing to act on. It is told apart to be answered plainly.
"""

import re

_TAG = re.compile(r"<[^<>]{0,200}>")
_BRACES = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_FENCE = re.compile(r"(?:'''|```|\"\"\")(?:json|yaml|python|xml)?")
_ROLE = re.compile(r"\b(?:system|assistant|user|developer|tool)\s*:", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:weather|python|javascript|code|translate|translation|joke|alarm|timer|pizza|restaurant|"
    r"flight|hotel|ticket|tickets|stock|shares|football|world cup|president|vote|election|recipe|"
    r"homework|essay|poem|email|shoes|jazz|news|traffic|prompt|instructions|instruction|"
    r"api ?key|password|passwords|token|constraints|exposure|fairness|other users|other people|"
    r"user \d+|neighbours?|watch history|provider|sql|database|admin|root|dan|jailbreak|"
    r"developer mode|system)\b"
)


def without_markup(text: str) -> str:
    """The text without tags, braces with what they hold, code fences and the names of roles.

    >>> without_markup('<b>more</b> {"reset": true} drama')
    ' more    drama'
    """
    bare = _FENCE.sub(" ", _TAG.sub(" ", text))
    return _ROLE.sub(". ", _BRACES.sub(" ", bare))


def is_out_of_scope(plain: str) -> bool:
    """Whether the words are about something that a list of recommendations has no part in."""
    return _OTHER.search(plain) is not None
