"""A stored conditioned policy comes back as it was, or not at all."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from fairloop.agents.gate import judge
from fairloop.agents.pareto.conditioned import ConditionedPolicy
from fairloop.agents.pareto.report import CellFigures, ConditionReport, NodeFigures
from fairloop.agents.pareto.storage import (
    MANIFEST,
    TENSORS,
    ConditionedManifest,
    conditioned_manifest,
    load_conditioned,
    save_conditioned,
)
from fairloop.agents.storage import PolicyManifest, load_policy
from fairloop.errors import ArtifactNotFound, CorruptArtifact

EXPOSURE = "exposure:popularity=long_tail"


@pytest.fixture
def manifest(conditioned: ConditionedPolicy, make_report) -> ConditionedManifest:
    policy, report = conditioned.policy, make_report()
    base = PolicyManifest(
        name="learned",
        slate_size=5,
        constraints=policy.constraints,
        feature_names=policy.feature_names,
        observation_names=policy.observation_names,
        n_hidden=len(policy.hidden),
        lineage={"candidates": "abc"},
        config={"seed": 1},
        curve=(),
        report=report,
        verdict=judge(report),
    )
    node = NodeFigures(targets={EXPOSURE: 0.3}, held=True, engagement=1 / 3, steps=7)
    cell = CellFigures(targets={EXPOSURE: 0.35}, shortfall=-0.01, violation=-0.02)
    found = ConditionReport(nodes=(node,), cells=(cell,), gain=None, steps=9)
    return conditioned_manifest(conditioned, found, base, "012345")


def test_round_trip(
    conditioned: ConditionedPolicy, manifest: ConditionedManifest, tmp_path: Path
) -> None:
    folder = save_conditioned(conditioned, manifest, tmp_path)
    stored = load_conditioned(folder)
    assert stored.manifest == manifest and stored.version == folder.name
    assert np.array_equal(stored.policy.offsets, conditioned.offsets)
    assert np.array_equal(stored.policy.held, conditioned.held)
    assert stored.policy.axes == conditioned.axes
    asked = {EXPOSURE: 1 / 3, "diversity": 0.61}
    seen = np.random.default_rng(1).normal(size=(7, len(conditioned.policy.observation_names)))
    again, before = stored.policy.at(asked), conditioned.at(asked)
    assert np.array_equal(again.weights(seen), before.weights(seen))
    assert again.constraints == before.constraints
    assert sorted(p.name for p in folder.iterdir()) == [MANIFEST, TENSORS]


def test_the_version_follows_the_content(
    conditioned: ConditionedPolicy, manifest: ConditionedManifest, tmp_path: Path
) -> None:
    first = save_conditioned(conditioned, manifest, tmp_path)
    assert save_conditioned(conditioned, manifest, tmp_path) == first
    other = ConditionedPolicy(
        conditioned.policy, conditioned.axes, conditioned.offsets + 1, conditioned.held
    )
    sourced = manifest.model_copy(update={"source": "543210"})
    found = {first, save_conditioned(other, manifest, tmp_path)}
    assert len({*found, save_conditioned(conditioned, sourced, tmp_path)}) == 3


@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
@pytest.mark.parametrize("spoil", ["flip", "cut", "remove", "empty"])
def test_what_was_damaged_is_refused(
    conditioned: ConditionedPolicy,
    manifest: ConditionedManifest,
    tmp_path: Path,
    name: str,
    spoil: str,
) -> None:
    folder = save_conditioned(conditioned, manifest, tmp_path)
    data = bytearray((folder / name).read_bytes())
    if spoil == "remove":
        (folder / name).unlink()
    else:
        data[len(data) // 2] ^= 1
        kept = {"flip": data, "cut": data[: len(data) // 2], "empty": b""}[spoil]
        (folder / name).write_bytes(kept)
    gone = spoil == "remove" and name == MANIFEST
    with pytest.raises(ArtifactNotFound if gone else CorruptArtifact) as raised:
        load_conditioned(folder)
    assert raised.value.mend


def test_an_honest_hash_over_nonsense_is_refused(
    conditioned: ConditionedPolicy, manifest: ConditionedManifest, tmp_path: Path
) -> None:
    """Axes that contradict the tensors are found even where all hashes agree."""
    folder = save_conditioned(conditioned, manifest, tmp_path)
    fewer = manifest.model_copy(update={"axes": manifest.axes[:1]})
    with pytest.raises(CorruptArtifact):
        load_conditioned(save_conditioned(conditioned, fewer, tmp_path))
    load_conditioned(folder)


def test_neither_kind_of_policy_is_taken_for_the_other(
    conditioned: ConditionedPolicy, manifest: ConditionedManifest, tmp_path: Path
) -> None:
    folder = save_conditioned(conditioned, manifest, tmp_path)
    with pytest.raises(ArtifactNotFound):
        load_policy(folder)
    assert json.loads((folder / MANIFEST).read_text())["manifest"]["source"] == "012345"
    shutil.rmtree(folder)
    with pytest.raises(ArtifactNotFound):
        load_conditioned(folder)
