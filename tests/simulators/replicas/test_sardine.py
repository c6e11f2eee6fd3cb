"""SARDINE: its published behaviour, its equations one user at a time, and which way things move."""

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators import randomness
from fairloop.simulators.replicas import sardine_dynamics as dynamics
from fairloop.simulators.replicas.play import GreedyColumns, RandomColumns, play
from fairloop.simulators.replicas.recsim import RecSimConfig
from fairloop.simulators.replicas.sardine import PUBLISHED, SardineConfig, SardinePopulation
from fairloop.simulators.replicas.sardine_policy import NeverBoring
from pydantic import ValidationError

from benchmarks.peers import plain_sardine
from benchmarks.peers.plain_sardine import PlainSardine

# Clicks per episode in 100 episodes of the original's SlateTopK-Bored-v0, mean and half-width.
RANDOM, GREEDY = (43.9, 1.5), (143.2, 8.3)
SMALL = {"n_items": 80, "slate_size": 6, "episode_length": 40, "offset": 0.5, "slope": 15.0}


def inside(mean: float, interval: tuple[float, float]) -> bool:
    return abs(mean - interval[0]) <= interval[1]


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2))])
def test_random_and_greedy_earn_what_they_earn_in_the_original(seed: int) -> None:
    config = SardineConfig()
    random = play(config.make(500, seed), RandomColumns(), seed)
    greedy = play(config.make(200, seed), GreedyColumns(), seed)
    assert inside(float(random.clicks.mean()), RANDOM)
    assert inside(float(greedy.clicks.mean()), GREEDY)
    assert (random.steps == 100).all() and (greedy.steps == 100).all()


def test_the_plain_oracle_earns_what_the_original_earns() -> None:
    random = plain_sardine.play(SardineConfig(), False, 50, seed=1)
    greedy = plain_sardine.play(SardineConfig(), True, 50, seed=1)
    assert inside(float(random.mean()), RANDOM)
    assert inside(float(greedy.mean()), GREEDY)


def luck_of(population: SardinePopulation, columns: np.ndarray, visit: int) -> np.ndarray:
    users = population.world.users
    root = randomness.stream_keys(7, randomness.CHOICES, users)
    keys = randomness.derive(root, np.full(len(users), visit))
    return randomness.uniforms(randomness.derive(keys[:, None], columns))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"omega": 0.9},
        {"omega": 0.8, "influence": "by_topic", "boredom_type": "user_tloi"},
        {"boredom_type": "user_tloi", "boredom_threshold": 3, "relevance_penalty": True},
        {"click_model": "mixPBM", "diversity_penalty": 2.0, "diversity_threshold": 2},
        {"relevance_threshold": 0.5, "alpha": 0.7, "boredom_window": 3},
        {"recent_clicks": 3, "boredom_threshold": 2, "boredom_window": 8},
    ],
    ids=lambda changed: ",".join(changed) or "defaults",
)
def test_each_user_clicks_what_the_plain_oracle_clicks(changed: dict[str, object]) -> None:
    config = SardineConfig.model_validate({**SMALL, **changed})
    population = config.make(25, seed=3, luck=7)
    world, first = population.world, population.first_slate()
    start = config.make(25, seed=3, luck=7)
    keys = randomness.derive(
        randomness.stream_keys(3, randomness.SENSITIVITIES, world.users), np.zeros(25, int)
    )
    interests = dynamics.draw_interests(
        randomness.derive(keys, np.zeros(25, int)), config.n_topics, config.topics_per_user
    )
    if config.omega == 1.0:
        np.testing.assert_array_equal(interests, start.interests)
    users = [PlainSardine(config, world.topics) for _ in range(25)]
    opening = luck_of(population, first, 0)
    for user, *own in zip(users, interests, first, opening, strict=True):
        user.reset(*own)
    rng, same = np.random.default_rng(0), np.ones(25, bool)
    for visit in range(1, config.episode_length + 1):
        columns = RandomColumns().slates(population, rng)
        if visit % 2:
            columns = GreedyColumns().slates(population, rng)
        chances = np.array([u.click_probabilities(c) for u, c in zip(users, columns, strict=True)])
        np.testing.assert_allclose(
            population.click_probabilities(columns)[same], chances[same], atol=2e-4
        )
        luck, outcome = luck_of(population, columns, visit), population.step(columns)
        for row, user in enumerate(users):
            clicks, over = user.step(columns[row], luck[row])
            same[row] &= clicks == outcome.clicks[row].sum() and over == outcome.ended[row]
            same[row] &= user.bored == population.bored[row].tolist()
    assert same.mean() >= 0.96  # rounding may part one user's way from the oracle's
    assert not population.alive.any()


