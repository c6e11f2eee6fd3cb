from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairloop.errors import EmptyData, FairloopError, InvalidValue, MissingColumn
from fairloop.simulators.calibration.read_log import read_log
from fairloop.simulators.impressions import ImpressionLog, write_impressions

ROWS = pd.DataFrame(
    {
        "User ID": ["u1", "u1", "u2", "u2", "u1", "u1"],
        "timestamp": ["2026-01-01T10:00:00"] * 2
        + ["2026-01-01T10:00:00"] * 2
        + ["2026-01-02T22:00:00"] * 2,
        "item_id": ["7", "8", "7", "9", "8", "7"],
        "rank": [1, 2, 1, 2, 1, 2],
        "click": [1, 0, 0, 0, 1, 0],
        "session": ["s9", "s9", "s1", "s1", "s2", "s2"],
        "rating": ["5", "", "", "", "1", ""],
        "dwell_seconds": ["90", "", "", "", "30", ""],
        "pscore": [0.5, 0.25, 0.5, 0.25, 0.5, 0.25],
    }
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def read(file: Path, frame: pd.DataFrame, **columns: str) -> ImpressionLog:
    frame.to_csv(file, index=False)
    return read_log(file, columns)


def test_usual_names_are_recognised_and_units_converted(file: Path) -> None:
    log = read(file, ROWS)
    assert log.item_ids[log.item].tolist() == ["7", "8", "7", "9", "8", "7"]
    assert log.user_ids is not None and log.user is not None
    assert log.user_ids[log.user].tolist() == ["u1", "u1", "u2", "u2", "u1", "u1"]
    assert log.position.tolist() == [1, 2, 1, 2, 1, 2]
    assert log.clicked.tolist() == [True, False, False, False, True, False]
    # one user at one time: one slate
    assert log.slate.tolist() == [0, 0, 1, 1, 2, 2]
    assert log.day is not None and np.allclose(log.day, [0, 0, 0, 0, 1.5, 1.5])
    assert log.visit is not None and log.visit.tolist() == [0, 0, 0, 0, 1, 1]
    assert log.satisfaction is not None
    assert np.array_equal(log.satisfaction[[0, 4]], [1.0, 0.0])  # places of 5 and 1 in 1 … 5
    assert np.isnan(log.satisfaction[[1, 2, 3, 5]]).all()
    assert log.dwell is not None and np.allclose(log.dwell[[0, 4]], [1.5, 0.5])
    assert log.propensity_item is not None and log.propensity_item[1] == 0.25


def test_columns_can_be_named(file: Path) -> None:
    frame = ROWS.rename(columns={"rank": "where", "click": "hit"})
    assert read(file, frame, position="where", clicked="hit").clicked.sum() == 2
    with pytest.raises(MissingColumn):
        read(file, frame, position="nowhere", clicked="hit")
    with pytest.raises(InvalidValue, match="no column of a log"):
        read(file, frame, colour="where")


def test_without_users_every_row_is_a_slate(file: Path) -> None:
    log = read(file, ROWS[["item_id", "rank", "click"]])
    assert log.user is None and len(np.unique(log.slate)) == len(ROWS)


def test_unix_seconds_and_milliseconds_give_the_same_days(file: Path) -> None:
    seconds = np.array([1.7e9, 1.7e9, 1.7e9, 1.7e9, 1.7e9 + 43200, 1.7e9 + 43200])
    for scale in (1, 1000):
        log = read(file, ROWS.assign(timestamp=(seconds * scale).astype(np.int64)))
        assert log.day is not None and np.allclose(log.day, [0, 0, 0, 0, 0.5, 0.5])


def test_the_schema_of_simulations_is_read_as_it_is(tmp_path: Path) -> None:
    zeros = np.zeros(3, np.int64)
    log = ImpressionLog(np.array(["a"]), zeros, np.arange(1, 4), zeros == 0, zeros)
    write_impressions(tmp_path / "log.parquet", [log])
    assert read_log(tmp_path / "log.parquet").position.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("column", "value", "field", "says"),
    [
        ("rank", 0, "position", "add 1"),
        ("rank", 1.5, "position", "whole number"),
        ("rank", 5000, "position", "below position 1000"),
        ("rank", "top", "position", "finite number"),
        ("click", "maybe", "clicked", "neither 0 nor 1"),
        ("click", 3, "clicked", "neither 0 nor 1"),
        ("item_id", "", "item", "is empty"),
        ("timestamp", "yesterday", "timestamp", "not a time"),
        ("pscore", 0, "propensity_item", "no probability"),
        ("pscore", 1.5, "propensity_item", "no probability"),
    ],
)
def test_a_bad_cell_names_its_column_row_and_mend(
    file: Path, column: str, value: object, field: str, says: str
) -> None:
    frame = ROWS.astype(object)
    frame.loc[3, column] = value
    with pytest.raises(FairloopError) as caught:
        read(file, frame)
    assert caught.value.field == field
    assert says in str(caught.value) and caught.value.mend
    assert "row 4" in str(caught.value)


def test_two_items_at_one_position_are_refused(file: Path) -> None:
    with pytest.raises(InvalidValue, match="second item at position 1") as caught:
        read(file, ROWS.assign(rank=1))
    assert caught.value.field == "slate"


def test_absent_columns_and_rows_are_named(file: Path) -> None:
    with pytest.raises(MissingColumn) as caught:
        read(file, ROWS.drop(columns="rank"))
    assert caught.value.field == "position" and "--column" in str(caught.value.mend)
    with pytest.raises(EmptyData):
        read(file, ROWS[:0])
    with pytest.raises(InvalidValue, match="no file"):
        read_log(file.with_name("absent.csv"))
