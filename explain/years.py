"""Reads years and eras: "before 1990", "the late 90s", "since 2000", "recent"."""

import re
from dataclasses import dataclass

RECENT_YEARS = 5
"""A title of the catalogue's last so many years is recent."""

OLD_YEARS = 25
"""A title at least so many years older than the newest one is old."""

_DECADES = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960,
    "seventies": 1970, "eighties": 1980, "nineties": 1990, "noughties": 2000,
}  # fmt: skip
_YEAR = r"(?:18|19|20)\d\d(?!\w)"
_ERA = rf"(?:the )?(?P<part>early |mid |late )?(?P<era>(?:18|19|20)?\d0s|{'|'.join(_DECADES)})"
_ERA_B = _ERA.replace("<part>", "<part_b>").replace("<era>", "<era_b>")
_SPAN = rf"(?:(?P<year>{_YEAR})|{_ERA}(?!\w))"
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(form))
    for name, form in (
        ("between", rf"(?:between|from) (?P<low>{_YEAR}) (?:and|to|until|till) (?P<high>{_YEAR})"),
        ("before", rf"(?:made |released )?(?:before|older than|earlier than|prior to|pre) {_SPAN}"),
        ("until", rf"(?:made |released )?(?:until|till|up to|no later than|at latest) {_SPAN}"),
        ("after", rf"(?:made |released )?(?:after|newer than|later than|post) {_SPAN}"),
        ("since", rf"(?:since|no older than|no earlier than) {_SPAN}"),
        (
            "since",
            rf"(?:from )?{_SPAN} (?:on|onwards?|or later|or newer|and later|and newer)(?!\w)",
        ),
        ("until", rf"(?:from )?{_SPAN} (?:or earlier|or older|and earlier|and older)(?!\w)"),
        ("within", rf"(?:from |in |of |during )?{_SPAN}"),
        ("recent", r"(?:more |very |too )?(?:recent|newer|new|modern|latest|newest)(?!\w)"),
        ("old", r"(?:more |very |too |so |that )?(?:old|older|classics?|vintage|oldies)(?!\w)"),
    )
)


_TWO_ERAS = re.compile(
    rf"(?:films? |movies? )?(?:either |both )?(?:from |in |of |during )?{_ERA} "
    rf"?(?:,? ?or|,? ?and|to|until|/) (?:from |in |of |the )*{_ERA_B}(?!\w)"
)
_AGE = re.compile(r"(?:year|years|month|months) $")
_THIS_DECADE = re.compile(r"(?:from |in |of |during )?(?:this|the current|our) decade(?!\w)")


@dataclass(frozen=True, slots=True)
class YearSpan:
    """Years asked for, inclusive; None is open."""

    low: int | None
    high: int | None

    @property
    def era(self) -> str:
        """A short name, such as ``"60s"`` or ``"1967-1969"``."""
        low, high = self.low or 0, self.high or 0
        return f"{low % 100:02d}s" if low % 10 == 0 and high == low + 9 else f"{low}-{high}"


def match_two_eras(text: str, place: int) -> tuple[tuple[YearSpan, ...], int] | None:
    """The one span that two eras make ("80s or 90s"), or both where no span holds just them."""
    match = _TWO_ERAS.match(text, place)
    if match is None:
        return None
    spans = sorted(
        (_era_bounds(match["era"], match["part"]), _era_bounds(match["era_b"], match["part_b"]))
    )
    (low, end), (start, high) = spans
    if start <= end + 1:
        return (YearSpan(low, max(end, high)),), match.end()
    return (YearSpan(low, end), YearSpan(start, high)), match.end()


def match_years(
    text: str, place: int, newest: int | None, negated: bool
) -> tuple[YearSpan, int] | None:
    """The span named at this place and where its words end.

    Args:
        text: Plain text (see ``lexicon.plain_text``).
        place: Where to look.
        newest: Latest year of the catalogue, against which "recent" and "old" are meant.
        negated: Whether a "no" or "nothing" stands before; "nothing before 1980" is from 1980 on.

    Returns:
        None where no year is named, or where its negation is no single span ("nothing from the
        80s" asks for two).
    """
    now = _THIS_DECADE.match(text, place)
    if now and newest is not None and not negated:
        return YearSpan(newest - newest % 10, newest - newest % 10 + 9), now.end()
    for name, form in _FORMS:
        match = form.match(text, place)
        if match is None or (name == "old" and _AGE.search(text, 0, place)):
            continue
        if name == "between":
            low, high = sorted((int(match["low"]), int(match["high"])))
            span = YearSpan(low, high)
        elif name in ("recent", "old"):
            if newest is None:
                return None
            since = newest - RECENT_YEARS + 1
            span = YearSpan(since, None) if name == "recent" else YearSpan(None, newest - OLD_YEARS)
        else:
            low, high = _bounds(match)
            span = {
                "before": YearSpan(None, low - 1),
                "until": YearSpan(None, high),
                "after": YearSpan(high + 1, None),
                "since": YearSpan(low, None),
                "within": YearSpan(low, high),
            }[name]
        if negated:
            span = _negated(span)
        return None if span is None else (span, match.end())
    return None


def _negated(span: YearSpan) -> YearSpan | None:
    if span.low is None and span.high is not None:
        return YearSpan(span.high + 1, None)
    if span.high is None and span.low is not None:
        return YearSpan(None, span.low - 1)
    return None


def _bounds(match: re.Match[str]) -> tuple[int, int]:
    if match["year"]:
        return int(match["year"]), int(match["year"])
    return _era_bounds(match["era"], match["part"])


def _era_bounds(era: str, part: str | None) -> tuple[int, int]:
    if era in _DECADES:
        start = _DECADES[era]
    else:
        digits = int(era[:-1])
        # "30s" and later are of the last century; "00s" to "20s" of this one.
        start = digits if digits > 99 else digits + (1900 if digits >= 30 else 2000)
    first, last = {"early ": (0, 3), "mid ": (4, 6), "late ": (7, 9)}.get(part or "", (0, 9))
    return start + first, start + last
