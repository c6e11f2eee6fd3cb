"""The best slate at a visit, against every slate there is."""

from itertools import permutations

import numpy as np
import pytest
from fairloop.simulators.choice import make_choice
from fairloop.simulators.config import ChoiceConfig
from fairloop.simulators.dynamics import sigmoid
from fairloop.simulators.policies.best_slate import best_slates

N, K = 7, 3
CHOICES = (
    ChoiceConfig(),
    ChoiceConfig(position_bias=0.0),
    ChoiceConfig(model="cascade"),
    ChoiceConfig(model="cascade", continue_after_click=0.0, continue_after_skip=1.0),
    ChoiceConfig(model="cascade", continue_after_click=1.0, continue_after_skip=0.0),
    ChoiceConfig(model="logit"),
    ChoiceConfig(model="logit", no_click=-3.0, position_bias=2.0),
)


def expected(choice: ChoiceConfig, odds: np.ndarray, worth: np.ndarray, slates: np.ndarray):
    """Σ_j P(click on j) · worth_j of each slate of one user, by the choice model's own law."""
    appeal = odds[slates].astype(np.float32)
    click = make_choice(choice, slates.shape[1]).clicks(appeal, sigmoid(appeal))
    return (click * worth[slates]).sum(axis=1)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_no_slate_is_better(choice: ChoiceConfig) -> None:
    """Prices make some values negative, and one row has padding."""
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 1.5, (40, N)).astype(np.float32)
    worth = rng.uniform(-0.3, 1.0, (40, N))
    valid = np.ones((40, N), np.bool_)
    valid[0, 4:] = False
    odds[0, 4:], worth[0, 4:] = 8.0, 5.0
    found = best_slates(odds, worth * sigmoid(odds), valid, choice, K)
    for user in range(40):
        candidates = np.flatnonzero(valid[user])
        every = np.array(list(permutations(candidates, K)))
        values = expected(choice, odds[user], worth[user], every)
        own = expected(choice, odds[user], worth[user], found[user][None])
        assert set(found[user]) <= set(candidates) and len(set(found[user])) == K
        assert own[0] == pytest.approx(values.max(), abs=1e-5)


def test_all_of_a_pool_can_be_shown() -> None:
    odds = np.array([[0.0, 2.0, -1.0]], np.float32)
    valid = np.ones((1, 3), np.bool_)
    for choice in CHOICES:
        slate = best_slates(odds, sigmoid(odds), valid, choice, 3)
        assert sorted(slate[0]) == [0, 1, 2]


def test_equal_values_go_to_the_lowest_column() -> None:
    odds = np.zeros((1, 5), np.float32)
    found = best_slates(odds, sigmoid(odds), np.ones((1, 5), np.bool_), ChoiceConfig(), 3)
    np.testing.assert_array_equal(found, [[0, 1, 2]])
