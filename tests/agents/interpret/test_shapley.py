"""Shapley values: the four axioms, a brute-force oracle, and coalitions put together right."""

from itertools import permutations

import numpy as np
import pytest
from fairloop.agents.interpret.groups import Group
from fairloop.agents.interpret.shapley import (
    MAX_PLAYERS,
    coalitions,
    mixed,
    shapley_values,
    worth_of_coalitions,
)
from fairloop.errors import InvalidValue
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

worths = st.integers(0, 5).flatmap(
    lambda n: arrays(np.float64, (2**n, 2), elements=st.floats(-100, 100))
)


def by_orders(worth: np.ndarray) -> np.ndarray:
    """The mean contribution over every order in which players can join."""
    n = len(worth).bit_length() - 1
    orders = list(permutations(range(n)))
    values = np.zeros((n, *worth.shape[1:]))
    for order in orders:
        row = 0
        for player in order:
            values[player] += worth[row + 2**player] - worth[row]
            row += 2**player
    return values / len(orders)


@given(worths)
def test_equal_to_the_mean_over_all_orders(worth):
    np.testing.assert_allclose(shapley_values(worth), by_orders(worth), atol=1e-9)


@given(worths)
def test_efficiency(worth):
    np.testing.assert_allclose(shapley_values(worth).sum(axis=0), worth[-1] - worth[0], atol=1e-9)


def test_a_game_worked_out_by_hand():
    """The glove game: one left glove, two right ones; a pair is worth 1."""
    worth = np.array([float((row & 1) and (row & 6)) > 0 for row in range(8)])
    np.testing.assert_allclose(shapley_values(worth), [4 / 6, 1 / 6, 1 / 6])


def test_symmetric_players_have_the_same_and_dummies_nothing():
    rng = np.random.default_rng(0)
    of_two = rng.normal(size=3)  # worth by how many of players 0 and 2 are in; 1 is a dummy
    members = coalitions(3)
    values = shapley_values(of_two[members[:, [0, 2]].sum(axis=1)])
    assert values[0] == pytest.approx(values[2])
    assert values[1] == 0.0


def test_too_many_players_and_odd_tables_are_refused():
    with pytest.raises(InvalidValue, match="coalitions"):
        coalitions(MAX_PLAYERS + 1)
    with pytest.raises(InvalidValue, match="power of 2"):
        shapley_values(np.zeros(6))


def test_coalitions_take_their_columns_from_the_other_in_any_block_size(monkeypatch):
    groups = (Group("a", np.array([0, 3])), Group("b", np.array([1])))
    base, other = np.zeros((2, 5)), np.arange(1.0, 11.0).reshape(2, 5)

    def rows() -> np.ndarray:
        return np.concatenate([values for _, values in mixed(base, other, groups)])

    whole = rows()
    expected = other * np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    np.testing.assert_array_equal(whole[1], expected)
    np.testing.assert_array_equal(whole[2], other * np.array([0.0, 1.0, 0.0, 0.0, 0.0]))
    np.testing.assert_array_equal(whole[0], base)
    monkeypatch.setattr("fairloop.agents.interpret.shapley.CELLS_AT_ONCE", 1)
    np.testing.assert_array_equal(rows(), whole)
    one = worth_of_coalitions(lambda x: x[:, :1], base, other, groups, lambda v: v.mean(axis=1))
    np.testing.assert_allclose(one[:, 0], [0.0, 3.5, 0.0, 3.5])
