"""Bootstrap, permutation tests and corrections."""

import numpy as np
import pytest
from fairloop.errors import EmptyData, InvalidValue
from fairloop.metrics import bootstrap, diversity, gaps, permutation
from hypothesis import given, settings
from hypothesis import strategies as st


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- bootstrap


def test_every_replicate_draws_as_many_users_as_there_are(monkeypatch) -> None:
    monkeypatch.setattr(bootstrap, "_CELLS_AT_ONCE", 100)
    blocks = list(bootstrap.resampling_counts(30, 10, rng()))
    counts = np.concatenate(blocks)
    assert len(blocks) > 1
    assert counts.shape == (10, 30)
    assert (counts.sum(axis=1) == 30).all()


def test_sums_are_those_of_the_drawn_users() -> None:
    columns = rng(1).normal(size=(20, 3))
    sums = bootstrap.bootstrap_sums(columns, 5, rng(2))
    counts = np.concatenate(list(bootstrap.resampling_counts(20, 5, rng(2))))
    plain = [
        sum((columns[u] for u in range(20) for _ in range(int(row[u]))), np.zeros(3))
        for row in counts
    ]
    np.testing.assert_allclose(sums, plain)


def test_item_amounts_are_those_of_the_drawn_users() -> None:
    user, item = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 0])
    amount = np.array([1.0, 2.0, 3.0, 4.0])
    rows = list(bootstrap.bootstrap_item_amounts(user, item, amount, 3, 4, 6, rng(3)))
    counts = np.concatenate(list(bootstrap.resampling_counts(3, 6, rng(3))))
    plain = [[4 * c[2], 1 * c[0], 2 * c[0] + 3 * c[1], 0.0] for c in counts]
    np.testing.assert_allclose(rows, plain)


def test_the_interval_is_that_of_normal_theory_for_a_mean() -> None:
    values = rng(4).normal(size=4000)
    estimate = bootstrap.mean_interval(values, 4000, rng(5))
    error = values.std() / np.sqrt(4000)
    assert estimate.value == values.mean()
    assert estimate.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert estimate.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_pairing_takes_the_common_part_out() -> None:
    common = rng(6).normal(size=500) * 10
    before, after = common, common + 0.1 + rng(7).normal(size=500) * 0.1
    estimate = bootstrap.paired_difference(before, after, 500, rng(8))
    error = (after - before).std() / np.sqrt(500)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert estimate.low < (after - before).mean() < estimate.high
    after[0] = np.nan
    assert np.isfinite(bootstrap.paired_difference(before, after, 50, rng(8)).value)


def test_same_seed_same_interval() -> None:
    values = rng(9).random(200)
    first = bootstrap.mean_interval(values, 300, rng(1))
    assert first == bootstrap.mean_interval(values, 300, rng(1))
    assert first != bootstrap.mean_interval(values, 300, rng(2))


def test_a_centred_interval_holds_its_estimate() -> None:
    user = np.repeat(np.arange(300), 10)
    item = (rng(3).pareto(1.0, size=3000) * 20).astype(int) % 500
    amounts = np.bincount(item, minlength=500).astype(float)
    replicates = np.array(
        [
            float(diversity.gini(row))
            for row in bootstrap.bootstrap_item_amounts(
                user, item, np.ones(3000), 300, 500, 200, rng(1)
            )
        ]
    )
    value = float(diversity.gini(amounts))
    assert replicates.min() > value  # resampling alone raises Gini
    low, high = bootstrap.centred_interval(value, replicates)
    assert low < value < high


def test_bootstrap_refuses_what_it_cannot_use() -> None:
    with pytest.raises(EmptyData):
        bootstrap.mean_interval(np.array([np.nan]), 10, rng())
    with pytest.raises(InvalidValue, match="NaN"):
        bootstrap.bootstrap_sums(np.array([[np.nan]]), 10, rng())
    with pytest.raises(InvalidValue, match="n_replicates"):
        bootstrap.bootstrap_sums(np.ones((3, 1)), 0, rng())
    with pytest.raises(InvalidValue, match="confidence"):
        bootstrap.interval(np.ones(3), 95)
    with pytest.raises(InvalidValue, match="paired"):
        bootstrap.paired_difference(np.ones(3), np.ones(4), 10, rng())


# --- gap tests


def test_group_means_leave_the_unknown_out() -> None:
    values = np.array([1.0, 3.0, np.nan, 7.0, 9.0])
    codes = np.array([0, 0, 0, 1, -1])
    assert gaps.group_means(values, codes, 3)[:2].tolist() == [2.0, 7.0]
    assert np.isnan(gaps.group_means(values, codes, 3)[2])
    assert gaps.group_sizes(values, codes, 3).tolist() == [2, 1, 0]


def test_impact_ratio_of_nobody_is_unknown() -> None:
    assert np.isnan(gaps.impact_ratio(np.array([0, 0]), np.array([5, 5]))).all()
    ratios = gaps.impact_ratio(np.array([1, 0]), np.array([2, 0]))
    assert ratios[0] == 1.0
    assert np.isnan(ratios[1])


