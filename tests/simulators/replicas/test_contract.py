"""What holds in every replica: luck, rows that come or stay, episodes, and exact probabilities."""

from typing import Any

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators.replicas.base import ReplicaPopulation
from fairloop.simulators.replicas.play import GreedyColumns, RandomColumns, play
from fairloop.simulators.replicas.recsim import RecSimConfig
from fairloop.simulators.replicas.sardine import SardineConfig
from fairloop.simulators.replicas.trecs import TrecsConfig

Population = ReplicaPopulation[Any]
CONFIGS: dict[str, Any] = {
    "sardine": SardineConfig(n_items=60, slate_size=5, episode_length=12, slope=10.0, omega=0.9),
    "recsim": RecSimConfig(n_candidates=12, slate_size=3, time_budget=12.0),
    "recsim, cascade": RecSimConfig(
        n_candidates=12,
        slate_size=3,
        time_budget=6.0,
        choice_model="proportional_cascade",
        score_scaling=0.5,
        resample_documents=False,
    ),
    "trecs": TrecsConfig(
        n_items=40,
        n_attributes=6,
        slate_size=4,
        timesteps=10,
        drift=0.2,
        attention_exp=-0.7,
        repeat_interactions=False,
    ),
}
EACH = pytest.mark.parametrize("name", CONFIGS)


def make(name: str, n_users: int = 9, seed: int = 3, **how: Any) -> Population:
    return CONFIGS[name].make(n_users, seed, **how)


def trajectory(population: Population, n_steps: int = 6) -> list[tuple[np.ndarray, ...]]:
    """Columns are a function of the user and the step, so that any batch sees the same ones."""
    seen: list[tuple[np.ndarray, ...]] = []
    for step in range(n_steps):
        out = population.step(columns_of(population, step))
        seen.append((out.clicks, out.engagement, out.active, out.left, out.ended))
    return seen


def columns_of(population: Population, step: int) -> np.ndarray:
    world = population.world
    start = np.random.default_rng(step).permutation(world.n_candidates)
    return np.stack([np.roll(start, int(u))[: world.slate_size] for u in world.users])


@EACH
def test_the_same_luck_in_any_batch(name: str) -> None:
    together = trajectory(make(name))
    for row in range(9):
        alone = trajectory(make(name, rows=np.array([row])))
        for all_users, one in zip(together, alone, strict=True):
            for a, b in zip(all_users, one, strict=True):
                np.testing.assert_allclose(a[row], b[0], rtol=1e-5)


@EACH
def test_the_same_seed_gives_the_same_episodes_and_another_seed_other_ones(name: str) -> None:
    first, again, other = (play(make(name, 40, seed), RandomColumns(), 1) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.reward, again.reward)
    assert (first.reward != other.reward).any()


@EACH
def test_twins_share_their_luck_and_repeated_users_do_not(name: str) -> None:
    rows = np.array([2, 2, 5])
    twins, repeats = make(name, rows=rows, twins=True), make(name, rows=rows)
    for clicks, reward, *_ in trajectory(twins):
        np.testing.assert_array_equal(clicks[0], clicks[1])
        assert reward[0] == reward[1]
    if name != "trecs":  # whose users have no luck
        different = [(clicks[0] != clicks[1]).any() for clicks, *_ in trajectory(repeats)]
        assert any(different)


@EACH
def test_a_repeated_user_lives_the_episodes_that_one_row_lives_in_turn(name: str) -> None:
    both, alone = make(name, rows=np.array([4, 4])), make(name, rows=np.array([4]))
    together = trajectory(both)
    for row in (0, 1):
        for all_rows, one in zip(together, trajectory(alone), strict=True):
            np.testing.assert_array_equal(all_rows[0][row], one[0][0])
        alone.reset()


@EACH
def test_rows_that_stay_away_stay_as_they_are(name: str) -> None:
    population, present = make(name), np.arange(9) % 3 != 0
    before = population.take(np.arange(9))
    outcome = population.step(columns_of(population, 0), present)
    away = np.flatnonzero(~present)
    for attribute in population.per_row:
        np.testing.assert_array_equal(
            getattr(population, attribute)[away], getattr(before, attribute)[away]
        )
    assert not outcome.active[away].any() and not outcome.clicks[away].any()
    assert outcome.active[present].all()
    whole = before.step(columns_of(before, 0))
    np.testing.assert_array_equal(outcome.clicks[present], whole.clicks[present])
    np.testing.assert_array_equal(outcome.engagement[present], whole.engagement[present])
    for attribute in population.per_row:
        np.testing.assert_allclose(
            getattr(population, attribute)[present], getattr(before, attribute)[present], rtol=1e-5
        )


