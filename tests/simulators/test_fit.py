from dataclasses import replace

import numpy as np
import pytest
from fairloop.candidates import tastes
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import EmptyData, InvalidValue
from fairloop.simulators import fit
from fairloop.simulators.config import ChoiceConfig, WorldConfig
from fairloop.simulators.world import World
from scipy.special import expit


def ratings(user: list[int], item: list[int], rating: list[float], n_items: int) -> Interactions:
    time = np.arange(len(user), dtype=float)
    n_users = max(user) + 1
    return Interactions.build(
        np.array(user), np.array(item), np.array(rating), time, n_users, n_items
    )


def test_same_seed_same_world(candidates: CandidateSet, world: World) -> None:
    again = fit.fit_world(candidates, WorldConfig(), seed=5)
    np.testing.assert_array_equal(again.appeal, world.appeal)
    np.testing.assert_array_equal(again.worth, world.worth)
    np.testing.assert_array_equal(again.sensitivities.drift, world.sensitivities.drift)
    assert not np.array_equal(fit.fit_world(candidates, seed=6).appeal, world.appeal)


def test_mean_attraction_is_the_configured_one(candidates: CandidateSet) -> None:
    config = WorldConfig(choice=ChoiceConfig(base_attraction=0.12, attraction_spread=1.7))
    world = fit.fit_world(candidates, config)
    valid = world.pools.valid
    assert expit(world.appeal[valid]).mean() == pytest.approx(0.12, rel=1e-4)
    assert world.appeal[valid].std() == pytest.approx(1.7, rel=1e-3)


def test_truth_is_related_to_the_base_scores_but_no_copy(world: World) -> None:
    valid = world.pools.valid
    base = fit.base_scores(world.pools)[valid]
    for truth in (world.appeal, world.worth):
        assert 0.02 < np.corrcoef(base, truth[valid])[0, 1] < 0.8
    assert 0.1 < np.corrcoef(world.appeal[valid], world.worth[valid])[0, 1] < 0.95


def test_held_out_interactions_do_not_shape_the_truth(candidates: CandidateSet) -> None:
    changed = replace(candidates, heldout=candidates.train, valid=candidates.train)
    np.testing.assert_array_equal(fit.fit_world(changed).worth, fit.fit_world(candidates).worth)


def test_hidden_taste_belongs_to_user_and_item(world: World) -> None:
    pools = world.pools
    hidden = fit.hidden_taste(pools, 5)
    part = CandidatePools(
        pools.users[[7, 3]], pools.items[[7, 3], ::-1], pools.scores[[7, 3], ::-1]
    )
    np.testing.assert_array_equal(fit.hidden_taste(part, 5), hidden[[7, 3], ::-1])


def test_sensitivities_have_median_one_and_the_configured_spread() -> None:
    drawn = fit.draw_sensitivities(np.arange(20_000), 0.5, seed=1)
    logs = np.log([drawn.satiation, drawn.fatigue, drawn.drift, drawn.leaving, drawn.returning])
    np.testing.assert_allclose(np.median(logs, axis=1), 0, atol=0.03)
    np.testing.assert_allclose(logs.std(axis=1), 0.5, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(logs) - np.eye(5), 0, atol=0.04)


def test_clickbait_is_popularity_without_quality() -> None:
    rng = np.random.default_rng(0)
    quality = rng.normal(size=300)
    popularity = np.exp(0.8 * quality + rng.normal(size=300) + 3)
    bait = fit.clickbait(popularity, quality)
    assert abs(np.corrcoef(bait, quality)[0, 1]) < 1e-9
    assert np.corrcoef(bait, np.log1p(popularity))[0, 1] > 0.5


def test_padding_is_never_attractive(candidates: CandidateSet) -> None:
    full = candidates.pools()
    allowed = np.ones(candidates.n_items, np.bool_)
    allowed[full.items[0, 3]] = False
    world = fit.fit_world(candidates, pools=full.keep(allowed))
    assert not world.pools.valid.all()
    assert (world.appeal[~world.pools.valid] == -30).all()


