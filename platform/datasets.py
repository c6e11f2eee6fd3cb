"""The imported data sets of a home folder, each with the groups declared for it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..candidates.dataset import Dataset
from ..candidates.folders import write_file_atomically
from ..candidates.groups import GroupsConfig
from ..candidates.write import load_dataset, save_dataset
from ..config_files import read_yaml, validate
from ..errors import ArtifactNotFound, InvalidValue
from .home import Home


class DataSummary(BaseModel):
    """What was imported, and what was found missing in it."""

    model_config = ConfigDict(frozen=True)

    name: str
    users: int
    items: int
    interactions: int
    content_hash: str
    counts: dict[str, int]
    item_groups: tuple[str, ...]
    user_groups: tuple[str, ...]


def import_dataset(home: Home, dataset: Dataset, groups: GroupsConfig) -> DataSummary:
    """Keep a data set and its group declarations in the home folder."""
    home.ensure()
    save_dataset(dataset, home.data / dataset.name)
    write_file_atomically(
        _groups_file(home, dataset.name), groups.model_dump_json(indent=2).encode()
    )
    return summarise(dataset, groups)


def open_dataset(home: Home, name: str | None = None) -> tuple[Dataset, GroupsConfig]:
    """The data set called ``name``, or the only one there is.

    Raises:
        ArtifactNotFound: There is no such data set.
        InvalidValue: There are several and none was named.
    """
    names = imported(home)
    if not names:
        raise ArtifactNotFound(
            "no data set was imported", field="data", mend="Run `fairloop data import` first."
        )
    if name is None and len(names) > 1:
        raise InvalidValue(
            "several data sets were imported", field="data", mend=f"Name one of {', '.join(names)}."
        )
    chosen = name or names[0]
    if chosen not in names:
        raise ArtifactNotFound(
            f"no data set {chosen!r}", field="data", mend=f"Name one of {', '.join(names)}."
        )
    return load_dataset(home.data / chosen), validate(
        GroupsConfig, read_yaml(_groups_file(home, chosen))
    )


def imported(home: Home) -> list[str]:
    """Names of the imported data sets."""
    return sorted(path.parent.name for path in home.data.glob("*/manifest.json"))


def summarise(dataset: Dataset, groups: GroupsConfig) -> DataSummary:
    """Sizes, counted oddities and declared groups of a data set."""
    return DataSummary(
        name=dataset.name,
        users=dataset.n_users,
        items=dataset.n_items,
        interactions=len(dataset),
        content_hash=dataset.content_hash(),
        counts=dict(dataset.counts),
        item_groups=tuple(group.attribute for group in groups.items),
        user_groups=tuple(group.attribute for group in groups.users),
    )


def _groups_file(home: Home, name: str) -> Path:
    return home.data / f"{name}.groups.json"