@pytest.mark.parametrize("statistic", ["studentised", "range"])
def test_p_value_of_two_tiny_groups_is_that_of_all_relabellings(statistic) -> None:
    values, codes = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 12.5]), np.array([0, 0, 0, 1, 1, 1])
    test = permutation.gap_test(values, codes, 2, 20_000, rng(), statistic=statistic)
    # only the observed split and its mirror image, 2 of 20, are as far apart
    assert test.p_value == pytest.approx(2 / 20, abs=0.01)
    assert test.gap == pytest.approx(33.5 / 3 - 2)


@pytest.mark.parametrize("statistic", ["studentised", "range"])
def test_the_test_ignores_the_order_of_users_and_names_of_groups(statistic) -> None:
    values, codes = rng(1).normal(size=90), rng(2).integers(0, 3, size=90)
    shuffle = rng(3).permutation(90)
    a = permutation.gap_test(values, codes, 3, 4000, rng(4), statistic=statistic)
    b = permutation.gap_test(
        values[shuffle], 2 - codes[shuffle], 3, 4000, rng(4), statistic=statistic
    )
    assert a.gap == pytest.approx(b.gap)
    assert a.p_value == pytest.approx(b.p_value, abs=0.03)
    assert a.means == pytest.approx(b.means[::-1])


def test_identical_values_are_no_gap() -> None:
    test = permutation.gap_test(np.full(20, 0.1), np.arange(20) % 2, 2, 99, rng())
    assert test.gap == 0.0
    assert test.p_value == 1.0


def test_two_different_constants_are_a_gap() -> None:
    codes = np.arange(40) % 2
    test = permutation.gap_test(codes * 0.1, codes, 2, 999, rng())
    assert test.p_value == pytest.approx(1 / 1000)


def test_groups_of_one_user_are_not_compared() -> None:
    values, codes = np.array([1.0, 2.0, 1.5, 2.5, 99.0]), np.array([0, 0, 1, 1, 2])
    test = permutation.gap_test(values, codes, 3, 99, rng())
    assert np.isnan(test.means[2])
    assert test.gap == pytest.approx(0.5)
    with pytest.raises(EmptyData, match="two groups"):
        permutation.gap_test(values[:3], codes[:3], 2, 99, rng())


def test_blocks_of_permutations_do_not_change_the_test(monkeypatch) -> None:
    values, codes = rng(1).normal(size=60), rng(2).integers(0, 3, size=60)
    whole = permutation.gap_test(values, codes, 3, 500, rng(4))
    monkeypatch.setattr(permutation, "_CELLS_AT_ONCE", 60 * 7)
    blocked = permutation.gap_test(values, codes, 3, 500, rng(4))
    assert whole.p_value == blocked.p_value
    assert whole.minimum_detectable == blocked.minimum_detectable


def test_more_users_see_smaller_gaps() -> None:
    def detectable(n: int) -> float:
        return permutation.gap_test(
            rng(1).normal(size=n), np.arange(n) % 2, 2, 999, rng(2)
        ).minimum_detectable

    # two groups, normal theory: (z_.975 + z_.8) * sqrt(4 / n)
    assert detectable(400) == pytest.approx((1.96 + 0.84) * np.sqrt(4 / 400), rel=0.15)
    assert detectable(1600) == pytest.approx(detectable(400) / 2, rel=0.15)


def test_sign_flips_find_a_difference_within_users() -> None:
    taste = rng(1).normal(size=(200, 1)) * 10
    noise = rng(2).normal(size=(200, 3))
    alike = permutation.sign_flip_test(taste + noise, 999, rng(3))
    assert alike.p_value > 0.05
    apart = permutation.sign_flip_test(taste + noise + np.array([0, 0, 0.8]), 999, rng(3))
    assert apart.p_value == pytest.approx(1 / 1000)
    assert apart.minimum_detectable < apart.gap < 1.2
    with pytest.raises(EmptyData):
        permutation.sign_flip_test(noise[:, :1], 99, rng())


# --- corrections


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    p = np.array([0.04, 0.01, 0.03])
    assert permutation.holm(p) == pytest.approx([0.06, 0.03, 0.06])
    assert permutation.benjamini_hochberg(p) == pytest.approx([0.04, 0.03, 0.04])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 1000))
def test_corrections_never_lower_a_p_value_and_follow_the_order(p: list[float], seed: int) -> None:
    values = np.array(p)
    shuffle = rng(seed).permutation(len(p))
    for adjust in (permutation.holm, permutation.benjamini_hochberg):
        adjusted = adjust(values)
        assert (adjusted >= values - 1e-15).all()
        assert (adjusted <= 1).all()
        np.testing.assert_allclose(adjust(values[shuffle]), adjusted[shuffle])
    assert (permutation.benjamini_hochberg(values) <= permutation.holm(values) + 1e-15).all()
