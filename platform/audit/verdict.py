"""The verdict in plain language: what was measured, on whom, with what uncertainty.

It states findings and what could not have been found. It never certifies anything as fair.
"""

from collections.abc import Iterator, Mapping, Sequence

from .models import (
    Figure,
    GapFigure,
    ItemAttribute,
    Method,
    Population,
    TargetCheck,
    UserAttribute,
    Verdict,
)
from .words import count, digits, group_name, label, number, p_value, percent


def write_verdict(
    population: Population,
    method: Method,
    targets: Sequence[TargetCheck],
    item_groups: Mapping[str, ItemAttribute],
    user_groups: Mapping[str, UserAttribute],
) -> Verdict:
    """Say what the figures show, the limits first."""
    sentences = [
        _who(population),
        *_too_few(population, method),
        *(_target(check, method) for check in targets),
        *_items(item_groups, method),
        *_users(user_groups, population, method),
        *_left_out(item_groups, user_groups, method),
        "These figures describe recorded slates. They do not say why a difference arose or "
        "whether it is acceptable; that is for people to judge.",
    ]
    return Verdict(
        headline=_headline(targets, item_groups, user_groups), sentences=tuple(sentences)
    )


def _headline(
    targets: Sequence[TargetCheck],
    item_groups: Mapping[str, ItemAttribute],
    user_groups: Mapping[str, UserAttribute],
) -> str:
    parts: list[str] = []
    if targets:
        met = sum(check.status == "met" for check in targets)
        failed = sum(check.status == "not met" for check in targets)
        open_ = len(targets) - met - failed
        parts.append(f"{met} of {count(len(targets), 'limit')} met")
        parts += [f"{failed} not met"] if failed else []
        parts += [f"{open_} not decided"] if open_ else []
    between_users = [g for a in user_groups.values() for g in a.gaps.values()]
    between_items = [a.gap for a in item_groups.values()]
    parts.append(_tally(between_users, "groups of users"))
    parts.append(_tally(between_items, "groups of items"))
    return "; ".join(part for part in parts if part) + "."


def _tally(gaps: Sequence[GapFigure], between: str) -> str:
    tested = [gap for gap in gaps if gap.outcome != "not tested"]
    found = sum(gap.outcome == "gap" for gap in tested)
    if not tested:
        return f"no comparison between {between} was possible" if gaps else ""
    gaps_found = count(found, "gap") if found else "no gap"
    return f"{gaps_found} found in {count(len(tested), 'test')} between {between}"


def _who(population: Population) -> str:
    return (
        f"Measured on {count(population.slates, 'slate')} of up to "
        f"{count(population.slate_length, 'item')} shown to {count(population.users, 'user')}, "
        f"from a catalogue of {count(population.items, 'item')}; "
        f"{count(population.users_with_held_out, 'user')} can be judged for accuracy because "
        "held-out interactions of theirs are known."
    )


def _too_few(population: Population, method: Method) -> Iterator[str]:
    if population.users < method.small_cell:
        yield (
            f"Fewer than {method.small_cell} users were shown anything, so no figure is printed: "
            "it would say more about chance than about the recommendations."
        )


def _target(check: TargetCheck, method: Method) -> str:
    on = count(check.slates, "slate")
    name = f"{group_name(check.name[0].upper() + check.name[1:])}"
    if check.why_not:
        return f"{name}: not measured, {check.why_not}."
    if check.measured.estimate is None:
        return f"{name}: not measured, too few users in the last {on}."
    if check.measured.low is None:
        return f"{name}: {check.measured.estimate:.0f} in {on}, {check.status}."
    inside, outside = ("above", "below") if check.bound == "at least" else ("below", "above")
    outcome = {
        "met": f"The limit is met: the whole interval lies at or {inside} it.",
        "not met": f"The limit is not met: the whole interval lies {outside} it.",
    }.get(check.status, "The interval spans the limit, so these data do not decide it.")
    return (
        f"{name}: {_with_interval(check.measured, method)} in {on}, {check.bound} "
        f"{number(check.target)} wanted. {outcome}"
    )


