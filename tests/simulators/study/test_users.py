from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.errors import InvalidValue
from fairloop.rerankers.base import Slates
from fairloop.rerankers.topk import TopKReranker
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.study.feedback import FeedbackConfig
from fairloop.simulators.study.users import StudyUsers

RNG = np.random.default_rng(0)


def shown(people, model, k=5):
    pools = people.pools(model)
    return people.show(pools, TopKReranker().rerank(pools, k, RNG))


def test_the_engine_decides(base, make_truth):
    """The same clicks as a population that is stepped by hand, with everything switched on."""
    world = {"satiation": {}, "fatigue": {}, "drift": {}}
    truth = make_truth(**world)
    people, engine = StudyUsers(truth, seed=8), UserPopulation(truth, seed=8)
    for _ in range(4):
        visits = shown(people, base)
        columns = np.array(
            [
                [truth.pools.items[row].tolist().index(item) for item in items]
                for row, items in enumerate(visits.items)
            ]
        )
        outcome = engine.step(columns)
        np.testing.assert_array_equal(visits.clicks, outcome.feedback.clicks)
        np.testing.assert_array_equal(visits.satisfaction, outcome.feedback.satisfaction)
        np.testing.assert_array_equal(visits.click_probability, outcome.click_probability)
        people.next_day()


def test_a_static_world_is_examination_times_attraction_on_every_day(base, make_truth):
    truth = make_truth()
    people = StudyUsers(truth)
    appeal = np.full((60, base.n_items), -np.inf)
    row, column = np.nonzero(truth.pools.valid)
    appeal[row, truth.pools.items[row, column]] = truth.appeal[row, column]
    examined = 1 / np.log2(np.arange(2, 7))
    for _ in range(3):
        visits = shown(people, base)
        assert len(visits) == 60
        attraction = 1 / (1 + np.exp(-np.take_along_axis(appeal, visits.items, axis=1)))
        np.testing.assert_allclose(visits.click_probability, examined * attraction, rtol=1e-4)
        np.testing.assert_allclose(visits.examination, np.tile(examined, (60, 1)), rtol=1e-6)
        people.next_day()


def test_clicks_happen_as_often_as_they_are_probable(base, make_truth):
    clicks, probability = [], []
    for seed in range(60):
        visits = shown(StudyUsers(make_truth(), seed=seed), base)
        clicks.append(visits.clicks)
        probability.append(visits.click_probability)
    p = np.array(probability)
    np.testing.assert_array_equal(p[0], p[-1])  # equal slates, other luck
    error = np.sqrt((p * (1 - p)).sum())
    assert abs(np.sum(clicks) - p.sum()) < 4 * error


def test_luck_belongs_to_the_item_not_to_the_model_that_proposed_it(base, make_truth):
    truth = make_truth(choice={"position_bias": 0.0})
    forth, back = StudyUsers(truth, seed=1), StudyUsers(truth, seed=1)
    pools = forth.pools(base)
    columns = np.tile(np.arange(5), (len(pools), 1))
    one = forth.show(pools, Slates.from_columns(pools, columns))
    turned = pools.take(slice(None))
    turned = replace(turned, items=pools.items[:, ::-1], scores=pools.scores[:, ::-1])
    last = turned.items.shape[1] - 1
    other = back.show(turned, Slates.from_columns(turned, last - columns))
    np.testing.assert_array_equal(one.items, other.items)
    np.testing.assert_array_equal(one.clicks, other.clicks)
    np.testing.assert_array_equal(one.satisfaction, other.satisfaction)


def test_a_user_reacts_the_same_whoever_else_takes_part(base, make_truth):
    users = np.array([3, 17, 40])
    world = {"satiation": {}, "leaving": {}, "returning": {}}
    everyone = StudyUsers(make_truth(**world, choice={"base_attraction": 0.3}), seed=2)
    # The truth of a part is another fit; here only the part that comes differs.
    truth = everyone.population.world.take(users)
    few = StudyUsers(truth, seed=2)
    for _ in range(5):
        whole, part = shown(everyone, base), shown(few, base)
        at = np.isin(whole.users, users)
        np.testing.assert_array_equal(whole.users[at], part.users)
        np.testing.assert_array_equal(whole.clicks[at], part.clicks)
        np.testing.assert_array_equal(whole.rated[at], part.rated)
        everyone.next_day()
        few.next_day()


def test_nobody_comes_twice_a_day_and_the_absent_come_back(base, make_truth):
    people = StudyUsers(make_truth(returning={"mean_days": 3.0}), seed=4)
    came = []
    for _ in range(8):
        came.append(set(shown(people, base).users))
        assert len(people.visiting) == 0
        people.next_day()
    assert len(came[0]) == 60
    assert all(10 < len(users) < 40 for users in came[1:])
    away = came[0] - came[1]
    assert away & came[2]
    assert not people.left.any()


