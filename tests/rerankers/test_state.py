from dataclasses import fields

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.errors import InvalidValue
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.observe import observe, replay
from fairloop.rerankers.state import (
    MEMORY,
    ObservedState,
    SlateFeedback,
    new_state,
    reset_rows,
)


def random_log(context: PoolContext, n_slates: int, k: int, seed: int) -> list[SlateFeedback]:
    rng = np.random.default_rng(seed)
    log: list[SlateFeedback] = []
    for _ in range(n_slates):
        draw = np.where(context.valid, rng.random(context.items.shape), -1.0)
        columns = np.argsort(-draw, axis=1)[:, :k]
        clicks = rng.random(columns.shape) < 0.3
        rated = clicks & (rng.random(columns.shape) < 0.8)
        satisfaction = np.where(rated, rng.random(columns.shape), np.nan)
        log.append(SlateFeedback(columns, clicks, satisfaction, rng.integers(0, 4, len(context))))
    return log


def assert_equal_states(a: ObservedState, b: ObservedState, exact: bool = False) -> None:
    for field in fields(a):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if exact:
            np.testing.assert_array_equal(left, right, err_msg=field.name)
        else:
            np.testing.assert_allclose(left, right, rtol=2e-5, atol=1e-6, err_msg=field.name)


def run(context: PoolContext, log: list[SlateFeedback]) -> ObservedState:
    state = new_state(len(context), context.n_candidates, context.n_topics)
    for slate in log:
        observe(state, context, slate)
    return state


def slow_state(context: PoolContext, log: list[SlateFeedback], user: int) -> dict[str, np.ndarray]:
    """One user in plain Python: the definition in words, written out."""
    topics = context.topics[user]
    clicks_t, seen, rated_sum = np.zeros((3, context.n_topics))
    mean = np.zeros(context.n_topics)
    shown, clicked = np.zeros((2, context.n_candidates))
    satisfaction, rate = 0.5, 0.0
    for slate in log:
        days = slate.days_away[user]
        clicks_t *= MEMORY.topic_clicks * MEMORY.day**days
        seen *= MEMORY.topic_seen
        rated_sum = mean * seen
        shown *= MEMORY.items * MEMORY.day**days
        clicked *= MEMORY.items * MEMORY.day**days
        ratings: list[float] = []
        touched = np.zeros(context.n_topics, bool)
        for column, click, rating in zip(
            slate.columns[user], slate.clicks[user], slate.satisfaction[user], strict=True
        ):
            shown[column] += 1
            if not click:
                continue
            clicked[column] += 1
            clicks_t += topics[column]
            if not np.isnan(rating):
                ratings.append(float(rating))
                seen += topics[column]
                rated_sum += topics[column] * rating
                touched |= topics[column] > 0
        mean[touched] = rated_sum[touched] / seen[touched]
        if ratings:
            satisfaction += MEMORY.satisfaction * (float(np.mean(ratings)) - satisfaction)
        n = slate.columns.shape[1]
        rate += MEMORY.click_rate * (slate.clicks[user].sum() / n - rate)
    return {
        "topic_clicks": clicks_t,
        "topic_seen": seen,
        "topic_satisfaction": mean,
        "item_shown": shown,
        "item_clicked": clicked,
        "satisfaction": np.array(satisfaction),
        "click_rate": np.array(rate),
        "n_slates": np.array(len(log)),
        "days_away": np.array(log[-1].days_away[user]),
    }


@pytest.fixture
def context(make_pools, catalogue, constraints) -> PoolContext:
    return PoolContext.of(make_pools(9, 20, seed=3, ragged=True), catalogue, constraints)


def test_the_batch_equals_plain_python_user_by_user(context: PoolContext) -> None:
    log = random_log(context, 12, 5, seed=1)
    state = run(context, log)
    for user in range(len(context)):
        for name, expected in slow_state(context, log, user).items():
            actual = getattr(state, name)[user]
            np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_replaying_one_users_log_gives_the_row_of_the_batch(context, catalogue) -> None:
    log = random_log(context, 15, 5, seed=2)
    state = run(context, log)
    for user in range(len(context)):
        row = np.array([user])
        replayed = replay(
            context.take(row),
            catalogue.topics,
            np.array([context.items[user, s.columns[user]] for s in log]),
            np.array([s.clicks[user] for s in log]),
            np.array([s.satisfaction[user] for s in log]),
            np.array([s.days_away[user] for s in log]),
        )
        assert_equal_states(replayed, state.take(row))


def test_permuting_users_permutes_the_state(context: PoolContext) -> None:
    log = random_log(context, 8, 5, seed=4)
    order = np.random.default_rng(0).permutation(len(context))
    moved = [
        SlateFeedback(s.columns[order], s.clicks[order], s.satisfaction[order], s.days_away[order])
        for s in log
    ]
    assert_equal_states(run(context.take(order), moved), run(context, log).take(order), exact=True)


def test_items_that_left_the_pool_still_count_towards_topics(context, catalogue) -> None:
    gone = np.setdiff1d(np.arange(catalogue.n_items), context.items[0])
    gone = gone[catalogue.topics[gone].any(axis=1)][:1]
    state = replay(
        context.take(np.array([0])),
        catalogue.topics,
        np.array([[gone[0], PAD]]),
        np.array([[True, False]]),
        np.array([[0.9, np.nan]]),
        np.array([0.0]),
    )
    np.testing.assert_array_equal(state.topic_clicks[0] > 0, catalogue.topics[gone[0]])
    assert state.item_shown.sum() == 0 and state.item_clicked.sum() == 0
    assert state.click_rate[0] == pytest.approx(MEMORY.click_rate * 1.0)  # the padding is no miss


def test_inactive_rows_are_left_as_they_are_and_reset_rows_forget(context: PoolContext) -> None:
    log = random_log(context, 4, 5, seed=5)
    state = run(context, log)
    before = state.take(np.arange(len(state)))
    active = np.arange(len(state)) % 2 == 0
    observe(state, context, log[0], active)
    assert_equal_states(
        state.take(np.flatnonzero(~active)), before.take(np.flatnonzero(~active)), exact=True
    )
    assert (state.n_slates[active] == 5).all()
    reset_rows(state, np.flatnonzero(active))
    fresh = new_state(int(active.sum()), context.n_candidates, context.n_topics)
    assert_equal_states(state.take(np.flatnonzero(active)), fresh, exact=True)
    assert (state.n_slates[~active] == 4).all()


def test_shapes_that_do_not_fit_are_refused(context: PoolContext) -> None:
    log = random_log(context, 1, 5, seed=6)
    with pytest.raises(InvalidValue, match="feedback"):
        observe(new_state(2, context.n_candidates, context.n_topics), context, log[0])
    log[0].columns[2, 3] = context.n_candidates
    with pytest.raises(InvalidValue, match=r"outside 0\.\.19"):
        observe(run(context, []), context, log[0])
    with pytest.raises(InvalidValue, match="one user"):
        replay(context, np.zeros((1, 7), bool), *(np.zeros((0, 5), int),) * 3, np.zeros(0))


def test_whoever_was_away_may_have_any_feedback(context: PoolContext) -> None:
    log = random_log(context, 5, 5, seed=7)
    state = run(context, log[:4])
    active = np.arange(len(state)) % 3 > 0
    rows, last = np.flatnonzero(active), log[4]
    expected = state.take(rows)
    observe(expected, context.take(rows), last.take(rows))
    last.columns[~active], last.clicks[~active] = 10**6, True
    last.satisfaction[~active] = np.nan
    observe(state, context, last, active)
    assert_equal_states(state.take(rows), expected, exact=True)
