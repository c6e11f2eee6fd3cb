import sys
from dataclasses import replace

import numpy as np
import pytest
from fairloop.errors import EmptyData, InvalidValue, NotIdentified
from fairloop.simulators.calibration.click_table import ClickTable, split_cells, tabulate
from fairloop.simulators.calibration.open_bandit import read_open_bandit
from fairloop.simulators.calibration.position_bias import (
    PositionBias,
    fit_exponent,
    fit_position_bias,
)
from fairloop.simulators.calibration.regression_em import (
    log_likelihood,
    regression_em,
    relative_click_rates,
)
from fairloop.simulators.choice import discount
from fairloop.simulators.config import ChoiceConfig, WorldConfig
from fairloop.simulators.impressions import ImpressionLog

from benchmarks.peers import plain_calibration


def table_of(shown: np.ndarray, clicked: np.ndarray) -> ClickTable:
    """Counts of (items, positions) as a table."""
    item, position = np.nonzero(shown)
    return ClickTable(
        unit=item,
        position=position,
        shown=shown[item, position].astype(float),
        clicked=clicked[item, position].astype(float),
        unit_item=np.arange(len(shown)),
        features=np.zeros((len(shown), 0)),
        n_positions=shown.shape[1],
    )


def drawn_counts(
    theta: np.ndarray, gamma: np.ndarray, n: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shown = rng.integers(n // 2, n, (len(gamma), len(theta)))
    return shown, rng.binomial(shown, gamma[:, None] * theta)


def personal_log(with_score: bool, n_slates: int = 6_000, seed: int = 0) -> ImpressionLog:
    """Users have tastes of their own, and a ranker that knows them puts what they like on top."""
    rng = np.random.default_rng(seed)
    n_items, k, pool = 150, 8, 24
    item = rng.integers(0, n_items, (n_slates, pool))
    odds = rng.normal(-1.0, 0.7, n_items)[item] + rng.normal(0.0, 1.0, item.shape)
    score = odds + rng.normal(0.0, 1.0, item.shape)
    top = np.argsort(-(score + rng.gumbel(size=score.shape)), axis=1)[:, :k]
    odds, score = (np.take_along_axis(a, top, 1) for a in (odds, score))
    clicked = rng.random(odds.shape) < discount(k, 1.0) / (1.0 + np.exp(-odds))
    return ImpressionLog(
        item_ids=np.arange(n_items).astype(str),
        item=np.take_along_axis(item, top, 1).ravel(),
        position=np.tile(np.arange(1, k + 1), n_slates),
        clicked=clicked.ravel(),
        slate=np.repeat(np.arange(n_slates), k),
        score=score.ravel() if with_score else None,
    )


def by_method(bias: PositionBias) -> dict[str, np.ndarray]:
    return {estimate.method: estimate.value for estimate in bias.estimates}


@pytest.mark.parametrize("seed", range(3))
def test_the_fixed_point_is_that_of_plain_em(seed: int) -> None:
    theta, gamma = np.array([1.0, 0.7, 0.45, 0.3]), np.array([0.1, 0.25, 0.4, 0.6, 0.8])
    shown, clicked = drawn_counts(theta, gamma, 400, seed)
    plain_theta, plain_gamma = plain_calibration.em(shown, clicked)
    model = regression_em(table_of(shown, clicked), item_spread=1e3)
    assert model.converged and model.steps < 200
    assert np.allclose(model.examination, plain_theta, atol=1e-4)
    assert np.allclose(model.attraction, plain_gamma, atol=1e-4)


def test_no_neighbour_has_a_higher_likelihood() -> None:
    shown, clicked = drawn_counts(np.array([1.0, 0.6, 0.5]), np.linspace(0.1, 0.7, 6), 300, 1)
    table = table_of(shown, clicked)
    model = regression_em(table, item_spread=1e3)
    best = log_likelihood(table, model.examination, model.attraction)
    rng = np.random.default_rng(0)
    for _ in range(50):
        theta = model.examination * np.exp(0.01 * rng.standard_normal(3))
        gamma = model.attraction * np.exp(0.01 * rng.standard_normal(6))
        assert log_likelihood(table, theta, np.minimum(gamma, 0.999)) < best + 1e-6


def test_rare_clicks_do_not_slow_it_down() -> None:
    """Plain EM needs of the order of 1 / CTR steps; here a few dozen must do."""
    shown, clicked = drawn_counts(np.array([1.0, 0.6, 0.4]), np.full(30, 0.004), 20_000, 2)
    model = regression_em(table_of(shown, clicked))
    assert model.converged and model.steps < 100
    assert np.allclose(model.examination, [1.0, 0.6, 0.4], atol=0.08)


@pytest.mark.parametrize("greed", [0.0, 4.0])
@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_known_examination_is_recovered_from_the_engine(
    known_world, engine_log, greed: float, exponent: float
) -> None:
    choice = ChoiceConfig(position_bias=exponent)
    config = WorldConfig.static().model_copy(update={"choice": choice})
    log = engine_log(known_world(config, 300, 80), greed)  # 90,000 impressions
    bias = fit_position_bias(log, randomised=greed == 0.0)
    truth = discount(10, exponent)
    assert np.abs(by_method(bias)["regression-em"] - truth).max() < 0.05
    assert abs(bias.exponent - exponent) < 0.04
    assert bias.exponent_low - 0.02 < exponent < bias.exponent_high + 0.02
    em = bias.estimates[0]
    inside = (em.low <= truth + 1e-6) & (truth <= em.high + 1e-6)
    assert inside.sum() >= 6  # 95% each, and all share position 1
    if greed:
        naive = np.abs(by_method(bias)["naive"] - truth)[1:].mean()
        assert naive > 2 * np.abs(by_method(bias)["regression-em"] - truth)[1:].mean()
    else:
        assert bias.disagreement is not None and bias.disagreement < 3.5


def test_the_rankers_score_takes_personal_confounding_away() -> None:
    truth = discount(8, 1.0)
    error = {
        known: np.abs(
            regression_em(tabulate(personal_log(known))[0]).examination - truth
        )[1:].mean()
        for known in (False, True)
    }  # fmt: skip
    assert error[False] > 0.035  # items alone cannot explain it
    assert error[True] < 0.4 * error[False]


def test_weights_undo_a_policy_with_known_propensities() -> None:
    rng = np.random.default_rng(3)
    n, n_items = 30_000, 10
    gamma, theta = np.linspace(0.05, 0.6, n_items), np.array([1.0, 0.5])
    position = rng.integers(1, 3, n)
    # the second position shows good items far more often
    law = np.stack([np.full(n_items, 0.1), np.exp(3 * gamma) / np.exp(3 * gamma).sum()])
    item = (rng.random((n, 1)) > np.cumsum(law, axis=1)[position - 1]).sum(axis=1)
    clicked = rng.random(n) < gamma[item] * theta[position - 1]
    log = ImpressionLog(
        item_ids=np.arange(n_items).astype(str),
        item=item,
        position=position,
        clicked=clicked,
        slate=np.arange(n),
        propensity_item=law[position - 1, item],
    )
    found = by_method(fit_position_bias(log))
    assert found["naive"][1] > 0.6
    assert abs(found["randomised"][1] - 0.5) < 0.03
    assert abs(found["regression-em"][1] - 0.5) < 0.03


def test_certain_choices_are_no_experiment(known_world, engine_log) -> None:
    log = engine_log(known_world(WorldConfig.static(), 60, 40))
    certain = replace(log, propensity_item=np.ones(len(log)))
    assert "randomised" not in by_method(fit_position_bias(certain))


def test_position_confounded_with_item_is_refused() -> None:
    n = 4_000
    item = np.arange(n) % 4
    log = ImpressionLog(
        item_ids=np.array(list("abcd")),
        item=item,
        position=item + 1,
        clicked=np.random.default_rng(0).random(n) < 0.4,
        slate=np.arange(n),
    )
    with pytest.raises(NotIdentified, match="no clicked one links positions 2, 3, 4") as caught:
        fit_position_bias(log)
    assert caught.value.field == "position" and caught.value.mend
    # one item at two positions links these two, and the others stay apart
    swapped = replace(log, position=np.where(np.arange(n) == 4, 2, log.position))
    with pytest.raises(NotIdentified, match="positions 3, 4"):
        relative_click_rates(tabulate(replace(swapped, clicked=np.ones(n, bool)))[0])
    with pytest.raises(NotIdentified, match="at position 1"):
        fit_position_bias(replace(log, position=np.ones(n, int)))
    with pytest.raises(EmptyData):
        fit_position_bias(replace(log, clicked=np.zeros(n, bool)))


def test_intervals_cover_as_often_as_they_say() -> None:
    """Item-adjusted and randomised intervals of one position, over repeated logs."""
    inside = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = 2_000
        position = rng.integers(1, 3, n)
        log = ImpressionLog(
            item_ids=np.array(["a", "b", "c"]),
            item=rng.integers(0, 3, n),
            position=position,
            clicked=rng.random(n) < np.where(position == 1, 0.3, 0.18),
            slate=np.arange(n),
        )
        em = fit_position_bias(log, randomised=True, seed=seed, groups=20).estimates[0]
        inside += bool(em.low[1] <= 0.6 <= em.high[1])
    assert inside >= 16  # 95% of 20 is 19, standard deviation 1


def test_the_exponent_of_a_curve_is_found_and_unsure_positions_count_less() -> None:
    curve = np.log(discount(10, 1.7).astype(float))
    assert fit_exponent(curve, np.full(10, 100.0)) == pytest.approx(1.7, abs=1e-6)
    off = curve.copy()
    off[9] = 0.0
    few = np.array([100.0] * 9 + [4.0])
    assert fit_exponent(off, few) == pytest.approx(1.7, abs=1e-6)
    with pytest.raises(NotIdentified):
        fit_exponent(curve[:2], np.array([100.0, 0.0]))


def test_split_cells_hold_the_same_rows(static_log: ImpressionLog) -> None:
    table, row_cell = tabulate(static_log)
    by = np.random.default_rng(0).random(len(static_log))
    split, mean = split_cells(table, row_cell, static_log.clicked, by)
    for values in ("shown", "clicked"):
        cells = np.stack([split.unit * table.n_positions + split.position])[0]
        whole = table.unit * table.n_positions + table.position
        summed = np.bincount(cells, getattr(split, values), whole.max() + 1)[whole]
        assert np.array_equal(summed, getattr(table, values))
    assert float(split.shown @ mean) == pytest.approx(by.sum())


@pytest.mark.parametrize("campaign", ["all", "men", "women"])
def test_on_the_open_bandit_sample_both_estimates_agree(campaign: str) -> None:
    found = read_open_bandit("random", campaign)
    assert "obp" not in sys.modules
    log = found.log
    assert len(log) == 10_000 and log.n_positions == 3
    assert log.propensity_item is not None
    assert np.allclose(log.propensity_item, 1 / log.n_items)
    bias = fit_position_bias(log, found.item_features)
    em, randomised = bias.estimates[:2]
    assert (em.method, randomised.method) == ("regression-em", "randomised")
    for one, other in ((em, randomised), (randomised, em)):
        assert ((other.low <= one.value) & (one.value <= other.high))[1:].all()
    assert bias.disagreement is not None and bias.disagreement < 2.24
    rate = log.clicked[log.position == 2].mean() / log.clicked[log.position == 1].mean()
    assert randomised.value[1] == pytest.approx(rate)


def test_an_unknown_open_bandit_log_is_named() -> None:
    with pytest.raises(InvalidValue, match="no log random/kids") as caught:
        read_open_bandit("random", "kids")
    assert "women" in str(caught.value.mend)
