"""How every command shows its result: one JSON object, or tables for people.

Progress and logs go to stderr, so that ``--json`` leaves exactly one object on stdout.
"""

import contextlib
import json
import math
import sys
from collections.abc import Callable, Generator
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
ProgressCallback = Callable[[int, int], None]

out = Console(highlight=False)
log = Console(stderr=True, highlight=False)


def show(
    result: BaseModel | dict[str, Any], as_json: bool, render: Callable[[Console], None]
) -> None:
    """Print ``result`` as JSON, or have ``render`` print it for people."""
    if not as_json:
        render(out)
        return
    plain = result.model_dump(mode="json") if isinstance(result, BaseModel) else result
    json.dump(_without_nan(plain), sys.stdout, allow_nan=False, default=str)
    sys.stdout.write("\n")


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: a figure that could not be measured is null."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@contextlib.contextmanager
def working(title: str) -> Generator[ProgressCallback]:
    """Show a bar on stderr while a step runs, and keep other prints off stdout.

    Yields:
        A callback ``(done, total)`` for the step to report its progress.
    """
    with _bars() as bar, contextlib.redirect_stdout(sys.stderr):
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
        bar.update(task, completed=1, total=1)


@contextlib.contextmanager
def stages() -> Generator[Callable[[str, int, int], None]]:
    """Like ``working``, for a step that names its stages: one bar a stage, on stderr.

    Yields:
        A callback ``(stage, done, total)``.
    """
    tasks: dict[str, Any] = {}
    with _bars() as bar, contextlib.redirect_stdout(sys.stderr):

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield report


def _bars() -> Progress:
    columns = (TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=log)


def wide(console: Console) -> None:
    """Give tables of many columns room where no terminal says how wide it is."""
    if not console.is_terminal:
        console.width = max(console.width, 130)


def number(value: float | None, digits: int = 3) -> str:
    """A figure for a table; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}"


def interval(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """A figure with its interval."""
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"
