from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators.choice import discount
from fairloop.simulators.config import (
    DriftConfig,
    FatigueConfig,
    LeavingConfig,
    ReturnConfig,
    SatiationConfig,
    SatisfactionConfig,
    WorldConfig,
)
from fairloop.simulators.population import StepOutcome, UserPopulation, privileged_names
from fairloop.simulators.world import World
from scipy.special import expit

WorldMaker = Callable[..., World]


def plain(k: int = 2, **parts: object) -> WorldConfig:
    """Everything off but what is given."""
    return WorldConfig.static().model_copy(update={"slate_size": k, **parts})


def random_slates(world: World, n_steps: int, seed: int = 0) -> np.ndarray:
    """Slates that depend on user and step alone, (n_steps, U, k)."""
    k = world.config.slate_size
    slates = [
        [
            np.random.default_rng([seed, step, user]).permutation(world.n_candidates)[:k]
            for user in world.users.tolist()
        ]
        for step in range(n_steps)
    ]
    return np.array(slates)


def run(population: UserPopulation, slates: np.ndarray) -> list[StepOutcome]:
    return [population.step(columns) for columns in slates]


# choice


def test_expected_engagement_equals_enumeration_over_all_click_patterns(
    make_world: WorldMaker,
) -> None:
    world = make_world(plain(k=3))
    columns = np.array([[2, 0, 3]])
    click = expit(world.appeal[0, [2, 0, 3]]) / np.log2([2, 3, 4])
    worth = expit(world.worth[0, [2, 0, 3]])
    total = expected = 0.0
    for pattern in product([0, 1], repeat=3):
        probability = np.prod(np.where(pattern, click, 1 - click))
        total += probability
        expected += probability * (np.array(pattern) * worth).sum()
    assert total == pytest.approx(1.0)
    population = UserPopulation(world)
    np.testing.assert_allclose(population.click_probabilities(columns)[0], click, rtol=1e-5)
    assert population.expected_engagement(columns)[0] == pytest.approx(expected, rel=1e-5)
    assert population.step(columns).expected_engagement[0] == pytest.approx(expected, rel=1e-5)


def test_clicks_and_engagement_match_their_expectation(make_world: WorldMaker) -> None:
    """20,000 users, one slate: within 4 standard errors of the analytic values."""
    n = 20_000
    population = UserPopulation(make_world(plain(k=3), n_users=n), seed=11)
    columns = np.tile([2, 0, 3], (n, 1))
    p = population.click_probabilities(columns)[0].astype(float)
    outcome = population.step(columns)
    error = np.sqrt(p * (1 - p) / n)
    assert (np.abs(outcome.feedback.clicks.mean(axis=0) - p) < 4 * error).all()
    gap = outcome.engagement.mean() - outcome.expected_engagement.mean()
    assert abs(gap) < 4 * outcome.engagement.std() / n**0.5


def test_clicks_at_different_positions_are_independent(make_world: WorldMaker) -> None:
    n = 20_000
    population = UserPopulation(make_world(plain(k=2), n_users=n), seed=3)
    clicks = population.step(np.tile([2, 0], (n, 1))).feedback.clicks.astype(float)
    assert abs(np.corrcoef(clicks.T)[0, 1]) < 4 / n**0.5


def test_satisfaction_is_seen_where_clicked_and_nowhere_else(world: World) -> None:
    population = UserPopulation(world, seed=1)
    for outcome in run(population, random_slates(world, 5)):
        seen = outcome.feedback.satisfaction
        np.testing.assert_array_equal(np.isnan(seen), ~outcome.feedback.clicks)
        assert ((seen >= 0) & (seen <= 1))[outcome.feedback.clicks].all()
        np.testing.assert_allclose(np.nansum(seen, axis=1), outcome.engagement, rtol=1e-5)


def test_without_dynamics_every_visit_is_plain_position_based_choice(world: World) -> None:
    static = world.with_dynamics(WorldConfig.static())
    population = UserPopulation(static, seed=2)
    rows = np.arange(len(static))[:, None]
    for day, columns in enumerate(random_slates(static, 30)):
        expected = expit(static.appeal[rows, columns]) * discount(10, 1.0)
        np.testing.assert_allclose(population.click_probabilities(columns), expected, rtol=1e-4)
        outcome = population.step(columns)
        assert (outcome.day == day).all() and not outcome.left.any() and outcome.active.all()
    assert outcome.ended.all() and not population.alive.any()


def test_slates_of_another_shape_are_refused(world: World) -> None:
    with pytest.raises(InvalidValue, match="k=10"):
        UserPopulation(world).step(np.zeros((len(world), 3), np.intp))


# directions


