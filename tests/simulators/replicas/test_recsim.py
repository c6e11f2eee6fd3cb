"""RecSim's interest evolution: golden probabilities, time accounting, and where interests go."""

import math
from typing import Any

import numpy as np
import pytest
from fairloop.simulators import randomness
from fairloop.simulators.replicas import recsim_dynamics as dynamics
from fairloop.simulators.replicas.play import GreedyColumns, RandomColumns, play
from fairloop.simulators.replicas.recsim import RecSimConfig, RecSimPopulation
from pydantic import ValidationError

from benchmarks.peers.plain_recsim import PlainRecSim

FIXED: dict[str, Any] = {"n_candidates": 3, "slate_size": 3, "resample_documents": False}
MODELS = ("proportional", "logit", "exponential_cascade", "proportional_cascade")
# Of interests 0.5, -0.5 and 0: (s + 1) / (Σ (s + 1) + 2), and so on, as in choice_model.py.
A = 0.65 * 0.05
SUM = math.exp(0.5) + math.exp(-0.5) + 1.0 + math.e
GOLDEN = {
    "proportional": [1.5 / 5, 0.5 / 5, 1.0 / 5],
    "logit": [math.exp(0.5) / SUM, math.exp(-0.5) / SUM, 1.0 / SUM],
    "exponential_cascade": [
        A * math.exp(0.5),
        (1 - A * math.exp(0.5)) * A * math.exp(-0.5),
        (1 - A * math.exp(0.5)) * (1 - A * math.exp(-0.5)) * A,
    ],
    "proportional_cascade": [A * 1.5, (1 - A * 1.5) * A * 0.5, (1 - A * 1.5) * (1 - A * 0.5) * A],
}


def with_documents(
    topics: list[int], quality: list[float], n_users: int = 1, **changed: Any
) -> RecSimPopulation:
    """A population over given documents."""
    config = RecSimConfig.model_validate({**FIXED, **changed, "n_candidates": len(topics)})
    population = config.make(n_users)
    object.__setattr__(population.world, "topics", np.array(topics))
    object.__setattr__(population.world, "quality", np.array(quality, np.float32))
    return population


