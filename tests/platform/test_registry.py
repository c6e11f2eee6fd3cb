"""What is deployed: one candidate set, and a policy that the gate let through."""

from typing import TYPE_CHECKING

import pytest
from fairloop.candidates.artifact import save_candidates
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import (
    ArtifactNotFound,
    CorruptArtifact,
    GateRefused,
    InvalidValue,
    UnknownRecord,
)
from fairloop.platform.db.engine import Database
from fairloop.platform.db.tables import Item, ModelVersion, User
from fairloop.platform.home import Home
from fairloop.platform.registry import (
    adopt_candidates,
    adopt_policy,
    deploy,
    deployed,
    versions,
)

if TYPE_CHECKING:
    from conftest import House


def test_adopted_candidates_bring_their_users_items_and_lineage(
    house: "House", database: Database
) -> None:
    candidates = adopt_candidates(database, house.home, house.version)
    with database.reading() as session:
        user = session.get_one(User, "u7")
        gender = candidates.user_groups["gender"]
        code = int(gender.codes[candidates.user_index("u7")])
        assert user.attributes["gender"] == (None if code < 0 else gender.names[code])
        item = session.get_one(Item, "i7")
        row = candidates.item_index("i7")
        assert item.title == str(candidates.catalogue.titles[row])
        assert item.attributes["groups"]["popularity"] in ("head", "long_tail")
    [only] = versions(database)
    assert (only.version, only.kind, only.deployed) == (house.version, "candidates", True)
    assert only.lineage["dataset"] == candidates.lineage["dataset"]
    assert only.artifact == f"candidates/{house.version}"


def test_a_policy_that_passed_serves(house: "House") -> None:
    version = house.store_policy()
    recorded = adopt_policy(house.database, house.home, version)
    assert (recorded.status, recorded.deployed) == ("accepted", True)
    assert recorded.gate is not None
    assert recorded.gate["headline"] == "As told."
    assert recorded.metrics == {"ratio": 1.1}
    assert house.recommender().recommend("u1", explain=False).policy_version == version


def test_a_policy_that_did_not_pass_is_recorded_and_what_served_serves_on(
    house: "House",
) -> None:
    deploy(house.database, "mmr")
    version = house.store_policy(passed=False)
    with pytest.raises(GateRefused, match="As told"):
        adopt_policy(house.database, house.home, version)
    assert deployed(house.database).policy == "mmr"
    assert [v.status for v in versions(house.database) if v.version == version] == ["refused"]
    with pytest.raises(GateRefused):
        deploy(house.database, version)


def test_a_policy_can_be_recorded_without_serving(house: "House") -> None:
    version = house.store_policy()
    assert not adopt_policy(house.database, house.home, version, deploy=False).deployed
    assert deployed(house.database).policy is None
    assert deploy(house.database, version).deployed


def test_a_policy_for_other_candidates_does_not_serve(house: "House") -> None:
    version = house.store_policy(candidates="others")
    with pytest.raises(InvalidValue, match="'others'"):
        adopt_policy(house.database, house.home, version)
    assert house.rows(ModelVersion) == 1


def test_new_candidates_retire_the_policy_of_the_old(house: "House") -> None:
    adopt_policy(house.database, house.home, house.store_policy())
    other = save_candidates(synthetic_candidates(seed=5), house.home.candidates).name
    assert other != house.version
    adopt_candidates(house.database, house.home, other)
    assert deployed(house.database).model_dump() == {"candidates": other, "policy": None}
    deploy(house.database, "top-k")
    adopt_candidates(house.database, house.home, house.version)
    assert deployed(house.database).policy == "top-k"


def test_what_is_not_there_or_was_changed_is_not_adopted(house: "House") -> None:
    with pytest.raises(UnknownRecord):
        deploy(house.database, "nothing")
    with pytest.raises(ArtifactNotFound):
        adopt_candidates(house.database, house.home, "nothing")
    with pytest.raises(ArtifactNotFound):
        adopt_policy(house.database, house.home, "nothing")
    version = house.store_policy()
    tensors = house.home.policy(version) / "policy.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"\x01")
    with pytest.raises(CorruptArtifact):
        adopt_policy(house.database, house.home, version)
    assert house.rows(ModelVersion) == 1


def test_a_home_folder_may_move(house: "House", database: Database) -> None:
    adopt_candidates(database, house.home, house.version)
    moved = Home(house.home.root.rename(house.home.root.parent / "moved"))
    adopt_candidates(database, moved, house.version)
    assert [v.artifact for v in versions(database)] == [f"candidates/{house.version}"]
