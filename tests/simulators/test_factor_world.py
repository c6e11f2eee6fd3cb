import numpy as np
import pytest
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.errors import InvalidValue
from fairloop.simulators import randomness
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.factor_world import FactorWorld
from fairloop.simulators.fit import fit_world
from fairloop.simulators.fit_factors import fit_factor_world, made_up_factor_world
from fairloop.simulators.population import UserPopulation
from scipy.special import expit

K = 5
SMALL = WorldConfig(slate_size=K)


@pytest.fixture(scope="module")
def world() -> FactorWorld:
    return made_up_factor_world(40, 200, 6, SMALL, seed=2)


def slates(n_users: int, n_items: int, n_steps: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((n_steps, n_users, n_items)).argsort(axis=2)[:, :, :K]


def test_log_odds_at_rest_are_the_stated_sum(world: FactorWorld) -> None:
    columns = slates(40, 200, 1)[0]
    taste = randomness.bell(randomness.derive(world.luck[:, None], columns))
    expected = [
        world.bias[part][columns]
        + np.einsum("ut,ukt->uk", world.interest[:, part], world.topics[columns])
        + world.hidden[part] * taste
        for part in (0, 1)
    ]
    np.testing.assert_allclose(UserPopulation(world).log_odds(columns), expected, rtol=2e-4)


def test_hidden_taste_is_the_users_own_and_centred(world: FactorWorld) -> None:
    keys = randomness.derive(world.luck[:, None], np.arange(200)[None])
    taste = randomness.bell(keys)
    assert abs(taste.mean()) < 4 / 8000**0.5 and taste.std() == pytest.approx(1.0, abs=0.05)
    assert abs(np.corrcoef(taste[0], taste[1])[0, 1]) < 4 / 200**0.5


def test_same_seed_same_trajectory_for_any_batch(world: FactorWorld) -> None:
    shown = slates(40, 200, 15)
    together = UserPopulation(world, seed=8)
    rows = np.array([30, 2, 17])
    apart = UserPopulation(world, seed=8, rows=rows)
    for columns in shown:
        a, b = together.step(columns), apart.step(columns[rows])
        np.testing.assert_array_equal(a.clicks[rows], b.clicks)
        np.testing.assert_array_equal(a.engagement[rows], b.engagement)
        np.testing.assert_array_equal(a.next_day[rows], b.next_day)


def test_a_table_and_factors_of_the_same_truth_behave_alike(candidates: CandidateSet) -> None:
    """The tables that the factors add up to, in a ``World`` over all items: equal to rounding."""
    pools = candidates.pools()
    every = np.tile(np.arange(candidates.n_items), (len(pools), 1))
    factors = fit_factor_world(candidates, SMALL, seed=1, users=pools.users)
    taste = randomness.bell(randomness.derive(factors.luck[:, None], every))
    table = [
        factors.bias[part]
        + factors.interest[:, part] @ factors.topics.T
        + factors.hidden[part] * taste
        for part in (0, 1)
    ]
    world = fit_world(candidates, SMALL, seed=1, pools=type(pools)(pools.users, every, every * 0.0))
    tables = type(world)(
        SMALL, world.pools, world.catalogue, world.topics, world.usual_topics,
        table[0].astype(np.float32), table[1].astype(np.float32), factors.sensitivities,
    )  # fmt: skip
    one, two = UserPopulation(tables, seed=3), UserPopulation(factors, seed=3)
    same = total = 0
    for columns in slates(len(pools), candidates.n_items, 10):
        a, b = one.step(columns), two.step(columns)
        np.testing.assert_allclose(a.click_probability, b.click_probability, atol=2e-5)
        same += (a.clicks == b.clicks).all(axis=1).sum()
        total += len(columns)
    assert same >= total - 1  # a draw may fall between the two roundings


def test_the_fit_has_the_wanted_attraction_and_spread(candidates: CandidateSet) -> None:
    world = fit_factor_world(candidates, SMALL, seed=0)
    columns = np.tile(np.arange(candidates.n_items), (len(world), 1))
    appeal, worth = UserPopulation(world).log_odds(columns)
    assert expit(appeal).mean() == pytest.approx(0.3, abs=0.02)
    assert appeal.std() == pytest.approx(1.0, abs=0.1)
    mean = (candidates.train.rating.mean() - candidates.train.rating.min()) / np.ptp(
        candidates.train.rating
    )
    assert expit(worth).mean() == pytest.approx(mean, abs=0.1)


def test_shapes_that_do_not_fit_are_refused(world: FactorWorld) -> None:
    parts = {name: getattr(world, name) for name in world.__dataclass_fields__}
    with pytest.raises(InvalidValue, match="bias"):
        FactorWorld(**{**parts, "bias": world.bias[:, :-1]})
