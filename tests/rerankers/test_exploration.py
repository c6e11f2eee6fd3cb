"""ε-greedy and Thompson-style exploration: what is shown, and how probable it was."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.amortised.epsilon_greedy import EpsilonGreedyConfig
from fairloop.rerankers.amortised.exploration import law_of
from fairloop.rerankers.amortised.fairco import FairCoConfig
from fairloop.rerankers.amortised.thompson import ThompsonConfig, posterior_means
from fairloop.rerankers.diversity.mmr import MMRConfig
from fairloop.rerankers.factory import RerankerConfig
from fairloop.rerankers.relevance import standardised
from fairloop.rerankers.stochastic.mixture import RankingMixture
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig
from fairloop.rerankers.topk import TopKConfig, TopKReranker
from pydantic import TypeAdapter, ValidationError

from benchmarks.peers import plain_amortised

N = 20_000
SCORES = np.array([1.3, 0.9, 0.2, -0.4])
MMR = MMRConfig(trade_off=0.5)
WRAPPERS = (EpsilonGreedyConfig, ThompsonConfig)


def alike(n: int = N, items=(70, 3, 95, 41)) -> CandidatePools:
    """Many users with one and the same pool."""
    return CandidatePools(np.arange(n), np.tile(items, (n, 1)), np.tile(SCORES, (n, 1)))


def show(config: RerankerConfig, pools: CandidatePools, knowledge, k: int, seed: int = 0):
    return config.make(knowledge).rerank(pools, k, np.random.default_rng(seed))


CASES = [
    EpsilonGreedyConfig(epsilon=0.4),
    EpsilonGreedyConfig(epsilon=0.7, temperature=0.8),
    EpsilonGreedyConfig(epsilon=0.5, keep=1),
    EpsilonGreedyConfig(epsilon=0.5, inner=MMR, keep=1, temperature=2.0),
    EpsilonGreedyConfig(epsilon=0.3, inner=PlackettLuceConfig(temperature=0.7)),
    EpsilonGreedyConfig(epsilon=0.3, inner=PlackettLuceConfig(temperature=0.7), keep=1),
    ThompsonConfig(scale=1.0),
    ThompsonConfig(scale=3.0, prior=50.0, inner=MMR),
    ThompsonConfig(scale=1.5, keep=1),
]


@pytest.mark.parametrize(
    "config", CASES, ids=lambda c: f"{c.algorithm}-{c.inner.algorithm}-{c.keep}"
)
def test_slates_are_shown_as_often_as_their_propensity_says(config, knowledge) -> None:
    slates = show(config, alike(), knowledge, 2, seed=1)
    told = 0.0
    for order in permutations(range(4), 2):
        shown = (slates.columns == order).all(axis=1)
        if shown.any():
            p = slates.propensities[shown]
            assert np.ptp(p) < 1e-12  # it belongs to the slate, not to how it came about
            told += p[0]
            assert abs(shown.mean() - p[0]) < 4.5 * np.sqrt(p[0] * (1 - p[0]) / N), order
    # The propensities of all slates that can be shown sum to 1.
    assert told == pytest.approx(1.0, abs=1e-9)


def test_epsilon_greedy_by_hand(knowledge) -> None:
    slates = show(EpsilonGreedyConfig(epsilon=0.4), alike(2000), knowledge, 2)
    top = (slates.columns == [0, 1]).all(axis=1)
    # Twelve slates of two from four: the inner one by either way, any other by chance alone.
    np.testing.assert_allclose(slates.propensities[top], 0.6 + 0.4 / 12)
    np.testing.assert_allclose(slates.propensities[~top], 0.4 / 12)
    assert 0.58 < top.mean() < 0.68


def test_epsilon_greedy_equals_the_plain_formula(make_pools, knowledge) -> None:
    pools = make_pools(60, 16, ragged=True)
    config = EpsilonGreedyConfig(epsilon=0.5, temperature=0.6, keep=2, inner=MMR)
    inner = show(MMR, pools, knowledge, 6).columns
    slates = show(config, pools, knowledge, 6)
    np.testing.assert_array_equal(slates.columns[:, :2], inner[:, :2])
    weights = np.exp(standardised(pools.scores, pools.valid) / 0.6) * pools.valid
    for row in range(60):
        chance = plain_amortised.drawn_in_order(
            weights[row], slates.columns[row, 2:], inner[row, :2]
        )
        expected = 0.5 * (slates.columns[row] == inner[row]).all() + 0.5 * chance
        assert slates.propensities[row] == pytest.approx(expected, rel=1e-9)
    explored = (slates.columns != inner).any(axis=1)
    assert 0.3 < explored.mean() < 0.7


def test_thompson_equals_the_plain_formula(make_pools, knowledge, catalogue) -> None:
    pools = make_pools(12, 16, ragged=True)
    config = ThompsonConfig(scale=0.7, prior=30.0, keep=1, inner=MMR)
    slates = show(config, pools, knowledge, 5)
    inner = show(MMR, pools, knowledge, 5).columns
    np.testing.assert_array_equal(slates.columns[:, 0], inner[:, 0])
    mean = posterior_means(pools, inner)
    for row in range(12):
        items = pools.items[row][pools.valid[row]]
        n = len(items)
        spread = 0.7 * np.maximum(1 / np.sqrt(1 + catalogue.popularity[items] / 30), 0.2)
        left = np.delete(np.arange(n), inner[row, 0])  # the kept one is not drawn
        rest = np.array([np.flatnonzero(left == c)[0] for c in slates.columns[row, 1:]])
        slow = plain_amortised.normal_order(mean[row, left], spread[left], rest, 40_001)
        assert slates.propensities[row] == pytest.approx(slow, rel=1e-5)


def test_posterior_means_are_the_base_scores_in_the_order_of_the_inner_slate() -> None:
    pools = CandidatePools(
        np.zeros(1, int), np.array([[4, 8, 2, 6, PAD]]), np.array([[4.0, 3.0, 2.0, 1.0, 0.0]])
    )
    scores = standardised(pools.scores, pools.valid)[0]
    np.testing.assert_allclose(
        posterior_means(pools, np.array([[2, 0]]))[0],
        [scores[1], scores[2], scores[0], scores[3], -np.inf],
    )
    np.testing.assert_allclose(
        posterior_means(pools, np.array([[0, 1, 2]]))[0, :4], scores[:4]
    )  # around top-k they are the base scores


def test_items_rarely_seen_move_more(make_pools, knowledge, catalogue) -> None:
    half = catalogue.popularity > np.median(catalogue.popularity)
    counts = np.where(half, 1e6, 0.0)
    known = replace(knowledge, catalogue=replace(catalogue, popularity=counts))
    pools = make_pools(200, 20)
    shown = np.zeros(catalogue.n_items)
    for seed in range(3):
        slates = show(ThompsonConfig(scale=1.5), pools, known, 4, seed)
        np.add.at(shown, slates.items, 1.0)
    top = np.zeros(catalogue.n_items)
    np.add.at(top, TopKReranker().rerank(pools, 4, np.random.default_rng(0)).items, 3.0)
    assert shown[~half].sum() > 1.3 * top[~half].sum()


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_kept_positions_stay_and_a_whole_slate_kept_is_the_inner_one(
    wrapper, make_pools, knowledge
) -> None:
    pools = make_pools(50, 16, ragged=True)
    loud = {"epsilon": 1.0} if wrapper is EpsilonGreedyConfig else {"scale": 5.0}
    inner = show(MMR, pools, knowledge, 6)
    for keep in (0, 3, 6, 9):
        slates = show(wrapper(inner=MMR, keep=keep, **loud), pools, knowledge, 6)
        np.testing.assert_array_equal(slates.columns[:, :keep], inner.columns[:, :keep])
        changed = (slates.columns != inner.columns).any(axis=1).mean()
        assert changed > 0.9 if keep < 6 else changed == 0.0
        assert (slates.propensities == 1.0).all() == (keep >= 6)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_without_exploration_the_inner_slates_come_through(wrapper, make_pools, knowledge) -> None:
    pools = make_pools(50, 16, ragged=True)
    quiet = {"epsilon": 0.0} if wrapper is EpsilonGreedyConfig else {"scale": 0.0}
    slates = show(wrapper(inner=MMR, **quiet), pools, knowledge, 6)
    np.testing.assert_array_equal(slates.columns, show(MMR, pools, knowledge, 6).columns)
    np.testing.assert_array_equal(slates.propensities, 1.0)


def test_next_to_no_noise_is_next_to_no_exploration(make_pools, knowledge) -> None:
    pools = make_pools(50, 16)
    inner = show(MMR, pools, knowledge, 6)
    for scale in (1e-7, 2e-6):
        slates = show(ThompsonConfig(inner=MMR, scale=scale), pools, knowledge, 6)
        np.testing.assert_array_equal(slates.columns, inner.columns)
        np.testing.assert_allclose(slates.propensities, 1.0, atol=1e-6)


def test_strength_scales_the_wrapper_and_what_is_inside() -> None:
    inner = PlackettLuceConfig(temperature=0.6)
    half = EpsilonGreedyConfig(epsilon=0.4, inner=inner, keep=2).at_strength(0.5)
    assert half == EpsilonGreedyConfig(
        epsilon=0.2, inner=PlackettLuceConfig(temperature=0.3), keep=2
    )
    assert ThompsonConfig(scale=0.4, inner=MMR).at_strength(0.0) == ThompsonConfig(
        scale=0.0, inner=MMR.at_strength(0.0)
    )


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_any_configuration_can_be_inside_and_survives_json(wrapper) -> None:
    adapter: TypeAdapter[RerankerConfig] = TypeAdapter(RerankerConfig)
    config = wrapper(inner=EpsilonGreedyConfig(inner=FairCoConfig(merit={"long_tail": 0.3})))
    restored = adapter.validate_json(adapter.dump_json(config))
    assert restored == config and type(restored.inner.inner) is FairCoConfig
    read = adapter.validate_python(
        {"algorithm": wrapper().algorithm, "inner": {"algorithm": "mmr"}}
    )
    assert read.inner == MMRConfig() and wrapper().inner == TopKConfig()
    for bad in ({"algorithm": "magic"}, {"algorithm": "mmr", "lamda": 1}, 3):
        with pytest.raises(ValidationError):
            wrapper.model_validate({"inner": bad})


class Coin:
    """Shows the pool's first columns, forwards or backwards; tells nothing of the other way."""

    name = "coin"

    def rerank(self, pools, k, rng):
        columns = np.tile(np.arange(k)[:: rng.choice([-1, 1])], (len(pools), 1))
        slates = TopKReranker().rerank(pools, k, rng)
        return replace(slates, columns=columns, propensities=np.full(len(pools), 0.5))


