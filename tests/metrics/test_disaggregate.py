"""Disaggregation against a plain mask, its small cells, and its uncertainty."""

import numpy as np
import pytest
import scipy.sparse as sp
from fairloop.arrays import MISSING
from fairloop.errors import EmptyData, InvalidValue
from fairloop.metrics import by_group, diversity, exposure
from fairloop.metrics.disaggregate import disaggregate, disaggregate_items
from fairloop.metrics.intersections import Cells, intersect
from fairloop.metrics.item_statistics import gini_of, popularity_lift_of, shown_matrix
from fairloop.metrics.permutation import gap_test, sign_flip_test
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_metrics


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def people(seed: int, n: int = 200, n_groups: int = 4) -> tuple[np.ndarray, Cells]:
    """Values with gaps, and groups of very different sizes with some unknown."""
    r = rng(seed)
    values = np.where(r.random(n) < 0.1, np.nan, r.normal(size=n))
    codes = r.choice(n_groups + 1, size=n, p=[0.5, 0.3, 0.1, 0.05, 0.05]) - 1
    return values, Cells(tuple("abcd"), codes)


# --- the mask oracle


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_values_are_those_of_a_plain_mask(seed: int, minimum: int) -> None:
    values, groups = people(seed)
    out = disaggregate(values, groups, minimum=minimum)

    def mean(mask: np.ndarray) -> float:
        return float(np.nanmean(values[mask])) if np.isfinite(values[mask]).any() else np.nan

    plain = np.array(plain_metrics.by_group(mean, groups.codes, 4))
    counts = [np.count_nonzero(np.isfinite(values) & (groups.codes == g)) for g in range(4)]
    assert out.counts.tolist() == counts
    assert out.hidden.tolist() == [c < minimum for c in counts]
    np.testing.assert_allclose(out.values, np.where(out.hidden, np.nan, plain))
    assert out.overall == pytest.approx(np.nanmean(values))
    shown = plain[~out.hidden]
    if len(shown) >= 2:
        assert out.gap == pytest.approx(shown.max() - shown.min())
    else:
        assert np.isnan(out.gap) and np.isnan(out.ratio)


@pytest.mark.parametrize("dense", [True, False])
def test_statistics_that_are_no_means_are_taken_over_each_groups_users(dense: bool) -> None:
    lists = rng(1).integers(0, 30, size=(120, 5))
    groups = Cells(("a", "b"), rng(2).integers(0, 2, size=120))
    terms = gini_of(shown_matrix(lists, 30))
    if dense:
        terms = type(terms)(terms.columns.toarray(), terms.reduce, terms.known, terms.centred)

    def gini(mask: np.ndarray) -> float:
        return float(diversity.gini(np.bincount(lists[mask].ravel(), minlength=30)))

    out = disaggregate(terms, groups)
    np.testing.assert_allclose(out.values, plain_metrics.by_group(gini, groups.codes, 2))
    assert out.overall == pytest.approx(gini(np.ones(120, dtype=bool)))


def test_items_are_compared_by_what_they_receive_on_average() -> None:
    lists = rng(3).integers(-1, 20, size=(50, 6))
    codes = rng(4).integers(-1, 3, size=20)
    out = disaggregate_items(
        exposure.exposure_matrix(lists, 20), Cells(tuple("abc"), codes), minimum=1
    )
    received = exposure.item_exposure(lists, 20) / 50
    plain = plain_metrics.by_group(lambda mask: float(received[mask].mean()), codes, 3)
    np.testing.assert_allclose(out.values, plain)
    assert out.counts.tolist() == np.bincount(codes[codes >= 0], minlength=3).tolist()
    assert out.overall == pytest.approx(received.mean())


# --- small cells


def test_small_groups_are_counted_but_not_shown() -> None:
    values = np.concatenate([np.zeros(30), np.ones(30), np.full(29, 100.0)])
    groups = Cells(("a", "b", "c"), np.repeat([0, 1, 2], [30, 30, 29]))
    options = {"n_bootstrap": 50, "n_permutations": 99, "rng": rng()}
    out = disaggregate(values, groups, **options)
    assert out.counts.tolist() == [30, 30, 29]
    assert out.hidden.tolist() == [False, False, True]
    assert np.isnan([out.values[2], out.low[2], out.high[2]]).all()
    assert out.gap == 1.0  # the hidden 100 neither widens the gap nor enters the test
    assert out.p_value == pytest.approx(1 / 100)
    assert out.overall == pytest.approx(values.mean())


