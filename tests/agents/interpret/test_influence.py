"""Global effects against closed forms, and the properties that hold on any sample."""

import numpy as np
import pytest
from fairloop.agents.interpret.groups import Group
from fairloop.agents.interpret.influence import Effects, group_effects
from fairloop.agents.interpret.shapley import coalitions
from fairloop.errors import EmptyData, InvalidValue
from scipy.stats import norm

GROUPS = (Group("a", np.array([0])), Group("b", np.array([1])), Group("c", np.array([2, 3])))


def effects(weigh, sample, *, groups=GROUPS, pairs=4000, seed=0, **more) -> Effects:
    rng = np.random.default_rng(seed)
    users = more.pop("users", np.arange(len(sample)))
    return group_effects(weigh, sample, users, groups, rng, pairs=pairs, **more)


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    """Four independent standard normal columns, each with exactly the normal quantiles."""
    rng = np.random.default_rng(1)
    quantiles = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    return np.stack([rng.permutation(quantiles) for _ in range(4)], axis=1)


def linear(x):
    return (x @ np.array([[3.0], [0.0], [1.0], [1.0]])).astype(np.float32)


def test_a_linear_policy_has_the_variances_of_its_terms(sample):
    found = effects(linear, sample, pairs=60_000)
    expected = np.array([9.0, 0.0, 2.0]) / 11.0
    assert found.variance[0] == pytest.approx(11.0, rel=0.03)
    for share in (found.first_order, found.total, found.shapley):
        np.testing.assert_allclose(share[:, 0], expected, atol=0.02)


def test_an_interaction_is_shared_equally(sample):
    """w = ab + c: alone a and b explain nothing, together a half."""
    found = effects(lambda x: x[:, :1] * x[:, 1:2] + x[:, 2:3], sample, pairs=120_000)
    np.testing.assert_allclose(found.first_order[:, 0], [0.0, 0.0, 0.5], atol=0.03)
    np.testing.assert_allclose(found.total[:, 0], [0.5, 0.5, 0.5], atol=0.03)
    np.testing.assert_allclose(found.shapley[:, 0], [0.25, 0.25, 0.5], atol=0.03)


def test_the_ishigami_function():
    """Sobol' indices known in closed form (Ishigami & Homma 1990), a = 7, b = 0.1."""
    a, b = 7.0, 0.1
    x = np.random.default_rng(3).uniform(-np.pi, np.pi, size=(30_000, 3))
    groups = tuple(Group(str(i), np.array([i])) for i in range(3))

    def ishigami(x):
        y = np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])
        return y[:, None]

    found = effects(ishigami, x, groups=groups, pairs=120_000)
    v1 = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    v2, v13 = a**2 / 8, b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = v1 + v2 + v13
    assert found.variance[0] == pytest.approx(whole, rel=0.02)
    np.testing.assert_allclose(found.first_order[:, 0], np.array([v1, v2, 0]) / whole, atol=0.02)
    np.testing.assert_allclose(found.total[:, 0], np.array([v1 + v13, v2, v13]) / whole, atol=0.02)
    np.testing.assert_allclose(
        found.shapley[:, 0], np.array([v1 + v13 / 2, v2, v13 / 2]) / whole, atol=0.02
    )


def test_on_any_sample_shares_sum_to_one_and_a_dummy_has_exactly_none():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, 4))
    x[:, 1] = x[:, 0] + 0.1 * rng.normal(size=300)  # b follows a, and is not read

    def weigh(x):
        return np.stack([np.tanh(x[:, 0]) + x[:, 2] ** 2, np.exp(x[:, 3])], axis=1)

    found = effects(weigh, x, pairs=300)
    np.testing.assert_allclose(found.shapley.sum(axis=0), 1.0, atol=1e-12)
    assert (found.shapley[1] == 0.0).all() and (found.total[1] == 0.0).all()
    assert (found.error[1] == 0.0).all()
    np.testing.assert_allclose(found.shapley[:, 1], [0.0, 0.0, 1.0], atol=1e-12)


