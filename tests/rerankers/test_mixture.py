import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.constraints import Constraints, HardFilters
from fairloop.rerankers.factory import make_reranker
from fairloop.rerankers.stochastic import mixture as module
from fairloop.rerankers.stochastic.expohedron import ExpohedronConfig
from fairloop.rerankers.stochastic.mixture import RankingMixture, StochasticReranker, join
from fairloop.rerankers.stochastic.parity import ExposureParityConfig
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig
from fairloop.rerankers.topk import TopKConfig
from fairloop.rerankers.two_sided.welf import WelfConfig

STOCHASTIC = (
    ExposureParityConfig(),
    ExposureParityConfig(attribute="era", constraint="disparate-impact"),
    ExpohedronConfig(weight=0.8, merit="relevance"),
    WelfConfig(iterations=10),
)


def lottery(n_users: int, seed: int = 0) -> RankingMixture:
    """Five rankings of 4 out of 9 columns; the last one of no user, the first and third alike."""
    rng = np.random.default_rng(seed)
    columns = np.argsort(rng.random((n_users, 5, 9)), axis=2)[:, :, :4]
    columns[:, 2] = columns[:, 0]
    weights = rng.dirichlet(np.ones(5), n_users)
    weights[:, 4] = 0.0
    return RankingMixture(columns, weights / weights.sum(axis=1, keepdims=True))


def test_rankings_are_drawn_as_often_as_their_weights_say() -> None:
    one = lottery(1)
    many = RankingMixture(np.repeat(one.columns, 20_000, 0), np.repeat(one.weights, 20_000, 0))
    shown, propensities = many.draw(3, np.arange(20_000))
    for member in (0, 1, 3):
        alike = (shown == one.columns[0, member]).all(axis=1)
        weight = one.weights[0, member] + (one.weights[0, 2] if member == 0 else 0.0)
        assert alike.mean() == pytest.approx(weight, abs=5 * np.sqrt(weight / 20_000))
        np.testing.assert_allclose(propensities[alike], weight, rtol=1e-12)
    assert not (shown == one.columns[0, 4]).all(axis=1).any()


def test_luck_belongs_to_the_user() -> None:
    some, order = lottery(50), np.random.default_rng(1).permutation(50)
    shown, propensities = some.draw(9, np.arange(50))
    moved = RankingMixture(some.columns[order], some.weights[order]).draw(9, order)
    np.testing.assert_array_equal(moved[0], shown[order])
    np.testing.assert_array_equal(moved[1], propensities[order])
    assert (some.draw(10, np.arange(50))[0] != shown).any()


def test_a_ranking_of_weight_0_is_not_drawn_even_by_extreme_luck(monkeypatch) -> None:
    some = RankingMixture(
        np.arange(8).reshape(1, 4, 2) % 5, np.array([[0.0, 1.0 / 3.0, 2.0 / 3.0, 0.0]])
    )
    for luck, member in ((1e-300, 1), (1.0, 2)):
        monkeypatch.setattr(module, "keyed_uniforms", lambda *_, luck=luck: np.array([[luck]]))
        shown, propensity = some.draw(0, np.zeros(1, int))
        np.testing.assert_array_equal(shown[0], some.columns[0, member])
        assert propensity[0] == some.weights[0, member]


def test_exposure_is_the_weighted_sum_over_rankings() -> None:
    some = lottery(3)
    expected = np.zeros((3, 9))
    for user in range(3):
        for ranking, weight in zip(some.columns[user], some.weights[user], strict=True):
            expected[user, ranking] += weight * position_discount(4)
    np.testing.assert_allclose(some.exposure(9), expected, atol=1e-15)
    flat = some.exposure(9, np.ones(4))
    np.testing.assert_allclose(flat.sum(axis=1), 4.0)


def test_lotteries_of_blocks_join_into_one() -> None:
    narrow = RankingMixture.certain(np.array([[3, 1, 0, 2]]))
    both = join([lottery(2), narrow], 4)
    np.testing.assert_array_equal(both.columns[2], np.tile([3, 1, 0, 2], (5, 1)))
    assert both.weights[2].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert join([], 4).columns.shape == (0, 1, 4)


@pytest.mark.parametrize(
    ("columns", "weights"),
    [
        (np.zeros((2, 3)), np.ones((2, 3)) / 3),
        (np.zeros((2, 3, 1)), np.ones((2, 2)) / 2),
        (np.zeros((1, 2, 1)), np.array([[0.7, 0.7]])),
        (np.zeros((1, 2, 1)), np.array([[1.5, -0.5]])),
        (np.zeros((1, 2, 1)), np.array([[1.0, np.nan]])),
    ],
)
def test_what_is_no_lottery_is_refused(columns, weights) -> None:
    with pytest.raises(InvalidValue, match="mixture"):
        RankingMixture(columns.astype(int), weights)


def test_discounts_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidValue, match="discount"):
        lottery(1).exposure(9, np.ones(3))


@pytest.mark.parametrize("config", STOCHASTIC, ids=lambda c: c.algorithm)
def test_slates_are_drawn_from_the_lottery_that_is_shown(config, knowledge, make_pools) -> None:
    pools = make_pools(30, 14, seed=4, ragged=True)
    reranker = make_reranker(config, knowledge)
    assert isinstance(reranker, StochasticReranker)
    lottery = reranker.mixture(pools, 5)
    slates = reranker.rerank(pools, 5, np.random.default_rng(0))
    alike = (lottery.columns == slates.columns[:, None, :]).all(axis=2)
    weight = np.where(alike, lottery.weights, 0.0).sum(axis=1)
    np.testing.assert_allclose(slates.propensities, weight, rtol=1e-12)


@pytest.mark.parametrize("config", STOCHASTIC, ids=lambda c: c.algorithm)
def test_blocks_of_users_do_not_change_what_is_shown(
    config, knowledge, make_pools, monkeypatch
) -> None:
    pools = make_pools(30, 14, seed=4)
    whole = make_reranker(config, knowledge).rerank(pools, 5, np.random.default_rng(0))
    monkeypatch.setattr(module, "BLOCK", 7)
    parts = make_reranker(config, knowledge).rerank(pools, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(parts.columns, whole.columns)
    np.testing.assert_array_equal(parts.propensities, whole.propensities)


@pytest.mark.parametrize("config", STOCHASTIC, ids=lambda c: c.algorithm)
def test_a_lottery_behind_hard_filters_never_shows_what_they_forbid(
    config, knowledge, catalogue, make_pools
) -> None:
    filters = HardFilters(exclude_topics=frozenset({"t1"}))
    limited = knowledge.__class__(catalogue, Constraints(filters=filters))
    reranker = make_reranker(config, limited)
    assert isinstance(reranker, StochasticReranker)
    pools = make_pools(9, 40, seed=2, ragged=True)
    lottery = reranker.mixture(pools, 4)
    shown = lottery.exposure(40) > 0
    assert filters.allowed(catalogue)[pools.items[shown]].all() and (pools.items[shown] >= 0).all()
    slates = reranker.rerank(pools, 4, np.random.default_rng(0))
    assert (np.take_along_axis(lottery.exposure(40), slates.columns, axis=1) > 0).all()


def test_who_has_no_such_lottery_does_not_claim_one(knowledge) -> None:
    for config in (TopKConfig(), PlackettLuceConfig()):
        assert not isinstance(make_reranker(config, knowledge), StochasticReranker)
