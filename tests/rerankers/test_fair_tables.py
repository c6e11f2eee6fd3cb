from itertools import product

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.quotas.fair_tables import (
    adjusted_table,
    fail_probability,
    unadjusted_table,
)
from fairloop.rerankers.quotas.fair_trees import (
    distribution_functions,
    minimum_path,
    minimum_tree,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from benchmarks.peers import plain_quotas

THIRDS = (1 / 3, 1 / 3)


# Table 2 of Zehlike et al. (CIKM 2017): k = 1 to 12, alpha = 0.1.
PUBLISHED = {
    0.1: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    0.2: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
    0.3: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2],
    0.4: [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3],
    0.5: [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4],
    0.6: [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5],
    0.7: [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6],
}


@pytest.mark.parametrize("p", PUBLISHED)
def test_the_papers_table(p) -> None:
    assert unadjusted_table(12, p, 0.1).minima.tolist() == PUBLISHED[p]


def test_a_significance_that_is_reached_exactly_does_not_pass() -> None:
    # One unprotected item at p = 0.9: F(0; 1, 0.9) = 0.1 is not above 0.1.
    assert unadjusted_table(1, 0.9, 0.1).minima.tolist() == [1]


# tests/test_fair.py of the authors' fairsearchcore 1.0.4, written out as {position: minimum}.
FAIRSEARCH = [
    (10, 0.2, 0.15, {9: 1}, {9: 1}, 0.13421772800000065, 0.15),
    (20, 0.25, 0.1, {9: 1, 15: 2, 20: 3}, {9: 1, 16: 2}, 0.10515247355215251, 0.078125),
    (
        30,
        0.3,
        0.05,
        {9: 1, 14: 2, 19: 3, 24: 4, 28: 5},
        {11: 1, 17: 2, 22: 3, 26: 4},
        0.04877730797178359,
        None,
    ),
]


def rising(k: int, rises: dict[int, int]) -> list[int]:
    return [max((m for at, m in rises.items() if at <= i), default=0) for i in range(1, k + 1)]


@pytest.mark.parametrize("case", FAIRSEARCH, ids=lambda case: f"k={case[0]}")
def test_the_tables_that_fairsearchcore_publishes(case) -> None:
    k, p, alpha, plain, adjusted, fails, significance = case
    assert unadjusted_table(k, p, alpha).minima.tolist() == rising(k, plain)
    table = adjusted_table(k, p, alpha, "nearest")
    assert table.minima.tolist() == rising(k, adjusted)
    assert table.fail_probability == pytest.approx(fails, abs=1e-12)
    if significance is not None:  # theirs lies within our step
        assert table.significance <= significance
        same = unadjusted_table(k, p, significance)
        np.testing.assert_array_equal(same.minima, table.minima)


def test_fail_probability_of_the_unadjusted_table() -> None:
    # k = 20, p = 0.25, alpha = 0.1: 0.146887 (lenskit agrees; fairsearchcore's README says 0.1152,
    # it leaves the last position out).
    assert unadjusted_table(20, 0.25, 0.1).fail_probability == pytest.approx(0.146887, abs=1e-6)


