"""Top-N lists as other people's programs write them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.groups import Activity, AttributeGroups, GroupsConfig, LongTail
from fairloop.candidates.proposals import Proposals
from fairloop.candidates.read_top_n import read_top_n
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.candidates.top_n_tables import TopNFiles
from fairloop.errors import EmptyData, FairloopError, InvalidValue, MissingColumn, UnknownItem

ROWS = [("ann", "i7", 0.5), ("bob", "i1", 2.0), ("ann", "i1", 0.9), ("ann", "007", 0.5)]
LISTS = {"ann": ["i1", "i7", "007"], "bob": ["i1"]}
"""ROWS, best first; of ann's equal scores the one listed first comes first."""


def as_lists(proposals: Proposals) -> dict[str, list[str]]:
    pools, ids = proposals.pools, proposals.catalogue.item_ids
    return {
        str(proposals.user_ids[user]): [str(ids[i]) for i in items if i != PAD]
        for user, items in zip(pools.users, pools.items, strict=True)
    }


def write(path: Path, header: str, rows=ROWS, separator: str = ",") -> Path:
    lines = [header, *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("name", "header", "separator"),
    [
        ("lists.csv", "user,item,score", ","),
        ("lists.tsv", "user_id\titem_id\tprediction", "\t"),
        ("lists.csv", "userId;movieId;Predicted", ";"),
        ("run.inter", "user_id:token\titem_id:token\tscore:float", "\t"),
        ("lists.txt", "UID,IID,Pred", ","),
    ],
)
def test_text_in_any_of_the_usual_shapes(tmp_path: Path, name, header, separator) -> None:
    file = write(tmp_path / name, header, separator=separator)
    proposals = read_top_n(TopNFiles(lists=file))
    assert as_lists(proposals) == LISTS
    assert proposals.pools.items.shape == (2, 3)
    np.testing.assert_array_equal(proposals.pools.scores, [[0.9, 0.5, 0.5], [2.0, 0.0, 0.0]])


def test_parquet_with_numbers_as_ids(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [1.0, 2.0], "item": [10, 11], "score": [1, 2], "extra": 0})
    frame.to_parquet(tmp_path / "lists.parquet")
    assert as_lists(read_top_n(TopNFiles(lists=tmp_path / "lists.parquet"))) == {
        "1": ["10"],
        "2": ["11"],
    }


def test_columns_by_any_name_when_they_are_named(tmp_path: Path) -> None:
    file = write(tmp_path / "lists.csv", "who,what,how")
    columns = {"user": "who", "item": "what", "score": "how"}
    assert as_lists(read_top_n(TopNFiles(lists=file, columns=columns))) == LISTS
    with pytest.raises(MissingColumn, match=r"user: .*'user'.*who, what, how"):
        read_top_n(TopNFiles(lists=file))
    with pytest.raises(MissingColumn, match="'whom'"):
        read_top_n(TopNFiles(lists=file, columns={"user": "whom"}))


def test_a_spreadsheets_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = write(tmp_path / "lists.csv", "\ufeffuser,item,score")
    assert as_lists(read_top_n(TopNFiles(lists=file))) == LISTS


@pytest.fixture
def shop(tmp_path: Path) -> TopNFiles:
    """Lists with everything that can be known of them, under the shop's own names."""
    rows = [(f"c{u}", f"s{i}", -abs(u - i) - i / 100) for u in range(6) for i in range(8)]
    past = [(f"c{u}", f"s{i}") for u in range(7) for i in range(u + 1)]
    later = [("c0", "s3", 5), ("c1", "s4", 2), ("c9", "s1", 4), ("c0", "s3", 5)]
    things = [
        (f"s{i}", "garden|tools" if i % 2 else "toys", 1990 + i, "AB"[i % 2]) for i in range(9)
    ]
    people = [(f"c{u}", "north" if u < 3 else "south") for u in range(5)]
    return TopNFiles(
        lists=write(tmp_path / "lists.csv", "customer,sku,score", rows),
        history=write(tmp_path / "past.csv", "customer,sku", past),
        relevant=write(tmp_path / "later.csv", "customer,sku,stars", later),
        items=write(tmp_path / "things.csv", "sku,kinds,year,seller", things),
        users=write(tmp_path / "people.csv", "customer,region", people),
        columns={"topics": "kinds"},
    )


GROUPS = GroupsConfig(
    items=(LongTail(), AttributeGroups(attribute="provider", column="seller")),
    users=(Activity(), AttributeGroups(attribute="region")),
)