def test_probabilities_stay_in_bounds_in_the_long_run(world: World) -> None:
    population = UserPopulation(world, seed=4)
    for columns in random_slates(world, 40):
        p = population.click_probabilities(columns)
        assert ((p >= 0) & (p <= 1)).all()
        outcome = population.step(columns)
        assert ((population.mood >= 0) & (population.mood <= 1)).all()
        population.reset(outcome.left | outcome.ended)


def repeated(make_world: WorldMaker, n_users: int = 500, **parts: object) -> UserPopulation:
    return UserPopulation(make_world(plain(**parts), n_users=n_users), seed=9)


def test_satiation_lowers_appeal_and_worth_of_the_topic_alone(make_world: WorldMaker) -> None:
    population = repeated(make_world, satiation=SatiationConfig(threshold=0.0, strength=1.0))
    same, other = np.tile([0, 2], (500, 1)), np.tile([1, 3], (500, 1))
    before, before_other = population.log_odds(same), population.log_odds(other)
    clicked = population.step(same).feedback.clicks.any(axis=1)
    after, after_other = population.log_odds(same), population.log_odds(other)
    assert (after[:, clicked] < before[:, clicked]).all()
    np.testing.assert_array_equal(after[:, ~clicked], before[:, ~clicked])
    np.testing.assert_array_equal(after_other, before_other)


def test_satiation_halves_with_every_half_life_away(make_world: WorldMaker) -> None:
    """Two users in the same mood, one of whom stays away longer."""
    returning = ReturnConfig(sensitivity=0.0, mean_days=3.0)
    satiation = SatiationConfig(threshold=0.0, half_life=2.0)
    population = repeated(make_world, satiation=satiation, returning=returning, n_users=50)
    columns = np.tile([0, 2], (50, 1))
    eaten = population.step(columns).clicks.sum(axis=1)
    days = population.days_away
    assert len(np.unique(days)) > 3 and eaten.any()
    expected = np.stack([eaten * 0.5 ** (days / 2.0), np.zeros(50)], axis=1)
    np.testing.assert_allclose(population.load, expected, rtol=1e-5)


def test_fatigue_lowers_the_item_alone_and_more_when_clicked(make_world: WorldMaker) -> None:
    population = repeated(make_world, fatigue=FatigueConfig(half_life=365.0))
    columns = np.tile([0, 1], (500, 1))
    clicks = population.step(columns).feedback.clicks
    shown = population.fatigue(columns)
    assert (shown > 0).all() and (population.fatigue(columns + 2) == 0).all()
    assert shown[clicks].min() > shown[~clicks].max()
    base = UserPopulation(population.world).click_probabilities(columns)
    assert (population.click_probabilities(columns) < base).all()


def test_drift_raises_what_was_enjoyed_and_lowers_the_rest(make_world: WorldMaker) -> None:
    population = repeated(make_world, drift=DriftConfig(rate=0.2, gain=3.0))
    same, other = np.tile([0, 2], (500, 1)), np.tile([1, 3], (500, 1))
    before, before_other = (population.click_probabilities(s) for s in (same, other))
    clicked = population.step(same).feedback.clicks.any(axis=1)
    assert (population.click_probabilities(same)[clicked] > before[clicked]).all()
    assert (population.click_probabilities(other)[clicked] < before_other[clicked]).all()


def test_better_slates_keep_users_longer_and_bring_them_back_sooner(
    make_world: WorldMaker,
) -> None:
    config = plain(
        leaving=LeavingConfig(), returning=ReturnConfig(), satisfaction=SatisfactionConfig()
    )
    good = make_world(config, n_users=2000, appeal=(2.0, 2.0), worth=(2.0, 2.0))
    bad = make_world(config, n_users=2000, appeal=(-2.0, -2.0), worth=(-2.0, -2.0))
    left, gap = [], []
    for world in (good, bad):
        population = UserPopulation(world, seed=6)
        for columns in np.tile([0, 1], (4, 2000, 1)):
            outcome = population.step(columns)
        left.append(1 - population.alive.mean())
        gap.append(population.days_away[population.alive].mean())
        assert (outcome.days_away[outcome.active] >= 1).all()
    assert left[0] < left[1] and gap[0] < gap[1]


def test_leaving_wins_over_the_horizon_and_the_gone_earn_nothing(world: World) -> None:
    population = UserPopulation(world, seed=1)
    gone = np.zeros(len(world), np.bool_)
    for columns in random_slates(world, 40):
        outcome = population.step(columns)
        np.testing.assert_array_equal(outcome.active, ~gone)
        assert not (outcome.left & outcome.ended).any()
        assert (outcome.engagement[gone] == 0).all()
        assert not outcome.feedback.clicks[gone].any()
        assert not (outcome.left | outcome.ended)[gone].any()
        gone |= outcome.left | outcome.ended
    assert gone.all()


