"""Who is in a canary: always the same people, as many as planned."""

import numpy as np
import pytest
from fairloop.agents.deployment.assignment import in_canary
from fairloop.errors import InvalidValue

USERS = [f"user {i}" for i in range(20_000)]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_as_many_as_the_share_says(share: float) -> None:
    found = in_canary(USERS, share, "v1").mean()
    assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(USERS)))


def test_nobody_changes_sides_when_the_share_grows_or_others_come() -> None:
    small, large = in_canary(USERS, 0.1, "v1"), in_canary(USERS, 0.3, "v1")
    assert (large | ~small).all()
    assert (in_canary(USERS[::-1][:50], 0.1, "v1") == small[::-1][:50]).all()


def test_canaries_are_independent_of_each_other() -> None:
    first, second = in_canary(USERS, 0.5, "v1"), in_canary(USERS, 0.5, "v2")
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    # no salt and id that run together are confused
    assert in_canary(["bc"] * 1, 0.5, "a").shape == (1,)
    pairs = [(in_canary([f"x{i}"], 0.5, "y")[0], in_canary([f"{i}"], 0.5, "yx")[0]) for i in USERS]
    assert 0.4 < np.mean([a == b for a, b in pairs]) < 0.6


def test_nobody_and_everybody() -> None:
    assert not in_canary(USERS[:100], 0.0, "v1").any()
    assert in_canary(USERS[:100], 1.0, "v1").all()
    assert in_canary([], 0.5, "v1").shape == (0,)
    with pytest.raises(InvalidValue) as caught:
        in_canary(USERS, 1.5, "v1")
    assert caught.value.field == "share"
