"""Configurations and splits: nothing unknown is taken in, nothing is lost on the way."""

from itertools import pairwise

import numpy as np
import pytest
from fairloop.agents.config import EvaluationConfig, TrainConfig
from fairloop.agents.pipeline import Seeds, hash_of
from fairloop.agents.split import SplitConfig, split_users
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

PARTS = sorted(
    name
    for name, field in TrainConfig.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
)


def test_an_unknown_key_is_refused_by_its_name():
    with pytest.raises(ValidationError, match="total_stepz"):
        TrainConfig.model_validate({"total_stepz": 1})


@pytest.mark.parametrize("part", PARTS)
def test_an_unknown_key_of_a_part_is_refused_where_it_stands(part):
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate({part: {"no_such_key": 1}})
    assert caught.value.errors()[0]["loc"] == (part, "no_such_key")


def test_there_is_a_part_for_each_stage():
    assert {"ppo", "search", "split", "calibration", "evaluation", "gate", "lagrange"} < {*PARTS}


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("evaluation", "seeds", 0),
        ("evaluation", "n_bootstrap", 10),
        ("evaluation", "confidence", 1.0),
        ("calibration", "rounds", 0),
        ("calibration", "assurance", 0.5),
        ("search", "population", 1),
        ("lagrange", "ceiling", 0.0),
        ("ppo", "gamma", 1.01),
        ("split", "train", 1.0),
    ],
)
def test_values_out_of_range_are_refused(part, key, value):
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate({part: {key: value}})
    assert caught.value.errors()[0]["loc"] == (part, key)


def test_a_configuration_survives_json_and_cannot_be_changed():
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.3)
    config = TrainConfig.smoke(7).model_copy(
        update={"constraints": Constraints(exposure=(floor,), min_diversity=0.5)}
    )
    again = TrainConfig.model_validate_json(config.model_dump_json())
    assert again == config and hash_of(again) == hash_of(config)
    assert hash_of(TrainConfig.smoke(8)) != hash_of(TrainConfig.smoke(7))
    with pytest.raises(ValidationError):
        config.seed = 1


def test_the_small_budget_is_small_everywhere_and_keeps_its_seed():
    small, usual = TrainConfig.smoke(5), TrainConfig()
    assert small.seed == 5
    assert small.search.steps < usual.search.steps / 10
    assert small.ppo.total_steps < usual.ppo.total_steps / 10
    assert small.calibration.rounds < usual.calibration.rounds
    # As many seeds as the gate asks for, or its verdict would be about that alone.
    assert small.evaluation.seeds == EvaluationConfig().seeds >= small.gate.min_seeds


def test_parts_of_a_run_have_seeds_of_their_own():
    seeds = Seeds.of(1)
    parts = [getattr(seeds, name) for name in Seeds.__dataclass_fields__]
    assert len({*parts}) == len(parts)
    assert not {*parts} & {getattr(Seeds.of(2), name) for name in Seeds.__dataclass_fields__}
    assert seeds.training(5)[:2] == seeds.training(2)
    assert len({*seeds.training(50)}) == 50


SHARES = st.tuples(st.floats(0.05, 0.9), st.floats(0.05, 0.9)).filter(lambda s: sum(s) < 0.95)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(60, 700), shares=SHARES, seed=st.integers(0, 2**32 - 1))
def test_a_split_of_any_size_puts_everyone_in_one_part(n, shares, seed):
    config = SplitConfig(train=shares[0], validation=shares[1])
    split = split_users(n, config, seed)
    parts = (split.train, split.validation, split.test)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    for rows in parts:
        assert all(a < b for a, b in pairwise(rows.tolist()))
    assert abs(len(split.train) - shares[0] * n) <= 0.5
    assert abs(len(split.validation) - shares[1] * n) <= 0.5
    again = split_users(n, config, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, vars_of(again), strict=True))


def vars_of(split) -> tuple[np.ndarray, ...]:
    return (split.train, split.validation, split.test)


def test_a_split_is_a_draw_not_a_cut():
    """Neighbours in the data set may be alike, so parts must mix them."""
    means = [split_users(400, SplitConfig(), seed).test.mean() for seed in range(60)]
    assert abs(np.mean(means) - 199.5) < 5
    together = np.mean([split_users(400, SplitConfig(), s).train[:160].max() for s in range(5)])
    assert together > 390


def test_a_part_of_a_single_user_is_refused_with_the_sizes():
    with pytest.raises(InvalidValue, match="5, 1, 4") as caught:
        split_users(10, SplitConfig(train=0.5, validation=0.1), 0)
    assert caught.value.field == "users" and caught.value.mend
