import pytest
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.models import available_models, is_sequential, require_model
from fairloop.candidates.recbole_settings import recbole_settings, users_per_batch
from fairloop.errors import InvalidValue
from pydantic import ValidationError


def test_general_and_sequential_models_are_listed():
    models = available_models()
    assert {"EASE", "BPR", "Pop", "ItemKNN", "LightGCN", "GRU4Rec", "SASRec"} <= set(models)
    assert is_sequential("SASRec")
    assert not is_sequential("EASE")
    assert not {"FM", "KGAT", "KSR", "S3Rec"} & set(models)


@pytest.mark.parametrize(("wrong", "near"), [("EAZE", "EASE"), ("lightgcn", "LightGCN")])
def test_an_unknown_model_is_answered_with_near_names(wrong, near):
    with pytest.raises(InvalidValue, match=near) as caught:
        require_model(CandidateConfig(model=wrong))
    assert caught.value.field == "model"


def test_a_model_that_needs_more_than_interactions_says_so():
    with pytest.raises(InvalidValue, match="pretrained"):
        require_model(CandidateConfig(model="KSR", split="chronological"))


def test_sequential_models_need_a_chronological_split():
    with pytest.raises(InvalidValue, match="chronological"):
        require_model(CandidateConfig(model="SASRec"))
    require_model(CandidateConfig(model="SASRec", split="chronological"))


def test_a_misspelt_parameter_is_refused():
    with pytest.raises(InvalidValue, match="reg_weight") as caught:
        require_model(CandidateConfig(model_parameters={"reg_wieght": 100}))
    assert caught.value.field == "model_parameters.reg_wieght"
    require_model(CandidateConfig(model_parameters={"reg_weight": 100}))


@pytest.mark.parametrize("value", ["__import__('os').getcwd()", "exit()", "1 + 1", ""])
def test_text_that_recbole_would_evaluate_is_refused(value):
    config = CandidateConfig(model="ItemKNN", model_parameters={"knn_method": value})
    with pytest.raises(InvalidValue, match="plain word"):
        require_model(config)


@pytest.mark.parametrize("setting", [{"top_n": 0}, {"split": "newest"}, {"modell": "EASE"}])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ValidationError):
        CandidateConfig(**setting)


def test_the_configuration_survives_json():
    config = CandidateConfig(model="BPR", epochs=3, model_parameters={"embedding_size": 16})
    assert CandidateConfig.model_validate_json(config.model_dump_json()) == config


def test_settings_ask_recbole_for_its_own_split_and_full_ranking():
    settings = recbole_settings(CandidateConfig(), n_items=100)
    assert settings["eval_args"] == {
        "split": {"RS": [0.8, 0.1, 0.1]},
        "group_by": "user",
        "order": "RO",
        "mode": "full",
    }
    assert settings["seed"] == 2020


def test_cross_entropy_models_get_no_negatives_that_recbole_would_refuse():
    config = CandidateConfig(model="SASRec", split="chronological")
    assert recbole_settings(config, 100)["train_neg_sample_args"] is None
    assert "train_neg_sample_args" not in recbole_settings(CandidateConfig(model="BPR"), 100)


def test_score_matrices_stay_small():
    assert users_per_batch(1000) == 256
    assert users_per_batch(1_000_000) * 1_000_000 <= 30_000_000
    assert users_per_batch(10**9) == 1
