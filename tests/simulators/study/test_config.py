from pathlib import Path

import pytest
from fairloop.config_files import validate
from fairloop.errors import InvalidValue
from fairloop.simulators.config import SatiationConfig, WorldConfig
from fairloop.simulators.study.config import StudyConfig, laid_over, load_study, study_world
from fairloop.simulators.study.feedback import FeedbackConfig

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "study.yaml"


def test_the_example_is_valid_and_names_every_top_setting():
    config = load_study(EXAMPLE)
    assert [arm.name for arm in config.arms] == ["top-k", "exposure controller"]
    text = EXAMPLE.read_text()
    for name in StudyConfig.model_fields:
        assert f"\n{name}:" in text, name


def test_the_example_shows_every_dynamic_and_every_setting_of_the_feedback():
    text = EXAMPLE.read_text()
    for name in (*FeedbackConfig.model_fields, *WorldConfig.model_fields):
        assert name in {"slate_size", "horizon_days"} or f" {name}:" in text, name


def test_the_world_of_a_study_is_static_unless_it_says_otherwise():
    assert StudyConfig().world == study_world()
    switched = validate(StudyConfig, {"world": {"satiation": {"strength": 2.0}}}, "study").world
    assert switched.satiation == SatiationConfig(strength=2.0)
    assert switched.satiation.enabled
    assert switched.model_copy(update={"satiation": study_world().satiation}) == study_world()


def test_what_is_named_can_stay_off():
    off = {"satiation": {"enabled": False, "strength": 2.0}, "heterogeneity": 0.1}
    world = WorldConfig.model_validate(laid_over(study_world(), off))
    assert not world.satiation.enabled
    assert world.heterogeneity == 0.1


def test_a_world_that_is_given_whole_is_taken_whole():
    assert StudyConfig(world=WorldConfig()).world == WorldConfig()
    plain = StudyConfig.model_validate({"world": WorldConfig().model_dump()})
    assert plain.world == WorldConfig()


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
        ({"world": {"satiety": {}}}, "world.satiety"),
        ({"world": {"leaving": {"base_rate": 2}}}, "world.leaving.base_rate"),
        ({"world": {"leaving": True}}, "world.leaving"),
        ({"feedback": {"rating_probability": 1.1}}, "feedback.rating_probability"),
        ({"feedback": {"trains_on": "everything"}}, "feedback.trains_on"),
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
