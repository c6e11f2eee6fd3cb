from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fairloop.errors import EmptyData, InvalidValue
from fairloop.simulators import impressions
from fairloop.simulators.impressions import (
    OPTIONAL,
    REQUIRED,
    ImpressionLog,
    read_impressions,
    write_impressions,
)
from hypothesis import given
from hypothesis import strategies as st


def some_log(columns: tuple[str, ...] = OPTIONAL, n: int = 30, seed: int = 0) -> ImpressionLog:
    rng = np.random.default_rng(seed)
    users = {"user_ids": np.array(["007", "NA"])} if "user" in columns else {}
    made: dict[str, np.ndarray] = {name: rng.random(n) for name in columns}
    for name, top in (("user", 2), ("visit", 5)):
        if name in columns:
            made[name] = rng.integers(0, top, n)
    if "satisfaction" in columns:
        made["satisfaction"] = np.where(rng.random(n) < 0.5, np.nan, 0.25)
    return ImpressionLog(
        item_ids=np.array(["a", "b", "never shown", "ü"]),
        item=rng.choice([0, 1, 3], n),
        position=rng.integers(1, 4, n),
        clicked=rng.random(n) < 0.3,
        slate=np.arange(n) // 3,
        **users,
        **made,
    )


def assert_same(a: ImpressionLog, b: ImpressionLog) -> None:
    for name in (*REQUIRED, *OPTIONAL):
        one, other = getattr(a, name), getattr(b, name)
        assert (one is None) == (other is None), name
        if one is not None:
            assert np.array_equal(one.astype(np.float32), other.astype(np.float32), equal_nan=True)
    assert a.item_ids.tolist() == b.item_ids.tolist()


@given(columns=st.sets(st.sampled_from(OPTIONAL)), parts=st.integers(1, 4))
def test_what_was_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, columns: set[str], parts: int
) -> None:
    log = some_log(tuple(sorted(columns)))
    path = tmp_path_factory.mktemp("log") / "log.parquet"
    rows = np.array_split(np.arange(len(log)), parts)
    assert write_impressions(path, (log.take(r) for r in rows)) == len(log)
    assert_same(read_impressions(path), log)


def test_pandas_reads_the_file_with_text_ids(tmp_path: Path) -> None:
    log = some_log()
    write_impressions(tmp_path / "log.parquet", [log])
    frame = pd.read_parquet(tmp_path / "log.parquet")
    assert list(frame.columns) == [*REQUIRED, *OPTIONAL]
    assert frame["item"].tolist() == log.item_ids[log.item].tolist()
    assert frame["satisfaction"].isna().to_numpy().tolist() == np.isnan(log.satisfaction).tolist()


def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    write_impressions(path, [some_log(seed=1)])

    def breaks() -> Iterator[ImpressionLog]:
        yield some_log(seed=2)
        raise RuntimeError("the simulation broke")

    with pytest.raises(RuntimeError, match="broke"):
        write_impressions(path, breaks())
    with pytest.raises(EmptyData):
        write_impressions(path, [])
    assert_same(read_impressions(path), some_log(seed=1))
    assert list(tmp_path.iterdir()) == [path]


def test_a_later_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impressions, "VERSION", 2)
    write_impressions(tmp_path / "log.parquet", [some_log()])
    monkeypatch.undo()
    with pytest.raises(InvalidValue, match="version 2"):
        read_impressions(tmp_path / "log.parquet")


def test_a_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    with pytest.raises(InvalidValue) as caught:
        read_impressions(tmp_path / "x.parquet")
    assert "read_log" in str(caught.value.mend)
    (tmp_path / "y.parquet").write_text("no Parquet")
    with pytest.raises(InvalidValue, match="not a Parquet file"):
        read_impressions(tmp_path / "y.parquet")


def test_columns_that_do_not_fit_are_refused() -> None:
    ids, zeros = np.array(["a"]), np.zeros(2, int)
    with pytest.raises(InvalidValue) as caught:
        ImpressionLog(ids, zeros, zeros, np.zeros(3, bool), zeros)
    assert caught.value.field == "clicked"
    with pytest.raises(InvalidValue) as caught:
        ImpressionLog(ids, zeros, zeros, np.zeros(2, bool), zeros, user=zeros)
    assert caught.value.field == "user"
