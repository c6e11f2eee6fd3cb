"""An interpretation as a page of markdown."""

from .labels import column_label, percent, weight_label
from .report import Example, InterpretationReport, WeightInfluence


def render_page(report: InterpretationReport, picture: str = "interpretation.svg") -> str:
    """The page; ``picture`` is the file name of the picture beside it."""
    parts = [
        f"# What moves the weights of policy {report.policy or '(unnamed)'}",
        f"{report.n_visits:,} visits of {report.n_users:,} simulated users, seed {report.seed}. "
        "What is said here is about the policy, and about people only as far as the simulator is "
        "like them.",
    ]
    if report.is_static:
        parts.append(
            "**No state moves any weight.** The policy gives everybody the same weights "
            "(its controller apart): " + _static(report) + "."
        )
        return "\n\n".join(parts) + "\n"
    parts += [
        f"![What moves what]({picture})",
        "## Which state moves which weight",
        "Share of each weight's variance over visits, by group of what the policy sees: Shapley "
        "effects ± standard error over users. In brackets, the share that the group "
        "explains by itself and the one that is left when all others are known.",
        _shares(report),
        _sizes(report),
        "## What can be told of a visit",
        _told(report),
        *(_example(one) for one in report.examples),
        "## Columns that stand in the curves",
        "\n".join(f"- `{c.column}`: {_escaped(column_label(c.column))}" for c in report.curves),
    ]
    if report.unread:
        names = ", ".join(f"`{name}`" for name in report.unread)
        parts.append(f"Seen and not read by the policy: {names}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _static(report: InterpretationReport) -> str:
    return ", ".join(f"{weight_label(w.weight)} {w.mean:.3g}" for w in report.weights)


def _shares(report: InterpretationReport) -> str:
    head = ["weight", *report.groups, "moves (sd of score)"]
    rows = [
        [_escaped(weight_label(w.weight)), *_cells(w, len(report.groups)), f"{w.moves:.3f}"]
        for w in report.weights
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(weight: WeightInfluence, n_groups: int) -> list[str]:
    if not weight.effects:
        return ["–"] * n_groups
    return [
        f"{percent(e.shapley)} ± {percent(e.error)} ({percent(e.first_order)}, {percent(e.total)})"
        for e in weight.effects
    ]


def _sizes(report: InterpretationReport) -> str:
    ratios = {w.weight: w.sd_independent / w.sd for w in report.weights if w.sd > 0}
    name, ratio = max(ratios.items(), key=lambda pair: abs(pair[1] - 1.0))
    return (
        "“Moves” is the weight's standard deviation over visits in standard deviations of score. "
        "Groups hang together: were they independent of one another, the standard deviation of "
        f"`{weight_label(name)}` would be {ratio:.2f} times what it is; for the other weights the "
        "factor is nearer to 1."
    )


def _told(report: InterpretationReport) -> str:
    if report.told is None:
        return ""
    counts = ", ".join(
        f"{state.replace('_', ' ')} {n}" for state, n in report.told_by_state.items()
    )
    return (
        f"At {report.told:.0%} of {report.config.requests} visits drawn at random a state moved "
        f"an aspect of the list by at least {report.config.said_from:g} standard deviations of "
        f"score, in a direction that survives taking the state back"
        + (f": {counts}." if counts else ".")
        + " At the others nothing is said."
    )


def _example(example: Example) -> str:
    reason = example.reason
    about = f" of {_escaped(reason.topic)}" if reason.topic else ""
    head = (
        f"**{_escaped(example.sentence)}** User index {example.user}, visit {example.visit + 1}: "
        f"{reason.state.replace('_', ' ')}{about} at {reason.value:.2f}, above "
        f"{reason.percentile:.0f} % of the visits; {_escaped(weight_label(reason.aspect))} "
        f"{'up' if reason.direction == 'up' else 'down'} by {reason.size:.3f} sd of score."
    )
    moved = [item for item in example.items if item.usual != item.place]
    lines = [f"- item {item.item_id}: place {item.usual} → {item.place}, {_by_group(item.groups)}"
             for item in moved]  # fmt: skip
    if not lines:
        return head + " No item of the list changed its place by the weights."
    return head + " Places under the usual weights, and here:\n\n" + "\n".join(lines)


def _by_group(groups: dict[str, float]) -> str:
    strongest = sorted(groups.items(), key=lambda pair: -abs(pair[1]))[:3]
    return ", ".join(f"{name} {places:+.1f}" for name, places in strongest)


_ESCAPES = str.maketrans({char: f"\\{char}" for char in "\\`*_|[]"} | {"<": "&lt;", ">": "&gt;"})


def _escaped(text: str) -> str:
    """Names are data: they open no table cell, tag or emphasis."""
    return text.translate(_ESCAPES)