@pytest.mark.parametrize(
    ("k", "fails"),
    [
        (5, 0.0625),
        (55, 0.28772344631818925),
        (105, 0.3449643525607715),
        (155, 0.3791256680413888),
        (205, 0.4007594062334191),
    ],
)
def test_published_fail_probabilities_at_one_half(k, fails) -> None:
    # The numbers behind the plot for p = 0.5, alpha = 0.1 in Zehlike, Sühr & Castillo (2020).
    assert unadjusted_table(k, 0.5, 0.1).fail_probability == pytest.approx(fails, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(
    rises=st.lists(st.integers(0, 2), min_size=1, max_size=9), p=st.sampled_from([0.1, 0.4, 0.77])
)
def test_fail_probability_equals_enumeration(rises, p) -> None:
    minima = np.minimum(np.cumsum(rises), np.arange(1, len(rises) + 1))
    total = 0.0
    for draw in product((0, 1), repeat=len(minima)):
        if (np.cumsum(draw) < minima).any():
            total += p ** sum(draw) * (1 - p) ** (len(draw) - sum(draw))
    assert fail_probability(minima, p) == pytest.approx(total, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    k=st.integers(1, 60),
    p=st.floats(0.01, 0.99),
    alpha=st.sampled_from([0.01, 0.05, 0.1, 0.15, 0.4]),
)
def test_no_other_significance_does_better(k, p, alpha) -> None:
    """The search is over finitely many tables: look at all of them."""
    values = [binom.cdf(np.arange(i), i, p) for i in range(1, k + 1)]
    grid = np.unique(np.concatenate([*values, [0.0]]))
    grid = grid[grid <= alpha]
    # Right above each value, where the table has just changed.
    fails = np.array([unadjusted_fails(k, p, value * (1 + 1e-9)) for value in grid if value > 0])
    fails = np.append(fails, 0.0)
    at_most = adjusted_table(k, p, alpha).fail_probability
    assert at_most == pytest.approx(fails[fails <= alpha * (1 + 1e-9)].max(), abs=1e-10)
    nearest = adjusted_table(k, p, alpha, "nearest").fail_probability
    assert abs(nearest - alpha) == pytest.approx(np.abs(fails - alpha).min(), abs=1e-10)


def unadjusted_fails(k: int, p: float, alpha: float) -> float:
    return fail_probability(plain_quotas.quantiles(k, p, alpha), p)


@settings(max_examples=15, deadline=None)
@given(k=st.integers(1, 100), p=st.floats(0.02, 0.98), alpha=st.sampled_from([0.05, 0.1, 0.15]))
def test_equals_the_plain_bisection(k, p, alpha) -> None:
    table, fails = plain_quotas.adjusted_table(k, p, alpha)
    ours = adjusted_table(k, p, alpha)
    np.testing.assert_array_equal(ours.minima, table)
    assert ours.fail_probability == pytest.approx(fails, abs=1e-10)


def test_nobody_or_everybody_protected() -> None:
    assert adjusted_table(5, 0.0, 0.1).minima.tolist() == [0] * 5
    assert adjusted_table(5, 1.0, 0.1).minima.tolist() == [1, 2, 3, 4, 5]
    assert adjusted_table(5, 1.0, 0.1).fail_probability == 0.0


def test_a_table_is_made_once_and_cannot_be_written() -> None:
    table = adjusted_table(17, 0.3, 0.1)
    assert adjusted_table(17, 0.3, 0.1) is table
    with pytest.raises(ValueError, match="read-only"):
        table.minima[0] = 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((0, 0.5, 0.1), "k"),
        ((5, 1.2, 0.1), "p"),
        ((5, 0.5, 0.0), "alpha"),
        ((5, 0.5, 1.0), "alpha"),
    ],
)
def test_parameters_out_of_range_are_refused(arguments, field) -> None:
    for make in (unadjusted_table, adjusted_table):
        with pytest.raises(InvalidValue) as caught:
            make(*arguments)
        assert caught.value.field == field and caught.value.mend


def levels(k: int, p: tuple[float, ...]) -> list[set[tuple[int, ...]]]:
    tree = minimum_tree(distribution_functions(k, p), 0.1)
    return [{node for family in level.values() for node in family} for level in tree]


def test_the_papers_tree() -> None:
    # The unadjusted mTree drawn in Zehlike et al. (IP&M 2022): p = (1/3, 1/3), alpha = 0.1.
    half = [
        {(0, 0)},
        {(0, 0)},
        {(1, 0)},
        {(2, 0), (1, 1)},
        {(3, 0), (2, 1), (1, 1)},
        {(3, 1), (2, 1)},
        {(3, 1), (2, 2)},
        {(4, 1), (3, 2), (2, 2)},
        {(5, 1), (4, 2), (3, 2)},
    ]
    whole = [level | {node[::-1] for node in level} for level in half]
    assert levels(9, THIRDS) == whole


