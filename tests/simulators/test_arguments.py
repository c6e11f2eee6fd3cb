"""What is refused, by both engines alike, before anything has happened."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators.config import LeavingConfig, WorldConfig
from fairloop.simulators.engines import EngineName
from fairloop.simulators.factor_world import FactorWorld
from fairloop.simulators.fit_factors import made_up_factor_world
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.world import World

U, N, K = 30, 80, 5
SLATES = np.tile(np.arange(K), (U, 1))


@pytest.fixture(scope="module")
def factors() -> FactorWorld:
    config = WorldConfig(slate_size=K, leaving=LeavingConfig(enabled=False))
    return made_up_factor_world(U, N, 4, config, seed=1)


def wrong(row: int, position: int, column: int) -> np.ndarray:
    columns = SLATES.copy()
    columns[row, position] = column
    return columns


WRONG = {
    "a negative column": (wrong(3, 2, -1), "column -1"),
    "the first column beyond the world": (wrong(U - 1, K - 1, N), f"column {N}"),
    "a column far beyond it": (wrong(0, 0, 10**12), f"column {10**12}"),
    "a column twice": (wrong(7, 4, 1), "column 1 twice"),
    "no integers": (SLATES.astype(float), "float64"),
    "another shape": (SLATES[:, :-1], f"k={K}"),
    "another number of users": (SLATES[:-1], f"{U} users"),
}


@pytest.mark.parametrize("name", WRONG)
def test_no_slate_no_visit(factors: FactorWorld, engine: EngineName, name: str) -> None:
    population = UserPopulation(factors, seed=1, engine=engine)
    population.step(SLATES)
    before, columns = population.privileged(), np.tile(np.arange(N), (U, 1))
    tired = population.fatigue(columns)
    with pytest.raises(InvalidValue, match=WRONG[name][1]) as refused:
        population.step(WRONG[name][0])
    assert refused.value.field == "columns" and refused.value.mend
    np.testing.assert_array_equal(population.privileged(), before)
    np.testing.assert_array_equal(population.fatigue(columns), tired)
    same = UserPopulation(factors, seed=1, engine=engine)
    same.step(SLATES)
    np.testing.assert_array_equal(population.step(SLATES).clicks, same.step(SLATES).clicks)


def test_slates_of_the_absent_are_not_looked_at(factors: FactorWorld, engine: EngineName) -> None:
    population = UserPopulation(factors, seed=1, engine=engine)
    present = np.arange(U) != 3
    population.step(wrong(3, 0, -1), present)
    with pytest.raises(InvalidValue, match="column -1"):
        population.step(wrong(4, 0, -1), present)


@pytest.mark.parametrize("k", [1, 5, 300])
def test_columns_of_any_catalogue_in_slates_of_any_size(engine: EngineName, k: int) -> None:
    """Columns that lie a power of two apart are different; the same one is found anywhere."""
    world = made_up_factor_world(3, 40_000, 4, WorldConfig(slate_size=k), seed=1)
    columns = np.stack([np.arange(k) * 128, np.arange(k), 39_999 - np.arange(k) * 64])
    UserPopulation(world, engine=engine).step(columns)
    if k > 1:
        columns[2, k - 1] = columns[2, 0]
        with pytest.raises(InvalidValue, match="column 39999 twice"):
            UserPopulation(world, engine=engine).step(columns)


@pytest.mark.parametrize(
    "look",
    [
        UserPopulation.fatigue,
        UserPopulation.log_odds,
        UserPopulation.click_probabilities,
        UserPopulation.expected_engagement,
    ],
)
@pytest.mark.parametrize("column", [-1, N])
def test_nothing_is_known_of_other_columns(
    factors: FactorWorld, look: Callable[..., np.ndarray], column: int
) -> None:
    with pytest.raises(InvalidValue, match=f"column {column} is none"):
        look(UserPopulation(factors), wrong(2, 2, column))


@pytest.mark.parametrize(
    "given",
    [
        {"present": np.ones((U, 1), np.bool_)},
        {"present": np.ones(U, np.int64)},
        {"blank": np.zeros((1, K), np.bool_)},
        {"blank": np.zeros((U, K), np.int64)},
    ],
)
def test_flags_are_booleans_of_their_shape(
    factors: FactorWorld, engine: EngineName, given: dict[str, np.ndarray]
) -> None:
    with pytest.raises(InvalidValue, match=next(iter(given))):
        UserPopulation(factors, engine=engine).step(SLATES, **given)


@pytest.mark.parametrize(
    "rows, meant",
    [
        (np.arange(U) < 2, [0, 1]),
        (np.array([5, 2], np.int32), [2, 5]),
        ([4, 1], [1, 4]),
        (range(3), [0, 1, 2]),
        ([], []),
        (np.zeros(0, np.bool_), []),
        (np.array([6, 6]), [6]),
        (None, list(range(U))),
    ],
)
def test_rows_to_reset(factors: FactorWorld, rows: object, meant: list[int]) -> None:
    population = UserPopulation(factors)
    population.reset(rows)  # pyright: ignore[reportArgumentType]  whatever numpy reads
    assert np.flatnonzero(population.episode == 1).tolist() == meant
    assert np.flatnonzero(population.episode == 0).tolist() == sorted({*range(U)} - {*meant})


@pytest.mark.parametrize("rows", [[U], [-1], [0.5], np.ones(U - 1, np.bool_), [[0, 1]], ["one"]])
def test_rows_that_are_none(factors: FactorWorld, rows: object) -> None:
    population = UserPopulation(factors)
    for use in (population.reset, population.take):
        with pytest.raises(InvalidValue, match="rows"):
            use(rows)  # pyright: ignore[reportArgumentType]  on purpose


def test_rows_to_take_as_a_mask(factors: FactorWorld, engine: EngineName) -> None:
    population = UserPopulation(factors, seed=2, engine=engine)
    population.step(SLATES)
    mask = np.isin(np.arange(U), [3, 8, 20])
    part = population.take(mask)
    whole, own = population.step(SLATES), part.step(SLATES[mask])
    np.testing.assert_array_equal(whole.satisfaction[mask], own.satisfaction)


@pytest.mark.parametrize("name", ["topics", "usual_topics", "bias", "interest", "hidden"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_factors_are_finite(factors: FactorWorld, name: str, value: float) -> None:
    array = getattr(factors, name).copy()
    array.flat[-1] = value
    with pytest.raises(InvalidValue, match=f"{name}: holds NaN"):
        replace(factors, **{name: array})


@pytest.mark.parametrize("name", ["topics", "usual_topics", "appeal", "worth"])
def test_tables_are_finite_and_fit_together(world: World, name: str) -> None:
    array = getattr(world, name).copy()
    array.flat[-1] = -np.inf
    with pytest.raises(InvalidValue, match=f"{name}: holds NaN"):
        replace(world, **{name: array})
    with pytest.raises(InvalidValue, match=name):
        replace(world, **{name: array[..., :-1]})


def test_sensitivities_are_finite_and_one_per_user(world: World) -> None:
    ours = world.sensitivities
    for fatigue in (ours.fatigue[:-1], np.full_like(ours.fatigue, np.nan)):
        with pytest.raises(InvalidValue, match="fatigue"):
            replace(world, sensitivities=replace(ours, fatigue=fatigue))


def test_items_of_the_pools_have_topics(world: World) -> None:
    with pytest.raises(InvalidValue, match="pools"):
        replace(world, topics=world.topics[: world.pools.items.max()])
