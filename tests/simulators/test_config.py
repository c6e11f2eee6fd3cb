import numpy as np
import pytest
from fairloop.simulators.config import ChoiceConfig, WorldConfig
from fairloop.simulators.perturb import perturb
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError


def numbers(config: BaseModel) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, info in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            found |= {f"{name}.{key}": number for key, number in numbers(value).items()}
        elif info.json_schema_extra:
            found[name] = value
    return found


def test_unknown_keys_and_values_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError):
        WorldConfig.model_validate({"satiety": {}})
    with pytest.raises(ValidationError):
        ChoiceConfig(base_attraction=0.0)
    with pytest.raises(ValidationError):
        ChoiceConfig(position_bias=float("nan"))


def test_round_trip() -> None:
    config = WorldConfig(choice=ChoiceConfig(base_attraction=0.17), horizon_days=9)
    assert WorldConfig.model_validate_json(config.model_dump_json()) == config


def test_every_number_names_its_unit_and_source() -> None:
    def check(part: type[BaseModel]) -> int:
        n = 0
        for info in part.model_fields.values():
            if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
                n += check(info.annotation)
            elif info.annotation is float:
                assert isinstance(info.json_schema_extra, dict)
                assert info.json_schema_extra["unit"] and info.json_schema_extra["source"]
                n += 1
        return n

    assert check(WorldConfig) == len(numbers(WorldConfig())) > 20


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.0, 3.0))
def test_perturbed_worlds_are_valid_and_keep_what_is_no_dynamic(seed: int, strength: float) -> None:
    config = WorldConfig.static()
    varied = perturb(config, np.random.default_rng(seed), strength)
    assert varied.horizon_days == config.horizon_days and varied.slate_size == config.slate_size
    assert not varied.satiation.enabled
    if strength > 0.01:
        assert varied != config


def test_perturbing_moves_every_number_and_nothing_at_strength_zero() -> None:
    config = WorldConfig()
    rng = np.random.default_rng(1)
    before, after = numbers(config), numbers(perturb(config, rng, 0.1))
    assert all(after[key] != before[key] for key in before)
    assert perturb(config, rng, 0.0) == config


def test_perturbing_is_reproducible() -> None:
    first = perturb(WorldConfig(), np.random.default_rng(4))
    assert first == perturb(WorldConfig(), np.random.default_rng(4))
