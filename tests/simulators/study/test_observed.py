"""What re-rankers with memory see in a study, against the plain per-pool bookkeeping."""

from dataclasses import fields, replace

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.observe import replay
from fairloop.rerankers.state import SlateFeedback
from fairloop.rerankers.topk import TopKReranker
from fairloop.simulators.study.feedback import FeedbackConfig
from fairloop.simulators.study.observed import ObservedUsers
from fairloop.simulators.study.users import StudyUsers


@pytest.fixture(scope="module")
def lived(base, make_truth):
    truth = make_truth(returning={}, choice={"base_attraction": 0.4})
    people = StudyUsers(truth, FeedbackConfig(rating_probability=0.5), seed=6)
    observed, log = ObservedUsers(base.catalogue, people.users), []
    for _ in range(4):
        pools = people.pools(base)
        visits = people.show(pools, TopKReranker().rerank(pools, 5, np.random.default_rng(0)))
        observed.note(visits)
        log.append(visits)
        people.next_day()
    return people, observed, log


def test_it_is_the_replay_of_each_users_log(lived, base):
    _, observed, log = lived
    pools = base.pools(np.array([2, 50, 7]))
    state = observed.of(pools)
    for row, user in enumerate(pools.users):
        mine = [(v, int(np.flatnonzero(v.users == user)[0])) for v in log if user in v.users]
        expected = replay(
            PoolContext.of(pools.take(np.array([row])), base.catalogue, Constraints()),
            base.catalogue.topics,
            np.array([v.items[r] for v, r in mine]),
            np.array([v.clicks[r] for v, r in mine]),
            np.array([v.observed_satisfaction[r] for v, r in mine]),
            np.array([v.days_away[r] for v, r in mine]),
        )
        for field in fields(state):
            got, wanted = getattr(state, field.name)[row], getattr(expected, field.name)[0]
            np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-7, err_msg=field.name)


def test_counts_follow_items_from_pool_to_pool(lived, base):
    _, observed, log = lived
    pools = base.pools(np.arange(60))
    before = observed.of(pools)
    dropped = pools.keep(np.arange(base.n_items) != pools.items[0, 0])
    after = observed.of(dropped)
    assert (before.item_shown > 0).any()
    for row in range(5):
        old = dict(zip(pools.items[row], before.item_shown[row], strict=True))
        for item, count in zip(dropped.items[row], after.item_shown[row], strict=True):
            assert count == (0 if item == PAD else old[item])
    assert after.n_slates.sum() == sum(map(len, log))


def test_a_state_that_is_asked_for_is_a_copy(lived, base):
    _, observed, _ = lived
    pools = base.pools(np.arange(60))
    observed.of(pools).item_shown[:] = 7
    observed.of(pools).click_rate[:] = 7
    again = observed.of(pools)
    assert not (again.item_shown == 7).any()
    assert not (again.click_rate == 7).any()


def test_feedback_of_some_rows():
    feedback = SlateFeedback(
        np.arange(6).reshape(3, 2), np.eye(3, 2) > 0, np.zeros((3, 2)), np.arange(3.0)
    )
    some = feedback.take(np.array([2, 0]))
    assert some.columns.tolist() == [[4, 5], [0, 1]]
    assert some.days_away.tolist() == [2.0, 0.0]
    assert replace(some).clicks.shape == (2, 2)
