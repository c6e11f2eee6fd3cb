"""Targets by name."""

import pytest
from fairloop.agents.pareto.dials import dials, retargeted
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import (
    Constraints,
    ExposureCeiling,
    ExposureFloor,
    RatioOrigin,
)

ORIGIN = RatioOrigin(merit="pool", merit_share=0.5, ratio=0.8)
LIMITS = Constraints(
    exposure=(
        ExposureFloor(attribute="popularity", group="long_tail", share=0.4, origin=ORIGIN),
        ExposureCeiling(attribute="provider", group="big", share=0.3),
        ExposureCeiling(attribute="provider", group="big", share=0.2, window=10),
    )
)


def test_every_limit_has_a_dial_as_it_is_written() -> None:
    assert dials(LIMITS) == {
        "exposure:popularity=long_tail": 0.4,
        "ceiling:provider=big": 0.3,
        "ceiling:provider=big (2)": 0.2,
        "diversity": None,
    }


def test_only_what_is_named_changes() -> None:
    found = retargeted(LIMITS, {"ceiling:provider=big (2)": 0.25, "diversity": 0.6})
    assert dials(found) == {**dials(LIMITS), "ceiling:provider=big (2)": 0.25, "diversity": 0.6}
    assert found.exposure[2].window == 10
    assert retargeted(LIMITS, {}) == LIMITS


def test_a_share_that_came_of_a_ratio_states_the_new_ratio() -> None:
    floor = retargeted(LIMITS, {"exposure:popularity=long_tail": 0.45}).exposure[0]
    assert floor.origin is not None
    assert floor.origin.ratio == pytest.approx(0.9) and floor.origin.merit_share == 0.5


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_what_is_no_share_is_refused(value: float) -> None:
    with pytest.raises(InvalidValue) as raised:
        retargeted(LIMITS, {"diversity": value})
    assert raised.value.field == "targets[diversity]" and raised.value.mend


def test_an_unknown_limit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidValue, match="ceiling:provider=big, "):
        retargeted(LIMITS, {"novelty": 0.5})
