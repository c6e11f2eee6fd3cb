"""``fairloop``: the commands in the order in which a newcomer meets them.

A command's module is imported when it is called: ``fairloop data show`` does not wait for the
libraries that ``fairloop serve`` needs.
"""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ...errors import FairloopError

COMMANDS = {
    "demo": "The main job, end to end, on MovieLens-100K.",
    "data": "Import and show data sets.",
    "train": "Fit candidates, train policies.",
    "evaluate": "A policy beside its baselines, the explanations, or conversations.",
    "gate": "Judge a stored policy again, and plan its canary.",
    "interpret": "Which state moves which weight of a policy, and what can be told of it.",
    "condition": "Make one policy for a range of targets out of a stored one.",
    "retarget": "Turn its dial: the policy for other targets, evaluated and judged.",
    "recommend": "Recommend to one user, explain, and record it.",
    "chat": "Refine recommendations in conversation.",
    "account": "What was shown and why, for providers and auditors.",
    "user": "What is on record about one user, shown and erased.",
    "rerank": "Re-rank lists of any recommender, and measure what changed.",
    "frontier": "Compare re-rankers: what accuracy is kept for what is gained.",
    "audit": "Measure what was recommended, from the record.",
    "simulate": "Policies in a simulated world, compared, with a log of what was shown.",
    "calibrate": "Fit the simulator to a log or to ratings, and see where it misses.",
    "study": "Feedback-loop studies.",
    "serve": "Serve the recommendation API.",
    "db": "The schema of the SQL store.",
}


class LazyGroup(TyperGroup):
    """Lists commands from ``COMMANDS`` and imports the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that was called, out of its own module."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None:
            module = importlib.import_module(f".{name}", __package__)
            command = get_command(module.app)
        return name, command, rest


app = typer.Typer(
    name="fairloop",
    help="Recommendations measured for quality and exposure over time, with reasons on record.",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _listed(name: str) -> None:
    """Put a command on the list; what it does is in its own module."""

    @app.command(name, help=COMMANDS[name], cls=TyperCommand)
    def placeholder() -> None: ...  # pyright: ignore[reportUnusedFunction] - typer holds it


for _name in COMMANDS:
    _listed(_name)


def main() -> None:
    """Run the command line; a named error is one line on stderr and exit code 2."""
    try:
        app()
    except FairloopError as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        sys.exit(2)