def test_symmetric_groups_have_the_same_in_expectation(sample):
    found = effects(lambda x: np.maximum(x[:, :1], x[:, 1:2]), sample, pairs=20_000)
    assert found.shapley[0, 0] == pytest.approx(found.shapley[1, 0], abs=0.03)
    assert found.shapley[2, 0] == 0.0


def test_a_weight_that_never_moves_has_no_shares(sample):
    found = effects(lambda x: np.concatenate([np.full_like(x[:, :1], 7.0), linear(x)], 1), sample)
    assert np.isnan(found.shapley[:, 0]).all() and found.variance[0] == 0.0
    assert np.isfinite(found.shapley[:, 1]).all()


def test_dependent_groups_as_they_are_and_drawn_apart():
    """w = a − b with b = a: nobody's weight moves, until the groups are drawn apart."""
    x = np.random.default_rng(2).normal(size=(2000, 4))
    x[:, 1] = x[:, 0]

    def difference(x):
        return x[:, :1] - x[:, 1:2]

    assert effects(difference, x).variance[0] == 0.0
    apart = effects(difference, x, pairs=20_000, independent=True)
    assert apart.variance[0] == pytest.approx(2.0, rel=0.05)
    np.testing.assert_allclose(apart.shapley[:, 0], [0.5, 0.5, 0.0], atol=0.03)


def test_equal_to_a_plain_loop_over_the_pairs():
    """τ(S) = ½ E[(w(i) − w(ij(S)))²], pair by pair and coalition by coalition."""
    from fairloop.agents.interpret import influence

    x = np.random.default_rng(8).normal(size=(40, 4))
    users = np.repeat(np.arange(20), 2)

    def weigh(x):
        return (x[:, :1] * x[:, 1:2] + np.sin(x[:, 2:3]) * x[:, 3:4]).astype(np.float64)

    found = effects(weigh, x, users=users, pairs=60, folds=3, seed=4)
    rng = np.random.default_rng(4)
    fold_of = rng.permutation(20) % 3
    by_fold = []
    for fold in range(3):
        rows = np.flatnonzero(fold_of[users] == fold)
        left, right = influence._pairs(users, rows, 20, rng)
        assert (users[left] != users[right]).all()
        worth = np.zeros((8, 1))
        for s, member in enumerate(coalitions(3)):
            for i, j in zip(left, right, strict=True):
                hybrid = x[i].copy()
                for group, inside in zip(GROUPS, member, strict=True):
                    if inside:
                        hybrid[group.columns] = x[j, group.columns]
                worth[s] += 0.5 * (weigh(x[i : i + 1])[0] - weigh(hybrid[None])[0]) ** 2 / 20
        by_fold.append(worth)
    worth = np.mean(by_fold, axis=0)
    np.testing.assert_allclose(found.variance, worth[-1])
    np.testing.assert_allclose(found.total[:, 0], worth[[1, 2, 4], 0] / worth[-1, 0])
    np.testing.assert_allclose(found.first_order[:, 0], 1 - worth[[6, 5, 3], 0] / worth[-1, 0])


def test_the_standard_error_is_that_of_repeated_samples():
    shares, errors = [], []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(200, 4))
        found = effects(lambda x: x[:, :1] + x[:, 1:2] * x[:, 2:3], x, pairs=200, seed=seed)
        shares.append(found.shapley[0, 0])
        errors.append(found.error[0, 0])
    assert np.mean(errors) == pytest.approx(np.std(shares, ddof=1), rel=0.3)


def test_visits_of_a_user_are_not_paired_with_each_other_and_luck_is_reproducible(sample):
    users = np.arange(len(sample)) // 40
    one, two = (effects(linear, sample, users=users, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.shapley, two.shapley)
    copies = np.repeat(sample[:5], 100, axis=0)  # five users, who differ only from each other
    found = effects(linear, copies, users=np.repeat(np.arange(5), 100))
    assert found.variance[0] > 0


def test_bad_input_is_named(sample):
    with pytest.raises(EmptyData, match="users") as caught:
        effects(linear, sample, users=np.zeros(len(sample), int))
    assert caught.value.field == "users"
    with pytest.raises(InvalidValue):
        effects(linear, sample, users=np.arange(3))
