import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import (
    Constraints,
    EngagementGap,
    ExposureCeiling,
    ExposureFloor,
    HardFilters,
)
from pydantic import ValidationError


def test_filters_mean_what_they_say(catalogue) -> None:
    topics, year = catalogue.topics, catalogue.year
    filters = HardFilters(
        exclude_items=frozenset({"i3", "gone"}),
        exclude_topics=frozenset({"t1"}),
        include_topics=frozenset({"t0", "t2"}),
        min_year=1950,
        max_year=1990,
    )
    expected = [
        i != 3
        and not topics[i, 1]
        and (topics[i, 0] or topics[i, 2])
        and not np.isnan(year[i])
        and 1950 <= year[i] <= 1990
        for i in range(catalogue.n_items)
    ]
    assert filters.allowed(catalogue).tolist() == expected
    assert any(expected) and not all(expected)


def test_no_filters_allow_everything(catalogue) -> None:
    assert HardFilters().allowed(catalogue).all()


@pytest.mark.parametrize("field", ["exclude_topics", "include_topics"])
def test_a_misspelt_topic_is_refused_with_the_known_ones(catalogue, field: str) -> None:
    filters = HardFilters.model_validate({field: {"t1", "horor"}})
    with pytest.raises(InvalidValue) as caught:
        filters.allowed(catalogue)
    assert caught.value.field == f"filters.{field}"
    assert "'horor'" in caught.value.message and "'t1'" not in caught.value.message
    assert "t0, t1, t2" in str(caught.value.mend)


def test_constraints_survive_json_and_refuse_what_they_do_not_know() -> None:
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.4, window=10)
    filters = HardFilters(exclude_topics=frozenset({"a", "b"}), min_year=1950)
    constraints = Constraints(exposure=(floor,), min_diversity=0.7, filters=filters)
    assert Constraints.model_validate_json(constraints.model_dump_json()) == constraints
    with pytest.raises(ValidationError, match="Extra inputs"):
        Constraints.model_validate({"min_diversty": 0.7})
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValidationError):
            ExposureFloor(attribute="popularity", group="long_tail", share=share)


def test_limits_stored_before_there_were_ceilings_are_floors_still() -> None:
    old = (
        '{"exposure": [{"attribute": "popularity", "group": "long_tail", "share": 0.4, '
        '"window": 10}], "min_diversity": 0.7, "filters": {"exclude_items": [], '
        '"exclude_topics": [], "include_topics": [], "min_year": null, "max_year": null}}'
    )
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.4, window=10)
    assert Constraints.model_validate_json(old) == Constraints(exposure=(floor,), min_diversity=0.7)


def test_a_ceiling_keeps_up_the_rest(catalogue) -> None:
    ceiling = ExposureCeiling(attribute="era", group="new", share=0.3)
    read = Constraints.model_validate({"exposure": [ceiling.model_dump()]})
    assert read.exposure == (ceiling,)
    assert ceiling.least == 1.0 - 0.3
    members = ceiling.members(catalogue)
    assert (members == (catalogue.group("era").codes != 1)).all()
    assert members[5]  # its year is not known, and it is not new
    assert (ceiling.raised(0.1).share, ceiling.raised(0.5).share) == (pytest.approx(0.2), 0.0)
    floor = ExposureFloor(attribute="era", group="new", share=0.3)
    assert floor.raised(0.1).share == pytest.approx(0.4)
    assert (floor.members(catalogue) == ~members).all()
    with pytest.raises(ValidationError, match="kind"):
        Constraints.model_validate({"exposure": [{**floor.model_dump(), "kind": "roof"}]})


def test_limits_on_the_same_items_are_told_apart() -> None:
    def floor(window: int) -> ExposureFloor:
        return ExposureFloor(attribute="a", group="b", share=0.1, window=window)

    ceiling = ExposureCeiling(attribute="a", group="b", share=0.9)
    constraints = Constraints(exposure=(floor(10), ceiling, floor(1000)))
    assert constraints.labels == ("a=b", "a!=b", "a=b (2)")
    assert constraints.names == ("exposure:a=b", "ceiling:a=b", "exposure:a=b (2)")


def test_engagement_gaps_are_one_an_attribute_and_refused_where_unmeasured() -> None:
    gap = EngagementGap(attribute="gender", limit=0.1)
    with pytest.raises(ValidationError, match="twice"):
        Constraints(engagement_gaps=(gap, gap.model_copy(update={"limit": 0.2})))
    Constraints().refuse_engagement_gaps("a study")
    with pytest.raises(InvalidValue, match="a study neither holds nor measures"):
        Constraints(engagement_gaps=(gap,)).refuse_engagement_gaps("a study")
