"""What a target gives, without any simulation."""

import subprocess
import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from fairloop.agents.pareto.conditioned import Axis, ConditionedPolicy, multilinear
from fairloop.agents.pareto.dials import dials
from fairloop.errors import InvalidValue, UnreachableConstraint
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

EXPOSURE = "exposure:popularity=long_tail"
SHARE = st.floats(0.0, 1.0)
AXES = (Axis("a", (0.0, 0.2, 1.0)), Axis("b", (0.1, 0.15)), Axis("c", (0.0, 0.3, 0.4, 0.9)))
SHAPE = tuple(len(axis.nodes) for axis in AXES)


def at(shares: tuple[float, ...]) -> np.ndarray:
    """A point within `AXES`, at shares of their ranges."""
    return np.array([a.low + s * (a.high - a.low) for a, s in zip(AXES, shares, strict=True)])


@given(st.tuples(SHARE, SHARE, SHARE), st.integers(0, 2**32 - 1))
def test_it_interpolates_as_scipy_does(shares: tuple[float, ...], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(*SHAPE, 4))
    point = np.minimum(at(shares), [axis.high for axis in AXES])
    theirs = RegularGridInterpolator([np.array(axis.nodes) for axis in AXES], values)(point)[0]
    assert multilinear(AXES, values, point) == pytest.approx(theirs, abs=1e-12)


@given(st.tuples(SHARE, SHARE, SHARE), st.integers(0, 2**32 - 1))
def test_it_is_exact_for_affine_values(shares: tuple[float, ...], seed: int) -> None:
    slopes = np.random.default_rng(seed).normal(size=(4, 6))

    def affine(point: np.ndarray) -> np.ndarray:
        return np.append(point, 1.0) @ slopes

    nodes = product(*(axis.nodes for axis in AXES))
    values = np.array([affine(np.array(node)) for node in nodes]).reshape(*SHAPE, 6)
    assert multilinear(AXES, values, at(shares)) == pytest.approx(affine(at(shares)), abs=1e-12)


@given(st.tuples(SHARE, SHARE, SHARE), st.integers(0, 2**32 - 1))
def test_it_stays_within_the_nodes(shares: tuple[float, ...], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=SHAPE)
    found = multilinear(AXES, values, at(shares))
    assert values.min() - 1e-12 <= found <= values.max() + 1e-12


def test_at_a_node_it_is_the_node(conditioned: ConditionedPolicy) -> None:
    for i, share in enumerate(conditioned.axes[0].nodes):
        for j, diversity in enumerate(conditioned.axes[1].nodes):
            found = conditioned.at({EXPOSURE: share, "diversity": diversity})
            assert np.array_equal(found.offsets, conditioned.offsets[i, j])
            assert dials(found.constraints) == {EXPOSURE: share, "diversity": diversity}
            assert found.offsets.dtype == np.float32


def test_all_but_targets_and_offsets_is_the_trained_policy(conditioned: ConditionedPolicy) -> None:
    found = conditioned.at({EXPOSURE: 0.35, "diversity": 0.55})
    trained = conditioned.policy
    back = replace(found, constraints=trained.constraints, offsets=trained.offsets)
    assert back == trained


def test_a_dial_that_is_not_named_stays_at_the_trained_target(
    conditioned: ConditionedPolicy,
) -> None:
    found, both = conditioned.at({EXPOSURE: 0.5}), conditioned.at({EXPOSURE: 0.5, "diversity": 0.6})
    assert np.array_equal(found.offsets, both.offsets)
    assert found.constraints.min_diversity == 0.6


@pytest.mark.parametrize("value", [0.29, 0.61, float("nan")])
def test_outside_of_the_range_is_refused(conditioned: ConditionedPolicy, value: float) -> None:
    with pytest.raises(InvalidValue, match=r"0\.3 to 0\.6") as raised:
        conditioned.at({EXPOSURE: value, "diversity": 0.6})
    assert raised.value.field == f"targets[{EXPOSURE}]"


def test_an_unknown_dial_is_refused(conditioned: ConditionedPolicy) -> None:
    with pytest.raises(InvalidValue, match="diversity"):
        conditioned.at({"novelty": 0.5})


def test_without_a_target_to_stay_at_one_is_asked_for(conditioned: ConditionedPolicy) -> None:
    trained = conditioned.policy
    open_ended = trained.constraints.model_copy(update={"min_diversity": None})
    policy = replace(conditioned, policy=replace(trained, constraints=open_ended))
    with pytest.raises(InvalidValue, match="no target is given"):
        policy.at({EXPOSURE: 0.4})
    assert policy.at({EXPOSURE: 0.4, "diversity": 0.6}).constraints.min_diversity == 0.6


def test_beside_a_node_that_was_not_held_targets_are_refused(
    conditioned: ConditionedPolicy,
) -> None:
    held = conditioned.held.copy()
    held[2, 1] = False
    policy = replace(conditioned, held=held)
    with pytest.raises(UnreachableConstraint) as raised:
        policy.at({EXPOSURE: 0.41, "diversity": 0.51})
    assert raised.value.field == "targets" and raised.value.mend
    for fine in ((0.4, 0.7), (0.39, 0.69), (0.6, 0.5), (0.5, 0.5)):
        policy.at(dict(zip((EXPOSURE, "diversity"), fine, strict=True)))


@pytest.mark.parametrize("nodes", [(), (0.5,), (0.5, 0.5), (0.6, 0.5), (0.1, float("nan")), (0, 2)])
def test_an_axis_is_a_range(nodes: tuple[float, ...]) -> None:
    with pytest.raises(InvalidValue) as raised:
        Axis("diversity", nodes)
    assert raised.value.field == "ranges[diversity]"


def test_what_does_not_fit_together_is_refused(conditioned: ConditionedPolicy) -> None:
    bad = conditioned.offsets.copy()
    bad[0, 0, 0] = np.nan
    for change in (
        {"offsets": conditioned.offsets[:2]},
        {"offsets": bad},
        {"held": conditioned.held[:2]},
        {"axes": ()},
        {"axes": (conditioned.axes[0], conditioned.axes[0])},
        {"axes": (conditioned.axes[0], Axis("novelty", (0.5, 0.7)))},
    ):
        with pytest.raises(InvalidValue):
            replace(conditioned, **change)


def test_serving_needs_no_learner() -> None:
    code = (
        "import sys; import fairloop.agents.pareto.conditioned; "
        "assert not {'torch', 'stable_baselines3', 'recbole', 'cma'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
