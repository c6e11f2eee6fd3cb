"""The interval over users and worlds, by hand and by how often it holds the truth."""

import numpy as np
import pytest
from fairloop.agents.robustness.overall import geometric_mean
from fairloop.errors import InvalidValue


def test_by_hand():
    """Worlds at e^0.1 and e^0.3: s/√2 = 0.1, t = 6.3138; users reach 0.05 below and 0.02 above."""
    users = np.linspace(0.15, 0.22, 71)  # with ends cut to the 90 % between them
    resampled = np.stack([users - 0.1, users + 0.1], axis=1)
    low, high = users[0] + 0.05 * 0.07, users[-1] - 0.05 * 0.07
    found = geometric_mean(np.array([0.1, 0.3]), resampled, 0.9)
    below, above = np.hypot(0.63138, 0.2 - low), np.hypot(0.63138, high - 0.2)
    assert np.log([found.low, found.value, found.high]) == pytest.approx(
        [0.2 - below, 0.2, 0.2 + above], abs=1e-5
    )


def test_where_worlds_agree_only_users_count():
    rng = np.random.default_rng(0)
    users = np.repeat(rng.normal(0.1, 0.02, (500, 1)), 4, axis=1)
    found = geometric_mean(np.full(4, 0.1), users, 0.95)
    ends = np.quantile(users[:, 0], [0.025, 0.975])
    assert np.log([found.low, found.high]) == pytest.approx(ends)


def test_where_nothing_varies_it_is_exact():
    found = geometric_mean(np.zeros(3), np.zeros((50, 3)), 0.95)
    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)


def test_one_world_says_nothing_of_others():
    with pytest.raises(InvalidValue, match="1 worlds"):
        geometric_mean(np.zeros(1), np.zeros((50, 1)), 0.95)


@pytest.mark.parametrize("n_worlds", [2, 3, 10])
@pytest.mark.parametrize(("of_worlds", "of_users"), [(0.1, 0.02), (0.05, 0.3)])
def test_it_holds_the_truth_as_often_as_it_says(n_worlds, of_worlds, of_users):
    """Worlds, users, and users in worlds, all drawn; a percentile over 3 worlds covers 75 %."""
    rng, n_users, n_replicates, trials = np.random.default_rng(1), 60, 100, 300
    held = 0
    for _ in range(trials):
        effects = rng.normal(0, of_worlds, n_worlds) + rng.normal(0, of_users, (n_users, 1))
        table = 0.1 + effects + rng.normal(0, 0.1, (n_users, n_worlds))
        counts = rng.multinomial(n_users, np.full(n_users, 1 / n_users), n_replicates)
        found = geometric_mean(table.mean(axis=0), counts @ table / n_users, 0.95)
        held += np.log(found.low) <= 0.1 <= np.log(found.high)
    # Two standard errors of 300 trials below 95 %; doubt may be larger than it had to be.
    assert held / trials >= 0.925
