from dataclasses import replace

import numpy as np
import pytest
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.randomness import draw_seed
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.two_sided.tfrom import TFROMOfflineConfig, fill_by_rank
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_tfrom


def plain_lists(catalogue: Catalogue, pools: CandidatePools, attribute: str):
    """Relevance and provider of each user's candidates, and how many items a provider has."""
    codes = catalogue.groups[attribute].codes
    gains = [row[ok].tolist() for row, ok in zip(relevance(pools), pools.valid, strict=True)]
    providers = [codes[row[ok]].tolist() for row, ok in zip(pools.items, pools.valid, strict=True)]
    return gains, providers, np.bincount(codes[codes >= 0]).tolist()


def exposure_of(catalogue: Catalogue, attribute: str, items: np.ndarray) -> np.ndarray:
    """Exposure of each provider, in slates."""
    discount = position_discount(items.shape[1])
    weights = np.tile(discount / discount.sum(), (len(items), 1))
    codes = catalogue.groups[attribute].codes[items]
    return np.bincount(codes[codes >= 0], weights[codes >= 0])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 8),
    ragged=st.booleans(),
    attribute=st.sampled_from(["popularity", "era"]),
    fairness=st.sampled_from(["uniform", "quality"]),
    strictness=st.sampled_from([0.0, 0.6, 1.0]),
    first=st.sampled_from(["worst-off", "best-off"]),
)
def test_equals_the_plain_loop(
    make_pools, catalogue, knowledge, seed, k, ragged, attribute, fairness, strictness, first
) -> None:
    pools = make_pools(25, 16, seed=seed, ragged=ragged)
    config = TFROMOfflineConfig(
        attribute=attribute, fairness=fairness, strictness=strictness, first=first
    )
    slates = config.make(knowledge).rerank(pools, k, np.random.default_rng(seed))
    serving = serving_order(pools.users, draw_seed(np.random.default_rng(seed))).tolist()
    expected = plain_tfrom.offline_tfrom(
        *plain_lists(catalogue, pools, attribute),
        serving,
        k,
        fairness=fairness,
        strictness=strictness,
        worst_off_first=first == "worst-off",
    )
    np.testing.assert_array_equal(slates.columns, expected)


