"""Why this one and not that one, of slates on record."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fairloop.errors import InvalidValue, UnknownItem, UnknownRecord
from fairloop.explain.evidence import Evidence
from fairloop.explain.refinement import Refinement
from fairloop.explain.verify import verify
from fairloop.platform.api.app import create_app
from fairloop.platform.contrasting import contrast_with
from fairloop.platform.records import Feedback
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from conftest import House

NO_TOPIC_1 = Refinement(exclude_topics=("Topic 1",))


def test_every_other_item_of_the_catalogue_can_be_asked_about(house: "House") -> None:
    recommender = house.recommender()
    candidates = recommender.candidates
    slate = recommender.recommend("u1", 4, NO_TOPIC_1)
    first = slate.items[0]
    user = candidates.user_index("u1")
    pool = candidates.items[user]
    topic = candidates.catalogue.topic_names.index("Topic 1")
    kept = pool[~candidates.catalogue.topics[pool, topic]]
    kinds = set[str]()
    for item in map(str, candidates.catalogue.item_ids):
        if item == first.item_id:
            continue
        found = contrast_with(recommender, first.explanation.id, item)
        assert found.verdict["accepted"], found.text
        evidence = Evidence.model_validate(found.evidence)
        assert verify(found.text, evidence, recommender.explainer.noun).accepted
        contrast, index = evidence.contrast, candidates.item_index(item)
        assert contrast.item.item_id == item
        if index in pool:  # the rank before wishes, as the shown item's is
            assert contrast.base_rank == int(np.flatnonzero(pool == index)[0]) + 1
        assert contrast.filtered == (index in pool and index not in kept)
        assert contrast.seen == (index in candidates.seen(user))
        kinds.add("seen" if contrast.seen else "left out" if contrast.filtered else
                  "absent" if contrast.base_rank is None else "ranked")  # fmt: skip
    assert kinds == {"seen", "left out", "absent", "ranked"}
    german = contrast_with(recommender, first.explanation.id, slate.items[1].item_id, "de")
    assert german.verdict["accepted"]
    assert " Sie " in german.text


def test_what_was_learned_since_changes_nothing(house: "House") -> None:
    recommender = house.recommender()
    known, shown, other = (item.item_id for item in recommender.recommend("u1", 3).items)
    recommender.feedback(Feedback(user_id="u1", item_id=known, kind="rating", value=4.0))
    slate = recommender.recommend("u1", 3)
    assert known not in {item.item_id for item in slate.items}
    asked = next(item for item in slate.items if item.item_id == shown)
    before = contrast_with(recommender, asked.explanation.id, other)
    for item in (shown, other):
        recommender.feedback(Feedback(user_id="u1", item_id=item, kind="seen"))
    assert contrast_with(recommender, asked.explanation.id, other) == before


def test_what_can_not_be_answered_is_refused(house: "House") -> None:
    recommender = house.recommender()
    first, second = recommender.recommend("u1", 2).items
    with pytest.raises(InvalidValue, match="compared with itself"):
        contrast_with(recommender, first.explanation.id, first.item_id)
    with pytest.raises(UnknownItem):
        contrast_with(recommender, first.explanation.id, "nothing")
    with pytest.raises(UnknownRecord):
        contrast_with(recommender, "nothing", second.item_id)
    recommender.candidates_version = "another"
    with pytest.raises(InvalidValue, match="served by now"):
        contrast_with(recommender, first.explanation.id, second.item_id)


def test_it_is_served(house: "House") -> None:
    with TestClient(create_app(house.settings)) as client:
        made = client.post("/v1/recommendations", json={"user_id": "u1", "k": 3}).json()
        first, second = made["items"][:2]
        path = f"/v1/explanations/{first['explanation']['id']}/contrast"
        told = client.get(path, params={"item_id": second["item_id"]})
        assert told.status_code == 200 and told.json()["verdict"]["accepted"]
        assert second["title"].split(" (")[0] in told.json()["text"]
        assert client.get(path, params={"item_id": "nothing"}).status_code == 404
        same = client.get(path, params={"item_id": first["item_id"]})
        assert same.status_code == 422 and "itself" in same.json()["detail"]
        assert client.get(path).status_code == 422
