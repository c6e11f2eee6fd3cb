"""Diagnostics, intervals and refusals."""

import math

import numpy as np
import pytest
from fairloop.agents.ope.config import OPEConfig
from fairloop.agents.ope.diagnostics import (
    diagnose,
    effective_sample_size,
    mean_weight_test,
    unsupported_mass,
)
from fairloop.agents.ope.evaluate import estimate, estimate_by_group, improvement
from fairloop.agents.ope.intervals import bootstrap, high_confidence, lower_bound
from fairloop.agents.ope.logged import LoggedSlates
from fairloop.agents.ope.propensities import certain, plackett_luce
from fairloop.agents.ope.reward_model import Guesses, ridge_guesses
from fairloop.agents.ope.sources import single_items
from fairloop.agents.ope.terms import Terms, value_of
from fairloop.agents.ope.verdict import Estimate
from fairloop.errors import InvalidValue
from fairloop.metrics.bootstrap import bootstrap_sums
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


def bandit(n: int, logging: np.ndarray, target: np.ndarray, seed: int = 0, per_user: int = 1):
    """A log of single items; item a is clicked with probability (a + 1) / (A + 1)."""
    rng = np.random.default_rng(seed)
    shown = rng.choice(len(logging), n, p=logging)
    clicked = rng.random(n) < (shown + 1) / (len(logging) + 1)
    users = np.arange(n) // per_user
    log = LoggedSlates(users, shown[:, None], clicked.astype(float), single_items(logging[shown]))
    return log, single_items(target[shown])


def true_value(target: np.ndarray) -> float:
    return float(target @ (np.arange(len(target)) + 1) / (len(target) + 1))


LOGGING = np.array([0.5, 0.3, 0.2])
TARGET = np.array([0.2, 0.2, 0.6])


def test_effective_sample_size_by_hand() -> None:
    assert effective_sample_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_sample_size(np.zeros(3)) == 0.0
    assert effective_sample_size(np.array([1e200, 0.0])) == pytest.approx(1.0)


@given(arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(0.0, 1e6)))
def test_effective_sample_size_lies_between_0_and_n_and_has_no_unit(weights: np.ndarray) -> None:
    ess = effective_sample_size(weights)
    assert 0.0 <= ess <= len(weights) * (1 + 1e-9)
    assert effective_sample_size(3.0 * weights) == pytest.approx(ess)


def test_mean_weight_is_tested_with_clustered_errors() -> None:
    rng = np.random.default_rng(0)
    users = np.arange(400)
    weights = rng.exponential(1.0, 400)
    mean, p = mean_weight_test(weights, users)
    by_hand = math.erfc(abs(mean - 1) / (weights.std(ddof=1) / 20.0) / math.sqrt(2))
    assert p == pytest.approx(by_hand, rel=1e-9)
    again, p_again = mean_weight_test(np.repeat(weights, 50), np.repeat(users, 50))
    assert again == pytest.approx(mean) and p_again == pytest.approx(p)
    assert mean_weight_test(np.full(10, 0.5), np.arange(10)) == (0.5, 0.0)
    assert mean_weight_test(np.ones(10), np.arange(10)) == (1.0, 1.0)
    assert mean_weight_test(np.full(10, 0.99), np.arange(10), slack=0.02)[1] == 1.0


def test_mean_weight_test_errs_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    p = [mean_weight_test(rng.exponential(1.0, 500), np.arange(500))[1] for _ in range(600)]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.08


def test_diagnostics_of_positions_name_the_worst() -> None:
    weights = np.ones((100, 3))
    weights[:, 1] = 0.0
    found = diagnose(weights, np.ones((100, 3)), np.arange(100))
    assert (found.mean_weight, found.mean_weight_p) == (0.0, 0.0)
    assert found.zero_share == pytest.approx(1 / 3)
    assert found.ess == pytest.approx(100.0)
    assert found.ess_rewards == pytest.approx(100.0)


def test_few_rewards_are_refused_however_many_slates_there_are() -> None:
    log, target = bandit(5000, LOGGING, TARGET)
    rare = LoggedSlates(
        log.users, log.items, np.where(np.arange(5000) < 12, 1.0, 0.0)[:, None], log.logging
    )
    found = estimate(rare, target)
    assert found.ess > 1000 and found.diagnostics.ess_rewards <= 12
    assert len(found.refused_because) == 1 and "rewards weighed" in found.refused_because[0]


def test_corrected_percentiles_follow_the_skewness() -> None:
    """The interval of a skewed mean reaches farther up than plain percentiles of the same draws."""
    missed = np.zeros((2, 2), int)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        values = np.where(rng.random(300) < 0.1, rng.exponential(1.0, 300), 0.0)
        terms, users = Terms.mean(values), np.arange(300)
        corrected = bootstrap(terms, users, 400, np.random.default_rng(seed))
        sums = bootstrap_sums(terms.by_user(users), 400, np.random.default_rng(seed))
        plain = np.quantile(value_of(sums), [0.025, 0.975])
        assert corrected is not None and (np.array(corrected) > plain).all()
        missed += [[low > 0.1, high < 0.1] for low, high in (corrected, plain)]
    assert missed[0].sum() <= missed[1].sum() and missed[0].sum() < 0.1 * 150
    assert missed[0, 1] < missed[1, 1]


