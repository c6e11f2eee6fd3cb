"""``fairloop condition``: one policy for a range of targets, out of a stored one."""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...agents.pareto.condition import ConditionConfig
from ...errors import InvalidValue
from ..conditioning import Conditioning, condition_stored
from .context import opened
from .output import Json, number, show, wide, working

app = typer.Typer(add_completion=False)


@app.command()
def condition(
    ranges: Annotated[
        list[str],
        typer.Option(
            "--range",
            help="LIMIT=LOW:HIGH, as often as needed; LIMIT as in reports, such as "
            "diversity or exposure:popularity=long_tail.",
        ),
    ],
    policy: Annotated[
        str | None, typer.Option(help="Version of a stored policy; the last one without it.")
    ] = None,
    nodes: Annotated[
        int, typer.Option(help="Targets of each limit that are calibrated at first.", min=2)
    ] = ConditionConfig().nodes,
    seed: Annotated[int, typer.Option(help="Root of all luck and searches.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Calibrate a stored policy over ranges of targets; `fairloop retarget` then picks one."""
    wanted = dict(read_range(text) for text in ranges)
    config = ConditionConfig(nodes=nodes)
    with opened() as house, working("Conditioning") as progress:
        found = condition_stored(house.home, policy, wanted, seed, config, progress)
    show(found, as_json, lambda console: render(console, found))


def read_range(text: str) -> tuple[str, tuple[float, float]]:
    """A limit and its range from ``LIMIT=LOW:HIGH``; the limit may hold an equals sign itself.

    Raises:
        InvalidValue: It is written otherwise.
    """
    name, _, bounds = text.rpartition("=")
    low, _, high = bounds.partition(":")
    try:
        if name:
            return name, (float(low), float(high))
    except ValueError:
        pass  # not numbers: the message below says what is wanted
    raise InvalidValue(
        f"{text!r} is no range",
        field="range",
        mend="Write LIMIT=LOW:HIGH, such as diversity=0.6:0.8.",
    )


def render(console: Console, found: Conditioning) -> None:
    """Print what conditioning found for people."""
    wide(console)
    report, names = found.report, list(found.ranges)
    table = Table(
        title="calibrated targets, on validation users", title_justify="left", box=SIMPLE_HEAD
    )
    for title in (*names, "held", "engagement"):
        table.add_column(escape(title))
    for node in report.nodes:
        held = "yes" if node.held else "no"
        targets = [f"{node.targets[name]:.4f}" for name in names]
        table.add_row(*targets, held, number(node.engagement))
    console.print(table)
    if report.missed:
        console.print(
            f"{len(report.missed)} nodes were not reached: targets beside them are refused."
        )
    if report.cells:
        console.print(
            f"Between nodes the level furthest from its aim falls {number(report.shortfall, 4)} "
            f"short of it; of the target itself, {number(max(report.violation, 0.0), 4)}."
        )
    if report.gain is not None:
        console.print(
            f"Engagement at the corners, all weights moved over limits' weights alone: "
            f"{number(report.gain)}."
        )
    console.print(
        f"Conditioned policy {found.version} of policy {found.source}, {report.steps:,} user-steps."
    )
