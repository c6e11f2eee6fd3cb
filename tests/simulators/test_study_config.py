from pathlib import Path

import pytest
from fairloop.config_files import validate
from fairloop.errors import InvalidValue
from fairloop.simulators.study_config import StudyConfig, load_study

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "study.yaml"


def test_the_example_is_valid_and_names_every_top_setting():
    config = load_study(EXAMPLE)
    assert [arm.name for arm in config.arms] == ["top-k", "exposure controller"]
    text = EXAMPLE.read_text()
    for name in StudyConfig.model_fields:
        assert name == "world" or f"\n{name}:" in text, name


def test_the_configuration_survives_json():
    config = load_study(EXAMPLE)
    assert StudyConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"roundz": 3}, "roundz"),
        ({"rounds": 0}, "rounds"),
        ({"candidates": {"modell": "EASE"}}, "candidates.modell"),
        ({"arms": []}, "arms"),
        ({"arms": [{"name": "a"}]}, "arms.0"),
        ({"arms": [{"name": "a", "policy": "v", "reranker": {"algorithm": "top-k"}}]}, "arms.0"),
        ({"arms": [{"name": "a", "policy": "v"}] * 2}, "study"),
        ({"seeds": [1, 1]}, "study"),
        ({"k": 200}, "study"),
        ({"name": "../outside"}, "name"),
    ],
)
def test_wrong_settings_are_named(settings, field):
    with pytest.raises(InvalidValue) as caught:
        validate(StudyConfig, settings, "study")
    assert caught.value.field == field


@pytest.mark.parametrize("content", ["", "- 1", "a: [", "\x00"])
def test_files_that_hold_no_settings_are_refused(tmp_path, content):
    path = tmp_path / "study.yaml"
    path.write_text(content)
    with pytest.raises(InvalidValue):
        load_study(path)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="cannot be read"):
        load_study(tmp_path / "none.yaml")
