import numpy as np
import pytest
from fairloop.rerankers.diversity.pm2 import PM2Config, proportional_slates
from fairloop.rerankers.relevance import relevance
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_diversity

quick = settings(max_examples=25, deadline=None)


def rerank(config, knowledge, pools, k):
    return config.make(knowledge).rerank(pools, k, np.random.default_rng(0)).columns


def elect(votes: list[float], n_seats: int) -> np.ndarray:
    """Aspects in the order in which PM-2 alone gives them seats; each has enough candidates."""
    aspect = np.repeat(np.arange(len(votes)), n_seats)
    relevance = np.linspace(1.0, 0.5, len(aspect))
    coverage = np.eye(len(votes))[aspect] * relevance[:, None]
    columns = proportional_slates(
        relevance[None],
        coverage[None],
        np.array([votes]) / sum(votes),
        np.ones((1, len(aspect)), bool),
        strength=1.0,
        focus=1.0,
        k=n_seats,
    )
    return aspect[columns[0]]


def sainte_lague(votes: list[float], n_seats: int) -> list[int]:
    seats = [0] * len(votes)
    for _ in range(n_seats):
        quotients = [v / (2 * s + 1) for v, s in zip(votes, seats, strict=True)]
        seats[quotients.index(max(quotients))] += 1
    return seats


def test_seats_of_a_known_election() -> None:
    # 53,000, 24,000 and 23,000 votes for 7 seats: quotients 53, 24, 23, 53/3, 53/5, 24/3, 23/3.
    assert elect([53, 24, 23], 7).tolist() == [0, 1, 2, 0, 0, 1, 2]


@quick
@given(votes=st.lists(st.integers(1, 10**6), min_size=2, max_size=6, unique=True))
def test_one_aspect_per_item_gives_sainte_lagues_seats(votes):
    seats = np.bincount(elect(votes, 11), minlength=len(votes))
    assert seats.tolist() == sainte_lague(votes, 11)


@quick
@given(
    seed=st.integers(0, 10**6),
    strength=st.floats(0.05, 0.95),
    focus=st.floats(0.0, 1.0),
    ragged=st.booleans(),
)
def test_equals_the_plain_loop(knowledge, catalogue, make_pools, seed, strength, focus, ragged):
    pools = make_pools(5, 14, seed=seed, ragged=ragged)
    columns = rerank(PM2Config(strength=strength, focus=focus), knowledge, pools, 6)
    worth, wanted = relevance(pools), knowledge.profiles_of(pools)
    for user, size in enumerate(pools.sizes):
        one = slice(user, user + 1)
        members = catalogue.topics[pools.items[one, :size]].astype(float)
        expected = plain_diversity.pm2(worth[one, :size], members, wanted[one], strength, focus, 6)
        assert columns[user].tolist() == expected[0].tolist()


def test_an_item_of_two_aspects_divides_its_seat() -> None:
    # Item 0 covers both aspects (.6, .3) and wins; aspect 0 gets 2/3 of the seat, aspect 1 a third.
    # Quotients then: .5 / (7/3) = .214 and .5 / (5/3) = .3, so it is aspect 1's turn.
    coverage = np.array([[[0.6, 0.3], [0.4, 0.0], [0.0, 0.3], [0.0, 0.4]]])
    base = np.array([[0.4, 0.3, 0.2, 0.1]])
    votes = np.array([[0.5, 0.5]])
    columns = proportional_slates(base, coverage, votes, np.ones((1, 4), bool), 1.0, 0.9, 3)
    # Item 3 (.9 × .3 × .4) beats item 2 (.9 × .3 × .3) and item 1 (.1 × .214 × .4). Its seat takes
    # aspect 1 down to .5 / (11/3) = .136, below aspect 0's .214.
    assert columns.tolist() == [[0, 3, 1]]


def test_more_strength_comes_nearer_to_the_groups_targets(knowledge, make_pools) -> None:
    pools = make_pools(100, 60)
    tail = knowledge.catalogue.groups["popularity"].codes[pools.items]
    distance = []
    for strength in (0.0, 0.2, 1.0):
        config = PM2Config(aspects="popularity", targets={"long_tail": 0.5}, focus=0.9)
        columns = rerank(config.at_strength(strength), knowledge, pools, 10)
        share = np.take_along_axis(tail, columns, axis=1).mean(axis=1)
        distance.append(np.abs(share - 0.5).mean())
    assert distance[0] - 0.02 > distance[1] >= distance[2]
    assert distance[2] < 0.01


def test_a_user_without_a_history_keeps_the_base_order(knowledge, make_pools) -> None:
    for strength in (0.5, 1.0):
        columns = rerank(PM2Config(strength=strength), knowledge, make_pools(5, 20), 8)
        assert columns[3].tolist() == list(range(8))


@pytest.mark.parametrize("values", [{"strength": -0.1}, {"focus": 1.1}])
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        PM2Config(**values)
