"""Reading the top-N lists of any recommender, with what is known of their users and items."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..arrays import PAD, FloatArray, IntArray
from ..errors import InvalidValue, MissingColumn, UnknownItem
from .build import build_catalogue, build_user_groups
from .dataset import Dataset
from .groups import Activity, AttributeGroups, Bins, GroupsConfig
from .interactions import Interactions
from .pools import CandidatePools
from .proposals import Proposals
from .read_frames import build_dataset
from .top_n_tables import (
    TopNFiles,
    attributes,
    item_attributes,
    pairs_of,
    relevant_pairs,
    scored_pairs,
)


def read_top_n(files: TopNFiles, groups: GroupsConfig | None = None) -> Proposals:
    """Read the lists, number users and items, and build catalogue and groups.

    Ids are text. Equal scores keep the order of the file. With an items file every item must be in
    it; without one the catalogue is every item that occurs anywhere. A user who is not in the
    users file counts as missing in its groups.

    Args:
        files: The files.
        groups: Groups to declare; by default popularity of items, and activity of users where
            there is a history.

    Raises:
        InvalidValue: A file cannot be read, a score is not a finite number, a pair occurs twice.
        EmptyData: A file has no rows.
        MissingColumn: A column is absent, or a declared group needs one that is.
        UnknownItem: An item is not in the items file.
    """
    declared = _declared(groups, files)
    lists = scored_pairs(files)
    history = None if files.history is None else pairs_of(files.history, files)
    relevant = None if files.relevant is None else relevant_pairs(files.relevant, files)
    users = None if files.users is None else attributes(files.users, "user", files)
    items = None if files.items is None else item_attributes(files.items, files)
    told = {files.lists: lists, files.history: history, files.relevant: relevant}
    given = {path: frame for path, frame in told.items() if path is not None and frame is not None}
    if items is not None and files.items is not None:
        _require_listed(given, items, files.items.name)

    pairs = pd.concat([frame[["user", "item"]] for frame in given.values()], ignore_index=True)
    dataset = build_dataset(files.lists.stem, pairs, users, items)
    pools = _pools(*_indices(lists, dataset), lists["score"].to_numpy(np.float64))
    past = None if history is None else _interactions(history, dataset)
    counted = _interactions(lists, dataset) if past is None else past
    n_without = dataset.n_users - len(pools)
    return Proposals(
        name=files.lists.name,
        user_ids=dataset.user_ids,
        catalogue=build_catalogue(dataset, declared, counted),
        user_groups=build_user_groups(dataset, declared, counted),
        pools=pools,
        history=past,
        relevant=None if relevant is None else _interactions(relevant, dataset),
        popularity_from="proposals" if past is None else "history",
        counts={"users without a list": n_without} if n_without else {},
    )


def _declared(groups: GroupsConfig | None, files: TopNFiles) -> GroupsConfig:
    """The groups to build, refused where the file that they need was not given."""
    if groups is None:
        return GroupsConfig(users=()) if files.history is None else GroupsConfig()
    if files.history is None and any(isinstance(g, Activity) for g in groups.users):
        raise InvalidValue(
            "users are grouped by activity, and no history was given to count it in",
            field="groups",
            mend="Give a file of past interactions, or do not declare the activity.",
        )
    for kind, path, declared in (
        ("items", files.items, groups.items),
        ("users", files.users, groups.users),
    ):
        needing = [g.attribute for g in declared if isinstance(g, AttributeGroups | Bins)]
        if path is None and needing:
            raise MissingColumn(
                f"groups of {kind} by {', '.join(needing)} need a file of {kind}",
                field="groups",
                mend=f"Give a file with one row per {kind[:-1]} and the columns that are declared.",
            )
    return groups


def _require_listed(given: Mapping[Path, pd.DataFrame], items: pd.DataFrame, name: str) -> None:
    for source, frame in given.items():
        unlisted = ~frame["item"].isin(items["item"]).to_numpy()
        if unlisted.any():
            n_items = frame["item"][unlisted].nunique()
            raise UnknownItem(
                f"item {frame['item'].iloc[int(unlisted.argmax())]!r} of {source.name} is not in "
                f"{name} ({n_items:,} such items)",
                field="items",
                mend="Add a row for each, or leave their rows out.",
            )


def _indices(frame: pd.DataFrame, dataset: Dataset) -> tuple[IntArray, IntArray]:
    """Positions of the rows' users and items in the data set."""
    user = pd.Index(dataset.user_ids.astype(object)).get_indexer(pd.Index(frame["user"]))
    item = pd.Index(dataset.item_ids.astype(object)).get_indexer(pd.Index(frame["item"]))
    return user, item


def _interactions(frame: pd.DataFrame, dataset: Dataset) -> Interactions:
    """Pairs as interactions; of one that occurs several times the last counts."""
    kept = frame.drop_duplicates(["user", "item"], keep="last")
    user, item = _indices(kept, dataset)
    zeros = np.zeros(len(kept))
    rating = kept["rating"].to_numpy(np.float64) if "rating" in kept else zeros + 1.0
    return Interactions.build(user, item, rating, zeros, dataset.n_users, dataset.n_items)


def _pools(user: IntArray, item: IntArray, score: FloatArray) -> CandidatePools:
    """Rows in any order to one pool per user, best first; O(R log R) for ``R`` rows."""
    order = np.lexsort((np.arange(len(user)), -score, user))
    users, row, sizes = np.unique(user[order], return_inverse=True, return_counts=True)
    column = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    items = np.full((len(users), int(sizes.max())), PAD, np.int32)
    scores = np.zeros(items.shape)
    items[row, column], scores[row, column] = item[order], score[order]
    return CandidatePools(users, items, scores)
