"""``fairloop calibrate``: fit the simulator to data, and see where it misses them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...config_files import read_yaml, validate
from ...errors import InvalidValue
from ...simulators.calibration.report import CalibrationReport
from ...simulators.calibration.save import save_report
from ...simulators.config import WorldConfig
from ..calibrating import calibrate_file, calibrate_imported, calibrate_open_bandit
from ..settings import load_settings
from .context import opened
from .output import Json, interval, number, show, wide, working
from .ranking_options import Items, Seed, TopicsSeparator, named_columns

app = typer.Typer(add_completion=False)

_COLOURS = {"misses": "red", "small difference": "yellow"}


@app.command()
def calibrate(
    log: Annotated[
        Path | None,
        typer.Option(help="Impressions, one row per item shown: Parquet, CSV or TSV."),
    ] = None,
    open_bandit: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY/CAMPAIGN",
            help="A log of the Open Bandit sample: random or bts, a slash, all, men or women.",
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Which imported data set's ratings, without a log.")
    ] = None,
    items: Items = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="WHAT=NAME",
            help="What the log calls a column: item, position, clicked, slate, user, …",
        ),
    ] = None,
    topics_separator: TopicsSeparator = "|",
    randomised: Annotated[
        bool,
        typer.Option("--randomised", help="Chance, alike for all items, put them where they were."),
    ] = False,
    world: Annotated[
        Path | None, typer.Option(help="YAML or JSON of WorldConfig's fields to stand on.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report; replaced if it exists.")] = Path(
        "calibration"
    ),
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Fit the simulator to a log or to ratings; say what it misses and what stays a default."""
    settings = load_settings()
    seed = settings.seed if seed is None else seed
    _refuse_mixture(log, open_bandit, data, items, column, randomised)
    _require_own_folder(out)
    start = None if world is None else validate(WorldConfig, read_yaml(world))
    with working("Calibrating") as progress:
        if log is not None:
            report = calibrate_file(
                log,
                columns=named_columns(column),
                items=items,
                topics_separator=topics_separator,
                randomised=randomised,
                start=start,
                seed=seed,
                progress=progress,
            )
        elif open_bandit is not None:
            report = calibrate_open_bandit(open_bandit, start=start, seed=seed, progress=progress)
        else:
            with opened() as house:
                report = calibrate_imported(
                    house.home, data, start=start, seed=seed, progress=progress
                )
        report = save_report(report, out)
    show(report, as_json, lambda console: render(console, report))


def render(console: Console, report: CalibrationReport) -> None:
    """Print a report for people."""
    wide(console)
    clicks = "" if report.clicks is None else f", {report.clicks:,} clicks"
    console.print(
        f"{escape(report.data)}: {report.rows:,} {report.kind}{clicks}; compared on "
        f"{report.held_out:,} held out ({report.held_out_how})"
    )
    if report.compared:
        console.print(_compared(report))
    for what, why in report.not_compared.items():
        console.print(f"  {what}: not compared, {escape(why)}")
    if report.position:
        console.print(_positions(report))
    for note in report.position_notes:
        console.print(f"  {escape(note)}")
    console.print(_identified(report))
    n_defaults = sum(not finding.identified for finding in report.findings)
    console.print(
        f"{n_defaults} parameters are not identified: the defaults that stand, and why, are in the "
        "report."
    )
    console.print(f"[bold]{escape(report.verdict)}[/bold]")
    for file in report.files:
        console.print(file)


def _compared(report: CalibrationReport) -> Table:
    table = Table(title="simulated beside held-out", title_justify="left", box=SIMPLE_HEAD)
    for title in ("figure", "distance", "noise floor", "its 95%", "verdict", "measured as"):
        table.add_column(title, overflow="fold")
    for one in report.compared:
        colour = _COLOURS.get(one.verdict, "green")
        table.add_row(
            one.title,
            number(one.distance),
            number(one.floor),
            number(one.floor_high),
            f"[{colour}]{one.verdict}[/{colour}]",
            escape(one.distance_name),
        )
    return table


def _positions(report: CalibrationReport) -> Table:
    methods = list(report.position[0].examination)
    table = Table(
        title="examination, relative to position 1", title_justify="left", box=SIMPLE_HEAD
    )
    for title in ("position", "clicks", *methods, "simulated"):
        table.add_column(title, overflow="fold")
    for row in report.position:
        cells = [interval(one.value, one.low, one.high, 2) for one in row.examination.values()]
        table.add_row(str(row.position), f"{row.clicked:,}", *cells, number(row.curve, 2))
    return table


def _identified(report: CalibrationReport) -> Table:
    table = Table(title="identified from these data", title_justify="left", box=SIMPLE_HEAD)
    for title in ("parameter", "value", "limits"):
        table.add_column(title, overflow="fold")
    for finding in report.findings:
        if finding.identified:
            value = interval(finding.value, finding.low, finding.high, 4)
            table.add_row(finding.parameter, value, escape(finding.note))
    return table


def _refuse_mixture(
    log: Path | None,
    open_bandit: str | None,
    data: str | None,
    items: Path | None,
    column: list[str] | None,
    randomised: bool,
) -> None:
    """One source of data, and nothing said about a log that was not given."""
    sources = {"--log": log, "--open-bandit": open_bandit, "--data": data}
    named = [option for option, value in sources.items() if value is not None]
    if len(named) > 1:
        raise InvalidValue(
            f"{' and '.join(named)} name different data", field="log", mend="Name one of them."
        )
    about = {"--items": items, "--column": column, "--randomised": randomised}
    told = [option for option, value in about.items() if value]
    if log is None and told:
        raise InvalidValue(
            f"{', '.join(told)} say more about a log, and none was given",
            field="log",
            mend="Name it with --log FILE.",
        )


def _require_own_folder(out: Path) -> None:
    """A folder with something else in it is not replaced."""
    if not out.exists():
        return
    if not out.is_dir():
        raise InvalidValue(f"{out} is a file", field="out", mend="Name a folder.")
    if any(out.iterdir()) and not (out / "calibration.json").exists():
        raise InvalidValue(
            f"{out} holds other files, and the folder would be replaced",
            field="out",
            mend="Name a new folder.",
        )
