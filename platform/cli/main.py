"""``fairloop``: the commands in the order in which a newcomer meets them."""

import sys

import click
import typer

from ...errors import FairloopError
from . import audit, chat, data, db, demo, recommend, serve, study, train

app = typer.Typer(
    name="fairloop",
    help="Recommendations measured for quality and exposure over time, with reasons on record.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")
app.command("recommend")(recommend.recommend)
app.command("chat")(chat.chat)
app.command("audit")(audit.audit)
app.add_typer(study.app, name="study")
app.command("serve")(serve.serve)
app.add_typer(db.app, name="db")


def main() -> None:
    """Run the command line; a named error is one line on stderr and exit code 2."""
    try:
        sys.exit(app(standalone_mode=False))
    except FairloopError as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
