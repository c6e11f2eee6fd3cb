"""What re-rankers are told of items and users, and targets by name."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import MISSING, PAD
from fairloop.candidates.catalogue import Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue
from fairloop.metrics.calibration import topic_distribution
from fairloop.rerankers.knowledge import column_codes, history_profiles, target_shares

GROUPS = Groups("side", ("a", "b", "c"), np.array([0, 0, 1, 2, MISSING, 0]))


def test_targets_default_to_the_share_of_the_items_that_have_a_group() -> None:
    np.testing.assert_allclose(target_shares(GROUPS, None), [3 / 5, 1 / 5, 1 / 5])


def test_one_group_may_be_left_out_and_gets_what_remains() -> None:
    np.testing.assert_allclose(target_shares(GROUPS, {"c": 0.2, "a": 0.5}), [0.5, 0.3, 0.2])
    np.testing.assert_allclose(target_shares(GROUPS, {"a": 1.0, "b": 0.0}), [1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"a": 0.7, "b": 0.7}, "sum to 1.4"),
        ({"a": -0.1, "b": 0.5}, "negative"),
        ({"a": float("nan"), "b": 0.5}, "negative or sum to nan"),
        ({"a": 0.5}, "leave out b, c"),
        ({"a": 0.2, "b": 0.2, "c": 0.2}, "sum to 0.6"),
        ({"x": 0.5}, "no group named 'x'"),
    ],
)
def test_targets_that_make_no_sense_are_refused_by_name(targets, said) -> None:
    with pytest.raises(InvalidValue, match=said) as caught:
        target_shares(GROUPS, targets)
    assert caught.value.field == "targets" and caught.value.mend


def test_an_attribute_with_an_empty_group_is_refused(knowledge, catalogue) -> None:
    empty = Groups("shelf", ("used", "never used"), np.zeros(catalogue.n_items, int))
    stocked = replace(catalogue, groups={**catalogue.groups, "shelf": empty})
    with pytest.raises(InvalidValue, match="'never used' of 'shelf' holds no items"):
        replace(knowledge, catalogue=stocked).item_groups("shelf")
    nobody = Groups("team", ("x", "y"), np.zeros(100, int))
    with pytest.raises(InvalidValue, match="'y' of 'team' holds no users"):
        replace(knowledge, user_groups={"team": nobody}).groups_of_users("team")


def test_unknown_attributes_and_profiles_are_refused_by_name(knowledge, make_pools) -> None:
    with pytest.raises(InvalidValue, match="no item groups named 'colour'"):
        knowledge.item_groups("colour")
    with pytest.raises(InvalidValue, match="no user groups named 'height'"):
        knowledge.groups_of_users("height")
    with pytest.raises(InvalidValue, match=r"profiles: .*not known"):
        replace(knowledge, profiles=None).profiles_of(make_pools(2))
    with pytest.raises(InvalidValue, match="user index 11, but 5 profiles"):
        replace(knowledge, profiles=knowledge.profiles[:5]).profiles_of(make_pools(12))


def test_a_user_without_a_history_has_an_empty_profile(knowledge, make_pools) -> None:
    profiles = knowledge.profiles_of(make_pools(6))
    np.testing.assert_array_equal(profiles[3], 0.0)
    np.testing.assert_allclose(profiles[[0, 1, 2, 4, 5]].sum(axis=1), 1.0)


def test_columns_without_a_candidate_have_no_group(catalogue) -> None:
    pools = CandidatePools(np.array([0]), np.array([[30, 0, PAD]]), np.array([[2.0, 1.0, 0.0]]))
    codes = column_codes(catalogue.group("popularity"), pools)
    assert codes.tolist() == [[1, 0, MISSING]]


def test_history_profiles_are_the_topic_shares_of_the_training_items() -> None:
    candidates = synthetic_candidates(n_users=20, n_items=60, n_topics=4, seed=3, top_n=20)
    profiles = history_profiles(candidates)
    topics = candidates.catalogue.topics
    for user in (0, 5, 17):
        history = candidates.history(user)
        expected = topic_distribution(history[None, :], topics)[0]
        np.testing.assert_allclose(profiles[user], expected, equal_nan=True)
