"""Accounts for providers and auditors rest on the lists and the record, and name no user."""

import json

import numpy as np
import pytest
from fairloop.errors import InvalidValue, UnknownItem, UnknownRecord
from fairloop.explain.auditor import verify_audit
from fairloop.explain.evidence import Evidence
from fairloop.platform.accounts import account_for_auditor, account_for_provider
from fairloop.platform.api.app import create_app
from fairloop.platform.db.tables import Recommendation
from starlette.testclient import TestClient


def test_a_providers_counts_are_those_of_lists_counted_by_hand(house) -> None:
    """Against each user's list made alone, and the base order."""
    house.store_policy()
    recommender = house.recommender()
    candidates = recommender.candidates
    item = str(candidates.catalogue.item_ids[int(candidates.items[0, 1])])
    n = len(candidates.user_ids)
    found = account_for_provider(recommender, item, n_users=n)
    index = candidates.item_index(item)
    shown = by_score = candidate = 0
    for user in candidates.user_ids:
        request = recommender.request([str(user)])
        pools = candidates.pools(request.users)
        decision = recommender.rerank(request, pools)
        candidate += index in pools.items[0]
        shown += index in decision.items[0]
        by_score += index in pools.items[0][: request.k]
    counts = found.counts
    assert (counts["lists"], counts["candidate"]) == (n, candidate)
    assert (counts["shown"], counts["by_score"]) == (shown, by_score)
    assert f"candidates of {candidate} of {n} lists" in found.text
    assert house.rows(Recommendation) == 0
    assert not any(str(user) in json.dumps(counts) for user in ("u1", "u2"))


def test_lists_are_drawn_by_the_seed(house) -> None:
    recommender = house.recommender()
    item = str(recommender.catalogue.item_ids[int(np.argmax(recommender.catalogue.popularity))])
    first, again, other = (
        account_for_provider(recommender, item, 25, seed=seed).counts for seed in (1, 1, 2)
    )
    assert first == again and first["lists"] == 25
    assert first != other
    with pytest.raises(InvalidValue, match="single people"):
        account_for_provider(recommender, item, 19)
    with pytest.raises(UnknownItem):
        account_for_provider(recommender, "nothing", 25)


@pytest.mark.parametrize("language", ["en", "de"])
def test_an_auditors_line_holds_every_number_on_record(house, language) -> None:
    recommender = house.recommender(fallback_reranker="exposure-controller")
    shown = recommender.recommend("u1", 4)
    for item in shown.items:
        assert item.explanation is not None
        told = account_for_auditor(house.database, item.explanation.id, language)
        evidence = Evidence.model_validate(item.explanation.evidence)
        versions = {
            "candidates": shown.candidates_version,
            "policy": shown.policy_version,
            "recommendation": shown.id,
            "prompt": item.explanation.provenance["prompt_version"],
            "model": "none",
        }
        assert verify_audit(told.text, evidence, versions, language) == ()
        assert evidence.content_hash() in told.text and "u1" not in told.text
    with pytest.raises(UnknownRecord):
        account_for_auditor(house.database, "nothing")


def test_both_are_served(house) -> None:
    with TestClient(create_app(house.settings)) as client:
        made = client.post("/v1/recommendations", json={"user_id": "u1", "k": 3}).json()
        item, told = made["items"][0], made["items"][0]["explanation"]["id"]
        audit = client.get(f"/v1/explanations/{told}/account", params={"language": "de"})
        assert audit.status_code == 200 and audit.json()["explanation_id"] == told
        count = client.get(f"/v1/items/{item['item_id']}/account", params={"users": 30})
        assert count.status_code == 200 and count.json()["counts"]["lists"] == 30
        few = client.get(f"/v1/items/{item['item_id']}/account", params={"users": 5})
        assert few.status_code == 422
        assert client.get("/v1/items/nothing/account").status_code == 404