def test_everything_that_is_known_finds_its_user_and_item(shop: TopNFiles) -> None:
    proposals = read_top_n(shop, GROUPS)
    catalogue, history, relevant = proposals.catalogue, proposals.history, proposals.relevant
    assert history is not None and relevant is not None
    assert catalogue.item_ids.tolist() == [f"s{i}" for i in range(9)]  # the items file's order
    assert catalogue.topic_names == ("garden", "tools", "toys")
    assert catalogue.year[3] == 1993
    assert catalogue.popularity.tolist() == [7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert catalogue.groups["popularity"].mask("head").tolist() == [True] * 2 + [False] * 7
    assert catalogue.groups["provider"].names == ("A", "B")
    region = proposals.user_groups["region"]
    by_id = dict(zip(proposals.user_ids.tolist(), region.codes.tolist(), strict=True))
    assert [by_id[f"c{u}"] for u in range(6)] == [0, 0, 0, 1, 1, -1]  # c5 is not in the file
    assert proposals.popularity_from == "history"
    assert proposals.counts == {"users without a list": 2}  # c6 has a history, c9 held-out items
    held = {
        (str(proposals.user_ids[u]), str(catalogue.item_ids[i]), r)
        for u, i, r in zip(relevant.user, relevant.item, relevant.rating, strict=True)
    }
    assert held == {("c0", "s3", 5.0), ("c1", "s4", 2.0), ("c9", "s1", 4.0)}


def test_only_pairs_rated_well_enough_are_relevant(shop: TopNFiles) -> None:
    liked = read_top_n(shop.model_copy(update={"relevant_from": 4.0})).relevant
    assert liked is not None and sorted(liked.rating) == [4.0, 5.0]
    with pytest.raises(EmptyData, match="relevant_from: no pair"):
        read_top_n(shop.model_copy(update={"relevant_from": 6.0}))


def test_without_a_history_popularity_is_counted_in_the_lists_and_nobody_is_active(
    shop: TopNFiles,
) -> None:
    proposals = read_top_n(shop.model_copy(update={"history": None}))
    assert proposals.popularity_from == "proposals"
    assert proposals.catalogue.popularity.tolist() == [6.0] * 8 + [0.0]
    assert proposals.user_groups == {}


def test_the_rows_order_does_not_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{i}", rng.random()) for u in range(20) for i in range(rng.integers(1, 9))]
    straight = as_lists(
        read_top_n(TopNFiles(lists=write(tmp_path / "a.csv", "user,item,score", rows)))
    )
    mixed = [rows[place] for place in rng.permutation(len(rows))]
    shuffled = read_top_n(TopNFiles(lists=write(tmp_path / "b.csv", "user,item,score", mixed)))
    assert as_lists(shuffled) == straight
    for user, items in straight.items():
        scores = {item: score for who, item, score in rows if who == user}
        assert items == sorted(scores, key=lambda item: -scores[item])


@pytest.mark.parametrize(
    ("change", "error", "names"),
    [
        (
            lambda rows: [("ann", "i1", "nan"), *rows],
            InvalidValue,
            r"score: .*'nan'.*row 1 .*1 such",
        ),
        (lambda rows: [*rows, ("bob", "i9", "inf")], InvalidValue, r"score: .*'inf'.*row 5"),
        (lambda rows: [*rows, ("bob", "i9", "high")], InvalidValue, "score: .*'high'"),
        (lambda rows: [*rows, ("ann", "i1", 3)], InvalidValue, "item: .*'ann' .*'i1' twice.*row 5"),
        (lambda rows: [*rows, ("", "i1", 3)], InvalidValue, "user: empty user id in data row 5"),
        (lambda rows: [], EmptyData, "holds no row"),
    ],
    ids=["NaN", "infinity", "no number", "pair twice", "no id", "no rows"],
)
def test_bad_rows_are_named(tmp_path: Path, change, error, names) -> None:
    file = write(tmp_path / "lists.csv", "user,item,score", change(ROWS))
    with pytest.raises(error, match=names) as caught:
        read_top_n(TopNFiles(lists=file))
    assert caught.value.mend


def test_files_that_are_no_tables_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0 user,item")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    for name in ("empty.csv", "picture.csv", "broken.parquet", "absent.csv"):
        with pytest.raises(FairloopError, match=name):
            read_top_n(TopNFiles(lists=tmp_path / name))


def test_an_item_that_the_items_file_lacks_is_named(shop: TopNFiles, tmp_path: Path) -> None:
    few = write(tmp_path / "few.csv", "sku,kinds", [("s0", "toys"), ("s1", "toys")])
    with pytest.raises(UnknownItem, match=r"items: item 's2' of lists.csv .*few.csv \(6 such"):
        read_top_n(shop.model_copy(update={"items": few}))


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        ({"items": None}, "groups: groups of items by provider need a file of items"),
        ({"users": None}, "groups: groups of users by region need a file of users"),
        ({"history": None}, "groups: users are grouped by activity"),
    ],
)
def test_groups_that_nothing_was_given_for_are_named(shop: TopNFiles, missing, names) -> None:
    with pytest.raises(FairloopError, match=names) as caught:
        read_top_n(shop.model_copy(update=missing), GROUPS)
    assert caught.value.mend


def test_a_column_that_the_items_file_lacks_is_named(shop: TopNFiles) -> None:
    groups = GroupsConfig(items=(AttributeGroups(attribute="studio"),), users=())
    with pytest.raises(MissingColumn, match=r"studio.*seller"):
        read_top_n(shop, groups)


def test_short_lists_are_counted_and_left_out_only_when_asked(tmp_path: Path) -> None:
    proposals = read_top_n(TopNFiles(lists=write(tmp_path / "lists.csv", "user,item,score")))
    assert proposals.for_slates(1) is proposals
    with pytest.raises(
        InvalidValue, match=r"k: 1 of 2 users have fewer than k=2 .*'bob'.*at most 1"
    ):
        proposals.for_slates(2)
    kept = proposals.for_slates(2, drop_short=True)
    assert as_lists(kept) == {"ann": LISTS["ann"]}
    assert kept.counts == {"users with a short list": 1}
    with pytest.raises(EmptyData, match="no user has 4 candidates; the longest list holds 3"):
        proposals.for_slates(4, drop_short=True)
    with pytest.raises(InvalidValue, match="k is 0"):
        proposals.for_slates(0)


def test_the_candidates_of_a_fitted_model_are_proposals_too() -> None:
    candidates = synthetic_candidates()
    proposals = Proposals.of(candidates)
    assert len(proposals.pools) == candidates.n_users
    assert proposals.relevant is candidates.heldout
    np.testing.assert_array_equal(proposals.pools.items, candidates.items)
