"""Every re-ranker can be found, described and configured by name."""

import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.algorithms import algorithms, configured, described, on_attributes
from fairloop.rerankers.diversity.mmr import MMRConfig

from .conftest import KINDS


def test_all_of_the_factory_are_listed_under_their_names() -> None:
    assert tuple(algorithms().values()) == KINDS
    assert [a.name for a in described()] == list(algorithms())


@pytest.mark.parametrize("algorithm", described(), ids=lambda a: a.name)
def test_each_says_where_it_is_from_and_what_its_settings_mean(algorithm) -> None:
    assert algorithm.origin.endswith((".", ")")) or ":" in algorithm.origin
    kind = algorithms()[algorithm.name]
    assert {s.name for s in algorithm.settings} == set(kind.model_fields) - {"algorithm"}
    undocumented = [s.name for s in algorithm.settings if not s.meaning]
    assert not undocumented
    defaults = {s.name: s.default for s in algorithm.settings}
    assert kind.model_validate(defaults) == kind()


def test_settings_by_name() -> None:
    assert configured("mmr", {"trade_off": 0.2}) == MMRConfig(trade_off=0.2)
    with pytest.raises(InvalidValue, match=r"algorithm: no re-ranker named 'mrm'.* Use .*mmr"):
        configured("mrm")
    with pytest.raises(InvalidValue, match=r"lambda: .* Known keys: .*trade_off"):
        configured("mmr", {"lambda": 0.2})
    with pytest.raises(InvalidValue, match="trade_off"):
        configured("mmr", {"trade_off": 2})


def test_groups_are_changed_where_there_are_any() -> None:
    mmr = configured("mmr")
    assert on_attributes(mmr, "provider", "gender") is mmr
    quota = on_attributes(configured("det-greedy"), "provider", "gender")
    assert quota.model_dump()["attribute"] == "provider"
    assert on_attributes(quota, None, None) is quota
