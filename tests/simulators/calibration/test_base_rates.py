import numpy as np
import pytest
from fairloop.simulators.calibration.base_rates import fit_base_rates
from fairloop.simulators.calibration.click_table import tabulate
from fairloop.simulators.choice import discount
from fairloop.simulators.impressions import ImpressionLog

from benchmarks.peers import plain_calibration


def log_of(odds: np.ndarray, n: int, k: int = 4, seed: int = 0) -> ImpressionLog:
    rng = np.random.default_rng(seed)
    item, position = rng.integers(0, len(odds), n), rng.integers(1, k + 1, n)
    p = discount(k, 1.0)[position - 1] / (1.0 + np.exp(-odds[item]))
    ids = np.arange(len(odds)).astype(str)
    return ImpressionLog(ids, item, position, rng.random(n) < p, np.arange(n))


@pytest.mark.parametrize(("mean", "spread"), [(-1.0, 1.0), (-4.0, 0.7), (0.5, 1.5)])
def test_mean_and_spread_are_recovered(mean: float, spread: float) -> None:
    odds = np.random.default_rng(1).normal(mean, spread, 400)
    looks = discount(4, 1.0).astype(float)
    base = fit_base_rates(tabulate(log_of(odds, 120_000))[0], looks)
    assert abs(base.mean - odds.mean()) < 0.1
    assert abs(base.spread - odds.std()) < 3 * base.spread_error * base.spread
    assert base.attraction == pytest.approx((1 / (1 + np.exp(-odds))).mean(), rel=0.06)
    z = (base.item_mean - odds[base.items]) / base.item_error
    assert 0.85 < z.std() < 1.15  # the errors are as large as they say
    assert abs(z.mean()) < 0.25


def test_items_that_do_not_differ_have_no_spread() -> None:
    base = fit_base_rates(
        tabulate(log_of(np.full(200, -1.0), 40_000))[0], discount(4, 1.0).astype(float)
    )
    assert base.spread < 0.15
    assert base.item_mean.std() < 0.05


def test_the_likelihood_is_that_of_a_fine_grid_and_its_top_is_found() -> None:
    odds = np.random.default_rng(2).normal(-0.5, 1.0, 25)
    log = log_of(odds, 1_500)
    looks = discount(4, 1.0).astype(float)
    base = fit_base_rates(tabulate(log)[0], looks)
    shown, clicked = np.zeros((25, 4)), np.zeros((25, 4))
    np.add.at(shown, (log.item, log.position - 1), 1)
    np.add.at(clicked, (log.item, log.position - 1), log.clicked)

    def exact(mean: float, spread: float) -> float:
        return plain_calibration.marginal_log_likelihood(shown, clicked, looks, mean, spread)

    best = exact(base.mean, base.spread)
    for mean, spread in ((0.05, 1.0), (-0.05, 1.0), (0.0, 1.08), (0.0, 0.92)):
        assert exact(base.mean + mean, base.spread * spread) < best


def test_what_was_lost_to_repetition_is_given_back() -> None:
    odds = np.random.default_rng(3).normal(-1.0, 0.8, 100)
    looks = discount(4, 1.0).astype(float)
    table, _ = tabulate(log_of(odds - 0.7, 80_000))
    tired = fit_base_rates(table, looks)
    rested = fit_base_rates(table, looks, np.full(len(table.shown), 0.7))
    assert rested.mean - tired.mean == pytest.approx(0.7, abs=0.01)
    assert np.allclose(rested.item_mean - tired.item_mean, 0.7, atol=0.01)


def test_rare_items_together_have_the_rate_that_they_had() -> None:
    """The mean of what is believed of many items with few impressions is not biased."""
    odds = np.random.default_rng(4).normal(-2.0, 1.2, 4_000)
    looks = discount(4, 1.0).astype(float)
    log = log_of(odds, 60_000)
    base = fit_base_rates(tabulate(log)[0], looks)
    place = np.searchsorted(base.items, log.item)
    expected = float((base.item_rate[place] * looks[log.position - 1]).sum())
    assert expected == pytest.approx(log.clicked.sum(), rel=0.01)
    of_means = float((1 / (1 + np.exp(-base.item_mean[place])) * looks[log.position - 1]).sum())
    assert of_means < 0.95 * log.clicked.sum()
