import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from fairloop.candidates.read import (
    RecBoleMapping,
    TableMapping,
    movielens_100k,
    read_recbole,
    read_tables,
)
from fairloop.candidates.read_frames import build_dataset
from fairloop.candidates.synthetic import synthetic_dataset
from fairloop.candidates.write import load_dataset, save_dataset, write_recbole
from fairloop.errors import (
    ArtifactNotFound,
    CorruptArtifact,
    EmptyData,
    InvalidValue,
    MissingColumn,
)


def test_movielens_is_read_whole():
    dataset = movielens_100k()
    assert (dataset.n_users, dataset.n_items, len(dataset)) == (943, 1682, 100_000)
    assert dataset.counts["duplicates"] == 0
    assert dataset.counts["item_year_missing"] == 2
    assert dataset.counts["item_topics_missing"] == 2
    first = dataset.item_attributes.iloc[int(np.flatnonzero(dataset.item_ids == "1")[0])]
    assert (first["title"], first["year"]) == ("Toy Story", 1995.0)
    assert first["topics"] == ("Animation", "Children's", "Comedy")
    assert set(dataset.user_attributes["gender"]) == {"F", "M"}
    assert sorted(set(dataset.rating)) == [1, 2, 3, 4, 5]


def test_reading_movielens_imports_neither_recbole_nor_torch():
    code = (
        "import sys; from fairloop.candidates.read import movielens_100k; movielens_100k();"
        "import fairloop.candidates.fit, fairloop.candidates.artifact;"
        "print([m for m in ('recbole', 'torch', 'ray') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.fixture
def csv(tmp_path):
    (tmp_path / "log.csv").write_text(
        "who,what,stars,at\nann,i1,4,100\nbob,i2,5,200\nann,i1,2,300\nann,NA,3,50\n"
    )
    (tmp_path / "people.csv").write_text("who,city\nann,Oslo\nzoe,\n")
    (tmp_path / "films.csv").write_text(
        "what,name,year,kinds,studio\ni1,One,1990,War|Drama,A\ni2,Two,,,B\n"
    )
    return TableMapping(
        name="films",
        interactions=tmp_path / "log.csv",
        users=tmp_path / "people.csv",
        items=tmp_path / "films.csv",
        user="who",
        item="what",
        rating="stars",
        timestamp="at",
        title="name",
        year="year",
        topics="kinds",
    )


def test_csv_files_become_a_data_set(csv):
    dataset = read_tables(csv)
    assert dataset.user_ids.tolist() == ["ann", "zoe", "bob"]  # the attribute table comes first
    assert dataset.item_ids.tolist() == ["i1", "i2", "NA"]  # "NA" is an id, not a gap
    rows = list(zip(dataset.user, dataset.item, dataset.rating, dataset.timestamp, strict=True))
    assert rows == [(2, 1, 5, 200), (0, 0, 2, 300), (0, 2, 3, 50)]  # the latest of a pair stays
    assert dataset.item_attributes["topics"].tolist() == [("War", "Drama"), (), ()]
    assert dataset.item_attributes["studio"].tolist()[:2] == ["A", "B"]
    expected = {
        "rows": 4,
        "duplicates": 1,
        "users_without_interactions": 1,
        "items_without_interactions": 0,
        "users_without_attributes": 1,
        "items_without_attributes": 1,
        "user_city_missing": 2,
        "item_year_missing": 2,
        "item_topics_missing": 2,
    }
    assert expected.items() <= dataset.counts.items()


def test_parquet_files_give_the_same_data_set(csv, tmp_path):
    log = pd.read_csv(csv.interactions, keep_default_na=False)
    log.to_parquet(tmp_path / "log.parquet")
    parquet = csv.model_copy(update={"interactions": tmp_path / "log.parquet"})
    assert read_tables(parquet).content_hash() == read_tables(csv).content_hash()


def test_only_named_attributes_are_kept(csv):
    mapping = csv.model_copy(update={"item_attributes": (), "user_attributes": ()})
    dataset = read_tables(mapping)
    assert list(dataset.item_attributes.columns) == ["title", "year", "topics"]
    assert list(dataset.user_attributes.columns) == []


@pytest.mark.parametrize("bad", ["nan", "inf", "", "four"])
def test_a_rating_that_is_no_number_names_its_row(csv, bad):
    csv.interactions.write_text(f"who,what,stars,at\nann,i1,4,100\nbob,i2,{bad},200\n")
    with pytest.raises(InvalidValue) as caught:
        read_tables(csv)
    assert caught.value.field == "rating"
    assert "row 2" in str(caught.value)


def test_an_empty_id_names_its_row(csv):
    csv.interactions.write_text("who,what,stars,at\nann,i1,4,100\n,i2,4,200\n")
    with pytest.raises(InvalidValue) as caught:
        read_tables(csv)
    assert caught.value.field == "user"
    assert "row 2" in str(caught.value)


@pytest.mark.parametrize("content", ["", "who,what,stars,at\n"])
def test_a_file_without_rows_is_refused(csv, content):
    csv.interactions.write_text(content)
    with pytest.raises(EmptyData):
        read_tables(csv)


def test_a_missing_column_is_named(csv):
    csv.interactions.write_text("who,stars,at\nann,4,100\n")
    with pytest.raises(MissingColumn) as caught:
        read_tables(csv)
    assert caught.value.field == "what"


def test_an_item_listed_twice_is_refused(csv):
    csv.items.write_text("what,name,year,kinds,studio\ni1,One,1990,War,A\ni1,Again,1990,War,A\n")
    with pytest.raises(InvalidValue, match="twice"):
        read_tables(csv)


@pytest.mark.parametrize("name", ["absent.csv", "broken.parquet", "binary.csv"])
def test_unreadable_files_are_named(csv, tmp_path, name):
    if name != "absent.csv":
        (tmp_path / name).write_bytes(b"\xff\xfe\x00who")
    with pytest.raises(InvalidValue, match=name):
        read_tables(csv.model_copy(update={"interactions": tmp_path / name}))


def test_without_ratings_and_times_each_interaction_counts_one_in_order():
    dataset = build_dataset("plain", pd.DataFrame({"user": [1, 1], "item": [7, 8]}))
    assert dataset.rating.tolist() == [1, 1]
    assert dataset.item_ids.tolist() == ["7", "8"]


def test_atomic_files_are_written_and_read_back(tmp_path):
    dataset = synthetic_dataset(n_users=30, n_items=40)
    write_recbole(dataset, tmp_path / "toy")
    back = read_recbole(
        tmp_path / "toy", RecBoleMapping(title="title", year="year", topics="topics")
    )
    assert back.user_ids.tolist() == dataset.user_ids.tolist()
    assert np.array_equal(back.item, dataset.item)
    assert np.array_equal(back.rating, dataset.rating)
    assert np.array_equal(back.timestamp, dataset.timestamp)
    assert back.item_attributes["title"].equals(dataset.item_attributes["title"])
    assert back.item_attributes["year"].equals(dataset.item_attributes["year"])
    spaced = [tuple(t.replace(" ", "_") for t in row) for row in dataset.item_attributes["topics"]]
    assert back.item_attributes["topics"].tolist() == spaced


def test_a_folder_without_interactions_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match=r"X\.inter"):
        read_recbole(tmp_path)


def test_a_title_that_breaks_the_format_is_refused(tmp_path):
    dataset = synthetic_dataset(n_users=30, n_items=40)
    dataset.item_attributes.loc[0, "title"] = "a\tb"
    with pytest.raises(InvalidValue, match="tab"):
        write_recbole(dataset, tmp_path / "toy")
    assert list(tmp_path.iterdir()) == []


def test_a_stored_data_set_comes_back_equal(tmp_path):
    dataset = synthetic_dataset()
    save_dataset(dataset, tmp_path / "data")
    save_dataset(dataset, tmp_path / "data")  # replaces the earlier one
    back = load_dataset(tmp_path / "data")
    assert back.content_hash() == dataset.content_hash()
    assert back.counts == dict(dataset.counts)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_damaged_data_set_is_refused(tmp_path):
    save_dataset(synthetic_dataset(), tmp_path / "data")
    path = tmp_path / "data" / "users.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(CorruptArtifact, match=r"users\.parquet"):
        load_dataset(tmp_path / "data")


def test_an_absent_data_set_says_how_to_make_one(tmp_path):
    with pytest.raises(ArtifactNotFound, match="fairloop data"):
        load_dataset(tmp_path / "data")
