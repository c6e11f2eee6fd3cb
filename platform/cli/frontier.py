"""``fairloop frontier``: what accuracy re-rankers keep for what they gain, and which is ahead."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ...config_files import read_yaml
from ...errors import InvalidValue
from ...rerankers.algorithms import algorithms, configured, on_attributes
from ...rerankers.config import RerankerSettings
from ..frontier import run_frontier, save_frontier
from ..frontier_report import FrontierPlane, FrontierReport
from ..ranking import prepare
from ..settings import load_settings
from .output import Json, interval, number, show, wide, working
from .ranking_options import (
    Columns,
    DropShort,
    GroupsFile,
    History,
    ItemAttribute,
    Items,
    Limits,
    Lists,
    Relevance,
    RelevantFrom,
    Seed,
    SlateLength,
    TopicsSeparator,
    UserAttribute,
    Users,
    files_of,
    opened_proposals,
    read_limits,
)

app = typer.Typer(add_completion=False)


@app.command()
def frontier(
    lists: Lists = None,
    algorithm: Annotated[
        list[str] | None,
        typer.Option("--algorithm", "-a", help="A re-ranker; repeatable. All without it."),
    ] = None,
    methods: Annotated[
        Path | None,
        typer.Option(help="YAML file: a name, and under it `algorithm` and its settings."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="exposure-ratio, ild, user-gap (these without it), worst-user-group, novelty, "
            "calibration; repeatable."
        ),
    ] = None,
    points: Annotated[
        int, typer.Option(help="Strengths per method, the base order included.", min=2)
    ] = 8,
    k: SlateLength = None,
    items: Items = None,
    users: Users = None,
    relevance: Relevance = None,
    relevant_from: RelevantFrom = None,
    history: History = None,
    groups: GroupsFile = None,
    limits: Limits = None,
    attribute: ItemAttribute = None,
    user_attribute: UserAttribute = None,
    column: Columns = None,
    topics_separator: TopicsSeparator = "|",
    drop_short: DropShort = False,
    out: Annotated[Path, typer.Option(help="Folder for the pictures and frontier.json.")] = Path(
        "frontier"
    ),
    replicates: Annotated[int, typer.Option(help="Resamples of the users.", min=100)] = 1000,
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Sweep re-rankers' strength, draw the accuracy-fairness frontier, test which is ahead."""
    settings = load_settings()
    chosen = choose(algorithm, methods)
    if out.exists() and not out.is_dir():
        raise InvalidValue(f"{out} is a file", field="out", mend="Name a folder.")
    files = files_of(
        lists, items, users, relevance, history, column, topics_separator, relevant_from
    )
    with opened_proposals(files, groups) as proposals, working("Sweeping") as progress:
        ranking = prepare(
            proposals,
            k or settings.k,
            drop_short=drop_short,
            constraints=read_limits(limits),
            item_attribute=attribute,
            user_attribute=user_attribute,
        )
        about = {
            name: on_attributes(config, ranking.item_attribute, ranking.user_attribute)
            for name, config in chosen.items()
        }
        report = run_frontier(
            ranking,
            about,
            against=against,
            points=points,
            seed=settings.seed if seed is None else seed,
            replicates=replicates,
            progress=progress,
        )
        report = save_frontier(report, out)
    show(report, as_json, lambda console: render(console, report))


def choose(names: list[str] | None, file: Path | None) -> dict[str, RerankerSettings]:
    """The methods that were named, by the option or in a file; every re-ranker where none was.

    Raises:
        InvalidValue: There is no such re-ranker, or a setting is refused.
    """
    chosen = {name: configured(name) for name in names or ()}
    for name, values in (read_yaml(file) if file else {}).items():
        if not isinstance(values, dict) or "algorithm" not in values:
            raise InvalidValue(
                "a method needs its algorithm",
                field=str(name),
                mend="Write `algorithm: NAME` and its settings under the method's name.",
            )
        settings = {key: value for key, value in values.items() if key != "algorithm"}
        chosen[str(name)] = configured(str(values["algorithm"]), settings)
    return chosen or {name: configured(name) for name in algorithms()}


def render(console: Console, report: FrontierReport) -> None:
    """Print each plane for people."""
    wide(console)
    console.print(f"{report.data}: {report.users:,} users, {report.accuracy}")
    for what, text in report.notes.items():
        console.print(f"  {what}: {text}")
    for plane in report.planes:
        console.print(_table(report, plane))
        for picture in plane.pictures:
            console.print(f"  {picture}")
    for name, reason in report.skipped_measures.items():
        console.print(f"  {name} was left out. {reason}")
    for name, reason in report.skipped_methods.items():
        console.print(f"  {name} was left out. {reason}")
    console.print(
        "A method dominates another if it is nowhere worse and, beyond chance, somewhere better "
        "(docs/frontier.md); where neither does, it is not decided which is ahead."
    )


def _table(report: FrontierReport, plane: FrontierPlane) -> Table:
    table = Table(title=f"accuracy against {plane.label}", title_justify="left", box=SIMPLE_HEAD)
    at_level = f"NDCG@{report.k} at {number(plane.level)}"
    for column in ("method", "kept", at_level, "leads at", "dominates", "dominated by"):
        table.add_column(column, overflow="fold")
    for method in sorted(plane.methods, key=lambda m: -m.kept.value):
        if not method.gains:
            table.add_row(method.algorithm, "gains nothing over the base order")
            continue
        reached = method.accuracy_at_level
        table.add_row(
            method.algorithm,
            interval(method.kept.value, method.kept.low, method.kept.high),
            "not reached"
            if reached is None
            else interval(reached.value, reached.low, reached.high),
            f"{method.front:.0%}",
            str(len(method.dominates)),
            ", ".join(method.dominated_by) or "–",
        )
    return table