def test_where_all_groups_are_small_nothing_is_compared() -> None:
    values, groups = people(0, n=40)
    out = disaggregate(values, groups, minimum=39, n_bootstrap=20, n_permutations=20, rng=rng())
    assert out.hidden.all() and np.isnan(out.values).all() and np.isnan(out.low).all()
    assert out.p_value is None and np.isfinite(out.overall)


def test_groups_of_one_are_shown_when_asked_for_but_not_tested() -> None:
    groups = Cells(("a", "b"), np.array([0, 1]))
    out = disaggregate(np.array([1.0, 3.0]), groups, minimum=1, n_permutations=9, rng=rng())
    assert out.values.tolist() == [1.0, 3.0] and out.gap == 2.0 and out.p_value is None


# --- uncertainty


def test_the_test_of_means_is_the_studentised_one_over_the_shown_groups() -> None:
    values, groups = people(5, n=600)
    out = disaggregate(values, groups, n_permutations=300, rng=rng(9))
    shown = np.where(out.hidden[groups.codes] | (groups.codes < 0), MISSING, groups.codes)
    test = gap_test(values, shown, 4, 300, rng(9))
    assert out.p_value == test.p_value
    assert out.minimum_detectable == pytest.approx(test.minimum_detectable)
    assert out.gap == pytest.approx(test.gap)


def test_intervals_of_means_are_those_of_normal_theory() -> None:
    values = rng(1).normal(size=3000)
    codes = rng(2).integers(0, 3, size=3000)
    out = disaggregate(values, Cells(tuple("abc"), codes), n_bootstrap=3000, rng=rng(3))
    for g in range(3):
        own = values[codes == g]
        reach = 1.96 * own.std() / np.sqrt(len(own))
        assert out.low[g] == pytest.approx(own.mean() - reach, abs=0.2 * reach)
        assert out.high[g] == pytest.approx(own.mean() + reach, abs=0.2 * reach)


def test_intervals_of_shifted_statistics_hold_their_value() -> None:
    lists = (rng(3).pareto(1.0, size=(400, 5)) * 20).astype(int) % 300
    groups = Cells(("a", "b"), rng(2).integers(0, 2, size=400))
    out = disaggregate(gini_of(shown_matrix(lists, 300)), groups, n_bootstrap=100, rng=rng(4))
    assert (out.low < out.values).all() and (out.values < out.high).all()


def test_the_range_test_keeps_its_level_and_finds_a_gap() -> None:
    """400 trials on statistics that are no means: 5 % reject 3–8 % of the time."""
    n, rejected = 120, 0
    groups = Cells(("a", "b", "c"), np.arange(n) % 3)
    for seed in range(400):
        draw = rng(seed)
        profile = draw.gamma(4.0, size=n)
        lists = profile * draw.gamma(8.0, size=n) / 8.0
        out = disaggregate(popularity_lift_of(lists, profile), groups, n_permutations=99, rng=draw)
        rejected += out.p_value <= 0.05
    assert 0.03 <= rejected / 400 <= 0.08
    apart = lists * np.where(groups.codes == 2, 1.5, 1.0)
    out = disaggregate(popularity_lift_of(apart, profile), groups, n_permutations=199, rng=rng(1))
    assert out.p_value == pytest.approx(1 / 200)


def test_the_range_test_does_not_depend_on_how_terms_are_stored_or_blocked(monkeypatch) -> None:
    from fairloop.metrics import range_test

    lists = rng(1).integers(0, 30, size=(120, 5))
    groups = Cells(("a", "b"), rng(2).integers(0, 2, size=120))
    sparse = gini_of(shown_matrix(lists, 30))
    dense = type(sparse)(sparse.columns.toarray(), sparse.reduce, sparse.known, sparse.centred)
    p = [disaggregate(t, groups, n_permutations=60, rng=rng(5)).p_value for t in (sparse, dense)]
    monkeypatch.setattr(range_test, "_ENTRIES_AT_ONCE", 1000)
    p.append(disaggregate(sparse, groups, n_permutations=60, rng=rng(5)).p_value)
    assert len(set(p)) == 1


def test_items_are_tested_within_users() -> None:
    lists = rng(1).integers(0, 90, size=(300, 5))
    groups = Cells(("a", "b"), np.arange(90) % 2)
    shown = exposure.exposure_matrix(lists, 90)
    out = disaggregate_items(shown, groups, n_bootstrap=200, n_permutations=199, rng=rng(2))
    by_user = exposure.group_exposure(lists, groups.codes, 2) / 45
    test = sign_flip_test(by_user, 199, np.random.default_rng(2))
    assert out.gap == pytest.approx(test.gap)
    assert out.minimum_detectable == pytest.approx(test.minimum_detectable, rel=0.2)
    assert (out.low < out.values).all() and (out.values < out.high).all()


