"""From a data set and declared groups to the catalogue and the groups of users."""

import numpy as np

from ..arrays import MISSING, BoolArray, FloatArray
from ..errors import InvalidValue
from .catalogue import Catalogue, Groups
from .dataset import Dataset
from .groups import (
    Activity,
    AttributeGroups,
    Bins,
    GroupsConfig,
    ItemGroup,
    LongTail,
    TopicGroup,
    UserGroup,
    activity,
    by_bins,
    by_value,
    long_tail,
)
from .interactions import Interactions


def build_catalogue(dataset: Dataset, groups: GroupsConfig, train: Interactions) -> Catalogue:
    """Describe the items; popularity and long tail count training interactions only.

    Raises:
        MissingColumn: A declared group needs a column that the data set lacks.
        InvalidValue: A declared topic does not occur.
    """
    topics, topic_names = _topics(dataset)
    popularity = train.counts_per_item().astype(float)
    return Catalogue(
        item_ids=dataset.item_ids,
        titles=_titles(dataset),
        topics=topics,
        topic_names=topic_names,
        year=_years(dataset),
        popularity=popularity,
        groups={
            declared.attribute: _item_groups(declared, dataset, popularity, topics, topic_names)
            for declared in groups.items
        },
    )


def build_user_groups(
    dataset: Dataset, groups: GroupsConfig, train: Interactions
) -> dict[str, Groups]:
    """The declared groups of users, by attribute.

    Raises:
        MissingColumn: A declared group needs a column that the data set lacks.
    """
    return {declared.attribute: _user_groups(declared, dataset, train) for declared in groups.users}


def _titles(dataset: Dataset) -> np.ndarray:
    if "title" not in dataset.item_attributes:
        return dataset.item_ids
    titles = dataset.item_attributes["title"]
    return titles.where(titles.notna(), dataset.item_ids).to_numpy(dtype=str)


def _years(dataset: Dataset) -> FloatArray:
    if "year" not in dataset.item_attributes:
        return np.full(dataset.n_items, np.nan)
    return dataset.item_attributes["year"].to_numpy(dtype=float)


def _topics(dataset: Dataset) -> tuple[BoolArray, tuple[str, ...]]:
    """Membership matrix and names, sorted; an item without a known topic has an empty row."""
    if "topics" not in dataset.item_attributes:
        return np.zeros((dataset.n_items, 0), dtype=bool), ()
    listed = [tuple(topics) for topics in dataset.item_attributes["topics"]]
    names = tuple(sorted({topic for topics in listed for topic in topics}))
    column = {name: index for index, name in enumerate(names)}
    member = np.zeros((dataset.n_items, len(names)), dtype=bool)
    for row, topics in enumerate(listed):
        member[row, [column[topic] for topic in topics]] = True
    return member, names


def _item_groups(
    declared: ItemGroup,
    dataset: Dataset,
    popularity: FloatArray,
    topics: BoolArray,
    topic_names: tuple[str, ...],
) -> Groups:
    match declared:
        case LongTail():
            return long_tail(declared, popularity)
        case AttributeGroups():
            return by_value(declared, dataset.item_attributes)
        case Bins():
            return by_bins(declared, dataset.item_attributes)
        case TopicGroup():
            return _topic_group(declared, topics, topic_names)


def _topic_group(declared: TopicGroup, topics: BoolArray, topic_names: tuple[str, ...]) -> Groups:
    if declared.topic not in topic_names:
        raise InvalidValue(
            f"no item has the topic {declared.topic!r}",
            field=declared.attribute,
            mend=f"Use one of {', '.join(topic_names) or 'none: there are no topics'}.",
        )
    has = topics[:, topic_names.index(declared.topic)]
    codes = np.where(topics.any(axis=1), np.where(has, 0, 1), MISSING)
    return Groups(declared.attribute, (declared.topic, "other"), codes)


def _user_groups(declared: UserGroup, dataset: Dataset, train: Interactions) -> Groups:
    match declared:
        case Activity():
            return activity(declared, train.counts_per_user())
        case AttributeGroups():
            return by_value(declared, dataset.user_attributes)
        case Bins():
            return by_bins(declared, dataset.user_attributes)
