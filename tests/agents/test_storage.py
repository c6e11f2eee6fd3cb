"""A stored policy comes back as it was, or not at all."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fairloop.agents.gate import judge
from fairloop.agents.storage import (
    MANIFEST,
    TENSORS,
    CurvePoint,
    PolicyManifest,
    latest_policy,
    load_policy,
    save_policy,
)
from fairloop.errors import ArtifactNotFound, CorruptArtifact, StorageFull


@pytest.fixture
def manifest(policy, make_report):
    report = make_report()
    return PolicyManifest(
        name="learned",
        slate_size=5,
        constraints=policy.constraints,
        feature_names=policy.feature_names,
        observation_names=policy.observation_names,
        n_hidden=len(policy.hidden),
        lineage={"candidates": "abc"},
        config={"seed": 1},
        curve=(CurvePoint(steps=1, reward=0.5, costs=(0.1, 0.0), multipliers=(1.0, 0.0)),),
        report=report,
        verdict=judge(report),
    )


def test_round_trip(policy, manifest, tmp_path):
    folder = save_policy(policy, manifest, tmp_path)
    stored = load_policy(folder)
    seen = np.random.default_rng(1).normal(size=(7, len(policy.observation_names)))
    assert np.array_equal(stored.policy.weights(seen), policy.weights(seen))
    assert stored.manifest == manifest
    assert stored.version == folder.name
    assert sorted(p.name for p in folder.iterdir()) == [MANIFEST, TENSORS]


def test_the_version_follows_the_content(policy, manifest, tmp_path):
    first = save_policy(policy, manifest, tmp_path)
    assert save_policy(policy, manifest, tmp_path) == first
    other = save_policy(policy.with_offsets(policy.offsets + 1), manifest, tmp_path)
    renamed = save_policy(policy, manifest.model_copy(update={"slate_size": 6}), tmp_path)
    assert len({first, other, renamed}) == 3
    assert latest_policy(tmp_path) in {other, renamed}


@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_changed_byte_is_noticed(policy, manifest, tmp_path, name, where):
    folder = save_policy(policy, manifest, tmp_path)
    data = bytearray((folder / name).read_bytes())
    at = int(len(data) * where)
    data[at] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(CorruptArtifact):
        load_policy(folder)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda folder: (folder / TENSORS).unlink(),
        lambda folder: (folder / MANIFEST).write_text("[]"),
        lambda folder: (folder / MANIFEST).write_text("{"),
        lambda folder: (folder / TENSORS).write_bytes(b""),
    ],
)
def test_a_broken_folder_is_corrupt(policy, manifest, tmp_path, break_it):
    folder = save_policy(policy, manifest, tmp_path)
    break_it(folder)
    with pytest.raises(CorruptArtifact):
        load_policy(folder)


def test_a_manifest_rewritten_with_a_matching_hash_of_other_shapes_is_corrupt(
    policy, manifest, tmp_path
):
    wrong = manifest.model_copy(update={"observation_names": manifest.observation_names[1:]})
    with pytest.raises(CorruptArtifact):
        load_policy(save_policy(policy, wrong, tmp_path))


def test_nothing_there(tmp_path):
    with pytest.raises(ArtifactNotFound):
        load_policy(tmp_path)
    with pytest.raises(ArtifactNotFound):
        latest_policy(tmp_path / "none")


def test_a_full_disk_leaves_nothing(policy, manifest, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageFull):
        save_policy(policy, manifest, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_loading_and_serving_need_no_torch(policy, manifest, tmp_path):
    folder = save_policy(policy, manifest, tmp_path)
    code = (
        "import sys, pathlib\n"
        "from fairloop.agents.storage import load_policy\n"
        "import fairloop.agents.serving, fairloop.agents.config\n"
        f"load_policy(pathlib.Path({json.dumps(str(folder))}))\n"
        "sys.exit('torch' in sys.modules or 'stable_baselines3' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path("/"), check=False)
    assert done.returncode == 0