def test_unsupported_mass_by_hand() -> None:
    logging = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    target = np.array([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    assert unsupported_mass(logging, target).tolist() == [0.7, 0.0]


def test_a_good_log_is_accepted_and_holds_the_truth() -> None:
    log, target = bandit(3000, LOGGING, TARGET)
    for method in ("ips", "snips", "clipped-ips"):
        found = estimate(log, target, method=method)
        assert not found.refused, found
        assert found.low is not None and found.high is not None
        assert found.low < true_value(TARGET) < found.high
    gain = improvement(log, target)
    assert gain.low is not None and gain.high is not None
    assert gain.low < true_value(TARGET) - true_value(LOGGING) < gain.high
    assert gain.low > 0.0


def test_bootstrap_of_a_mean_has_the_width_of_the_normal_interval() -> None:
    values = np.random.default_rng(0).normal(size=2000)
    found = bootstrap(Terms.mean(values), np.arange(2000), 4000, np.random.default_rng(1))
    assert found is not None
    assert found[1] - found[0] == pytest.approx(2 * 1.96 * values.std() / 2000**0.5, rel=0.06)


def test_slates_of_one_user_are_resampled_together() -> None:
    """Ten copies of each user's slate tell nothing new: the interval must not shrink."""
    log, target = bandit(500, LOGGING, TARGET)
    rows = np.repeat(np.arange(500), 10)
    once = estimate(log, target)
    tenfold = estimate(log.take(rows), target.take(rows))
    assert tenfold.value == pytest.approx(once.value)
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))
    assert (tenfold.n, tenfold.n_users) == (5000, 500)
    assert tenfold.diagnostics.ess_users == pytest.approx(once.diagnostics.ess_users)


def test_the_same_seed_gives_the_same_interval() -> None:
    log, target = bandit(300, LOGGING, TARGET)
    assert estimate(log, target) == estimate(log, target)
    other = estimate(log, target, config=OPEConfig(seed=1))
    assert other.value == estimate(log, target).value and other.low != estimate(log, target).low


def test_small_overlap_is_refused_in_words() -> None:
    rare = np.array([0.999, 0.0005, 0.0005])
    log, target = bandit(2000, rare, np.array([0.0, 0.0, 1.0]))
    found = estimate(log, target)
    assert found.refused and "slates of the target policy" in found.refused_because[0]
    assert "refused" in str(found)
    assert Estimate.model_validate_json(found.model_dump_json()) == found


def test_no_overlap_at_all_is_a_refusal_and_no_crash() -> None:
    log, _ = bandit(500, LOGGING, TARGET)
    found = estimate(log, certain(log.items, log.items + 1))
    assert found.value is None and found.low is None and found.ess == 0.0
    assert len(found.refused_because) == 4
    assert Estimate.model_validate_json(found.model_dump_json()) == found


def test_a_target_beyond_the_support_is_refused_by_its_mean_weight() -> None:
    logging, target = np.array([0.6, 0.4, 0.0]), np.array([0.4, 0.4, 0.2])
    log, law = bandit(3000, logging, target)
    found = estimate(log, law)
    assert found.refused and "mean weight is 0.79" in " ".join(found.refused_because)
    known = np.full(len(log), 0.2)
    assert "20.0%" in " ".join(estimate(log, law, unsupported=known).refused_because)
    lenient = OPEConfig(mean_weight_slack=0.3, max_unsupported=0.3)
    assert not estimate(log, law, unsupported=known, config=lenient).refused


def test_wrong_probabilities_are_refused_by_their_mean_weight() -> None:
    log, target = bandit(3000, LOGGING, TARGET)
    assert log.logging.slate is not None
    wrong = LoggedSlates(
        log.users, log.items, log.rewards, single_items(np.minimum(1.0, log.logging.slate * 0.7))
    )
    assert "logged probabilities are wrong" in " ".join(estimate(wrong, target).refused_because)


@pytest.mark.parametrize("interval", ["bernstein", "hoeffding"])
def test_high_confidence_bounds_hold_beyond_the_support_and_for_any_clip(interval) -> None:
    """No log of 300 has the truth outside, and the lower bound says something with 20,000."""
    config = OPEConfig(interval=interval, reward_range=(0.0, 1.0), clip=2.0)
    logging, target = np.array([0.6, 0.4, 0.0]), np.array([0.1, 0.4, 0.5])
    misses = 0
    for seed in range(100):
        log, law = bandit(300, logging, target, seed, per_user=3)
        found = estimate(log, law, method="ips", config=config)
        assert found.low is not None and found.high is not None
        misses += not found.low <= true_value(target) <= found.high
    assert misses == 0
    log, law = bandit(20_000, logging, target)
    found = estimate(log, law, method="ips", config=config)
    assert found.low is not None and found.high is not None
    assert 0.15 < found.low < true_value(target) < found.high < 1.0


