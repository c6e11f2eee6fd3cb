"""T-RECS: the oracle, the package itself, and which way profiles turn."""

import importlib.util
from typing import Any

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators.replicas.play import RandomColumns
from fairloop.simulators.replicas.trecs import TrecsConfig, TrecsPopulation, trecs_world
from fairloop.simulators.replicas.trecs_dynamics import attention, slerp
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.plain_trecs import PlainTrecs
from benchmarks.peers.trecs_package import trecs_choices, trecs_rates

needs_trecs = pytest.mark.skipif(
    importlib.util.find_spec("trecs") is None, reason="the T-RECS package is not installed"
)
KINDS: list[dict[str, Any]] = [
    {},
    {"drift": 0.3},
    {"attention_exp": -0.8, "drift": 0.1},
    {"attention_exp": 0.5, "repeat_interactions": False},
    {"drift": 1.0},
]


def small(**changed: Any) -> tuple[TrecsConfig, np.ndarray, np.ndarray, np.ndarray]:
    """A configuration, profiles ``(12, 5)``, items ``(20, 5)`` and slates ``(15, 12, 4)``."""
    config = TrecsConfig.model_validate(
        {"n_items": 20, "n_attributes": 5, "slate_size": 4, "timesteps": 15, **changed}
    )
    rng = np.random.default_rng(4)
    items = rng.integers(0, 2, (20, 5)) * rng.uniform(0.5, 2.0, (20, 5))
    items[:, 0] += 0.1  # the package divides by the length of an item
    slates = np.argsort(rng.random((15, 12, 20)), axis=2)[:, :, :4]
    return config, rng.normal(size=(12, 5)), items, slates


@pytest.mark.parametrize("changed", KINDS, ids=str)
def test_users_choose_and_turn_as_the_plain_oracle_does(changed: dict[str, Any]) -> None:
    config, profiles, items, slates = small(**changed)
    population = TrecsPopulation(trecs_world(config, profiles, items))
    users = [PlainTrecs(config, profile, items) for profile in profiles]
    for columns in slates:
        outcome = population.step(columns)
        assert (outcome.clicks.sum(axis=1) == 1).all()
        for row, user in enumerate(users):
            position, score = user.step(columns[row])
            assert outcome.clicks[row, position]
            assert abs(outcome.engagement[row] - score) < 1e-4
    assert outcome.ended.all() and not outcome.left.any()
    plain = np.array([u.profile / np.linalg.norm(u.profile) for u in users])
    np.testing.assert_allclose(population.profiles, plain, atol=1e-4)


@needs_trecs
def test_the_oracle_and_the_replica_do_what_the_package_does() -> None:
    cases = [small(**changed) for changed in KINDS[:4]]
    answers = trecs_choices(
        [
            {
                "profiles": profiles.tolist(),
                "attributes": items.tolist(),
                "slates": slates.tolist(),
                "drift": config.drift,
                "attention_exp": config.attention_exp,
                "repeat": config.repeat_interactions,
            }
            for config, profiles, items, slates in cases
        ]
    )
    for (config, profiles, items, slates), package in zip(cases, answers, strict=True):
        population = TrecsPopulation(trecs_world(config, profiles, items))
        users = [PlainTrecs(config, profile, items) for profile in profiles]
        for columns, chosen in zip(slates, package["items"], strict=True):
            outcome = population.step(columns)
            assert columns[outcome.clicks].tolist() == chosen
            plain = [columns[row, user.step(columns[row])[0]] for row, user in enumerate(users)]
            assert plain == chosen
        np.testing.assert_allclose([u.profile for u in users], package["profiles"], atol=1e-6)


@needs_trecs
@pytest.mark.slow
def test_the_package_can_be_timed() -> None:
    rates = trecs_rates(n_users=8, n_items=30, k=3, steps=2, drift=0.1)
    assert len(rates) == 3 and all(rate > 0 for rate in rates.values())