def test_too_many_clicks_on_a_topic_bore_for_five_steps_and_then_no_more() -> None:
    config = SardineConfig(click_prop=1.0, relevance_threshold=0.0, topics_per_user=10)
    population = config.make(1, seed=1)  # every item is relevant, every position looked at
    topic_0 = np.flatnonzero(population.world.main_topics == 0)[:10][None, :]
    quiet = SardineConfig(click_prop=0.0, relevance_threshold=2.0)
    assert play(quiet.make(5), RandomColumns()).clicks.sum() == 0
    while population.bored.any():  # of the slate that starts the episode
        population.step(topic_0)
    clicks = [int(population.step(topic_0).clicks.sum()) for _ in range(18)]
    assert clicks == [10, 0, 0, 0, 0, 0] * 3


def test_boredom_times_out_and_starts_anew_in_full_where_clicks_still_abound() -> None:
    bored = np.array([[False, False, True, True, True]])
    timeout = np.array([[5, 5, 4, 1, 1]])
    counts = np.array([[2, 3, 0, 2, 3]])
    after, left = dynamics.next_boredom(bored, timeout, counts, threshold=3, window=5)
    assert after.tolist() == [[False, True, True, False, True]]
    assert left.tolist() == [[5, 5, 3, 5, 5]]


def test_boredom_lowers_clicks_on_the_topic_and_leaves_other_topics_alone() -> None:
    config = SardineConfig(boredom_type="user_tloi", slope=10.0)
    population = config.make(50, seed=2)
    population.bored[:] = False
    items = population.world.topics
    only_0 = np.flatnonzero(items[:, 0] > 0)[:10]
    without_0 = np.flatnonzero(items[:, 0] == 0)[:10]
    before = [population.click_probabilities(np.tile(c, (50, 1))) for c in (only_0, without_0)]
    population.bored[:, 0] = True
    after = [population.click_probabilities(np.tile(c, (50, 1))) for c in (only_0, without_0)]
    interested = population.interests[:, 0] > 0
    assert (after[0][interested] < before[0][interested]).all()
    np.testing.assert_allclose(after[0][~interested], before[0][~interested], rtol=1e-6)
    np.testing.assert_allclose(after[1], before[1], rtol=1e-6)


def test_the_published_influence_moves_all_topics_alike_and_the_mended_one_moves_to_clicks() -> (
    None
):
    interests = np.array([[0.6, 0.8, 0.0]], np.float32)
    clicked = np.array([[0.0, 0.0, 2.0]], np.float32)  # two items, all about the third topic
    two, none = np.array([2]), np.array([0])
    mended = dynamics.influenced(interests, clicked, two, 0.5, by_topic=True)
    np.testing.assert_allclose(mended, np.array([[0.3, 0.4, 0.5]]) / np.sqrt(0.5), rtol=1e-6)
    published = dynamics.influenced(interests, clicked, two, 0.5, by_topic=False)
    one = np.array([0.3 + 1 / 6, 0.4 + 1 / 6, 1 / 6])
    np.testing.assert_allclose(published[0], one / np.linalg.norm(one), rtol=1e-6)
    np.testing.assert_array_equal(
        dynamics.influenced(interests, 0 * clicked, none, 0.5, by_topic=True), interests
    )


