"""The equations of providers, by hand and by frequency."""

import numpy as np
import pytest
from fairloop.simulators.market.config import (
    DepartureConfig,
    ProductionConfig,
    ProviderConfig,
)
from fairloop.simulators.market.providers import (
    Providers,
    departure_probability,
    pace,
    shortfall,
)
from hypothesis import given
from hypothesis import strategies as st

AMOUNTS = st.floats(0.0, 100.0)


def entered(n: int, config: ProviderConfig, seed: int = 0, need: float = 2.0) -> Providers:
    providers = Providers(np.full(n, need), config, seed)
    providers.entered[:] = True
    return providers


@given(AMOUNTS, AMOUNTS, st.floats(0.01, 10.0))
def test_shortfall_is_a_share_and_falls_with_receipts(a: float, b: float, need: float) -> None:
    low, high = shortfall(np.array([min(a, b), max(a, b)]), np.full(2, need))
    assert 0.0 <= high <= low <= 1.0
    assert shortfall(np.array([need]), np.array([need])) == 0.0


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 5.0), st.floats(0.0, 1.0))
def test_leaving_is_a_probability_that_rises_with_the_shortfall(
    a: float, b: float, steepness: float, rate: float
) -> None:
    config = DepartureConfig(rate=rate, steepness=steepness)
    low, high = departure_probability(np.array([min(a, b), max(a, b)]), config)
    assert 0.0 <= low <= high <= rate


def test_the_threshold_rule_is_a_special_case() -> None:
    rule = DepartureConfig(rate=1.0, steepness=0.0)
    assert departure_probability(np.array([0.0, 1e-9, 1.0]), rule).tolist() == [0.0, 1.0, 1.0]


def test_a_day_by_hand() -> None:
    config = ProviderConfig(half_life=1.0, departure=DepartureConfig(enabled=False))
    providers = entered(2, config, need=2.0)
    providers.pass_day(0, np.array([0.0, 6.0]))
    np.testing.assert_allclose(providers.memory, [0.5 * 2.0, 0.5 * 2.0 + 0.5 * 6.0])
    np.testing.assert_allclose(providers.shortfall, [1 - 1.0 / 2.0, 0.0])
    np.testing.assert_allclose(providers.clock, [1 - 0.5, 1.0])
    # log2(1 + 1/2) and log2(1 + 4/2)
    assert providers.welfare() == pytest.approx((np.log2(1.5) + np.log2(3.0)) / 2)


def test_leaving_comes_at_its_rate_and_is_for_good() -> None:
    config = ProviderConfig(half_life=0.1, departure=DepartureConfig(rate=0.3))
    providers = entered(20_000, config)
    first = providers.pass_day(0, np.zeros(20_000))
    lacking = 1 - 0.5**10
    assert first.mean() == pytest.approx(0.3 * lacking, abs=4 * (0.21 / 20_000) ** 0.5)
    again = providers.pass_day(1, np.full(20_000, 99.0))
    assert not again.any() and (providers.viable == ~first).all()


def test_nobody_is_in_want_before_entering() -> None:
    providers = Providers(np.ones(50), ProviderConfig(departure=DepartureConfig(rate=1.0)))
    for day in range(20):
        assert not providers.pass_day(day, np.zeros(50)).any()
    assert providers.shortfall.max() == 0.0 and providers.clock.min() == 20.0


def test_each_dynamic_switches_off_on_its_own() -> None:
    lacking = np.array([0.0, 0.4, 1.0])
    assert departure_probability(lacking, DepartureConfig(enabled=False)).max() == 0.0
    np.testing.assert_array_equal(pace(lacking, ProductionConfig(enabled=False)), 1.0)
    np.testing.assert_allclose(pace(lacking, ProductionConfig(slowdown=0.5)), [1.0, 0.8, 0.5])


def test_needs_differ_by_the_spread_alone_and_luck_by_episode() -> None:
    same = Providers(np.ones(4000), ProviderConfig(), seed=1)
    apart = Providers(np.ones(4000), ProviderConfig(need_spread=0.5), seed=1)
    assert set(same.need) == {1.0}
    assert np.log(apart.need).std() == pytest.approx(0.5, rel=0.05)
    left = []
    for episode in (0, 1, 0):
        providers = entered(300, ProviderConfig(departure=DepartureConfig(rate=1.0)))
        providers.reset(episode)
        providers.entered[:] = True
        left.append(providers.pass_day(0, np.zeros(300)).tolist())
    assert left[0] == left[2] != left[1]