def test_who_is_shown_nothing_comes_again_the_next_day(base, make_truth):
    people = StudyUsers(make_truth(satiation={}))
    pools = people.pools(base).take(np.arange(50))
    people.show(pools, TopKReranker().rerank(pools, 5, RNG))
    assert people.visiting.tolist() == list(range(50, 60))
    people.next_day()
    assert len(shown(people, base)) == 60
    assert len(people.visiting) == 0


def test_days_away_are_those_of_the_calendar(base, make_truth):
    people = StudyUsers(make_truth(returning={}), seed=4)
    last = np.zeros(60)
    for day in range(6):
        visits = shown(people, base)
        expected = day - last[visits.users]
        np.testing.assert_array_equal(visits.days_away, expected)
        assert (visits.visit == (0 if day == 0 else visits.visit)).all()
        last[visits.users] = day
        people.next_day()


def test_the_absent_do_not_change(base, make_truth):
    people = StudyUsers(make_truth(satiation={}, drift={}), seed=4)
    shown(people, base)
    people.next_day()
    pools = people.pools(base).take(np.arange(10))
    before = people.population.drift.copy()
    people.show(pools, TopKReranker().rerank(pools, 5, RNG))
    assert np.array_equal(people.population.drift[10:], before[10:])
    assert not np.array_equal(people.population.drift[:10], before[:10])
    assert people.visiting.tolist() == list(range(10, 60))


def test_what_was_clicked_is_not_proposed_again(base, make_truth):
    people = StudyUsers(make_truth(choice={"base_attraction": 0.5}), seed=4)
    visits = shown(people, base)
    people.next_day()
    pools = people.pools(base)
    for row in range(60):
        clicked = visits.items[row][visits.clicks[row]]
        assert not set(clicked) & set(pools.items[row])
        kept = set(base.items[row]) - set(clicked)
        assert set(pools.items[row]) - {PAD} == kept


def test_satisfaction_is_known_where_clicked_and_seen_where_rated(base, make_truth):
    truth = make_truth(choice={"base_attraction": 0.5})
    visits = shown(StudyUsers(truth, FeedbackConfig(rating_probability=0.5)), base)
    assert np.array_equal(~np.isnan(visits.satisfaction), visits.clicks)
    assert np.array_equal(~np.isnan(visits.observed_satisfaction), visits.rated)
    assert not (visits.rated & ~visits.clicks).any()
    assert 0.3 < visits.rated.sum() / visits.clicks.sum() < 0.7


@pytest.mark.parametrize("selection", [6.0, -6.0])
def test_ratings_can_be_missing_by_what_they_would_say(base, make_truth, selection):
    truth = make_truth(choice={"base_attraction": 0.5})
    config = FeedbackConfig(rating_probability=0.5, rating_selection=selection)
    rated, silent = [], []
    for seed in range(10):
        visits = shown(StudyUsers(truth, config, seed), base)
        rated.append(visits.satisfaction[visits.rated])
        silent.append(visits.satisfaction[visits.clicks & ~visits.rated])
    gap = np.concatenate(rated).mean() - np.concatenate(silent).mean()
    assert gap * selection > 0.3


def test_who_rates_does_not_change_who_clicks(base, make_truth):
    truth = make_truth()
    all_rate = shown(StudyUsers(truth, seed=5), base)
    none_rate = shown(StudyUsers(truth, FeedbackConfig(rating_probability=0.0), seed=5), base)
    np.testing.assert_array_equal(all_rate.clicks, none_rate.clicks)
    assert all_rate.rated.sum() == all_rate.clicks.sum()
    assert not none_rate.rated.any()


def test_a_slate_for_somebody_who_is_not_here_is_refused(base, make_truth):
    people = StudyUsers(make_truth())
    pools = people.pools(base)
    slates = TopKReranker().rerank(pools, 5, RNG)
    people.show(pools, slates)
    with pytest.raises(InvalidValue, match="not here"):
        people.show(pools, slates)


def test_an_item_without_a_truth_is_refused(base, make_truth):
    people = StudyUsers(make_truth())
    pools = people.pools(base)
    seen = base.train.items_of(0)[:5]
    slates = TopKReranker().rerank(pools, 5, RNG)
    items = slates.items.copy()
    items[0] = seen
    with pytest.raises(InvalidValue, match="know nothing"):
        people.show(pools, replace(slates, items=items))
