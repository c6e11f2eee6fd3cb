from dataclasses import replace

import pytest
from fairloop.rerankers.constraints import Constraints, HardFilters
from fairloop.rerankers.factory import RerankerConfig, make_reranker
from fairloop.rerankers.filters import FilteredReranker
from pydantic import TypeAdapter, ValidationError

ADAPTER: TypeAdapter[RerankerConfig] = TypeAdapter(RerankerConfig)


def test_a_configuration_survives_json_and_makes_its_re_ranker(config, knowledge):
    restored = ADAPTER.validate_json(ADAPTER.dump_json(config))
    assert restored == config and type(restored) is type(config)
    assert make_reranker(restored, knowledge).name == config.algorithm


def test_unknown_keys_are_refused_and_configurations_are_frozen(config) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        ADAPTER.validate_python({**config.model_dump(), "lamda": 0.3})
    with pytest.raises(ValidationError, match="frozen"):
        config.algorithm = "other"


def test_an_unknown_algorithm_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"'top-k', 'mmr', 'exposure-controller'"):
        ADAPTER.validate_python({"algorithm": "magic"})


def test_defaults_are_filled_in_from_the_name_alone(config) -> None:
    name = config.algorithm
    assert ADAPTER.validate_python({"algorithm": name}) == type(config)()


def test_filters_wrap_only_where_they_forbid_something(config, knowledge) -> None:
    free = replace(knowledge, constraints=Constraints())
    assert not isinstance(make_reranker(config, free), FilteredReranker)
    limited = Constraints(filters=HardFilters(min_year=1950))
    wrapped = make_reranker(config, replace(knowledge, constraints=limited))
    assert isinstance(wrapped, FilteredReranker) and wrapped.inner.name == wrapped.name
