"""A calibration report as files: Markdown to read, JSON to compute with, a picture to look at."""

from pathlib import Path

from ...candidates.folders import write_folder_atomically
from ...candidates.sealed_folder import seal
from .findings import Finding
from .plot import draw_report
from .report import CalibrationReport

KIND = "calibration"
STEM = "calibration"


def save_report(report: CalibrationReport, folder: Path) -> CalibrationReport:
    """Write ``calibration.md``, ``.json``, ``.png``, ``.svg``, ``world.json`` and a manifest.

    ``world.json`` is the fitted ``WorldConfig``, as ``fairloop simulate --world`` reads it.

    Returns:
        The report with the names of its files, as it was written.

    Raises:
        StorageFull: The disk is full; nothing is left behind and an earlier folder stays.
    """
    names = [f"{STEM}{ending}" for ending in (".md", ".json", ".png", ".svg")] + ["world.json"]
    kept = report.model_copy(update={"files": tuple(str(folder / name) for name in names)})

    def fill(target: Path) -> None:
        for ending, content in draw_report(kept).items():
            (target / f"{STEM}{ending}").write_bytes(content)
        (target / f"{STEM}.md").write_text(markdown(kept), "utf-8")
        (target / f"{STEM}.json").write_text(kept.model_dump_json(indent=1), "utf-8")
        (target / "world.json").write_text(kept.world.model_dump_json(indent=1), "utf-8")
        seal(target, {"kind": KIND, "format": 1, "data": kept.data})

    write_folder_atomically(folder, fill)
    return kept


def markdown(report: CalibrationReport) -> str:
    """The report to read."""
    parts = [
        f"# Calibration on {report.data}",
        _about(report),
        f"**{report.verdict}**",
        f"![simulated beside held-out]({STEM}.png)",
        "## Simulated beside held-out",
        _compared_table(report),
        _LEGEND,
    ]
    if report.not_compared:
        parts.append("Not compared:")
        parts.append("\n".join(f"- {what}: {why}." for what, why in report.not_compared.items()))
    parts += ["## Position", *_position(report)]
    known = [f for f in report.findings if f.identified]
    unknown = [f for f in report.findings if not f.identified]
    parts += ["## Identified from these data", _identified_table(known)]
    parts += [
        "## Not identified: the default stands",
        _defaults_table(unknown),
    ]
    if report.notes:
        parts += ["## To know", "\n".join(f"- {note}" for note in report.notes)]
    return "\n\n".join(parts) + "\n"


_LEGEND = (
    "*Distance*: simulated from held-out, on all of both. *Stand-in*: a half of the held-out data "
    "from the simulation of the other half, mean over splits. *Noise floor*: two halves of the "
    "held-out data from each other; mean and 95th percentile. A figure is **missed** where the "
    "stand-in is above that percentile. There is a *small difference* where only the held-out data "
    "are further from runs of the simulation (*from runs*; parameters drawn from what the fit "
    "leaves open) than any of 19 runs is from the others (*runs*); chance alone does that to a "
    "figure about once in ten to twenty times, and to several figures of one log together."
)


def _about(report: CalibrationReport) -> str:
    who = "nobody named" if report.users is None else f"{report.users:,} users"
    clicks = "" if report.clicks is None else f", {report.clicks:,} clicks"
    where = f", {report.positions} positions" if report.positions else ""
    return (
        f"{report.rows:,} {report.kind}{clicks}; {who}, {report.items:,} items{where}. Compared on "
        f"{report.held_out:,} held out ({report.held_out_how}); the parameters below are fitted on "
        f"everything. Seed {report.seed}."
    )


def _compared_table(report: CalibrationReport) -> str:
    rows = [
        "| figure | verdict | distance | stand-in | noise floor (95%) | from runs | runs | as |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for c in report.compared:
        verdict = f"**{c.verdict}**" if c.verdict == "misses" else c.verdict
        remark = f"; {c.remark}" if c.remark else ""
        rows.append(
            f"| {c.title} | {verdict} | {_n(c.distance)} | {_n(c.stand_in)} | {_n(c.floor)} "
            f"({_n(c.floor_high)}) | {_n(c.from_runs)} | {_n(c.runs_high)} "
            f"| {_cell(c.distance_name + remark)} |"
        )
    return "\n".join(rows)


def _position(report: CalibrationReport) -> list[str]:
    parts = ["\n".join(f"- {note}" for note in report.position_notes)]
    if not report.position:
        return parts
    methods = list(report.position[0].examination)
    head = ["position", "impressions", "clicks", *methods, "simulated"]
    rows = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in report.position:
        cells = [_with_interval(one.value, one.low, one.high) for one in row.examination.values()]
        start = [str(row.position), f"{row.shown:,}", f"{row.clicked:,}"]
        rows.append(f"| {' | '.join([*start, *cells, f'{row.curve:.3f}'])} |")
    told = "Probability of being looked at, relative to position 1, with 95% intervals."
    return [*parts, told, "\n".join(rows)]


def _identified_table(findings: list[Finding]) -> str:
    if not findings:
        return "Nothing."
    rows = [
        "| parameter | value | unit | how | limits |",
        "| --- | --- | --- | --- | --- |",
    ]
    for f in findings:
        value = _with_interval(f.value, f.low, f.high)
        cells = (_cell(f.unit), _cell(f.source), _cell(f.note))
        rows.append(f"| `{f.parameter}` | {value} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _defaults_table(findings: list[Finding]) -> str:
    rows = [
        "| parameter | stands at | unit | where the value comes from | why not from these data |",
        "| --- | --- | --- | --- | --- |",
    ]
    for f in findings:
        cells = (_cell(f.unit), _cell(f.source), _cell(f.note))
        rows.append(f"| `{f.parameter}` | {_n(f.value)} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _with_interval(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return _n(value)
    return f"{_n(value)} [{_n(low)}, {_n(high)}]"


def _n(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