def test_no_usable_data_is_refused(candidates: CandidateSet) -> None:
    nobody = CandidatePools(
        *(a[:0] for a in (candidates.pools().users, candidates.items, candidates.scores))
    )
    with pytest.raises(EmptyData, match="0 users"):
        fit.fit_world(candidates, pools=nobody)


def test_ratings_without_variation_give_the_default_satisfaction(candidates: CandidateSet) -> None:
    train = candidates.train
    flat = replace(train, rating=np.ones(len(train)))
    world = fit.fit_world(replace(candidates, train=flat))
    assert np.median(expit(world.worth)) == pytest.approx(0.6, abs=0.02)


def test_shrunk_means_by_hand() -> None:
    """Item 0 rated 5 and 3, item 1 rated 1; shrinkage 1; one topic each."""
    train = ratings([0, 1, 1], [0, 0, 1], [5.0, 3.0, 1.0], 2)
    model = tastes.rating_model(train, np.eye(2), 1.0)
    assert model.mean == 3.0
    np.testing.assert_allclose(model.quality, [(2 + 0) / (2 + 1), -2 / (1 + 1)])
    left = [2 - 2 / 3, 0 - 2 / 3, -2 + 1]
    np.testing.assert_allclose(model.level, [left[0] / 2, (left[1] + left[2]) / 3])
    level = model.level[1]
    np.testing.assert_allclose(model.taste[1], [(left[1] - level) / 2, (left[2] - level) / 2])


def test_slopes_find_a_planted_taste_and_no_taste_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    n_users, n_items = 200, 60
    topics = np.eye(3)[np.arange(n_items) % 3]
    user, item = np.divmod(np.arange(n_users * n_items), n_items)
    quality, taste = rng.normal(size=n_items), rng.normal(size=(n_users, 3))
    noise = rng.normal(scale=0.5, size=len(user))
    liking = (taste[user] * topics[item]).sum(axis=1)
    for strength in (0.0, 1.0):
        rating = 3 + quality[item] + strength * liking + noise
        train = Interactions.build(user, item, rating, np.zeros(len(user)), n_users, n_items)
        slopes = tastes.held_out_slopes(train, topics, 5.0, np.random.default_rng(1))
        assert slopes.quality == pytest.approx(1.0, abs=0.1)
        assert slopes.residual == pytest.approx(0.5, rel=0.35)
        assert slopes.taste > 0.8 if strength else slopes.taste < 0.2


def test_taking_users_keeps_their_truth(world: World) -> None:
    part = world.take(np.array([4, 1]))
    assert len(part) == 2
    np.testing.assert_array_equal(part.users, world.users[[4, 1]])
    np.testing.assert_array_equal(part.appeal, world.appeal[[4, 1]])
    np.testing.assert_array_equal(part.sensitivities.fatigue, world.sensitivities.fatigue[[4, 1]])


def test_other_pools_meet_the_same_truth(world: World) -> None:
    shuffled = CandidatePools(
        world.users[[3, 0]], world.pools.items[[3, 0], ::-1], world.pools.scores[[3, 0], ::-1]
    )
    moved = world.on(shuffled)
    np.testing.assert_array_equal(moved.appeal, world.appeal[[3, 0], ::-1])
    np.testing.assert_array_equal(moved.worth, world.worth[[3, 0], ::-1])


def test_unknown_users_and_items_are_refused(world: World) -> None:
    pools = world.pools.take(np.array([0]))
    outside = np.setdiff1d(np.arange(world.catalogue.n_items), pools.items[0])[0]
    with pytest.raises(InvalidValue, match="knows nothing"):
        world.on(CandidatePools(pools.users, np.array([[outside]]), np.ones((1, 1))))
    with pytest.raises(InvalidValue, match="knows nothing"):
        world.on(CandidatePools(np.array([10_000]), pools.items, pools.scores))