class KnownCoin(Coin):
    """The same with its lottery told."""

    def mixture(self, pools, k):
        both = np.stack([np.arange(k), np.arange(k)[::-1]])
        return RankingMixture(np.tile(both, (len(pools), 1, 1)), np.full((len(pools), 2), 0.5))


def test_a_law_that_is_not_known_is_refused(make_pools, knowledge) -> None:
    pools = make_pools(9, 12)
    for config in (
        EpsilonGreedyConfig(inner=ThompsonConfig()),
        ThompsonConfig(inner=PlackettLuceConfig()),
        ThompsonConfig(inner=EpsilonGreedyConfig()),
    ):
        with pytest.raises(InvalidValue, match="draws its slates") as caught:
            show(config, pools, knowledge, 4)
        assert caught.value.field == "inner" and caught.value.mend
    coin = Coin()
    with pytest.raises(InvalidValue, match="coin draws its slates"):
        law_of(coin, pools, coin.rerank(pools, 4, np.random.default_rng(0)))


def test_a_lottery_over_rankings_tells_the_law_of_every_beginning(make_pools) -> None:
    pools = make_pools(9, 12)
    coin = KnownCoin()
    law = law_of(coin, pools, coin.rerank(pools, 4, np.random.default_rng(0)))
    for columns, expected in (([0, 1, 2, 3], 0.5), ([3, 2], 0.5), ([1], 0.0), ([], 1.0)):
        asked = np.tile(np.array(columns, int), (9, 1))
        np.testing.assert_allclose(law(asked), expected)


