"""``fairloop retarget``: turn the dial of a conditioned policy."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ...agents.gate import require_passed
from ...errors import InvalidValue
from ..conditioning import Retargeting, retarget_stored
from .context import opened
from .evaluation_table import evaluation_table
from .output import Json, show, stages, wide

app = typer.Typer(add_completion=False)


@app.command()
def retarget(
    targets: Annotated[
        list[str],
        typer.Option(
            "--target",
            help="LIMIT=VALUE, as often as needed; limits that are not named stay at the trained "
            "policy's own target.",
        ),
    ],
    policy: Annotated[
        str | None, typer.Option(help="Version of a conditioned policy; the last one without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Store the policy for other targets, evaluated and judged; exit code 2 if refused."""
    wanted = dict(read_target(text) for text in targets)
    with opened() as house, stages() as progress:
        found = retarget_stored(house.home, house.database, policy, wanted, progress)
    show(found, as_json, lambda console: render(console, found))
    require_passed(found.verdict)


def read_target(text: str) -> tuple[str, float]:
    """A limit and its target from ``LIMIT=VALUE``; the limit may hold an equals sign itself.

    Raises:
        InvalidValue: It is written otherwise.
    """
    name, _, value = text.rpartition("=")
    try:
        if name:
            return name, float(value)
    except ValueError:
        pass  # not a number: the message below says what is wanted
    raise InvalidValue(
        f"{text!r} is no target",
        field="target",
        mend="Write LIMIT=VALUE, such as diversity=0.7.",
    )


def render(console: Console, found: Retargeting) -> None:
    """Print the evaluation at the new targets for people."""
    wide(console)
    console.print(evaluation_table(found.report))
    console.print(f"[bold]{escape(found.verdict.headline)}[/bold]")
    for reason in found.verdict.reasons:
        console.print(f"  {escape(reason)}")
    for name, why in found.left_out.items():
        console.print(f"Left out: {name}; {why}.")
    console.print(
        f"Policy {found.version} of conditioned policy {found.conditioned} is stored and on "
        "record, and not deployed. Its baselines were calibrated for these targets, not searched "
        "anew."
    )