def test_the_authors_tree_with_unequal_shares() -> None:
    # MTreeTest and MultinomialFairRankerTest of the authors' Multinomial_FA-IR: p = (0.2, 0.4).
    expected = [
        {(0, 0)},
        {(0, 0)},
        {(1, 0), (0, 1)},
        {(2, 0), (1, 1), (0, 1)},
        {(2, 1), (1, 1), (0, 2)},
        {(2, 1), (1, 1), (1, 2), (0, 3)},
        {(2, 1), (1, 2), (0, 3)},
        {(2, 2), (1, 2), (1, 3), (0, 4)},
        {(2, 2), (1, 3), (1, 4), (0, 5)},
    ]
    assert levels(9, (0.2, 0.4)) == expected


def test_the_authors_most_likely_path() -> None:
    # MultinomialFairRankerTest: NP NP P2 NP P1 NP P2 NP P2 P1.
    minima = minimum_path(10, (0.2, 0.4), 0.1, adjusted=False).minima
    rises = np.diff(minima, axis=0, prepend=0)
    assert rises.sum(axis=1).tolist() == [0, 0, 1, 0, 1, 0, 1, 0, 1, 1]
    assert rises[:, 1].tolist() == [0, 0, 1, 0, 0, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("p", [(0.3, 0.2), (0.5, 0.5), (0.2, 0.2, 0.1)])
@pytest.mark.parametrize("adjusted", [True, False])
def test_multinomial_fail_probability_equals_enumeration(p, adjusted) -> None:
    k, table = 6, minimum_path(6, p, 0.2, adjusted)
    functions = distribution_functions(k, p)
    chances = [*p, 1 - sum(p)]
    total = 0.0
    for draw in product(range(len(p) + 1), repeat=k):
        counts = [tuple(draw[: i + 1].count(g) for g in range(len(p))) for i in range(k)]
        if any(f[c] <= table.significance for f, c in zip(functions, counts, strict=True)):
            total += float(np.prod([chances[g] for g in draw]))
    assert table.fail_probability == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("p", [(0.3, 0.2), (0.1, 0.4), (0.2, 0.2, 0.1)])
def test_the_adjusted_path_uses_up_the_significance(p) -> None:
    table = minimum_path(8, p, 0.1)
    functions = distribution_functions(8, p)
    assert table.fail_probability <= 0.1
    for function, node in zip(functions, table.minima.tolist(), strict=True):
        assert function[tuple(node)] > table.significance
    above = min(float(f[f > table.significance * (1 + 1e-9)].min()) for f in functions)
    assert minimum_path(8, p, above, adjusted=False).fail_probability > 0.1
    assert set(np.diff(table.minima, axis=0, prepend=0).sum(axis=1).tolist()) <= {0, 1}


@pytest.mark.parametrize(("k", "p"), [(20, 0.25), (50, 0.5), (7, 0.9), (12, 1.0)])
def test_with_one_group_the_path_is_the_table(k, p) -> None:
    path, table = minimum_path(k, (p,), 0.1), adjusted_table(k, p, 0.1)
    np.testing.assert_array_equal(path.minima[:, 0], table.minima)
    assert path.fail_probability == pytest.approx(table.fail_probability, abs=1e-12)


@pytest.mark.parametrize(
    ("k", "p", "field"),
    [
        (5, (), "p"),
        (5, (0.6, 0.6), "p"),
        (5, (-0.1, 0.6), "p"),
        (100, (0.2, 0.2, 0.2), "protected"),
        # Ten groups of a tenth each: whatever comes first has F = 0.1, which does not pass.
        (1, (0.1,) * 10, "p"),
    ],
)
def test_shares_without_a_path_are_refused(k, p, field) -> None:
    with pytest.raises(InvalidValue) as caught:
        minimum_path(k, p, 0.1, adjusted=False)
    assert caught.value.field == field and caught.value.mend