def test_plackett_luce_tells_the_law_of_every_beginning(make_pools, knowledge) -> None:
    pools = make_pools(9, 6, ragged=True)
    for temperature in (0.0, 0.5):
        reranker = PlackettLuceConfig(temperature=temperature).make(knowledge)
        slates = reranker.rerank(pools, 3, np.random.default_rng(0))
        np.testing.assert_allclose(
            reranker.probability(pools, slates.columns), slates.propensities, rtol=1e-12
        )
        np.testing.assert_allclose(reranker.probability(pools, slates.columns[:, :0]), 1.0)
        firsts = [reranker.probability(pools, np.full((9, 1), c)) for c in range(6)]
        np.testing.assert_allclose(np.sum(firsts, axis=0), 1.0)


def test_bad_settings_are_refused(knowledge, catalogue) -> None:
    for wrapper, values in (
        (EpsilonGreedyConfig, {"epsilon": 1.2}),
        (EpsilonGreedyConfig, {"temperature": 0.0}),
        (EpsilonGreedyConfig, {"keep": -1}),
        (ThompsonConfig, {"scale": -0.1}),
        (ThompsonConfig, {"prior": 0.0}),
    ):
        with pytest.raises(ValidationError):
            wrapper(**values)
    counts = catalogue.popularity.copy()
    counts[3] = np.nan
    bad = replace(knowledge, catalogue=replace(catalogue, popularity=counts))
    with pytest.raises(InvalidValue, match=r"catalogue\.popularity"):
        ThompsonConfig().make(bad)
