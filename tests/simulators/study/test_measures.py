import numpy as np
import pytest
from fairloop.candidates.interactions import Interactions
from fairloop.rerankers.topk import TopKReranker
from fairloop.simulators.study.feedback import FeedbackLog
from fairloop.simulators.study.homogeneity import (
    mean_overlap,
    most_alike,
    strangers,
    total_variation,
)
from fairloop.simulators.study.measures import Before, measure_round
from fairloop.simulators.study.users import StudyUsers
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8)), max_size=40),
    st.integers(0, 2**32 - 1),
)
def test_overlap_is_that_of_sets(entries, seed):
    pairs = np.random.default_rng(seed).integers(0, 6, (2, 7))
    sets = [{item for row, item in entries if row == user} for user in range(6)]
    full = [(sets[a], sets[b]) for a, b in pairs.T if sets[a] and sets[b]]
    expected = np.mean([len(a & b) / len(a | b) for a, b in full]) if full else np.nan
    row, item = np.array(entries, dtype=np.int64).reshape(-1, 2).T
    np.testing.assert_allclose(mean_overlap(row, item, pairs, (6, 9)), expected, rtol=1e-6)


@given(st.integers(2, 50), st.integers(0, 2**32 - 1))
def test_strangers_are_others_and_nobody_is_met_twice(n, seed):
    pairs = strangers(n, np.random.default_rng(seed))
    assert (pairs[0] != pairs[1]).all()
    assert len(np.unique(pairs, axis=1).T) == pairs.shape[1] == n * min(10, n - 1)
    assert (np.bincount(pairs.ravel(), minlength=n) == 2 * min(10, n - 1)).all()


def test_the_most_alike_have_the_largest_cosine(base):
    users = np.arange(0, 60, 2)
    matrix = base.train.matrix().toarray()[users]
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -1.0)
    rows, chosen = most_alike(base.train, users)
    assert rows.tolist() == list(range(30))
    np.testing.assert_allclose(cosine[np.arange(30), chosen], cosine.max(axis=1), rtol=1e-5)


def test_users_without_any_interaction_still_get_a_partner():
    none = np.zeros(0, np.int64)
    empty = Interactions.build(none, none, none.astype(float), none.astype(float), 3, 4)
    one, other = most_alike(empty, np.arange(3))
    assert (one != other).all()


def test_total_variation_by_hand():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.2, 0.3, 0.5])
    assert total_variation(p, q) == pytest.approx((0.3 + 0.2 + 0.5) / 2)
    assert total_variation(p, p) == 0.0
    assert np.isnan(total_variation(p, np.full(3, np.nan)))


@pytest.fixture(scope="module")
def lived(base, make_truth):
    """Three days of the base model's order, with their measures."""
    truth = make_truth(leaving={}, returning={}, drift={}, choice={"base_attraction": 0.4})
    people, log = StudyUsers(truth, seed=6), FeedbackLog()
    before, days = Before.of(base, people.users), []
    for _ in range(3):
        pools = people.pools(base)
        log.append(people.show(pools, TopKReranker().rerank(pools, 5, np.random.default_rng(0))))
        measured = measure_round(before, people, log, base.train)
        days.append({(name, of): value for name, of, value in measured})
        people.next_day()
    return people, log, days


def test_engagement_counts_those_who_are_away(lived):
    people, log, days = lived
    for visits, measured in zip(log.visits, days, strict=True):
        assert measured["active_users", ""] == len(visits) <= len(people)
        total = np.nansum(visits.satisfaction)
        assert measured["engagement", ""] == pytest.approx(total / len(people), rel=1e-5)
        clicks = visits.clicks.sum() / len(visits)
        assert measured["clicks_per_user", ""] == pytest.approx(clicks)
    assert days[2]["active_users", ""] < 60


def test_mood_is_that_of_those_who_stay(lived):
    people, _, days = lived
    assert 0 < people.left.sum() < 60
    expected = people.population.mood[~people.left].mean()
    assert days[-1]["latent_mood", ""] == pytest.approx(expected)
    assert days[-1]["retention", ""] == 1 - people.left.mean()


def test_topics_are_compared_with_the_first_round(lived, base):
    _, log, days = lived
    topics = base.catalogue.topics / np.maximum(base.catalogue.topics.sum(axis=1, keepdims=True), 1)
    shares = [topics[v.items[v.clicks]].sum(axis=0) for v in log.visits]
    shares = [s / s.sum() for s in shares]
    assert days[0]["topic_shift", ""] == 0
    assert days[0]["topic_shift_kl", ""] == pytest.approx(0, abs=1e-12)
    expected = np.abs(shares[2] - shares[0]).sum() / 2
    assert expected > 0
    assert days[2]["topic_shift", ""] == pytest.approx(expected)


def test_consumption_is_all_that_was_clicked(lived, base):
    _, log, days = lived
    partner = most_alike(base.train, np.arange(60))[1]
    owned: list[set[int]] = [set() for _ in range(60)]
    for visits, measured in zip(log.visits, days, strict=True):
        for user, items, clicks in zip(visits.users, visits.items, visits.clicks, strict=True):
            owned[user] |= set(items[clicks].tolist())
        pairs = [(owned[u], owned[partner[u]]) for u in range(60) if owned[u] and owned[partner[u]]]
        expected = np.mean([len(a & b) / len(a | b) for a, b in pairs])
        assert measured["consumption_overlap", "pairs=alike"] == pytest.approx(expected)
