"""Intervals of many statistics together, and two methods compared on the same users."""

from itertools import product

import numpy as np
import pytest
from fairloop.errors import EmptyData, InvalidValue
from fairloop.metrics import bootstrap, comparison, terms
from fairloop.metrics.comparison import compare
from fairloop.metrics.diversity import gini
from fairloop.metrics.item_statistics import (
    coverage_of,
    gini_of,
    inequity_of,
    parity_of,
    popularity_lift_of,
    shown_matrix,
    treatment_parity_of,
    worst_half_of,
)
from fairloop.metrics.measure import measure
from fairloop.metrics.permutation import holm
from fairloop.metrics.terms import Terms, TermStack, mean_terms, ratio_terms


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- terms


def test_terms_under_counts_are_the_statistic_of_the_drawn_users() -> None:
    lists = rng(1).integers(0, 15, size=(40, 4))
    values = np.where(rng(2).random(40) < 0.2, np.nan, rng(3).random(40))
    stack = TermStack([gini_of(shown_matrix(lists, 15)), mean_terms(values)])
    counts = np.concatenate(list(bootstrap.resampling_counts(40, 8, rng(4))))
    for row, (g, m) in zip(counts, stack.at(counts), strict=True):
        drawn = np.repeat(np.arange(40), row.astype(int))
        assert g == pytest.approx(gini(np.bincount(lists[drawn].ravel(), minlength=15)))
        assert m == pytest.approx(np.nanmean(values[drawn]))


def test_wide_terms_are_reduced_in_blocks(monkeypatch) -> None:
    stack = TermStack([gini_of(shown_matrix(rng(1).integers(0, 15, size=(40, 4)), 15))])
    weights = rng(2).random((9, 40))
    whole = stack.at(weights)
    monkeypatch.setattr(terms, "_CELLS_AT_ONCE", 30)
    np.testing.assert_allclose(stack.at(weights), whole, rtol=1e-12)


def test_users_who_do_not_count_leave_no_trace() -> None:
    values = np.array([1.0, np.nan, 3.0])
    assert mean_terms(values).value == 2.0
    assert mean_terms(values).keep(np.array([True, True, False])).value == 1.0
    assert ratio_terms(values, np.array([2.0, 5.0, np.nan])).value == 0.5
    assert np.isnan(mean_terms(np.array([np.nan])).value)
    sparse = gini_of(shown_matrix(np.array([[0], [1], [1]]), 2))
    assert sparse.keep(np.array([True, True, False])).value == 0.0
    assert sparse.take(np.array([1, 2])).value == 0.5


def test_terms_refuse_what_does_not_fit() -> None:
    with pytest.raises(InvalidValue, match="shape"):
        mean_terms(np.ones((2, 2)))
    with pytest.raises(EmptyData, match="terms"):
        TermStack([])
    with pytest.raises(InvalidValue, match="users"):
        TermStack([mean_terms(np.ones(2)), mean_terms(np.ones(3))])


# --- statistics of items, by hand


def test_statistics_of_groups_of_items_by_hand() -> None:
    by_group = np.array([[2.0, 1.0, 0.0], [2.0, 3.0, 0.0]])
    assert parity_of(by_group, np.array([2, 1, 0])).value == pytest.approx(2 / 4)
    assert worst_half_of(by_group, np.array([2, 1, 5])).value == 0.0
    assert worst_half_of(by_group, np.array([2, 1, 0])).value == pytest.approx(4 / 8)
    relevance = np.array([[1.0, 4.0, 0.0], [1.0, 0.0, 0.0]])
    # 4 / 2 against 4 / 4; the third group is relevant to nobody and left out
    assert treatment_parity_of(by_group, relevance).value == pytest.approx(1 / 2)
    with pytest.raises(EmptyData, match="two groups"):
        parity_of(by_group, np.array([2, 0, 0]))
    with pytest.raises(InvalidValue, match="pair up"):
        treatment_parity_of(by_group, relevance[:, :2])


def test_statistics_of_items_by_hand() -> None:
    # METRICS: attention 1.5, 0.5 against relevance 2, 2
    attention = shown_matrix(np.array([[0], [0], [0], [1]]), 2)
    relevance = shown_matrix(np.array([[0, 1]] * 4), 2)
    assert inequity_of(attention, relevance).value == pytest.approx(0.25 + 0.25)
    assert coverage_of(attention).value == 1.0
    lift = popularity_lift_of(np.array([75.0, 52.5, np.nan]), np.array([55.0, 27.5, 9.0]))
    assert lift.value == pytest.approx(0.545455, abs=1e-6)
    with pytest.raises(InvalidValue, match="pair up"):
        inequity_of(attention, shown_matrix(np.array([[0]]), 2))


# --- intervals


def test_one_measurement_equals_the_single_interval() -> None:
    values = np.where(rng(1).random(300) < 0.1, np.nan, rng(2).random(300))
    together = measure({"a": values}, 400, rng(3))["a"]
    alone = bootstrap.mean_interval(values, 400, rng(4))
    assert together.value == pytest.approx(alone.value)
    assert together.low == pytest.approx(alone.low, abs=0.01)
    assert together.high == pytest.approx(alone.high, abs=0.01)


