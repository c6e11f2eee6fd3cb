import pytest

from benchmarks.simulator import agreement, pooled_world


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_an_engine_and_the_plain_loop_over_users_agree(engine) -> None:
    assert agreement(pooled_world(64, seed=3), 3, engine) > 0.99
