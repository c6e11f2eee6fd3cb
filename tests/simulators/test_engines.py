"""The compiled engine against the numpy one: the same luck and equations, two ways."""

import itertools

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators import compiled
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit_factors import made_up_factor_world
from fairloop.simulators.outcome import StepOutcome
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.world import Truth, World

K = 10
EVERYTHING = {
    "dwell": {"enabled": True},
    "session": {"enabled": True},
    "choice": {"model": "position"},
}
NOTHING = WorldConfig.static().model_dump()
SETTINGS: dict[str, dict[str, object]] = {
    "default": {},
    "nothing": NOTHING,
    "everything": EVERYTHING,
    "cascade": {"choice": {"model": "cascade"}},
    "logit": {"choice": {"model": "logit", "no_click": 0.0}, "session": {"enabled": True}},
    "no drift": {"drift": {"enabled": False}},
    "no satiation": {"satiation": {"enabled": False}},
    "no fatigue": {"fatigue": {"enabled": False}},
    "nobody leaves": {"leaving": {"enabled": False}},
    "daily": {"returning": {"enabled": False}},
}


def both(truth: Truth, n_steps: int, **slates: bool) -> tuple[list[StepOutcome], list[StepOutcome]]:
    """Steps of both engines on the same slates; restarts, absences and blanks as asked."""
    rng = np.random.default_rng(3)
    pair = [UserPopulation(truth, seed=4, engine=name) for name in ("numpy", "compiled")]
    steps: tuple[list[StepOutcome], list[StepOutcome]] = ([], [])
    for _ in range(n_steps):
        columns = rng.random((len(truth), truth.n_candidates)).argsort(axis=1)[:, :K]
        present = rng.random(len(truth)) < 0.7 if slates.get("away") else None
        blank = rng.random(columns.shape) < 0.2 if slates.get("blank") else None
        for population, log in zip(pair, steps, strict=True):
            log.append(population.step(columns, present, blank))
        for population in pair:
            gone = ~population.alive
            if gone.mean() > 0.3:
                population.reset(gone)
    return steps


def compare(truth: Truth, n_steps: int = 40, **slates: bool) -> None:
    """Draws equal but where a uniform falls within rounding; numbers equal to float32 rounding."""
    flipped = np.zeros(len(truth), np.bool_)
    for one, two in zip(*both(truth, n_steps, **slates), strict=True):
        for name in ("clicks", "left", "ended", "session_over", "active", "day", "next_day"):
            a, b = getattr(one, name), getattr(two, name)
            flipped |= (a != b).reshape(len(truth), -1).any(axis=1)
        same = ~flipped
        for name in (
            *("click_probability", "examination", "mean_satisfaction", "satisfaction", "dwell"),
            *("engagement", "leaving_probability", "return_hazard", "expected_engagement"),
        ):
            a, b = getattr(one, name)[same], getattr(two, name)[same]
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5, err_msg=name)
    assert flipped.sum() <= 1


@pytest.mark.parametrize("name", SETTINGS)
def test_tables(world: World, name: str) -> None:
    compare(world.with_dynamics(WorldConfig.model_validate(SETTINGS[name])))


@pytest.mark.parametrize("away, blank", list(itertools.product([False, True], repeat=2)))
def test_absences_and_blanks(world: World, away: bool, blank: bool) -> None:
    compare(world, away=away, blank=blank)


@pytest.mark.parametrize("n_items", [150, 6000])
def test_factors_with_both_layouts_of_memory(n_items: int) -> None:
    compare(made_up_factor_world(50, n_items, 7, WorldConfig(horizon_days=20), seed=1))


def test_a_small_table_of_fatigue_grows_in_either_engine() -> None:
    """More slates a day than planned for: sessions that hardly end."""
    settings = {"session": {"enabled": True, "mean_slates": 30.0}, "horizon_days": 3}
    compare(made_up_factor_world(20, 6000, 5, WorldConfig.model_validate(settings), seed=2))


def test_same_seed_same_trajectory_for_any_batch_to_the_last_bit(world: World) -> None:
    rng = np.random.default_rng(1)
    rows = np.array([17, 2, 40])
    together = UserPopulation(world, seed=8, engine="compiled")
    apart = UserPopulation(world, seed=8, rows=rows, engine="compiled")
    for _ in range(20):
        columns = rng.random((len(world), world.n_candidates)).argsort(axis=1)[:, :K]
        a, b = together.step(columns), apart.step(columns[rows])
        for name in ("clicks", "satisfaction", "engagement", "next_day", "left"):
            np.testing.assert_array_equal(getattr(a, name)[rows], getattr(b, name))


def test_nothing_is_compiled_twice(world: World) -> None:
    """Whatever layout and dtype slates come in, and after rows were taken: one signature."""
    rng = np.random.default_rng(1)
    columns = rng.random((len(world), world.n_candidates)).argsort(axis=1)[:, :K]
    population = UserPopulation(world, seed=8, engine="compiled")
    for shown in (columns, columns.astype(np.int32), np.asfortranarray(columns)):
        population.step(shown)
    population.step(columns, blank=np.asfortranarray(columns == 3))
    rows = np.array([3, 1, 8], np.int32)
    population.take(rows).step(columns[rows])
    factors = made_up_factor_world(50, 6000, 7, seed=1)
    UserPopulation(factors, engine="compiled").step(np.tile(np.arange(K), (50, 1)))
    assert len(compiled.visit.signatures) == 1


def test_an_unknown_engine_is_refused(world: World) -> None:
    with pytest.raises(InvalidValue, match="engine"):
        UserPopulation(world, engine="cuda")  # pyright: ignore[reportArgumentType]  on purpose
