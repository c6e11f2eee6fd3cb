import dataclasses
import errno
import json

import numpy as np
import pytest
from fairloop.candidates import folders
from fairloop.candidates.artifact import (
    latest_candidates,
    load_candidates,
    save_candidates,
    version_of,
)
from fairloop.candidates.folders import write_file_atomically, write_folder_atomically
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import ArtifactNotFound, CorruptArtifact, StorageFull


@pytest.fixture(scope="module")
def candidates():
    return synthetic_candidates(n_users=40, n_items=60, top_n=20)


def assert_equal(one, two):
    """Field by field, arrays included."""
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_equal(getattr(one, field.name), getattr(two, field.name))
    elif isinstance(one, dict):
        assert list(one) == list(two)
        for key in one:
            assert_equal(one[key], two[key])
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, two)
        assert one.dtype.kind == two.dtype.kind
    else:
        assert one == two


def test_a_stored_candidate_set_comes_back_equal(candidates, tmp_path):
    embedded = dataclasses.replace(
        candidates,
        metrics={"ndcg@10": 0.123456789012},
        user_embeddings=np.ones((40, 3), np.float32),
        item_embeddings=np.arange(180, dtype=np.float32).reshape(60, 3),
    )
    assert_equal(load_candidates(save_candidates(embedded, tmp_path)), embedded)


def test_nothing_is_pickled(candidates, tmp_path):
    folder = save_candidates(candidates, tmp_path)
    assert {path.suffix for path in folder.iterdir()} == {".json", ".npz", ".parquet"}
    with np.load(folder / "pools.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays)


def test_the_version_is_a_hash_of_the_content(candidates, tmp_path):
    one = save_candidates(candidates, tmp_path / "one")
    two = save_candidates(load_candidates(one), tmp_path / "two")
    assert one.name == two.name == version_of(one)
    other = dataclasses.replace(candidates, scores=candidates.scores + 1)
    assert save_candidates(other, tmp_path / "one").name != one.name


def test_the_manifest_names_origins(candidates, tmp_path):
    folder = save_candidates(candidates, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["lineage"]["dataset"] == candidates.lineage["dataset"]
    assert manifest["config"]["model"] == "EASE"
    assert manifest["created"].startswith("20")
    assert set(manifest["files"]) == {p.name for p in folder.iterdir()} - {"manifest.json"}


@pytest.mark.parametrize(
    "name", ["pools.npz", "interactions.parquet", "users.parquet", "items.parquet"]
)
def test_a_changed_or_lost_file_is_found(candidates, tmp_path, name):
    folder = save_candidates(candidates, tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(CorruptArtifact, match=name):
        load_candidates(folder)
    (folder / name).unlink()
    with pytest.raises(CorruptArtifact, match=name):
        load_candidates(folder)


def test_a_changed_manifest_is_found(candidates, tmp_path):
    folder = save_candidates(candidates, tmp_path)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["metrics"]["ndcg@10"] = 0.99
    path.write_text(json.dumps(manifest))
    with pytest.raises(CorruptArtifact, match="manifest"):
        load_candidates(folder)
    path.write_text("{")
    with pytest.raises(CorruptArtifact, match="JSON"):
        load_candidates(folder)


def test_an_absent_artifact_says_how_to_make_one(tmp_path):
    with pytest.raises(ArtifactNotFound, match="train candidates"):
        load_candidates(tmp_path / "none")
    with pytest.raises(ArtifactNotFound, match="train candidates"):
        latest_candidates(tmp_path)


def test_the_latest_is_the_one_made_last(candidates, tmp_path):
    first = save_candidates(candidates, tmp_path)
    second = save_candidates(
        dataclasses.replace(candidates, scores=candidates.scores * 2), tmp_path
    )
    assert latest_candidates(tmp_path) == second
    save_candidates(candidates, tmp_path)
    assert latest_candidates(tmp_path) == first


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_nothing(candidates, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(StorageFull):
        save_candidates(candidates, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_at_the_last_step_leaves_the_earlier_folder(tmp_path, monkeypatch):
    target = tmp_path / "kept"
    write_folder_atomically(target, lambda folder: (folder / "a").write_text("old") and None)
    monkeypatch.setattr(folders, "_sync_file", full_disk)
    with pytest.raises(StorageFull):
        write_folder_atomically(target, lambda folder: (folder / "a").write_text("new") and None)
    assert (target / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_move_brings_the_earlier_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "kept"
    write_folder_atomically(target, lambda folder: (folder / "a").write_text("old") and None)
    replace = folders.os.replace

    def fail_into_target(source, destination):
        if destination == target and not str(source).endswith("old"):
            raise OSError(errno.EIO, "broken")
        replace(source, destination)

    monkeypatch.setattr(folders.os, "replace", fail_into_target)
    with pytest.raises(OSError, match="broken"):
        write_folder_atomically(target, lambda folder: (folder / "a").write_text("new") and None)
    assert (target / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.json"
    write_file_atomically(path, b"old")
    monkeypatch.setattr(folders.os, "fsync", full_disk)
    with pytest.raises(StorageFull):
        write_file_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