@pytest.mark.parametrize("model", MODELS)
def test_choice_probabilities_of_three_documents(model: str) -> None:
    population = with_documents([0, 1, 2], [0.0] * 3, choice_model=model)
    population.interests[0, :3] = [0.5, -0.5, 0.0]
    click = population.click_probabilities(np.array([[0, 1, 2]]))
    np.testing.assert_allclose(click[0], GOLDEN[model], rtol=1e-5)
    user = PlainRecSim(population.world.config, population.interests[0])
    np.testing.assert_allclose(user.choice_probabilities([0, 1, 2]), GOLDEN[model], rtol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_clicks_are_drawn_from_the_choice_probabilities_and_at_most_one(model: str) -> None:
    scaling = 0.3 if model.endswith("cascade") else 0.05
    population = with_documents(
        [0, 1, 2], [0.0] * 3, 40_000, choice_model=model, score_scaling=scaling
    )
    population.interests[:, :3] = [0.5, -0.5, 0.0]
    columns = np.tile([0, 1, 2], (40_000, 1))
    outcome = population.step(columns)
    assert outcome.clicks.sum(axis=1).max() == 1
    share, chance = outcome.clicks.mean(axis=0), outcome.click_probability[0]
    np.testing.assert_array_less(np.abs(share - chance), 4.5 * np.sqrt(chance / 40_000))


def test_time_is_spent_on_watching_and_given_back_for_quality() -> None:
    always = {"no_click_mass": -1.0, "slate_size": 1}  # of weight 0: something is clicked
    for quality in (-3.0, 0.0, 2.0):
        population = with_documents([5], [quality], **always)
        outcome = population.step(np.array([[0]]))
        assert outcome.minutes is not None and outcome.minutes[0, 0] == outcome.engagement[0] == 4
        expected = 200 - 4 + (0.9 / 3.4) * 4 * quality
        np.testing.assert_allclose(population.budget, expected, rtol=1e-6)


def test_what_the_user_wants_counts_where_its_factor_is_not_zero() -> None:
    population = with_documents(
        [5], [1.0], no_click_mass=-1.0, slate_size=1, user_quality_factor=2.0
    )
    population.interests[0, 5] = 0.5
    population.step(np.array([[0]]))  # utility: 2 · (0.5 + 1) + 1
    np.testing.assert_allclose(population.budget, 200 - 4 + (0.9 / 3.4) * 4 * 4.0, rtol=1e-6)


def test_a_slate_without_a_click_costs_the_penalty_and_the_session_ends_at_zero() -> None:
    population = with_documents([0], [0.0], no_click_mass=999.0, slate_size=1, time_budget=1.0)
    population.interests[:, 0] = -1.0  # of weight 0: nothing is clicked
    first = population.step(np.array([[0]]))
    assert not first.clicks.any() and population.budget[0] == 0.5
    assert not first.left[0] and not first.session_over[0] and first.day[0] == first.next_day[0]
    last = population.step(np.array([[0]]))
    assert last.left[0] and last.session_over[0] and not last.ended[0] and last.day[0] == 0
    assert not population.alive[0]


def test_the_last_video_is_watched_as_long_as_time_is_left() -> None:
    population = with_documents([0], [0.0], no_click_mass=-1.0, slate_size=1, time_budget=6.0)
    watched = [float(population.step(np.array([[0]])).engagement[0]) for _ in range(2)]
    assert watched == [4.0, 2.0] and not population.alive[0]


@pytest.mark.parametrize("interest", [-0.8, -0.2, 0.0, 0.5, 0.9])
def test_interest_moves_up_or_down_with_the_stated_probability(interest: float) -> None:
    n = 20_000
    population = with_documents([4], [0.0], n, no_click_mass=-1.0, slate_size=1)
    others = np.delete(population.interests, 4, axis=1)
    population.interests[:, 4] = interest
    population.step(np.zeros((n, 1), int))
    step = 0.3 * (1 - abs(interest)) * (1 - interest)
    moved, p = population.interests[:, 4], (1 + interest) / 2
    up = moved > interest
    np.testing.assert_allclose(moved[up], interest + step, rtol=1e-5)
    np.testing.assert_allclose(moved[~up], max(interest - step, -1), rtol=1e-5)
    assert abs(up.mean() - p) < 4.5 * np.sqrt(p * (1 - p) / n)
    np.testing.assert_array_equal(np.delete(population.interests, 4, axis=1), others)


def test_extreme_interests_do_not_move_and_none_leaves_its_range() -> None:
    at = np.linspace(-1, 1, 101, dtype=np.float32)
    step = dynamics.interest_step(at, 1.0, 0.3)
    assert step[0] == step[-1] == 0 and (step >= 0).all()
    for rises in (np.zeros(101, bool), np.ones(101, bool)):
        moved = dynamics.moved_interest(at, step, rises)
        assert (np.abs(moved) <= 1).all()
        assert ((moved >= at) if rises[0] else (moved <= at)).all()


def test_topics_run_from_trashy_to_nutritious() -> None:
    quality = RecSimConfig().topic_quality()
    np.testing.assert_allclose(quality[[0, 13, 14, 19]], [-3, 0, 0, 3], atol=1e-6)
    np.testing.assert_allclose(np.diff(quality[:14]), 3 / 13, rtol=1e-5)
    np.testing.assert_allclose(np.diff(quality[14:]), 3 / 5, rtol=1e-5)


def test_documents_are_new_for_every_slate_and_follow_their_law() -> None:
    population = RecSimConfig(n_candidates=20).make(2000)
    topics, quality = population.documents()
    again = population.documents()
    np.testing.assert_array_equal(topics, again[0])
    np.testing.assert_array_equal(quality, again[1])
    counts = np.bincount(topics.ravel(), minlength=20)
    assert (np.abs(counts - 2000) < 5 * np.sqrt(2000)).all()
    off = quality - RecSimConfig().topic_quality()[topics]
    assert abs(off.mean()) < 0.003 and abs(off.std() - 0.1) < 0.003
    assert abs(np.corrcoef(off.ravel(), topics.ravel())[0, 1]) < 0.03
    np.testing.assert_array_equal(
        population.scores(), np.take_along_axis(population.interests, topics, axis=1)
    )
    population.step(np.tile([0, 1], (2000, 1)))
    assert (population.documents()[0] != topics).mean() > 0.9


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("resample", [True, False])
def test_each_user_does_what_the_plain_oracle_does(model: str, resample: bool) -> None:
    config = RecSimConfig.model_validate(
        {
            **{"n_candidates": 8, "slate_size": 4, "time_budget": 25.0, "score_scaling": 0.3},
            **{"choice_model": model, "resample_documents": resample, "user_quality_factor": 0.4},
        }
    )
    population = config.make(30, seed=2, luck=9)
    users = [PlainRecSim(config, interests) for interests in population.interests]
    roots = [
        randomness.stream_keys(9, stream, np.arange(30))
        for stream in (randomness.CHOICES, randomness.VISITS)
    ]
    rng, same, visit = np.random.default_rng(1), np.ones(30, bool), 0
    while population.alive.any():
        columns = RandomColumns().slates(population, rng)
        topics, quality = population.documents(columns)
        choices, visits = (randomness.derive(root, np.full(30, visit)) for root in roots)
        luck = randomness.uniforms(randomness.derive(choices[:, None], columns))
        idle = randomness.uniforms(randomness.derive(visits, np.ones(30, int)))
        flips = randomness.uniforms(visits)
        outcome = population.step(columns)
        for row in np.flatnonzero(outcome.active & same):
            chosen, watched, over = users[row].step(
                topics[row].tolist(),
                quality[row].tolist(),
                luck[row],
                float(idle[row]),
                float(flips[row]),
            )
            clicks = np.flatnonzero(outcome.clicks[row]).tolist()
            same[row] &= clicks == ([] if chosen is None else [chosen])
            same[row] &= abs(watched - outcome.engagement[row]) < 1e-3
            same[row] &= over == outcome.left[row]
            same[row] &= abs(users[row].budget - population.budget[row]) < 1e-2
            same[row] &= bool(
                np.allclose(users[row].interests, population.interests[row], atol=1e-4)
            )
        visit += 1
    assert same.mean() >= 0.96 and visit > 5


def test_selling_clicks_now_is_not_optimal() -> None:
    config = RecSimConfig(n_candidates=20, slate_size=3)
    greedy = play(config.make(400), GreedyColumns()).reward.mean()
    patient = GreedyColumns(lambda population: population.documents()[1], "best quality")
    assert play(config.make(400), patient).reward.mean() > 1.5 * greedy


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_normalizer": -0.5},
        {"no_click_mass": -2.0},
        {"choice_model": "exponential_cascade", "score_scaling": 0.9},
        {"choice_model": "proportional_cascade", "score_scaling": 0.9},
        {"n_candidates": 2, "slate_size": 3},
        {"videos": 3},
    ],
)
def test_what_gives_no_probabilities_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RecSimConfig.model_validate(wrong)