@EACH
def test_a_copy_goes_on_as_the_rows_it_was_taken_from(name: str) -> None:
    population = make(name)
    trajectory(population, 3)
    copy = population.take(np.array([7, 1]))
    for original, taken in zip(trajectory(population, 3), trajectory(copy, 3), strict=True):
        for a, b in zip(original, taken, strict=True):
            np.testing.assert_allclose(a[[7, 1]], b, rtol=1e-5)


@EACH
def test_reset_starts_anew_and_only_the_rows_it_names(name: str) -> None:
    population = make(name)
    trajectory(population, 3)
    others = [getattr(population, attribute)[:5].copy() for attribute in population.per_row]
    population.reset(np.arange(9) >= 5)
    for attribute, values in zip(population.per_row, others, strict=True):
        np.testing.assert_array_equal(getattr(population, attribute)[:5], values)
    assert population.alive[5:].all() and (population.day[5:] == 0).all()


@EACH
def test_users_who_are_gone_bring_nothing(name: str) -> None:
    population = make(name)
    while population.alive.any():
        population.step(columns_of(population, 0))
    outcome = population.step(columns_of(population, 1))
    for part in (outcome.clicks, outcome.engagement, outcome.active, outcome.left, outcome.ended):
        assert not part.any()


@EACH
def test_probabilities_are_probabilities_and_what_is_promised_is_what_is_drawn(name: str) -> None:
    population = make(name, 3000)
    columns = columns_of(population, 0)
    click, expected = (
        population.click_probabilities(columns),
        population.expected_engagement(columns),
    )
    outcome = population.step(columns)
    np.testing.assert_array_equal(outcome.click_probability, click)
    np.testing.assert_allclose(outcome.expected_engagement, expected, rtol=1e-6)
    assert (click >= 0).all() and (click <= outcome.examination + 1e-6).all()
    assert (outcome.examination <= 1).all()
    spread = np.sqrt(np.maximum((click * (1 - click)).sum(axis=0), 1e-9))
    assert (np.abs(outcome.clicks.sum(axis=0) - click.sum(axis=0)) < 4.5 * spread + 1e-3).all()


@EACH
def test_what_is_earned_is_on_average_what_was_expected(name: str) -> None:
    played = play(make(name, 4000), RandomColumns(), 2)
    off = played.reward - played.expected_reward
    assert abs(off.mean()) < 4.5 * off.std() / np.sqrt(len(off)) + 1e-3


@EACH
def test_knowing_the_truth_earns_more_than_chance(name: str) -> None:
    greedy, random = (play(make(name, 300), p, 0) for p in (GreedyColumns(), RandomColumns()))
    assert greedy.reward.mean() > 1.05 * random.reward.mean()


@EACH
def test_the_privileged_state_has_a_row_for_each_user(name: str) -> None:
    state = make(name).privileged()
    assert len(state) == 9 and state.dtype == np.float32 and np.isfinite(state).all()


@EACH
def test_slates_that_do_not_fit_are_refused(name: str) -> None:
    population = make(name)
    columns = columns_of(population, 0)
    for wrong in (columns[:, :-1], columns[:-1], columns + 1000, columns - 1000):
        with pytest.raises(InvalidValue, match="columns"):
            population.step(wrong)


@pytest.mark.parametrize(("n", "k"), [(30, 3), (6, 4), (5, 5)])
def test_random_columns_are_distinct_and_each_as_likely(n: int, k: int) -> None:
    config = TrecsConfig(n_items=n, n_attributes=2, slate_size=k)
    columns = RandomColumns().slates(config.make(6000), np.random.default_rng(0))
    assert (np.diff(np.sort(columns, axis=1), axis=1) > 0).all()
    for position in columns.T:
        counts = np.bincount(position, minlength=n)
        assert (np.abs(counts - 6000 / n) < 5 * np.sqrt(6000 / n)).all()


def test_greedy_columns_are_the_best_and_in_order_in_blocks_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    population = make("trecs")
    scores = population.scores()
    best = np.argsort(-scores, axis=1, kind="stable")[:, :4]
    rng = np.random.default_rng(0)
    for cells in (1 << 22, 80, 1):
        monkeypatch.setattr("fairloop.simulators.replicas.play._CELLS", cells)
        columns = GreedyColumns().slates(population, rng)
        np.testing.assert_allclose(
            np.take_along_axis(scores, columns, 1), np.take_along_axis(scores, best, 1), rtol=1e-6
        )