def test_a_batch_by_hand() -> None:
    # Two users, k = 2. Position 1 weighs 1 / 1.6309 = 0.6131 of a slate, position 2 0.3869.
    # Provider 0 has columns 0 and 1 and may have 1 slate in all; provider 1 may have 1 as well.
    provider = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    gain = np.array([[4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
    caps = np.array([1.0, 1.0, np.inf, 0.0])
    # Rank 1: user 0 is served first and takes column 0 (0.6131); user 1 would make that 1.2263,
    # so takes column 2. Rank 2, worst-off first: user 1 takes column 0 (1.0 in all, which is just
    # allowed); for user 0 provider 0 is closed, provider 1 has 0.6131 and takes 0.3869 more.
    slates = fill_by_rank(provider, gain, caps, 2, worst_off_first=True)
    assert slates.tolist() == [[0, 2], [2, 0]]
    # Best-off first: user 0 takes column 1 from provider 0, and user 1 is left with column 3.
    slates = fill_by_rank(provider, gain, caps, 2, worst_off_first=False)
    assert slates.tolist() == [[0, 1], [2, 3]]


def test_open_positions_go_to_the_least_exposed_provider() -> None:
    # Nobody may have anything: both positions are filled at the end, rank by rank.
    provider = np.array([[0, 0, 1, 1]])
    gain = np.array([[4.0, 3.0, 2.0, 1.0]])
    slates = fill_by_rank(provider, gain, np.array([0.0, 0.0, np.inf, 0.0]), 3, True)
    # Equal exposure resolves to the better item; then 0 has 0.4693, 1 has 0.2961; then 1 has more.
    assert slates.tolist() == [[0, 2, 3]]


def test_exposure_follows_the_number_of_items(make_pools, catalogue, knowledge) -> None:
    pools = make_pools(400, 120)
    shares = {}
    for strictness in (0.0, 1.0):
        config = TFROMOfflineConfig(strictness=strictness)
        items = config.make(knowledge).rerank(pools, 6, np.random.default_rng(0)).items
        exposure = exposure_of(catalogue, "popularity", items)
        shares[strictness] = exposure / exposure.sum()
    head_items = 24 / 120
    assert shares[0.0][0] > 2 * head_items
    assert shares[1.0][0] == pytest.approx(head_items, abs=0.001)


def test_exposure_follows_relevance_where_quality_is_asked_for(make_pools, catalogue, knowledge):
    pools = make_pools(400, 120)
    config = TFROMOfflineConfig(fairness="quality")
    items = config.make(knowledge).rerank(pools, 6, np.random.default_rng(0)).items
    exposure = exposure_of(catalogue, "popularity", items)
    head = catalogue.groups["popularity"].mask("head")[pools.items]
    merit = relevance(pools)
    expected = merit[head].sum() / merit.sum()
    assert exposure[0] / exposure.sum() == pytest.approx(expected, abs=0.001)
    assert expected > 24 / 120 + 0.02


def test_no_provider_passes_its_cap_while_all_positions_find_an_item(
    make_pools, catalogue, knowledge
) -> None:
    pools = make_pools(50, 120)
    for strictness in (0.5, 0.9):
        config = TFROMOfflineConfig(strictness=strictness)
        items = config.make(knowledge).rerank(pools, 5, np.random.default_rng(0)).items
        caps = np.array([24, 96]) / 120 * 50 / strictness
        assert (exposure_of(catalogue, "popularity", items) <= caps + 1e-6).all()


def test_items_of_no_known_provider_are_never_held_back(make_pools, catalogue, knowledge) -> None:
    pools = make_pools(20, 30)
    pools.items[:, 0] = 5  # the item without an era
    pools.items[:, 1:][pools.items[:, 1:] == 5] = 6
    config = TFROMOfflineConfig(attribute="era")
    slates = config.make(knowledge).rerank(pools, 3, np.random.default_rng(0))
    assert (slates.items[:, 0] == 5).all()


def test_serving_the_worst_off_first_spreads_the_loss(make_pools, catalogue, knowledge) -> None:
    # Twelve providers of ten items each; the popular items, which all users want, are the first's.
    pools = make_pools(300, 120)
    providers = Groups("provider", tuple(f"p{p}" for p in range(12)), np.arange(120) // 10)
    known = replace(knowledge, catalogue=replace(catalogue, groups={"provider": providers}))
    gain, discount = relevance(pools), position_discount(6)
    ideal = gain[:, :6] @ discount  # the pools come best first

    def spread(first) -> float:
        reranker = TFROMOfflineConfig(attribute="provider", first=first).make(known)
        columns = reranker.rerank(pools, 6, np.random.default_rng(0)).columns
        return float((np.take_along_axis(gain, columns, axis=1) @ discount / ideal).std())

    assert spread("worst-off") < 0.8 * spread("best-off")


def test_pools_without_any_relevance_share_by_number_of_items(make_pools, knowledge) -> None:
    pools = make_pools(6, 20)
    pools.scores[:] = 1.0
    slates = [
        TFROMOfflineConfig(fairness=fairness)
        .make(knowledge)
        .rerank(pools, 4, np.random.default_rng(0))
        .columns.tolist()
        for fairness in ("uniform", "quality")
    ]
    assert slates[0] == slates[1]


@pytest.mark.parametrize(
    "values", [{"strictness": 1.5}, {"fairness": "merit"}, {"first": "me"}, {"relevance": "log"}]
)
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        TFROMOfflineConfig(**values)


def test_an_unknown_attribute_is_named(knowledge) -> None:
    with pytest.raises(InvalidValue, match="colour"):
        TFROMOfflineConfig(attribute="colour").make(knowledge)