def test_chosen_items_gain_score_with_drift_and_the_more_the_stronger() -> None:
    gains = []
    for drift in (0.0, 0.1, 0.5):
        population = TrecsConfig(n_items=50, n_attributes=8, drift=drift).make(200, seed=1)
        columns = RandomColumns().slates(population, np.random.default_rng(0))
        before = population.scores()
        chosen = columns[population.step(columns).clicks]
        gain = (population.scores() - before)[np.arange(200), chosen]
        assert (gain >= -1e-5).all()
        gains.append(gain.mean())
    assert gains[0] == 0 and gains[0] < gains[1] < gains[2]


def test_attention_favours_the_top_for_good_items_and_the_end_for_bad_ones() -> None:
    np.testing.assert_allclose(attention(3, -1.0), [1, 1 / 2, 1 / 3])
    config = TrecsConfig(n_items=4, n_attributes=1, slate_size=4, attention_exp=-1.0)
    same = np.ones((4, 1))
    for sign, expected in ((1.0, 0), (-1.0, 3)):  # the original's, as it is
        population = TrecsPopulation(trecs_world(config, np.array([[sign]]), same))
        assert population.step(np.array([[0, 1, 2, 3]])).clicks[0].argmax() == expected


def test_nothing_is_chosen_twice_until_nothing_else_is_left() -> None:
    config = TrecsConfig(n_items=4, n_attributes=3, slate_size=4, repeat_interactions=False)
    population = config.make(30)
    columns = np.tile(np.arange(4), (30, 1))
    chosen = np.stack([population.step(columns).clicks.argmax(axis=1) for _ in range(5)])
    assert (np.sort(chosen[:4], axis=0) == np.arange(4)[:, None]).all()
    assert (chosen[4] == 0).all()


vectors = st.lists(st.floats(-5, 5), min_size=4, max_size=4).filter(
    lambda v: np.linalg.norm(v) > 0.1
)


@given(vectors, vectors, st.floats(0, 1))
def test_turning_keeps_the_length_and_leaves_the_rest_of_the_angle(
    profile: list[float], target: list[float], share: float
) -> None:
    unit = (np.array([profile]) / np.linalg.norm(profile)).astype(np.float32)
    goal = np.array([target], np.float32)
    aim = goal / np.linalg.norm(goal)
    angle = 2 * np.arctan2(np.linalg.norm(unit - aim), np.linalg.norm(unit + aim))
    if angle > 3.1:
        return  # all but opposite: float32 does not know which way
    turned = slerp(unit, goal, share)
    np.testing.assert_allclose(np.linalg.norm(turned), 1.0, rtol=1e-5)
    left = 2 * np.arctan2(np.linalg.norm(turned - aim), np.linalg.norm(turned + aim))
    np.testing.assert_allclose(left, (1 - share) * angle, atol=2e-3)


def test_nothing_turns_towards_nothing_or_towards_itself() -> None:
    unit = np.array([[0.6, 0.8], [0.6, 0.8]], np.float32)
    targets = np.array([[0.0, 0.0], [1.2, 1.6]], np.float32)
    np.testing.assert_array_equal(slerp(unit, targets, 0.5), unit)
    with pytest.raises(InvalidValue, match="exactly away"):
        slerp(unit, -unit, 0.5)


def test_an_episode_starts_from_the_same_profiles_again() -> None:
    population = TrecsConfig(n_items=30, n_attributes=6, drift=0.5).make(5)
    start = population.profiles.copy()
    population.step(RandomColumns().slates(population, np.random.default_rng(0)))
    assert (population.profiles != start).any()
    population.reset()
    np.testing.assert_array_equal(population.profiles, start)


def test_users_are_the_same_however_many_there_are() -> None:
    config = TrecsConfig(n_items=5, n_attributes=7, slate_size=2)
    np.testing.assert_array_equal(
        config.make_world(3, 1).profiles, config.make_world(9, 1).profiles[:3]
    )