def test_bernstein_is_narrower_where_the_variance_is_small() -> None:
    values = np.where(np.arange(5000) % 50 == 0, 1.0, 0.0)
    sharp = lower_bound(values, np.arange(5000), 10.0, 0.025, "bernstein")
    blunt = lower_bound(values, np.arange(5000), 10.0, 0.025, "hoeffding")
    assert blunt < sharp < values.mean()
    by_hand = 0.02 - math.sqrt(2 * values.var(ddof=1) * math.log(80) / 5000)
    assert sharp == pytest.approx(by_hand - 7 * 10 * math.log(80) / (3 * 4999))
    assert blunt == pytest.approx(0.02 - 10 * math.sqrt(math.log(40) / (2 * 5000)))


def test_bounds_count_users_and_not_slates() -> None:
    values = np.random.default_rng(0).random(200)
    for name in ("bernstein", "hoeffding"):
        alone = lower_bound(values, np.arange(200), 1.0, 0.05, name)
        copied = lower_bound(np.repeat(values, 9), np.repeat(np.arange(200), 9), 1.0, 0.05, name)
        assert copied == pytest.approx(alone)
    assert lower_bound(values, np.zeros(200, int), 1.0, 0.05, "bernstein") == -math.inf


def test_bounds_are_refused_where_they_do_not_hold() -> None:
    log, target = bandit(300, LOGGING, TARGET)
    for config, method, field in (
        (OPEConfig(interval="bernstein", reward_range=(0.0, 1.0)), "snips", "interval"),
        (OPEConfig(interval="bernstein"), "ips", "reward_range"),
        (OPEConfig(interval="hoeffding", reward_range=(0.0, 0.5)), "ips", "reward_range"),
    ):
        with pytest.raises(InvalidValue) as error:
            estimate(log, target, method=method, config=config)
        assert error.value.field == field and error.value.mend
    with pytest.raises(InvalidValue):
        high_confidence(np.array([-1.0]), np.ones(1), np.zeros(1, int), (0.0, 1.0), 2.0)


def test_groups_are_estimated_apart_and_together_hold_the_confidence() -> None:
    log, target = bandit(3000, LOGGING, TARGET)
    groups = (np.arange(3000) % 3 == 0).astype(int)
    named = LoggedSlates(
        log.users, log.items, log.rewards, log.logging, None, groups, ("most", "few", "nobody")
    )
    found = estimate_by_group(named, target)
    assert list(found) == ["most", "few"]
    rows = np.flatnonzero(groups == 1)
    alone = estimate(named.take(rows), target.take(rows))
    few = found["few"]
    assert few.value == alone.value and few.n == 1000
    assert few.low is not None and alone.low is not None and few.low < alone.low
    with pytest.raises(InvalidValue, match="names no groups"):
        estimate_by_group(log, target)


def test_a_model_of_the_rewards_narrows_the_interval() -> None:
    """Rewards are nearly linear in the features; users' folds are guessed by the others."""
    rng = np.random.default_rng(0)
    n, m = 2000, 6
    worth = rng.normal(size=m)
    logits = rng.normal(0, 0.3, (n, m))
    columns = np.argsort(-(logits + rng.gumbel(size=(n, m))), axis=1)[:, :1]
    wanted = logits + 0.7 * worth
    law = np.exp(wanted) / np.exp(wanted).sum(axis=1, keepdims=True)
    rewards = worth[columns[:, 0]] + rng.normal(0, 0.1, n)
    log = LoggedSlates(np.arange(n), columns, rewards, plackett_luce(logits, columns))
    guesses = ridge_guesses(np.eye(m)[columns[:, 0]], law, rewards, log.users)
    target = plackett_luce(wanted, columns)
    truth = float((law @ worth).mean())
    plain = estimate(log, target, method="ips")
    better = estimate(log, target, method="dr", guesses=guesses)
    for found in (plain, better):
        assert found.low is not None and found.high is not None
        assert found.low < truth < found.high
    assert better.high - better.low < 0.5 * (plain.high - plain.low)


def test_a_fold_is_never_guessed_by_its_own_users() -> None:
    rng = np.random.default_rng(1)
    features, rewards = rng.normal(size=(60, 2)), rng.normal(size=60)
    users = np.arange(60) // 3
    before = ridge_guesses(features, features, rewards, users, seed=4)
    changed = rewards.copy()
    changed[users == 7] += 100.0
    after = ridge_guesses(features, features, changed, users, seed=4)
    same = before.shown == after.shown
    assert same[users == 7].all() and not same.all()
    with pytest.raises(InvalidValue):
        ridge_guesses(features, features, rewards, np.zeros(60, int))


def test_guesses_that_do_not_fit_are_refused() -> None:
    log, target = bandit(50, LOGGING, TARGET)
    with pytest.raises(InvalidValue) as error:
        estimate(log, target, method="dr")
    assert error.value.field == "guesses"
    bad = Guesses(np.full(50, np.nan), np.zeros(50))
    with pytest.raises(InvalidValue) as error:
        estimate(log, target, method="dr", guesses=bad)
    assert error.value.field == "guesses.shown"
    with pytest.raises(InvalidValue) as error:
        estimate(log, target, method="magic")  # type: ignore[arg-type]  on purpose
    assert error.value.field == "method"
