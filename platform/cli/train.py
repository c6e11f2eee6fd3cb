"""``fairloop train``: the base model that proposes, and the policy that orders."""

from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from ...agents.config import TrainConfig
from ...agents.gate import require_passed
from ...agents.report import EvaluationReport
from ...candidates.config import CandidateConfig
from ...config_files import read_yaml, validate
from ..training import CandidatesResult, PolicyResult, train_and_judge, train_candidates
from .context import opened
from .evaluation_table import evaluation_table
from .output import Json, log, show, stages, wide, working

app = typer.Typer(
    help="Fit candidates, train policies.", no_args_is_help=True, add_completion=False
)
INTERRUPTED = 130
"""Exit code of a command that the terminal interrupted, as shells have it."""

Config = TypeVar("Config", bound=BaseModel)
ConfigFile = Annotated[Path | None, typer.Option("--config", help="YAML file with settings.")]


@app.command()
def candidates(
    model: Annotated[str | None, typer.Option(help="A RecBole model.")] = None,
    data: Annotated[str | None, typer.Option(help="Which imported data set.")] = None,
    top_n: Annotated[int | None, typer.Option(help="Candidates per user.", min=1)] = None,
    split: Annotated[str | None, typer.Option(help="'random' or 'chronological'.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Most epochs of training.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of split and training.", min=0)] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Fit a RecBole model, store its candidates as a versioned artifact, deploy them."""
    with opened(create=True) as house:
        defaults = {"top_n": house.settings.top_n, "seed": house.settings.seed}
        given = {"model": model, "top_n": top_n, "split": split, "epochs": epochs, "seed": seed}
        settings = read_config(CandidateConfig, config, given, defaults)
        with working(f"Fitting {settings.model}") as progress:
            result = train_candidates(house.home, house.database, settings, data, progress)
    show(result, as_json, lambda console: render_candidates(console, result))


@app.command()
def policy(
    seeds: Annotated[
        int, typer.Option(help="Training seeds; the best on validation is kept.", min=1)
    ] = 5,
    workers: Annotated[
        int, typer.Option(help="Processes that train seeds side by side.", min=1)
    ] = 2,
    seed: Annotated[int | None, typer.Option(help="Seed of everything.", min=0)] = None,
    randomise: Annotated[
        int | None,
        typer.Option(help="Learn in so many worlds drawn around the fitted one.", min=1),
    ] = None,
    config: ConfigFile = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over, even where a training was cut.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train the constrained re-ranker, judge it on held-out users, deploy it if it passes.

    Run it again after it was cut: it goes on from the last baseline or seed that it had finished.
    """
    with opened() as house:
        drawn = None if randomise is None else {"worlds": randomise}
        given = {
            "training_seeds": seeds,
            "workers": workers,
            "seed": seed,
            "randomise": drawn,
        }
        settings = read_config(TrainConfig, config, given, {"seed": house.settings.seed})
        try:
            with stages() as progress:
                result = train_and_judge(
                    house.home, house.database, settings, progress, fresh=fresh
                )
        except KeyboardInterrupt:
            log.print("Cut. What was finished is kept: the same command goes on from there.")
            raise typer.Exit(INTERRUPTED) from None
    show(result, as_json, lambda console: render_policy(console, result))
    require_passed(result.verdict)


def read_config(
    kind: type[Config], path: Path | None, given: dict[str, Any], defaults: dict[str, Any]
) -> Config:
    """A validated configuration: defaults, then the file, then what was given as options.

    Raises:
        InvalidValue: The file cannot be read, or a value is refused.
    """
    chosen = {key: value for key, value in given.items() if value is not None}
    return validate(kind, {**defaults, **(read_yaml(path) if path else {}), **chosen})


def render_candidates(console: Console, result: CandidatesResult) -> None:
    """Print the figures of a fit for people."""
    table = Table(title=f"{result.model} on {result.data}, test split, full ranking")
    for title in ("", "RecBole", "Fairloop, same lists"):
        table.add_column(title)
    for name, value in result.metrics.items():
        ours = result.measured.get(name)
        table.add_row(name, f"{value:.4f}", "–" if ours is None else f"{ours:.4f}")
    console.print(table)
    console.print(f"{result.users:,} users × {result.top_n} candidates, version {result.version}")
    console.print(f"Reasons rest on: {result.attribution} (docs/explaining.md)")


def render_policy(console: Console, result: PolicyResult) -> None:
    """Print the evaluation of a policy for people."""
    wide(console)
    console.print(evaluation_table(result.report))
    state = "deployed" if result.deployed else "not deployed"
    console.print(f"{result.verdict.headline} Policy {result.version} is {state}.")
    for reason in result.verdict.reasons:
        console.print(f"  {reason}")
    console.print(f"  {kept_of_learning(result.report)}")
    if result.resumed:
        console.print(f"Went on from a training that was cut: {', '.join(result.resumed)}.")
    if result.curves is not None:
        console.print(f"tensorboard --logdir {result.curves}")


def kept_of_learning(report: EvaluationReport) -> str:
    """Whether what was published owes anything to learning, as a sentence."""
    gain = report.learned.parameters.get("gain", 1.0)
    if gain == 0.0:
        return (
            "The network brought nothing on validation users: the policy is the weights that were "
            "tuned over what a look is expected to bring, with a controller."
        )
    return f"Of what the network learned beyond the tuned weights, {gain:.0%} is kept."
