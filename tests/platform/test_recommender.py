"""The main job: candidates, re-rank, explain, record; from and into the record."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
from fairloop.errors import (
    ArtifactNotFound,
    CorruptArtifact,
    InvalidValue,
    NotMigrated,
    StorageFull,
    UnknownItem,
    UnknownUser,
)
from fairloop.explain.refinement import Refinement
from fairloop.platform.db.engine import open_database
from fairloop.platform.db.tables import (
    Explanation,
    ModelVersion,
    Recommendation,
    RecommendationItem,
)
from fairloop.platform.recommender import Recommender, open_recommender
from fairloop.platform.records import Feedback
from fairloop.platform.registry import adopt_policy, deploy, deployed
from fairloop.platform.settings import Settings
from fairloop.platform.store import explanations as explanation_store
from fairloop.platform.store.recommendations import get_recommendation

if TYPE_CHECKING:
    from conftest import House

FEEDBACK = {"kind": "rating", "value": 5.0}


def shown(made: object) -> list[str]:
    return [item.item_id for item in made.items]


def with_policy(house: "House", weights: dict[str, float]) -> Recommender:
    """A recommender with a policy of static weights: 1 on the base score, and those given."""
    adopt_policy(house.database, house.home, house.store_policy(weights))
    return house.recommender()


def test_a_recommendation_is_handed_out_as_it_is_recorded(house: "House") -> None:
    made = house.recommender().recommend("u3", k=5)
    with house.database.reading() as session:
        assert get_recommendation(session, made.id) == made
    assert [item.position for item in made.items] == [1, 2, 3, 4, 5]
    assert (made.policy_version, made.candidates_version) == ("top-k", house.version)
    assert made.propensity == 1.0


def test_without_a_policy_the_base_order_is_shown(house: "House") -> None:
    recommender = house.recommender()
    user = recommender.candidates.user_index("u3")
    pool = recommender.candidates.pools(np.array([user]))
    made = recommender.recommend("u3", k=7)
    assert shown(made) == list(recommender.catalogue.item_ids[pool.items[0, :7]])
    assert [item.base_rank for item in made.items] == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose([item.base_score for item in made.items], pool.scores[0, :7])


def test_every_item_is_explained_from_evidence_that_agrees_with_the_record(
    house: "House",
) -> None:
    made = house.recommender().recommend("u5", refinement=Refinement(popularity="less"), k=8)
    assert house.rows(Explanation) == 8
    for item in made.items:
        reason = item.explanation
        assert reason is not None
        assert reason.source == "template_no_model"
        assert reason.verdict["accepted"] is True
        assert item.title in reason.text
        assert reason.evidence["item"]["item_id"] == item.item_id
        assert reason.evidence["base_rank"] == item.base_rank
        assert reason.evidence["base_score"] == pytest.approx(item.base_score)
        assert reason.evidence["shown_rank"] == item.position


def test_many_users_are_recorded_together_and_like_one_by_one(house: "House") -> None:
    recommender = house.recommender()
    users = [f"u{n}" for n in range(40)]
    ticks: list[tuple[int, int]] = []
    together = recommender.recommend_many(
        users, explain=True, progress=lambda done, total: ticks.append((done, total))
    )
    assert [made.user_id for made in together] == users
    assert ticks == [(n + 1, 40) for n in range(40)]
    assert house.rows(RecommendationItem) == house.rows(Explanation) == 400
    # Top-k does not look at the state, so a second round alone gives the same.
    assert [shown(recommender.recommend(user, explain=False)) for user in users] == [
        shown(made) for made in together
    ]
    assert recommender.recommend_many([]) == []


@pytest.mark.parametrize("k", [0, -1, 51, 10**6])
def test_a_k_outside_the_pool_is_named(house: "House", k: int) -> None:
    with pytest.raises(InvalidValue, match=f"k={k}") as caught:
        house.recommender().recommend("u1", k=k)
    assert caught.value.field == "k"
    assert house.rows(Recommendation) == 0


def test_an_unknown_user_in_a_batch_records_nobody(house: "House") -> None:
    with pytest.raises(UnknownUser, match="ghost"):
        house.recommender().recommend_many(["u1", "ghost"])
    assert house.rows(Recommendation) == 0


def test_hard_wishes_hold_in_every_slate(house: "House") -> None:
    recommender = house.recommender()
    unwanted, wanted = recommender.catalogue.topic_names[:2]
    wishes = Refinement(exclude_topics=(unwanted,), include_topics=(wanted,))
    for made in recommender.recommend_many([f"u{n}" for n in range(30)], 3, wishes):
        for item in made.items:
            assert unwanted not in item.topics
            assert wanted in item.topics
        assert made.request["refinement"]["exclude_topics"] == [unwanted]


def test_a_soft_wish_moves_the_slate_its_way(house: "House") -> None:
    recommender = house.recommender()
    users = [f"u{n}" for n in range(30)]
    topic = recommender.catalogue.topic_names[0]

    def share(wishes: Refinement | None) -> float:
        made = recommender.recommend_many(users, 10, wishes)
        return float(np.mean([topic in item.topics for one in made for item in one.items]))

    assert share(Refinement(prefer_topics=(topic,))) > share(None) + 0.1
    assert share(Refinement(avoid_topics=(topic,))) < share(None)


def test_wishes_that_leave_too_little_name_what_to_give_up(house: "House") -> None:
    with pytest.raises(InvalidValue) as caught:
        house.recommender().recommend("u1", refinement=Refinement(min_year=2500))
    assert caught.value.field == "refinement"
    assert caught.value.mend
    assert house.rows(Recommendation) == 0


def test_a_wish_about_what_does_not_exist_is_refused(house: "House") -> None:
    recommender = house.recommender()
    with pytest.raises(InvalidValue, match="no topic 'Horor'") as caught:
        recommender.recommend("u1", refinement=Refinement(exclude_topics=("Horor",)))
    assert caught.value.field == "refinement.exclude_topics"
    with pytest.raises(UnknownItem, match="ghost"):
        recommender.recommend("u1", refinement=Refinement(exclude_items=("ghost",)))


def test_what_a_user_rated_or_disliked_is_not_proposed_again(house: "House") -> None:
    recommender = house.recommender()
    made = recommender.recommend("u2", explain=False)
    first, second, third, *_ = shown(made)
    recommender.feedback_many(
        [
            Feedback(
                user_id="u2", item_id=first, kind="rating", value=5, recommendation_id=made.id
            ),
            Feedback(user_id="u2", item_id=second, kind="dislike"),
            Feedback(user_id="u2", item_id=third, kind="click", recommendation_id=made.id),
        ]
    )
    again = shown(recommender.recommend("u2", explain=False))
    assert first not in again
    assert second not in again
    assert again[0] == third
    other = recommender.recommend("u3", explain=False)
    assert shown(other) == shown(recommender.recommend("u3", explain=False))


def test_the_policy_sees_the_logged_feedback_also_after_a_restart(house: "House") -> None:
    # Only fatigue counts: what was shown lately sinks.
    recommender = with_policy(house, {"fatigue": -50.0})
    first = recommender.recommend("u4", explain=False)
    second = recommender.recommend("u4", explain=False)
    assert set(shown(first)).isdisjoint(shown(second))
    restarted = house.recommender()
    third = restarted.recommend("u4", explain=False)
    assert set(shown(third)).isdisjoint({*shown(first), *shown(second)})
    assert second.policy_version == recommender.policy_version == deployed(house.database).policy


def test_a_policy_explains_which_rule_moved_an_item(house: "House") -> None:
    recommender = with_policy(house, {"floor:popularity=long_tail": 3.0})
    made = recommender.recommend("u6")
    moved = [
        (move["rule"], move["group"])
        for item in made.items
        if item.explanation is not None
        for move in item.explanation.evidence["moves"]
    ]
    assert ("exposure", "long_tail") in moved
    assert made.constraint_state["keys"] == ["popularity=long_tail", "diversity"]


def test_a_wish_for_variety_reaches_a_policy_and_is_said_to_miss_top_k(house: "House") -> None:
    users = [f"u{n}" for n in range(30)]
    wish = Refinement(diversity="more")
    plain = house.recommender().recommend_many(users, 10, wish)
    assert all(made.request["not_honoured"] == ["diversity"] for made in plain)
    recommender = with_policy(house, {"diversity": 1.0})

    def variety(wishes: Refinement | None) -> float:
        made = recommender.recommend_many(users, 10, wishes)
        assert all(one.request["not_honoured"] == [] for one in made)
        return float(np.mean([one.constraint_state["measured"][-1] for one in made]))

    assert variety(wish) > variety(None)


def test_the_controller_goes_on_where_the_record_left_off(house: "House") -> None:
    deploy(house.database, "exposure-controller")
    recommender = house.recommender()
    users = [f"u{n}" for n in range(100)]
    before = recommender.recommend_many(users)[-1].constraint_state
    assert before["gaps"] == [0.0, 0.0]
    held = recommender.orderer.controller.state()
    reopened = house.recommender().orderer.controller.state()
    assert reopened.integral == held.integral
    np.testing.assert_allclose(reopened.recent, held.recent)
    assert reopened.integral[0] > 0


def test_the_exposure_controller_holds_its_floor_over_time(house: "House") -> None:
    deploy(house.database, "exposure-controller")
    recommender = house.recommender()
    target = recommender.orderer.constraints.exposure[0].share
    users = [f"u{n}" for n in range(100)]
    for _ in range(8):
        made = recommender.recommend_many(users)
    share = np.mean([one.constraint_state["measured"][0] for one in made])
    assert abs(share - target) < 0.03


def test_a_policy_is_steered_while_it_misses_a_floor(house: "House") -> None:
    """Its own weights ignore the floor; what serves with it must not."""
    adopt_policy(house.database, house.home, house.store_policy(reach=1.0))
    recommender = house.recommender()
    floor = recommender.orderer.constraints.exposure[0]
    users = [f"u{n}" for n in range(100)]
    shares = [
        made.constraint_state["measured"][0]
        for _ in range(8)
        for start in range(0, 100, 10)
        for made in recommender.recommend_many(users[start : start + 10])
    ]
    assert np.mean(shares[:10]) < floor.share - 0.1
    assert abs(np.mean(shares[-200:]) - floor.share) < 0.03


def test_the_same_seed_repeats_the_slate_and_is_on_record(house: "House") -> None:
    recommender = house.recommender()
    made = recommender.recommend("u1", seed=7, explain=False)
    assert made.request["seed"] == 7
    assert shown(recommender.recommend("u1", seed=7, explain=False)) == shown(made)
    assert recommender.recommend("u1").request["seed"] >= 0


def test_a_failure_in_the_middle_leaves_no_row_and_the_controller_as_it_was(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(house.database, "exposure-controller")
    recommender = house.recommender()
    before = recommender.orderer.controller.to_json()

    def broken(*_: object) -> list[str]:
        raise RuntimeError("power cut")

    monkeypatch.setattr("fairloop.platform.recording.record_explanations", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        recommender.recommend_many(["u1", "u2"], explain=True)
    assert house.rows(Recommendation) == house.rows(RecommendationItem) == 0
    assert recommender.orderer.controller.to_json() == before
    monkeypatch.setattr(
        "fairloop.platform.recording.record_explanations", explanation_store.record_explanations
    )
    recommender.recommend_many(["u1", "u2"], explain=True)
    assert house.rows(Recommendation) == 2


def test_a_full_disk_is_named_and_nothing_is_kept(house: "House") -> None:
    recommender = house.recommender()

    @sa.event.listens_for(house.database.engine, "begin")
    def no_more_pages(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageFull):
        recommender.recommend_many([f"u{n}" for n in range(100)])
    assert house.rows(Recommendation) == 0
    assert recommender.orderer.controller.state().recent == [[], []]


def test_opening_names_what_is_missing(house: "House", tmp_path: object) -> None:
    empty = Settings(home=house.home.root / "other")
    with pytest.raises(NotMigrated, match="fairloop db upgrade"):
        open_recommender(empty, open_database(empty.url))
    assert not empty.home.exists()
    with house.database.session() as session:
        session.execute(sa.update(ModelVersion).values(deployed=False))
    with pytest.raises(ArtifactNotFound, match="no candidates are deployed"):
        house.recommender()


def test_a_changed_artifact_is_not_served(house: "House") -> None:
    folder = house.home.candidate_set(house.version)
    victim = max(folder.rglob("*.npz"), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 0xFF
    victim.write_bytes(content)
    with pytest.raises(CorruptArtifact):
        house.recommender()


def test_the_fallback_is_a_setting_and_stands_in_the_record(house: "House") -> None:
    made = house.recommender(fallback_reranker="mmr").recommend("u1", explain=False)
    assert made.policy_version == "mmr"
    assert deployed(house.database).policy is None


def test_threads_share_a_recommender_without_losing_a_slate(house: "House") -> None:
    deploy(house.database, "exposure-controller")
    recommender = house.recommender()
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda n: recommender.recommend(f"u{n % 40}", explain=False), range(80))
        )
    assert len({one.id for one in made}) == house.rows(Recommendation) == 80
    counted = recommender.orderer.controller.state()
    assert [len(window) for window in counted.recent] == [80, 80]
    reopened = house.recommender().orderer.controller.state()
    assert sorted(reopened.recent[0]) == sorted(counted.recent[0])


def test_every_slate_of_a_policy_can_be_traced_in_a_batch(house: "House") -> None:
    recommender = with_policy(
        house, {"floor:popularity=long_tail": 0.7, "diversity": 1.3, "fatigue": -0.9}
    )
    users = [f"u{n}" for n in range(120)]
    for _ in range(2):
        decision = recommender.rerank(
            recommender.request(users), recommender.candidates.pools(np.arange(120))
        )
        for row in range(120):
            trace = recommender.orderer.trace(decision.situation, decision.ordered, row)
            np.testing.assert_array_equal(trace.shown, decision.items[row])
        recommender.recommend_many(users)
