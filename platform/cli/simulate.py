"""``fairloop simulate``: policies in a simulated world, compared, with a log of what was shown."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ...candidates.candidate_set import CandidateSet
from ...candidates.proposals import Proposals
from ...candidates.synthetic import synthetic_candidates
from ...config_files import read_yaml, validate
from ...errors import InvalidValue, NotReady
from ...simulators.config import WorldConfig
from ...simulators.fit import fit_world
from ...simulators.policies.reference import REFERENCES
from ...simulators.presets import PRESETS
from ..ranking import prepare
from ..settings import load_settings
from ..simulated_policies import NamedPolicy, Stored, named_policies
from ..simulating import Simulation, choose_users, run_simulation
from ..simulation_report import SimulatedPolicy, SimulationReport
from .context import opened
from .output import Json, interval, show, wide, working
from .ranking_options import Limits, Seed, SlateLength, read_limits

app = typer.Typer(add_completion=False)

MADE_UP = {"n_items": 400, "n_topics": 8, "top_n": 100}
MADE_UP_USERS = 500


@app.command()
def simulate(
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            "-p",
            help=f"{', '.join(REFERENCES)}; a re-ranker, or a YAML file with its settings; "
            "`deployed`, or the version of a stored policy. Repeatable; differences are to the "
            "first. random and greedy without it.",
        ),
    ] = None,
    world: Annotated[
        str, typer.Option(help=f"{', '.join(PRESETS)}; or a YAML file of WorldConfig's fields.")
    ] = "default",
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Made-up users and items; needs no data.")
    ] = False,
    users: Annotated[
        int | None, typer.Option(help="Users; all without it, 500 made-up ones.", min=2)
    ] = None,
    episodes: Annotated[
        int, typer.Option(help="Lives of each user, each with other luck.", min=1)
    ] = 1,
    days: Annotated[int | None, typer.Option(help="Days of each life.", min=1, max=3650)] = None,
    k: SlateLength = None,
    limits: Limits = None,
    seed: Seed = None,
    world_seed: Annotated[
        int | None,
        typer.Option(help="Hidden tastes and sensitivities; --seed's by default.", min=0),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for a Parquet log of each policy and summary.json.")
    ] = Path("simulation"),
    log: Annotated[bool, typer.Option("--log/--no-log", help="Write files, or none.")] = True,
    replicates: Annotated[int, typer.Option(help="Resamples of the users.", min=100)] = 2000,
    as_json: Json = False,
) -> None:
    """Let policies serve simulated users, all on the same luck; log impressions, compare."""
    settings = load_settings()
    seed = settings.seed if seed is None else seed
    config = choose_world(world, days, k, settings.k)
    words = policy or ["random", "greedy"]
    if log and out.exists() and not out.is_dir():
        raise InvalidValue(f"{out} is a file", field="out", mend="Name a folder.")
    if synthetic:
        policies = named_policies(words, None)
        wanted = MADE_UP_USERS if users is None else users
        candidates = synthetic_candidates(wanted, **MADE_UP, seed=seed)
    else:
        policies, candidates = of_house(words)
    world_seed = seed if world_seed is None else world_seed
    with working("Simulating") as progress:
        simulation = Simulation(
            candidates=candidates,
            ranking=prepare(
                Proposals.of(candidates),
                config.slate_size,
                drop_short=True,
                constraints=read_limits(limits),
            ),
            world=choose_users(fit_world(candidates, config, world_seed), users, seed),
            world_seed=world_seed,
            episodes=episodes,
            seed=seed,
        )
        folder = out if log else None
        report = run_simulation(
            simulation, policies, folder, replicates=replicates, progress=progress
        )
    show(report, as_json, lambda console: render(console, report))


def choose_world(named: str, days: int | None, k: int | None, usual_k: int) -> WorldConfig:
    """The world that was named, by preset or file, with the options on top.

    Raises:
        InvalidValue: There is no such preset, or a field is refused.
    """
    changes: dict[str, int] = {}
    if named in PRESETS:
        config = PRESETS[named]
        changes["slate_size"] = usual_k
    elif Path(named).suffix in (".yaml", ".yml", ".json"):
        values = read_yaml(Path(named))
        config = validate(WorldConfig, values)
        if "slate_size" not in values:
            changes["slate_size"] = usual_k
    else:
        raise InvalidValue(
            f"there is no world {named!r}",
            field="world",
            mend=f"Name one of {', '.join(PRESETS)}, or a YAML file.",
        )
    if days is not None:
        changes["horizon_days"] = days
    if k is not None:
        changes["slate_size"] = k
    return config.model_copy(update=changes)


def of_house(words: list[str]) -> tuple[tuple[NamedPolicy, ...], CandidateSet]:
    """The policies that were named, and the deployed candidates.

    Raises:
        NotReady: There is no data yet; says what to do, or to do without.
    """
    from ..training import deployed_candidates  # loads langchain, which made-up data do not need

    try:
        with opened() as house:
            candidates = deployed_candidates(house.home, house.database)[1]
            return named_policies(words, Stored(house.home, house.database)), candidates
    except NotReady as error:
        raise type(error)(
            error.message,
            field=error.field,
            mend=f"{error.mend} To try it without data, add --synthetic.",
        ) from error


def render(console: Console, report: SimulationReport) -> None:
    """Print a simulation for people."""
    wide(console)
    lives = "" if report.episodes == 1 else f", {report.episodes} episodes each"
    console.print(
        f"{report.data}: {report.users:,} users{lives}, {report.world.horizon_days} days, slates "
        f"of {report.k}; intervals of {report.confidence:.0%} over users"
    )
    console.print(_values(report, of_groups=False))
    console.print(_values(report, of_groups=True))
    if len(report.policies) > 1:
        console.print(_differences(report))
    for policy in report.policies:
        if policy.log is not None:
            console.print(f"{policy.slates:,} slates: {policy.log}")


def _values(report: SimulationReport, *, of_groups: bool) -> Table:
    table = Table(
        title="by group" if of_groups else "per user", title_justify="left", box=SIMPLE_HEAD
    )
    for column in ("figure", *(("of",) if of_groups else ()), *(p.name for p in report.policies)):
        table.add_column(column, overflow="fold")
    for figure in report.policies[0].figures:
        if bool(figure.of) == of_groups:
            named = (figure.name, figure.of) if of_groups else (figure.name,)
            table.add_row(*named, *(_cell(p, figure.name, figure.of) for p in report.policies))
    return table


def _cell(policy: SimulatedPolicy, name: str, of: str) -> str:
    value = policy.figure(name, of).value
    return "–" if value is None else interval(value.value, value.low, value.high, 2)


def _differences(report: SimulationReport) -> Table:
    first = report.policies[0].name
    table = Table(
        title=f"difference to {first}, same users and luck", title_justify="left", box=SIMPLE_HEAD
    )
    for column in ("figure", *(policy.name for policy in report.policies[1:])):
        table.add_column(column, overflow="fold")
    for figure in report.policies[0].figures:
        if figure.of:
            continue
        cells: list[str] = []
        for policy in report.policies[1:]:
            found = policy.figure(figure.name).difference
            cells.append("–" if found is None else interval(found.value, found.low, found.high, 2))
        table.add_row(figure.name, *cells)
    return table
