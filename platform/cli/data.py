"""``fairloop data``: import a data set, or show the one that was imported."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ...candidates.groups import GroupsConfig, movielens_groups
from ...candidates.read import movielens_100k, read_recbole
from ..datasets import DataSummary, import_dataset, open_dataset, summarise
from ..import_file import read_import_file
from .context import opened
from .output import Json, show, working

app = typer.Typer(help="Import and show data sets.", no_args_is_help=True, add_completion=False)


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="'ml-100k', a folder of RecBole atomic files, or a YAML file (docs/data.md)."
        ),
    ] = "ml-100k",
    as_json: Json = False,
) -> None:
    """Import ratings and attributes into the home folder."""
    with opened(create=True) as house, working("Importing"):
        if source == "ml-100k":
            dataset, groups = movielens_100k(), movielens_groups()
        elif Path(source).suffix in (".yaml", ".yml"):
            described = read_import_file(Path(source))
            dataset, groups = described.read(), described.groups
        else:
            dataset, groups = read_recbole(Path(source)), GroupsConfig()
        summary = import_dataset(house.home, dataset, groups)
    show(summary, as_json, lambda console: render(console, summary))


@app.command("show")
def show_(
    name: Annotated[
        str | None, typer.Argument(help="Which data set, if there are several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the imported data set: sizes, groups, what is missing."""
    with opened() as house:
        summary = summarise(*open_dataset(house.home, name))
    show(summary, as_json, lambda console: render(console, summary))


def render(console: Console, summary: DataSummary) -> None:
    """Print the sizes of a data set for people."""
    console.print(
        f"{summary.name}: {summary.interactions:,} interactions of {summary.users:,} users "
        f"with {summary.items:,} items"
    )
    for what, count in summary.counts.items():
        if count:
            console.print(f"  {what.replace('_', ' ')}: {count:,}")
    console.print(f"  item groups: {', '.join(summary.item_groups) or 'none'}")
    console.print(f"  user groups: {', '.join(summary.user_groups) or 'none'}")
