from dataclasses import replace

import numpy as np
import pytest
from fairloop.rerankers.topk import TopKReranker
from fairloop.simulators.impressions import read_impressions, write_impressions
from fairloop.simulators.study.feedback import FeedbackConfig, FeedbackLog, rating_probability
from fairloop.simulators.study.users import StudyUsers


def filled(base, truth, config=None, days=4, seed=1):
    """A log of some days of the base model's own order."""
    config = config or FeedbackConfig()
    people, log = StudyUsers(truth, config, seed), FeedbackLog(config)
    for _ in range(days):
        pools = people.pools(base)
        log.append(people.show(pools, TopKReranker().rerank(pools, 5, np.random.default_rng(0))))
        people.next_day()
    return log


@pytest.fixture(scope="module")
def truth(make_truth):
    return make_truth(choice={"base_attraction": 0.4})


def plain_training(log, base):
    """The rule, one impression at a time."""
    known = set(zip(base.user.tolist(), base.item.tolist(), strict=True))
    low, high, mean = base.rating.min(), base.rating.max(), base.rating.mean()
    added = []
    for visits in log.visits:
        for row, user in enumerate(visits.users.tolist()):
            for place, item in enumerate(visits.items[row].tolist()):
                rated = visits.rated[row, place]
                wanted = visits.clicks if log.config.trains_on == "clicks" else visits.rated
                if not wanted[row, place] or (user, item) in known:
                    continue
                known.add((user, item))
                rating = low + (high - low) * visits.satisfaction[row, place] if rated else mean
                added.append((user, item, rating, base.timestamp.max() + 86_400 * (visits.day + 1)))
    return added


@pytest.mark.parametrize("trains_on", ["clicks", "ratings"])
@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_rule_is_the_plain_one(base, truth, trains_on, share):
    config = FeedbackConfig(trains_on=trains_on, rating_probability=share)
    log = filled(base, truth, config)
    log.append(replace(log.visits[0], day=9))  # clicks that are there already
    grown = log.training(base.train)
    added = plain_training(log, base.train)
    assert len(added) > 50
    assert len(grown) == len(base.train) + len(added)
    new = grown.timestamp > base.train.timestamp.max()
    rows = zip(
        *(getattr(grown, name)[new].tolist() for name in ("user", "item", "rating", "timestamp")),
        strict=True,
    )
    for got, expected in zip(sorted(rows), sorted(added), strict=True):
        assert got[:2] == expected[:2]
        assert got[2:] == pytest.approx(expected[2:])


def test_an_empty_log_adds_nothing(base):
    log = FeedbackLog()
    assert log.training(base.train) is base.train
    assert len(log) == 0


def test_without_a_scale_ratings_are_all_alike(base, truth):
    ones = replace(base.train, rating=np.ones(len(base.train)))
    assert np.unique(filled(base, truth).training(ones).rating).tolist() == [1.0]


def test_what_was_interacted_with_stays_as_it_was(base, truth):
    grown = filled(base, truth).training(base.train)
    old = grown.timestamp <= base.train.timestamp.max()
    for name in ("user", "item", "rating", "timestamp"):
        np.testing.assert_array_equal(getattr(grown, name)[old], getattr(base.train, name))


def test_the_probability_of_a_rating_is_logistic_in_what_it_would_say():
    satisfaction = np.array([0.0, 0.5, 1.0])
    p = rating_probability(satisfaction, 0.2, 4.0)
    assert p[1] == pytest.approx(0.2)
    odds = p / (1 - p)
    np.testing.assert_allclose(odds[1:] / odds[:-1], np.exp(4.0 * 0.5))
    np.testing.assert_array_equal(rating_probability(satisfaction, 1.0, -4.0), 1.0)
    np.testing.assert_array_equal(rating_probability(satisfaction, 0.0, 4.0), 0.0)


def test_the_log_is_stored_in_the_schema_of_impressions(base, truth, tmp_path):
    config = FeedbackConfig(rating_probability=0.5)
    log = filled(base, truth, config)
    assert write_impressions(tmp_path / "log.parquet", log.impressions(base)) == len(log)
    stored = read_impressions(tmp_path / "log.parquet")
    visits = log.visits
    items = np.concatenate([v.items.ravel() for v in visits])
    np.testing.assert_array_equal(stored.item_ids[stored.item], base.catalogue.item_ids[items])
    users = np.concatenate([np.repeat(v.users, 5) for v in visits])
    np.testing.assert_array_equal(stored.user_ids[stored.user], base.user_ids[users])
    rated = np.concatenate([v.rated.ravel() for v in visits])
    np.testing.assert_array_equal(~np.isnan(stored.satisfaction), rated)
    assert stored.position.tolist() == [1, 2, 3, 4, 5] * (len(log) // 5)
    assert len(np.unique(stored.slate)) == len(log) // 5
    assert (np.diff(stored.slate) >= 0).all()
    by_score = stored.score.reshape(-1, 5)
    assert (np.diff(by_score, axis=1) <= 0).all()  # top-k shows the best first
    assert (stored.click_probability <= stored.examination).all()


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="exploration"):
        FeedbackConfig(exploration=-0.1)
