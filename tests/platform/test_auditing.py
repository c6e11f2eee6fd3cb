"""An audit measures what is on record: the arrays it is given are the rows, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.errors import ArtifactNotFound, EmptyData, UnknownRecord
from fairloop.explain.writer import Explainer
from fairloop.platform.audit.inputs import read_audit_inputs
from fairloop.platform.audit.models import AuditConfig, AuditReport
from fairloop.platform.audit.stored import get_audit, run_audit
from fairloop.platform.db.engine import Database
from fairloop.platform.db.tables import Audit
from fairloop.platform.recommender import Recommender, open_recommender
from fairloop.platform.records import AuditScope
from fairloop.platform.registry import adopt_candidates, deploy
from fairloop.platform.store import versions

if TYPE_CHECKING:
    from conftest import House

QUICK = AuditConfig(n_bootstrap=100, n_permutations=99)


@pytest.fixture
def recommender(house: "House", database: Database) -> Iterator[Recommender]:
    """A recommender over each kind of database."""
    adopt_candidates(database, house.home, house.version)
    yield open_recommender(house.settings, database, Explainer())


def test_the_inputs_are_the_recorded_slates(recommender: Recommender, house: "House") -> None:
    long = recommender.recommend("u3", k=6, explain=False)
    short = recommender.recommend("u9", k=4, explain=False)
    inputs = read_audit_inputs(recommender.database, house.home)
    ids = recommender.catalogue.item_ids
    assert inputs.slates.shape == (2, 6)
    assert list(ids[inputs.slates[0]]) == [item.item_id for item in long.items]
    assert list(ids[inputs.slates[1, :4]]) == [item.item_id for item in short.items]
    assert (inputs.slates[1, 4:] == PAD).all()
    assert list(inputs.users) == [recommender.candidates.user_index(u) for u in ("u3", "u9")]
    held = recommender.candidates.heldout
    np.testing.assert_array_equal(inputs.held_out_users, held.user)
    np.testing.assert_array_equal(inputs.held_out_items, held.item)
    assert inputs.about["policies"] == "top-k"


def test_a_scope_narrows_what_is_measured(recommender: Recommender, house: "House") -> None:
    recommender.recommend_many(["u1", "u2"])
    deploy(recommender.database, "mmr")
    other = open_recommender(house.settings, recommender.database, Explainer())
    other.recommend("u3", explain=False)

    def users(scope: AuditScope) -> int:
        return len(read_audit_inputs(recommender.database, house.home, scope).users)

    now = datetime.now(UTC)
    assert users(AuditScope()) == 3
    assert users(AuditScope(policy_version="mmr")) == 1
    assert users(AuditScope(since=now - timedelta(hours=1), until=now + timedelta(hours=1))) == 3
    with pytest.raises(EmptyData):
        users(AuditScope(since=now + timedelta(hours=1)))
    with pytest.raises(UnknownRecord, match="ghost"):
        users(AuditScope(candidates_version="ghost"))


def test_an_audit_is_kept_whole_and_names_its_limits(
    recommender: Recommender, house: "House"
) -> None:
    recommender.recommend_many([f"u{n}" for n in range(60)])
    stored = run_audit(recommender.database, house.home, config=QUICK)
    assert get_audit(recommender.database, stored.id) == stored
    assert stored.scope.candidates_version == house.version
    report = AuditReport.model_validate(stored.report)
    assert report.verdict.headline
    limits = recommender.orderer.constraints
    assert report.targets == ()
    by_default = AuditReport.model_validate(run_audit(recommender.database, house.home).report)
    assert [check.target for check in by_default.targets] == [
        limits.exposure[0].share,
        limits.min_diversity,
    ]


def test_nothing_recorded_and_nothing_deployed_are_named(house: "House") -> None:
    with pytest.raises(EmptyData, match="no recommendation is recorded") as caught:
        run_audit(house.database, house.home)
    assert caught.value.mend
    with pytest.raises(UnknownRecord, match="ghost"):
        get_audit(house.database, "ghost")
    with house.database.session() as session:
        versions.retire(session, "candidates")
    with pytest.raises(ArtifactNotFound):
        run_audit(house.database, house.home)
    assert house.rows(Audit) == 0


def test_conversations_and_feedback_work_on_both_databases(recommender: Recommender) -> None:
    talk = recommender.start_conversation("u1")
    topic = recommender.catalogue.topic_names[0]
    turn = recommender.chat(talk, f"no {topic}")
    assert turn.recommendation is not None
    assert turn.recommendation.items[0].explanation is not None
    again = recommender.chat(talk, "something newer than 1980")
    assert again.refinement["min_year"] is not None
    assert again.refinement["exclude_topics"] == [topic]
