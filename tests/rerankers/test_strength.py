"""What every re-ranker's configuration owes: strengths from the base order to the full effect."""

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10**6), n_users=st.integers(1, 9), k=st.integers(1, 8), ragged=st.booleans()
)
def test_strength_0_is_the_base_order(fresh, config, make_pools, seed, n_users, k, ragged):
    pools = make_pools(n_users, 16, seed=seed, ragged=ragged)
    pools.scores[:, 3] = pools.scores[:, 2]  # equal scores keep the order of the pool
    slates = fresh(config=config.at_strength(0.0)).rerank(pools, k, np.random.default_rng(seed))
    np.testing.assert_array_equal(slates.columns, np.tile(np.arange(k), (n_users, 1)))
    np.testing.assert_array_equal(slates.propensities, 1.0)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_0_to_1_is_refused(config, strength) -> None:
    with pytest.raises(InvalidValue, match="strength"):
        config.at_strength(strength)


def test_every_strength_gives_valid_slates(fresh, config, make_pools) -> None:
    pools = make_pools(8, 16, ragged=True)
    for strength in (0.01, 0.3, 1.0):
        slates = fresh(config=config.at_strength(strength)).rerank(
            pools, 5, np.random.default_rng(0)
        )
        assert all(len(set(row)) == 5 for row in slates.columns.tolist())
