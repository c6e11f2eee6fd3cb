"""The benchmark's plain market is the slow oracle of the whole: slate by slate, day by day."""

import pytest
from fairloop.simulators.market.made_up import made_up_world

from benchmarks.lines.market import agreement, busy_config, busy_users


@pytest.mark.parametrize("receives", ["exposure", "clicks", "engagement"])
def test_market_and_plain_market_agree_on_every_visit(receives: str) -> None:
    world = made_up_world(40, 60, 8, 4, config=busy_users(30), seed=3)
    found = agreement(world, busy_config(receives), seed=5)
    assert found.visits > 400 and found.providers_left > 0 and found.released_later > 0
    assert found.same == found.visits