def _items(item_groups: Mapping[str, ItemAttribute], method: Method) -> Iterator[str]:
    for attribute, part in item_groups.items():
        gap = part.gap
        if gap.outcome == "not tested" or gap.highest is None or gap.lowest is None:
            yield f"Items by {group_name(attribute)}: too little to compare."
            continue
        low = part.groups[gap.lowest]
        text = (
            f"Items by {group_name(attribute)}: “{group_name(gap.lowest)}” is "
            f"{percent(low.catalogue_share)} of the catalogue and received "
            f"{percent(low.share.estimate)} of the exposure; per item, its exposure is "
            f"{_with_interval(part.parity, method)} times that of “{group_name(gap.highest)}”."
        )
        if gap.outcome == "gap":
            yield f"{text} The gap is more than chance (corrected p {_p(gap.p_holm)})."
        else:
            yield f"{text} No gap in exposure per item was detected: {_unseen(gap, 2)}."


def _users(
    user_groups: Mapping[str, UserAttribute], population: Population, method: Method
) -> Iterator[str]:
    """One sentence or two per attribute: gaps first, then what was not detected."""
    for attribute, part in user_groups.items():
        found: list[str] = []
        unseen: list[str] = []
        for measure, gap in part.gaps.items():
            name, places = label(measure, population.slate_length), digits(measure)
            if gap.outcome == "gap" and gap.highest is not None and gap.lowest is not None:
                high = part.groups[gap.highest].measures[measure].estimate
                low = part.groups[gap.lowest].measures[measure].estimate
                found.append(
                    f"{name} ({group_name(gap.highest)} {number(high, places)}, "
                    f"{group_name(gap.lowest)} {number(low, places)}; "
                    f"corrected p {_p(gap.p_holm)})"
                )
            elif gap.outcome == "no gap detected":
                unseen.append(f"{name} ({_unseen(gap, places)})")
        gaps = "a gap" if len(found) == 1 else "gaps"
        parts = [f"{gaps} in {_listed(found)}"] if found else []
        parts += [f"no gap was detected in {_listed(unseen)}"] if unseen else []
        if not parts:
            parts = [
                f"nothing was tested, since fewer than two groups have {method.small_cell} users "
                "with a value"
            ]
        yield f"Users by {group_name(attribute)}: {'; '.join(parts)}."


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]


def _unseen(gap: GapFigure, places: int) -> str:
    """How small a gap may have gone unseen."""
    if gap.minimum_detectable is None:
        return "how small a gap could have been seen is not known"
    return f"a gap under {number(gap.minimum_detectable, places)} could have gone unseen"


def _left_out(
    item_groups: Mapping[str, ItemAttribute],
    user_groups: Mapping[str, UserAttribute],
    method: Method,
) -> Iterator[str]:
    for attribute, part in item_groups.items():
        if part.missing_items:
            yield (
                f"{count(part.missing_items, 'item')} without a known {group_name(attribute)} "
                f"received {percent(part.missing_share)} of the exposure and "
                "stand in no group."
            )
    for attribute, part in user_groups.items():
        if part.missing_users:
            yield (
                f"{count(part.missing_users, 'user')} without a known {group_name(attribute)} "
                "stand in no group."
            )
        if part.suppressed:
            names = ", ".join(group_name(name) for name in part.suppressed)
            yield (
                f"By {group_name(attribute)}, too few users (under {method.small_cell}) for a "
                f"figure: {names}."
            )


def _with_interval(figure: Figure, method: Method) -> str:
    return (
        f"{number(figure.estimate)} ({100 * method.confidence:.0f} % interval "
        f"{number(figure.low)} to {number(figure.high)})"
    )


def _p(value: float | None) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"
