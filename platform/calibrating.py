"""Calibration of the simulator on files, on the Open Bandit sample and on imported ratings."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ..arrays import FloatArray
from ..candidates.tastes import topic_shares
from ..candidates.top_n_tables import TopNFiles, item_attributes
from ..errors import InvalidValue, MissingColumn
from ..simulators.calibration.calibrate import calibrate_log
from ..simulators.calibration.open_bandit import read_open_bandit
from ..simulators.calibration.ratings import calibrate_ratings
from ..simulators.calibration.read_log import read_log
from ..simulators.calibration.report import CalibrationReport
from ..simulators.config import WorldConfig
from .datasets import open_dataset
from .home import Home

Progress = Callable[[int, int], None]


def calibrate_file(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    items: Path | None = None,
    topics_separator: str = "|",
    randomised: bool = False,
    start: WorldConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> CalibrationReport:
    """Fit a log of impressions.

    Args:
        path: The log (docs/calibration.md).
        columns: What it calls its columns.
        items: A table with one row per item and its topics.
        topics_separator: What stands between an item's topics.
        randomised: Chance, the same for all items, decided what stood where.
        start: Defaults to stand on.
        seed: Of everything that is drawn.
        progress: Called with steps done and their number.

    Raises:
        InvalidValue: A file cannot be read, or a value is not what its column holds.
        EmptyData: There are too few rows or clicks.
        MissingColumn: A column is absent.
    """
    log = read_log(path, columns)
    topics, notes = None, list[str]()
    if items is not None:
        topics, n_unknown = item_topics(items, log.item_ids, topics_separator)
        if n_unknown:
            notes.append(f"{n_unknown:,} of {log.n_items:,} items have no topic in {items.name}.")
    return calibrate_log(
        log,
        path.name,
        topics,
        randomised=randomised,
        start=start,
        seed=seed,
        notes=tuple(notes),
        progress=progress,
    )[1]


def calibrate_open_bandit(
    which: str,
    *,
    start: WorldConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> CalibrationReport:
    """Fit one of the six logs of the Open Bandit sample, such as ``random/all``.

    Raises:
        InvalidValue: There is no such log.
        ArtifactNotFound: The package that carries it is not installed.
    """
    policy, _, campaign = which.partition("/")
    found = read_open_bandit(policy, campaign or "all")
    return calibrate_log(
        found.log,
        f"Open Bandit {which}",
        topic_shares(found.topics),
        found.item_features,
        start=start,
        seed=seed,
        notes=(
            "Saito, Aihara, Matsutani & Narita 2021, CC BY 4.0; the three positions stand side by "
            "side.",
        ),
        progress=progress,
    )[1]


def calibrate_imported(
    home: Home,
    data: str | None,
    *,
    start: WorldConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> CalibrationReport:
    """Fit the ratings of an imported data set.

    Raises:
        ArtifactNotFound: No data set was imported.
        InvalidValue: There are several and none was named, or its ratings are all alike.
    """
    dataset, _ = open_dataset(home, data)
    return calibrate_ratings(dataset, start=start, seed=seed, progress=progress)


def item_topics(path: Path, item_ids: np.ndarray, separator: str) -> tuple[FloatArray, int]:
    """Topic shares of the items of a log, ``(I, T)``, and how many of these have none.

    Raises:
        MissingColumn: The table names no items or no topics.
        InvalidValue: It holds none of the items.
    """
    table = item_attributes(path, TopNFiles(lists=path, topics_separator=separator))
    if "topics" not in table:
        raise MissingColumn(
            f"{path.name} has no column that reads like 'topics'",
            field="items",
            mend="Call it topics, or leave --items out: satiation then keeps its default.",
        )
    of = dict(zip(table["item"], table["topics"], strict=True))
    listed = [of.get(str(item)) or () for item in item_ids]
    names = sorted({topic for topics in listed for topic in topics})
    if not names:
        raise InvalidValue(
            f"{path.name} holds no topic of an item of the log",
            field="items",
            mend="Check that both files write the items' ids alike.",
        )
    number = {name: t for t, name in enumerate(names)}
    member = np.zeros((len(item_ids), len(names)), bool)
    for row, topics in enumerate(listed):
        member[row, [number[topic] for topic in topics]] = True
    return topic_shares(member), int((~member.any(axis=1)).sum())
