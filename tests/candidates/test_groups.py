import numpy as np
import pandas as pd
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.build import build_catalogue, build_user_groups
from fairloop.candidates.catalogue import Groups
from fairloop.candidates.groups import (
    Activity,
    AttributeGroups,
    Bins,
    GroupsConfig,
    LongTail,
    TopicGroup,
    activity,
    by_bins,
    by_value,
    crossed,
    long_tail,
    movielens_groups,
)
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.read_frames import build_dataset
from fairloop.errors import EmptyData, InvalidValue, MissingColumn
from pydantic import ValidationError


def test_head_holds_the_declared_share_of_items_and_the_most_used_ones():
    groups = long_tail(LongTail(head_share=0.4), np.array([5.0, 1.0, 9.0, 1.0, 0.0]))
    assert groups.names == ("head", "long_tail")
    assert groups.codes.tolist() == [0, 1, 0, 1, 1]


def test_equally_used_items_become_head_in_their_order():
    groups = long_tail(LongTail(head_share=0.5), np.ones(4))
    assert groups.codes.tolist() == [0, 0, 1, 1]


def test_activity_is_thirds_and_keeps_equal_users_together():
    groups = activity(Activity(), np.arange(9))
    assert groups.codes.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    same = activity(Activity(), np.array([3, 3, 3, 3, 3, 8]))
    assert len(set(same.codes[:5])) == 1


def test_bins_take_the_lower_edge_in_and_count_what_is_no_number():
    frame = pd.DataFrame({"age": ["17", "18", "24.5", "25", None, "old", ""]})
    groups = by_bins(Bins(attribute="band", column="age", edges=(18, 25)), frame)
    assert groups.names == ("under 18", "18 to under 25", "25 and over")
    assert groups.codes.tolist() == [0, 1, 1, 2, MISSING, MISSING, MISSING]
    assert groups.n_missing == 3


def test_values_become_groups_in_sorted_order_and_none_is_missing():
    frame = pd.DataFrame({"gender": ["M", None, "F", "M"]})
    groups = by_value(AttributeGroups(attribute="gender"), frame)
    assert groups.names == ("F", "M")
    assert groups.codes.tolist() == [1, MISSING, 0, 1]


def test_a_provider_column_may_have_another_name_than_the_attribute():
    frame = pd.DataFrame({"studio": ["b", "a"]})
    groups = by_value(AttributeGroups(attribute="provider", column="studio"), frame)
    assert (groups.attribute, groups.names) == ("provider", ("a", "b"))


def test_a_column_that_is_absent_is_named():
    with pytest.raises(MissingColumn) as caught:
        by_value(AttributeGroups(attribute="studio"), pd.DataFrame({"title": ["x"]}))
    assert caught.value.field == "studio"
    assert "title" in str(caught.value)


def test_a_column_of_lists_is_refused():
    frame = pd.DataFrame({"topics": [("a", "b"), ("a",)]})
    with pytest.raises(InvalidValue):
        by_value(AttributeGroups(attribute="topics"), frame)


@pytest.mark.parametrize(
    "declaration",
    [
        {"kind": "long_tail", "head_share": 1.0},
        {"kind": "bins", "attribute": "era", "column": "year", "edges": [1990, 1980]},
        {"kind": "bins", "attribute": "era", "column": "year", "edges": [1990], "names": ["a"]},
        {"kind": "attribute", "attribute": "studio", "guess_missing": True},
    ],
)
def test_impossible_declarations_are_refused(declaration):
    with pytest.raises(ValidationError):
        GroupsConfig(items=(declaration,))


def test_an_attribute_is_declared_once():
    with pytest.raises(ValidationError):
        GroupsConfig(items=(LongTail(), LongTail(head_share=0.1)))


def test_the_configuration_survives_json():
    config = movielens_groups()
    assert GroupsConfig.model_validate_json(config.model_dump_json()) == config


@pytest.fixture
def films():
    interactions = pd.DataFrame({"user": ["a", "a", "b"], "item": ["x", "y", "x"]})
    users = pd.DataFrame({"user": ["a", "b"], "gender": ["F", None]})
    items = pd.DataFrame(
        {
            "item": ["x", "y", "z"],
            "title": ["X", None, "Z"],
            "year": ["1999", "V", None],
            "topics": [("Drama", "unknown"), ("unknown",), ("War",)],
        }
    )
    return build_dataset("films", interactions, users, items)


def train_of(dataset):
    return Interactions.build(
        dataset.user, dataset.item, dataset.rating, dataset.timestamp, 2, dataset.n_items
    )


def test_catalogue_describes_items_and_leaves_gaps_open(films):
    config = GroupsConfig(items=(LongTail(), TopicGroup(attribute="drama", topic="Drama")))
    catalogue = build_catalogue(films, config, train_of(films))
    assert catalogue.titles.tolist() == ["X", "y", "Z"]  # the id where there is no title
    assert catalogue.topic_names == ("Drama", "War")  # "unknown" is no topic
    assert catalogue.topics.tolist() == [[True, False], [False, False], [False, True]]
    assert catalogue.year[0] == 1999
    assert np.isnan(catalogue.year[1:]).all()
    assert catalogue.popularity.tolist() == [2, 1, 0]
    assert catalogue.group("drama").codes.tolist() == [0, MISSING, 1]


def test_a_topic_that_never_occurs_is_refused(films):
    config = GroupsConfig(items=(TopicGroup(attribute="opera", topic="Opera"),))
    with pytest.raises(InvalidValue, match="Opera"):
        build_catalogue(films, config, train_of(films))


def test_user_groups_are_built_as_declared(films):
    config = GroupsConfig(users=(AttributeGroups(attribute="gender"), Activity()))
    groups = build_user_groups(films, config, train_of(films))
    assert list(groups) == ["gender", "activity"]
    assert groups["gender"].codes.tolist() == [0, MISSING]


def test_popularity_counts_training_interactions_only(films):
    only_first = Interactions.build(
        films.user[:1], films.item[:1], films.rating[:1], films.timestamp[:1], 2, 3
    )
    catalogue = build_catalogue(films, GroupsConfig(), only_first)
    assert catalogue.popularity.tolist() == [1, 0, 0]
    assert catalogue.group("popularity").codes.tolist() == [0, 1, 1]


def test_crossed_groups_are_the_cells_that_hold_someone():
    sex = Groups("sex", ("F", "M"), np.array([0, 1, 1, MISSING, 1]))
    age = Groups("age", ("young", "old"), np.array([0, 0, 1, 1, MISSING]))
    cells = crossed([sex, age])
    assert cells.attribute == "sex*age"
    assert cells.names == ("F × young", "M × young", "M × old")
    assert cells.codes.tolist() == [0, 1, 2, MISSING, MISSING]


def test_attributes_that_nobody_has_both_of_cannot_be_crossed():
    one = Groups("one", ("a",), np.array([0, MISSING]))
    other = Groups("other", ("b",), np.array([MISSING, 0]))
    with pytest.raises(EmptyData, match=r"one\*other: nobody has a group of each"):
        crossed([one, other])
