"""Groups of columns: complete, disjoint, and robust to columns that nobody knows."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.interpret.groups import groups_read, observation_groups
from fairloop.errors import InvalidValue


def test_every_column_stands_in_one_group(policy):
    groups = observation_groups(policy.observation_names)
    columns = np.concatenate([group.columns for group in groups])
    assert sorted(columns) == list(range(len(policy.observation_names)))
    assert {
        "clicks lately", "taste", "satisfaction", "click rate", "slates seen", "days away",
        "shown lately", "pool", "gaps",
    } <= {group.name for group in groups}  # fmt: skip


def test_an_unknown_column_is_a_group_of_its_kind():
    groups = observation_groups(("target:a", "satisfaction", "target:b", "new_number"))
    assert [(g.name, g.columns.tolist()) for g in groups] == [
        ("target", [0, 2]),
        ("satisfaction", [1]),
        ("new number", [3]),
    ]
    with pytest.raises(InvalidValue):
        observation_groups(())


def test_blind_groups_are_left_out(policy):
    names = policy.observation_names
    scale = policy.scale.copy()
    for column, name in enumerate(names):
        if name.startswith("gap:") or name == "satisfaction":
            scale[column] = 0.0
    read = {group.name for group in groups_read(replace(policy, scale=scale))}
    assert "gaps" not in read and "satisfaction" not in read and "taste" in read
    assert groups_read(replace(policy, scale=np.zeros_like(scale))) == ()