def test_items_and_interests_follow_the_originals_law() -> None:
    config = SardineConfig(n_items=4000)
    rng = np.random.default_rng(0)
    ours, plain = config.make_world(1, 0).topics, plain_sardine.draw_items(config, rng)
    for items in (ours, plain):
        np.testing.assert_allclose(np.linalg.norm(items, axis=1), 1.0, rtol=1e-6)
        assert set((items > 0).sum(axis=1)) == {2, 3}
    assert abs(ours.max(axis=1).mean() - plain.max(axis=1).mean()) < 0.01
    assert abs((ours > 0).mean() - (plain > 0).mean()) < 0.01
    keys = randomness.stream_keys(0, randomness.SENSITIVITIES, np.arange(6000))
    drawn = dynamics.draw_interests(keys, 10, 4)
    slow = np.stack([plain_sardine.draw_interest(config, rng) for _ in range(6000)])
    for interests in (drawn, slow):
        np.testing.assert_allclose(np.linalg.norm(interests, axis=1), 1.0, rtol=1e-6)
    counts = [np.bincount((i > 0).sum(axis=1), minlength=6) / 6000 for i in (drawn, slow)]
    np.testing.assert_allclose(counts[0], counts[1], atol=0.03)
    np.testing.assert_allclose((drawn > 0).mean(axis=0), 0.395, atol=0.03)
    assert abs(drawn.max(axis=1).mean() - slow.max(axis=1).mean()) < 0.01


def test_propensities_are_powers_of_the_click_propensity() -> None:
    np.testing.assert_allclose(dynamics.propensities(3, 0.5, False), [1, 0.5, 0.25])
    np.testing.assert_allclose(dynamics.propensities(3, 0.5, True), [0.625, 0.5, 0.625])


def test_never_boring_earns_far_more_than_greedy_and_bores_less() -> None:
    config = SardineConfig(episode_length=40)
    bored, clicks = [], []
    for policy in (GreedyColumns(), NeverBoring()):
        population, rng, total, steps = config.make(100, seed=1), np.random.default_rng(0), 0, 0
        for _ in range(40):
            total += int(population.step(policy.slates(population, rng)).clicks.sum())
            steps += int(population.bored.any(axis=1).sum())
        bored.append(steps)
        clicks.append(total)
    assert clicks[1] > 2 * clicks[0] and bored[1] < bored[0] / 4


def test_never_boring_shows_distinct_items_and_no_more_of_a_topic_than_bores() -> None:
    population = SardineConfig().make(60, seed=4)
    columns = NeverBoring().slates(population, np.random.default_rng(0))
    assert (np.diff(np.sort(columns, axis=1), axis=1) > 0).all()
    main = population.world.main_topics[columns]
    shown = np.stack([(main == topic).sum(axis=1) for topic in range(10)], axis=1)
    assert (shown + population.recent_counts() <= np.maximum(4, population.recent_counts())).all()
    with pytest.raises(InvalidValue, match="population"):
        NeverBoring().slates(RecSimConfig().make(2), np.random.default_rng(0))


def test_a_new_episode_is_a_new_user() -> None:
    population = SardineConfig().make(4)
    before = population.interests.copy()
    population.reset()
    assert (population.interests != before).any(axis=1).all()


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_registered_environments_can_be_made(name: str) -> None:
    config = SardineConfig.published(name)
    played = play(config.make(20), RandomColumns())
    assert (played.steps == config.episode_length).all() and played.clicks.sum() > 0


def test_unknown_and_impossible_parameters_are_refused() -> None:
    for wrong in ({"click_prop": 1.5}, {"slate_size": 0}, {"boredom": 3}, {"omega": -0.1}):
        with pytest.raises(ValidationError):
            SardineConfig.model_validate(wrong)
    with pytest.raises(KeyError):
        SardineConfig.published("SlateTopK-v9")
