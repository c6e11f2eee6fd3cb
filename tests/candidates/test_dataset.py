import numpy as np
import pandas as pd
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.dataset import Dataset
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.synthetic import synthetic_dataset
from fairloop.errors import EmptyData, InvalidValue, UnknownItem, UnknownUser
from hypothesis import given, settings
from hypothesis import strategies as st


def tiny(user, item, rating=None, timestamp=None, n_users=3, n_items=4) -> Dataset:
    user, item = np.array(user, dtype=np.int64), np.array(item, dtype=np.int64)
    return Dataset(
        name="tiny",
        user_ids=np.array([f"u{u}" for u in range(n_users)]),
        item_ids=np.array([f"i{i}" for i in range(n_items)]),
        user=user,
        item=item,
        rating=np.ones(len(user)) if rating is None else np.array(rating, dtype=float),
        timestamp=np.arange(len(user)) * 1.0 if timestamp is None else np.array(timestamp),
        user_attributes=pd.DataFrame(index=range(n_users)),
        item_attributes=pd.DataFrame(index=range(n_items)),
    )


def test_a_data_set_without_interactions_is_refused():
    with pytest.raises(EmptyData):
        tiny([], [])


@pytest.mark.parametrize("rating", [np.nan, np.inf])
def test_a_rating_that_is_no_number_is_refused(rating):
    with pytest.raises(InvalidValue) as caught:
        tiny([0, 1], [0, 1], rating=[1.0, rating])
    assert caught.value.field == "rating"


def test_indices_outside_the_ids_are_refused():
    with pytest.raises(UnknownUser):
        tiny([3], [0])
    with pytest.raises(UnknownItem):
        tiny([0], [-1])


def test_a_repeated_pair_is_refused():
    with pytest.raises(InvalidValue):
        tiny([0, 0], [1, 1])


def test_append_ignores_pairs_that_are_there_or_come_twice():
    grown = tiny([0, 1], [1, 2]).append(
        np.array([0, 2, 2, 2]), np.array([1, 0, 0, 3]), np.full(4, 5.0), np.full(4, 9.0)
    )
    assert list(zip(grown.user, grown.item, strict=True)) == [(0, 1), (1, 2), (2, 0), (2, 3)]
    assert grown.rating.tolist() == [1, 1, 5, 5]


def test_append_refuses_unknown_indices():
    with pytest.raises(UnknownItem):
        tiny([0], [0]).append(np.array([0]), np.array([4]), np.ones(1), np.ones(1))


def test_the_hash_depends_on_content_alone():
    one, two = synthetic_dataset(seed=1), synthetic_dataset(seed=1)
    assert one.content_hash() == two.content_hash()
    assert one.content_hash() != synthetic_dataset(seed=2).content_hash()
    two.rating[0] += 1
    assert one.content_hash() != two.content_hash()


def test_the_hash_reads_attributes():
    one, two = synthetic_dataset(), synthetic_dataset()
    two.user_attributes.loc[0, "gender"] = "other"
    assert one.content_hash() != two.content_hash()


pairs = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 9)),
    unique_by=lambda row: row[:2],
    max_size=30,
)


@settings(max_examples=50, deadline=None)
@given(pairs)
def test_interactions_answer_like_plain_loops(rows):
    user, item, time = (np.array([row[c] for row in rows], dtype=np.int64) for c in range(3))
    table = Interactions.build(user, item, time + 0.5, time * 1.0, n_users=5, n_items=7)
    assert len(table) == len(rows)
    for u in range(5):
        own = sorted((row for row in rows if row[0] == u), key=lambda row: row[2])
        assert table.items_of(u).tolist() == [row[1] for row in own]
        assert table.ratings_of(u).tolist() == [row[2] + 0.5 for row in own]
    listed = np.array([[0, PAD, 6, 3]] * 5)
    expected = [[any(r[:2] == (u, i) for r in rows) for i in listed[u]] for u in range(5)]
    assert table.contains(np.arange(5), listed).tolist() == expected
    assert table.matrix().toarray().sum() == len(rows)
    assert table.counts_per_item().tolist() == [sum(r[1] == i for r in rows) for i in range(7)]
    assert table.counts_per_user().tolist() == [sum(r[0] == u for r in rows) for u in range(5)]


def test_two_splits_together_are_sorted_by_time():
    one = Interactions.build(np.array([0]), np.array([1]), np.ones(1), np.array([9.0]), 2, 3)
    two = Interactions.build(np.array([0]), np.array([2]), np.ones(1), np.array([4.0]), 2, 3)
    assert one.plus(two).items_of(0).tolist() == [2, 1]


def test_synthetic_data_has_the_traits_that_tests_rely_on():
    dataset = synthetic_dataset(n_users=300, n_items=200, seed=3)
    popularity = np.sort(np.bincount(dataset.item, minlength=200))[::-1]
    assert popularity[:40].sum() > 0.35 * popularity.sum()  # 20 % of items, far above their share
    assert dataset.user_attributes["gender"].isna().sum() > 0
    assert dataset.user_attributes["age"].isna().sum() > 0
    assert dataset.item_attributes["year"].isna().sum() > 0
    assert any(not topics for topics in dataset.item_attributes["topics"])
    assert np.bincount(dataset.user).min() >= 10
