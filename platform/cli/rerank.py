"""``fairloop rerank``: re-rank the lists of any recommender, and measure what changed."""

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...agents.report import Interval
from ...config_files import read_yaml
from ...errors import InvalidValue
from ...rerankers.algorithms import Algorithm, configured, described, on_attributes
from ...rerankers.config import RerankerSettings
from ..ranking import prepare
from ..rerank_report import Effect, RerankReport
from ..reranking import measure_effects, rerank_lists
from ..settings import load_settings
from ..slate_file import require_writable, write_slates
from .output import Json, interval, show, wide, working
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
    parse_settings,
    read_limits,
)

app = typer.Typer(add_completion=False)


@app.command()
def rerank(
    lists: Lists = None,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", "-a", help="Which re-ranker; --list shows all.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One of its settings.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML file with `algorithm` and its settings.")
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(help="Scale its effect: 0 keeps the base order, 1 is the full effect."),
    ] = None,
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
    out: Annotated[
        Path | None, typer.Option(help="Write the slates here: .parquet or .csv.")
    ] = None,
    replicates: Annotated[
        int, typer.Option(help="Resamples for intervals and p-values.", min=100)
    ] = 2000,
    variants: Annotated[
        bool, typer.Option("--variants", help="Add what other libraries call the same.")
    ] = False,
    seed: Seed = None,
    list_: Annotated[bool, typer.Option("--list", help="Show every re-ranker and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Re-rank lists, and measure accuracy, diversity, exposure and gaps before and after."""
    if list_:
        found = described()
        plain = {"algorithms": [_plain(algorithm) for algorithm in found]}
        show(plain, as_json, lambda console: render_list(console, found))
        return
    settings = load_settings()
    chosen = choose(algorithm, config, parse_settings(set_))
    if out is not None:
        require_writable(out)
    files = files_of(
        lists, items, users, relevance, history, column, topics_separator, relevant_from
    )
    seed = settings.seed if seed is None else seed
    with opened_proposals(files, groups) as proposals, working("Re-ranking") as progress:
        ranking = prepare(
            proposals,
            k or settings.k,
            drop_short=drop_short,
            constraints=read_limits(limits),
            item_attribute=attribute,
            user_attribute=user_attribute,
        )
        said = chosen.model_fields_set
        chosen = on_attributes(
            chosen,
            None if {"attribute", "item_attribute"} & said else ranking.item_attribute,
            None if "user_attribute" in said else ranking.user_attribute,
        )
        chosen = chosen if strength is None else chosen.at_strength(strength)
        slates = rerank_lists(ranking, chosen, seed)
        progress(1, 2)
        report = measure_effects(
            ranking, chosen, slates, seed, replicates=replicates, with_variants=variants
        )
        if out is not None:
            write_slates(ranking.proposals, slates, out)
            report = report.model_copy(update={"out": str(out)})
    show(report, as_json, lambda console: render(console, report))


def choose(algorithm: str | None, config: Path | None, given: dict[str, Any]) -> RerankerSettings:
    """The configuration out of a file, the option, and single settings, in this order.

    Raises:
        InvalidValue: No algorithm is named, two are, or a setting is refused.
    """
    values = {**(read_yaml(config) if config else {}), **given}
    in_file = values.pop("algorithm", None)
    if algorithm is not None and in_file not in (None, algorithm):
        raise InvalidValue(
            f"{algorithm!r} was asked for, and the settings are those of {in_file!r}",
            field="algorithm",
            mend="Name one of them.",
        )
    name = algorithm or in_file
    if name is None:
        raise InvalidValue(
            "no re-ranker was named",
            field="algorithm",
            mend="Name one with --algorithm; `fairloop rerank --list` shows all.",
        )
    return configured(str(name), values)


def render_list(console: Console, found: tuple[Algorithm, ...]) -> None:
    """Print every re-ranker with its settings for people."""
    wide(console)
    table = Table(title=f"{len(found)} re-rankers", show_lines=True)
    for title in ("--algorithm", "what it is, and its source", "settings and defaults"):
        table.add_column(title, overflow="fold")
    for algorithm in found:
        settings = "\n".join(f"{s.name}={_short(s.default)}" for s in algorithm.settings)
        table.add_row(algorithm.name, escape(algorithm.origin), escape(settings) or "–")
    console.print(table)
    console.print("What each setting means is in the JSON: fairloop rerank --list --json.")


def render(console: Console, report: RerankReport) -> None:
    """Print what changed for people."""
    wide(console)
    settings = ", ".join(f"{key}={_short(value)}" for key, value in report.settings.items())
    console.print(
        f"[bold]{report.algorithm}[/bold] ({escape(settings)}) on {escape(report.data)}: "
        f"{report.users:,} users, {report.changed:.0%} of the slates of {report.k} changed"
    )
    for what, text in report.notes.items():
        console.print(f"  {what}: {text}")
    if report.stochastic:
        console.print(f"  slates drawn by chance: figures are of this draw (seed {report.seed})")
    for kind, effects in groupby(report.effects, key=lambda effect: effect.kind):
        console.print(_table(kind, list(effects)))
    for gap in report.gaps:
        console.print(
            f"  NDCG gap between groups by {gap.attribute}, {gap.slates}: {gap.gap:.3f}, "
            f"p {_p(gap.p_value)}; a gap of {gap.minimum_detectable:.3f} would have been found"
        )
    for name, reason in report.missing.items():
        console.print(f"  [dim]{name}: {reason}[/dim]")
    console.print(
        "Intervals: 95%, resampling users. p: paired by user, Holm over all figures here."
    )
    if report.out is not None:
        console.print(report.out)


def _table(kind: str, effects: list[Effect]) -> Table:
    table = Table(title=kind, title_justify="left", box=SIMPLE_HEAD)
    for title in ("figure", "base order", "re-ranked", "difference", "p", ""):
        table.add_column(title, overflow="fold")
    for effect in effects:
        name = escape(f"{effect.name} {effect.of}".strip())
        shown = (_cell(effect.before), _cell(effect.after), _cell(effect.difference))
        verdict = "" if effect.verdict == "not decided" else effect.verdict
        table.add_row(name, *shown, _p(effect.p_value), verdict)
    return table


def _cell(value: Interval | None) -> str:
    if value is None:
        return "–"
    return interval(value.value, value.low, value.high, 1 if abs(value.value) >= 100 else 3)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _short(value: Any) -> str:
    """A setting's value in a table; a nested one is too long for it."""
    return f"{{{', '.join(value)}}}" if isinstance(value, dict) and value else str(value)


def _plain(algorithm: Algorithm) -> dict[str, Any]:
    settings = [
        {"name": s.name, "default": s.default, "meaning": s.meaning} for s in algorithm.settings
    ]
    return {"name": algorithm.name, "origin": algorithm.origin, "settings": settings}