# luck


def test_same_seed_same_trajectory_for_any_batch(world: World) -> None:
    slates = random_slates(world, 12)
    together = run(UserPopulation(world, seed=8), slates)
    for rows in (np.array([17]), np.array([40, 2, 17]), np.arange(len(world))[::-1]):
        apart = run(UserPopulation(world, seed=8, rows=rows), slates[:, rows])
        for a, b in zip(together, apart, strict=True):
            np.testing.assert_array_equal(a.feedback.clicks[rows], b.feedback.clicks)
            np.testing.assert_array_equal(a.engagement[rows], b.engagement)
            np.testing.assert_array_equal(a.expected_engagement[rows], b.expected_engagement)
            np.testing.assert_array_equal(a.day[rows], b.day)
            np.testing.assert_array_equal(a.left[rows], b.left)


def test_taking_rows_in_mid_flight_changes_nothing(world: World) -> None:
    slates = random_slates(world, 8)
    whole = UserPopulation(world, seed=8)
    run(whole, slates[:4])
    rows = np.array([5, 3, 50])
    part = whole.take(rows)
    for a, b in zip(run(whole, slates[4:]), run(part, slates[4:, rows]), strict=True):
        np.testing.assert_array_equal(a.engagement[rows], b.engagement)
        np.testing.assert_array_equal(a.day[rows], b.day)
    np.testing.assert_array_equal(whole.privileged()[rows], part.privileged())


def test_an_item_meets_the_same_luck_at_any_position(make_world: WorldMaker) -> None:
    """Flat examination: whoever clicks item 0 at position 1 clicks it at position 2."""
    config = plain(k=2)
    flat = config.model_copy(
        update={"choice": config.choice.model_copy(update={"position_bias": 0.0})}
    )
    world = make_world(flat, n_users=300)
    first = UserPopulation(world, seed=1).step(np.tile([0, 1], (300, 1)))
    second = UserPopulation(world, seed=1).step(np.tile([1, 0], (300, 1)))
    np.testing.assert_array_equal(first.feedback.clicks, second.feedback.clicks[:, ::-1])


def test_visits_episodes_seeds_and_repeats_have_their_own_luck(make_world: WorldMaker) -> None:
    world = make_world(plain(k=2), n_users=200)
    columns = np.tile([0, 1], (200, 1))
    population = UserPopulation(world, seed=1)
    first, second = run(population, [columns, columns])
    population.reset()
    episode = population.step(columns)
    seed = UserPopulation(world, seed=2).step(columns)
    drawn = [o.feedback.clicks for o in (first, second, episode, seed)]
    for i, a in enumerate(drawn):
        for j, b in enumerate(drawn):
            assert np.array_equal(a, b) == (i == j), (i, j)
    twice = UserPopulation(world, seed=1, rows=np.tile(np.arange(200), 2))
    repeats = twice.step(np.tile(columns, (2, 1))).feedback.clicks
    np.testing.assert_array_equal(repeats[:200], first.feedback.clicks)
    np.testing.assert_array_equal(repeats[200:], episode.feedback.clicks)


def test_reset_of_some_rows_leaves_the_others_alone(world: World) -> None:
    population = UserPopulation(world, seed=1)
    run(population, random_slates(world, 3))
    before = population.privileged().copy()
    population.reset(np.array([2, 9]))
    after = population.privileged()
    kept = np.setdiff1d(np.arange(len(world)), [2, 9])
    np.testing.assert_array_equal(after[kept], before[kept])
    assert (population.day[[2, 9]] == 0).all() and population.alive[[2, 9]].all()
    everything = np.tile(np.arange(world.n_candidates), (len(world), 1))
    assert (population.fatigue(everything)[[2, 9]] == 0).all()
    assert (population.load[[2, 9]] == 0).all()


def test_paired_luck_lowers_the_variance_of_a_difference(world: World) -> None:
    """Two policies that differ in one position, on the same luck and on another."""
    a = random_slates(world, 1)[0]
    b = a.copy()
    b[:, [0, 1]] = b[:, [1, 0]]

    def difference(seed_b: int) -> np.ndarray:
        one = [UserPopulation(world, seed=s).step(a).engagement for s in range(30)]
        two = [UserPopulation(world, seed=s + seed_b).step(b).engagement for s in range(30)]
        return np.subtract(one, two)

    assert difference(0).var() < 0.5 * difference(1000).var()


def test_privileged_columns_have_names(world: World) -> None:
    assert UserPopulation(world).privileged().shape == (len(world), len(privileged_names(world)))