def test_measurements_share_their_users_and_hold_their_values() -> None:
    lists = (rng(3).pareto(1.0, size=(300, 5)) * 20).astype(int) % 300
    values = rng(1).random(300)
    statistics = {
        "x": values,
        "again": values,
        "twice": 2 * values,
        "gini": gini_of(shown_matrix(lists, 300)),
        "nothing": np.full(300, np.nan),
    }
    out = measure(statistics, 200, rng(2))
    assert list(out) == ["x", "again", "twice", "gini", "nothing"]
    assert out["x"] == out["again"]
    assert out["twice"].low == pytest.approx(2 * out["x"].low)
    assert out["gini"].low < out["gini"].value < out["gini"].high
    assert np.isnan(out["nothing"]).all()


# --- comparison


def enumerated(before: Terms, after: Terms) -> float:
    """Share of all 2^U swaps with a change at least as large."""
    n = before.n_users
    observed = abs(after.value - before.value)
    left, right = np.asarray(before.columns), np.asarray(after.columns)
    as_large = 0
    for swapped in product([False, True], repeat=n):
        s = np.array(swapped)[:, None]
        new = after.reduce(np.where(s, left, right).sum(axis=0))
        old = before.reduce(np.where(s, right, left).sum(axis=0))
        as_large += abs(new - old) >= observed - 1e-12
    return as_large / 2**n


@pytest.mark.parametrize("seed", range(3))
def test_p_values_are_those_of_all_swaps(seed: int) -> None:
    values = rng(seed).random((4, 7))
    before = {"mean": mean_terms(values[0]), "ratio": ratio_terms(values[0], values[1])}
    after = {"mean": mean_terms(values[2] + 0.3), "ratio": ratio_terms(values[2] + 0.3, values[3])}
    out = compare(before, after, 10, 6000, rng(seed + 10))
    for name, difference in out.items():
        exact = enumerated(before[name], after[name])
        assert difference.p_value == pytest.approx(exact, abs=0.03)
        assert difference.change == pytest.approx(after[name].value - before[name].value)


def test_many_statistics_are_compared_together() -> None:
    n = 400
    common = rng(1).random(n)
    lists = rng(2).integers(0, 50, size=(2, n, 5))
    lists[1] //= 2  # the second method shows half of the catalogue
    before = {"up": common, "same": common, "gini": gini_of(shown_matrix(lists[0], 50))}
    after = {
        "up": common + 0.05 + 0.1 * rng(3).normal(size=n),
        "same": common + 0.1 * rng(4).normal(size=n),
        "gini": gini_of(shown_matrix(lists[1], 50)),
    }
    out = compare(before, after, 500, 999, rng(5))
    single = bootstrap.paired_difference(common, after["up"], 500, rng(6))
    assert out["up"].change == pytest.approx(single.value)
    assert out["up"].low == pytest.approx(single.low, abs=0.003)
    assert out["up"].p_value == out["gini"].p_value == pytest.approx(1 / 1000)
    assert out["same"].p_value > 0.05
    assert out["gini"].low > 0.2
    adjusted = holm(np.array([d.p_value for d in out.values()]))
    assert [d.p_holm for d in out.values()] == adjusted.tolist()


def test_users_without_a_value_under_either_method_are_left_out() -> None:
    before = np.array([1.0, 2.0, np.nan, 4.0] * 10)
    after = np.array([1.5, np.nan, 3.0, 4.5] * 10)
    out = compare({"x": before}, {"x": after}, 20, 50, rng())["x"]
    assert out.before == pytest.approx(2.5)
    assert out.change == pytest.approx(0.5) == out.low == out.high
    nothing = np.full(40, np.nan)
    empty = compare({"x": before}, {"x": nothing}, 20, 50, rng())["x"]
    assert np.isnan([empty.before, empty.change, empty.low]).all() and empty.p_value == 1.0


def test_equal_methods_do_not_differ_and_equal_seeds_give_equal_results(monkeypatch) -> None:
    values = rng(1).random(60)
    same = compare({"x": values}, {"x": values.copy()}, 50, 99, rng())["x"]
    assert same.change == same.low == same.high == 0.0 and same.p_value == 1.0
    other = rng(2).random(60)
    first = compare({"x": values}, {"x": other}, 50, 99, rng(3))
    assert first == compare({"x": values}, {"x": other}, 50, 99, rng(3))
    monkeypatch.setattr(comparison, "_CELLS_AT_ONCE", 60 * 7)
    assert first == compare({"x": values}, {"x": other}, 50, 99, rng(3))


def test_a_swap_test_of_a_nonlinear_statistic_keeps_its_level() -> None:
    """400 trials without a difference: 5 % reject 3–8 % of the time."""
    rejected = 0
    for seed in range(400):
        draw = rng(seed)
        taste = draw.dirichlet(np.full(20, 0.5))
        lists = draw.choice(20, size=(2, 80, 3), p=taste)
        a, b = (gini_of(shown_matrix(rows, 20)) for rows in lists)
        rejected += compare({"g": a}, {"g": b}, 2, 99, draw)["g"].p_value <= 0.05
    assert 0.03 <= rejected / 400 <= 0.08


def test_methods_that_do_not_pair_up_are_refused() -> None:
    x = rng().random(5)
    with pytest.raises(InvalidValue, match="one side"):
        compare({"x": x}, {"y": x}, 10, 10, rng())
    with pytest.raises(InvalidValue, match="same users"):
        compare({"x": x}, {"x": x[1:]}, 10, 10, rng())
    with pytest.raises(InvalidValue, match="same users"):
        compare({"x": x}, {"x": gini_of(shown_matrix(np.zeros((5, 1), int), 9))}, 10, 10, rng())
    with pytest.raises(InvalidValue, match="n_swaps"):
        compare({"x": x}, {"x": x}, 10, 0, rng())
