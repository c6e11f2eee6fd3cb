"""The table of an evaluation, once: the terminal, Markdown and the page show the same cells."""

from collections.abc import Sequence

from ...agents.report import EvaluationReport, Interval, PolicyFigures
from ..cli.output import interval, number


def caption(report: EvaluationReport) -> str:
    """On whom, and with what uncertainty."""
    return (
        f"{report.n_users} held-out users, {len(report.seeds)} simulator seeds, "
        f"{report.confidence:.0%} intervals"
    )


def titles(report: EvaluationReport) -> tuple[str, ...]:
    """Title of each column."""
    limits = [c.title for c in report.policies[0].constraints]
    return (
        "policy",
        "kind",
        "engagement",
        "ratio to best baseline",
        *(("gap closed",) if report.gap_to else ()),
        *(f"gap to {name}" for name in report.gaps_to),
        *limits,
        "holds",
        f"NDCG@{report.slate_size}",
        "user-steps",
    )


def cells(row: PolicyFigures, report: EvaluationReport) -> tuple[str, ...]:
    """The cells of one policy, in the order of the titles."""
    return (
        row.name,
        row.kind,
        shown(row.engagement, 2),
        shown(row.engagement_ratio),
        *((shown(row.gap_closed),) if report.gap_to else ()),
        *(shown(row.gaps_closed.get(name)) for name in report.gaps_to),
        *(shown(c.measured) for c in row.constraints),
        "yes" if row.meets_constraints else "no",
        shown(row.ndcg),
        f"{row.simulator_steps:,}" if row.simulator_steps else "–",
    )


def notes(report: EvaluationReport) -> tuple[str, ...]:
    """What a reader must know to read the columns right, as sentences."""
    found = [
        "Engagement is simulated satisfaction summed over the clicks of a user's time.",
        f"A limit holds where the upper {report.confidence:.0%} bound of its violation is not "
        "above 0.",
    ]
    if report.best_baseline is None:
        found.append("No baseline holds every limit, so each ratio is to the policy itself.")
    else:
        found.append(f"The best baseline that breaks no limit is {report.best_baseline}.")
    if report.gap_to is not None:
        found.append(
            f"The gap goes from {report.gap_from} (0) to {report.gap_to} (1), which sees the truth "
            "about each user, holds no limit and could not be deployed."
        )
    found += [_limited(report.figures(name)) for name in report.gaps_to]
    found += [f"No limit on {what}." for what in report.left_out]
    return tuple(found)


def _limited(row: PolicyFigures) -> str:
    """What the end of a gap is worth that was calibrated to hold the limits."""
    missed = [c.title for c in row.constraints if c.violation > 0.0]
    if missed:
        return (
            f"{row.name} does not hold {' and '.join(missed)}: what it earns is no ceiling under "
            "the limits."
        )
    return (
        f"{row.name} knows more than any platform could, too, and holds every limit by its point "
        "estimate."
    )


def markdown(report: EvaluationReport) -> str:
    """The table as GitHub's Markdown, with its caption and notes."""
    head = titles(report)
    lines = [
        f"On {caption(report)}:",
        "",
        _line(head),
        _line(["---"] * len(head)),
        *(_line(_marked(row, report)) for row in report.policies),
        "",
        " ".join(notes(report)),
    ]
    return "\n".join(lines) + "\n"


def shown(estimate: Interval | None, digits: int = 3) -> str:
    """An estimate with its interval; a dash where there is none."""
    if estimate is None:
        return number(None)
    return interval(estimate.value, estimate.low, estimate.high, digits)


def _marked(row: PolicyFigures, report: EvaluationReport) -> Sequence[str]:
    """The cells, with the published policy in bold."""
    name, *rest = cells(row, report)
    return (f"**{name}**" if row.name == report.published else name, *rest)


def _line(parts: Sequence[str]) -> str:
    return f"| {' | '.join(part.replace('|', chr(92) + '|') for part in parts)} |"
