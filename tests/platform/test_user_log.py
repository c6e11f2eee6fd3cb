"""The state that a policy sees is what the record tells, replayed."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fairloop.platform.records import Feedback
from fairloop.platform.store.events import LoggedEvent
from fairloop.platform.store.recommendations import SlateRow, record_slates
from fairloop.platform.user_log import UserLog, days_between, satisfaction_of
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.observe import observe
from fairloop.rerankers.state import SlateFeedback, new_state

if TYPE_CHECKING:
    from conftest import House

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "satisfaction"),
    [
        ("rating", 1.0, 0.0),
        ("rating", 3.0, 0.5),
        ("rating", 5.0, 1.0),
        ("like", None, 1.0),
        ("dislike", None, 0.0),
        ("click", None, None),
    ],
)
def test_satisfaction_is_on_the_unit_interval(
    kind: str, value: float | None, satisfaction: float | None
) -> None:
    event = LoggedEvent("r", "i", kind, value, NOON)
    assert satisfaction_of(event) == satisfaction


def test_days_are_counted_between_slates() -> None:
    moments = [NOON, NOON + timedelta(days=2), NOON + timedelta(days=2, hours=12)]
    np.testing.assert_allclose(days_between(moments), [0.0, 2.0, 0.5])


def test_replaying_the_record_equals_observing_the_slates(house: "House") -> None:
    recommender = house.recommender()
    candidates = recommender.candidates
    ids = candidates.catalogue.item_ids
    users = np.array([3, 4])
    pools = candidates.pools(users)
    context = PoolContext.of(pools, candidates.catalogue, recommender.orderer.constraints)
    expected = new_state(2, context.n_candidates, context.n_topics)
    for day, columns in enumerate(([0, 5, 9], [9, 2, 1], [4, 3, 0])):
        made = NOON + timedelta(days=day)
        items = [str(ids[item]) for item in pools.items[0, columns]]
        row = SlateRow(
            user_id="u3",
            candidates_version=house.version,
            policy_version="top-k",
            propensity=1.0,
            constraint_state={},
            request={},
            item_ids=items,
            base_scores=[0.0] * 3,
            base_ranks=[1, 2, 3],
        )
        with house.database.session() as session:
            [slate] = record_slates(session, [row], made)
        recommender.feedback_many(
            [
                Feedback(user_id="u3", item_id=items[0], kind="click", recommendation_id=slate),
                Feedback(
                    user_id="u3",
                    item_id=items[1],
                    kind="rating",
                    value=4,
                    recommendation_id=slate,
                ),
                Feedback(user_id="u3", item_id=items[2], kind="skip", recommendation_id=slate),
            ]
        )
        observe(
            expected,
            context,
            SlateFeedback(
                columns=np.array([columns, columns]),
                clicks=np.array([[True, True, False]] * 2),
                satisfaction=np.array([[np.nan, 0.75, np.nan]] * 2),
                days_away=np.full(2, 0.0 if day == 0 else 1.0),
            ),
            active=np.array([True, False]),
        )
    with house.database.reading() as session:
        state = UserLog(candidates).states(session, ["u3", "u4"], context)
    for name in expected.__dataclass_fields__:
        np.testing.assert_allclose(
            getattr(state, name), getattr(expected, name), rtol=1e-6, err_msg=name
        )
    assert state.n_slates.tolist() == [3.0, 0.0]