# --- bad input


def test_what_cannot_be_used_is_refused() -> None:
    values, groups = people(0)
    with pytest.raises(InvalidValue, match="rng"):
        disaggregate(values, groups, n_bootstrap=10)
    with pytest.raises(InvalidValue, match="minimum"):
        disaggregate(values, groups, minimum=0)
    with pytest.raises(InvalidValue, match="codes"):
        disaggregate(values[:-1], groups)
    with pytest.raises(InvalidValue, match="group code"):
        disaggregate(values, Cells(("a",), groups.codes))
    with pytest.raises(EmptyData, match="amounts"):
        disaggregate_items(sp.csr_array((0, 3)), Cells(("a",), np.zeros(3, dtype=int)))


# --- intersections


def test_intersections_are_the_product_with_the_last_attribute_fastest() -> None:
    sex = Cells(("F", "M"), np.array([0, 0, 1, 1, -1]))
    age = Cells(("young", "middle", "old"), np.array([0, 2, 0, -1, 1]))
    cells = intersect([sex, age])
    assert cells.names == (
        "F × young",
        "F × middle",
        "F × old",
        "M × young",
        "M × middle",
        "M × old",
    )
    assert cells.codes.tolist() == [0, 2, 3, MISSING, MISSING]
    counts = disaggregate(np.ones(5), cells, minimum=1).counts
    assert counts.tolist() == [1, 0, 1, 1, 0, 0]
    single = intersect([age])
    assert single.names == age.names and single.codes.tolist() == age.codes.tolist()


def test_intersections_refuse_what_does_not_pair_up() -> None:
    a = Cells(("F", "M"), np.array([0, 1]))
    with pytest.raises(EmptyData):
        intersect([])
    with pytest.raises(EmptyData):
        intersect([a, Cells((), np.array([-1, -1]))])
    with pytest.raises(InvalidValue, match="pair up"):
        intersect([a, Cells(("x",), np.array([0]))])
    with pytest.raises(InvalidValue, match="group code"):
        intersect([a, Cells(("x",), np.array([0, 4]))])


# --- thin functions


def test_thin_functions_hand_their_options_on() -> None:
    relevance = rng(1).random((100, 5)) < 0.3
    n_relevant = relevance.sum(axis=1) + rng(2).integers(0, 3, size=100)
    groups = Cells(("a", "b"), np.repeat([0, 1], [80, 20]))
    for function in (
        by_group.ndcg_by_user_group,
        by_group.recall_by_user_group,
        by_group.hit_rate_by_user_group,
    ):
        out = function(relevance, n_relevant, groups, minimum=21)
        assert out.hidden.tolist() == [False, True]
        assert function(relevance, n_relevant, groups, minimum=5).gap >= 0

    before, after = rng(3).random(100), rng(4).random(100)
    loss = by_group.utility_loss_by_user_group(before, after, groups, minimum=1)
    assert loss.values[1] == pytest.approx((before - after)[80:].mean())
    with pytest.raises(InvalidValue, match="paired"):
        by_group.utility_loss_by_user_group(before, after[1:], groups)
    lift = by_group.popularity_lift_by_user_group(after, before, groups, minimum=1)
    assert lift.values[0] == pytest.approx(after[:80].mean() / before[:80].mean() - 1)
    lists, topics = rng(5).integers(0, 12, size=(100, 4)), rng(6).random((12, 3)) < 0.5
    variety = by_group.diversity_by_user_group(lists, topics, groups, minimum=1)
    plain = plain_metrics.intra_list_jaccard(lists[80:], topics)
    assert variety.values[1] == pytest.approx(np.mean(plain), abs=1e-6)
    p = rng(7).dirichlet(np.ones(3), size=100)
    assert by_group.miscalibration_by_user_group(p, p, groups, minimum=1).gap == pytest.approx(0)


def test_a_lists_exposure_is_that_of_its_deterministic_policy() -> None:
    lists = rng(1).integers(0, 12, size=(100, 4))
    providers = Cells(("a", "b"), np.arange(12) % 2)
    weights = np.broadcast_to(exposure.position_discount(4), lists.shape)
    one = by_group.exposure_by_provider(lists, providers, minimum=1)
    two = by_group.expected_exposure_by_provider(weights, lists, providers, minimum=1)
    np.testing.assert_allclose(one.values, two.values)
    np.testing.assert_allclose(one.values, exposure.exposure_per_item(lists, providers.codes, 2))
