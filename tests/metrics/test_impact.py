"""Impact ratios in the layout of New York City's Local Law 144."""

import json

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.errors import EmptyData, InvalidValue
from fairloop.metrics.impact import (
    LL144_EXCLUSION,
    exposure_impact,
    impact_tables,
    scoring_impact,
    selection_impact,
)
from fairloop.metrics.intersections import Cells


def applicants() -> tuple[np.ndarray, Cells]:
    """METRICS: 400 of 2,000 and 90 of 600 selected; 7 of unknown sex, 4 of them selected."""
    codes = np.concatenate([np.repeat([0, 1], [2000, 600]), np.full(7, MISSING)])
    selected = np.zeros(len(codes), dtype=bool)
    selected[:400] = selected[2000:2090] = selected[2600:2604] = True
    return selected, Cells(("male", "female"), codes)


def test_the_golden_ratio() -> None:
    table = selection_impact(*applicants())
    assert table.counts.tolist() == [2000, 600]
    assert table.selected.tolist() == [400, 90]
    assert table.rate.tolist() == pytest.approx([0.2, 0.15])
    assert table.impact_ratio.tolist() == pytest.approx([1.0, 0.75])
    assert table.unknown == 7  # in no rate, but reported
    assert json.loads(json.dumps(table.rows()))[1] == {
        "category": "female",
        "count": 600,
        "selected": 90.0,
        "rate": 0.15,
        "impact_ratio": pytest.approx(0.75),
        "excluded": False,
    }


def test_each_attribute_and_the_intersection_get_a_table() -> None:
    sex = Cells(("male", "female"), np.array([0, 0, 0, 0, 1, 1, 1, -1]))
    race = Cells(("x", "y", "z"), np.array([0, 0, 1, 1, 0, 1, -1, 0]))
    selected = np.array([1, 0, 1, 1, 1, 0, 1, 1], dtype=bool)
    by_sex, by_race, both = impact_tables(selected, [sex, race])
    assert by_sex.rate.tolist() == pytest.approx([3 / 4, 2 / 3]) and by_sex.unknown == 1
    assert by_race.counts.tolist() == [4, 3, 0]
    assert both.names[:2] == ("male × x", "male × y")
    assert both.counts.tolist() == [2, 2, 0, 1, 1, 0]
    assert both.rate[:2].tolist() == [0.5, 1.0] and both.unknown == 2
    assert both.impact_ratio[:5].tolist() == pytest.approx(
        [0.5, 1.0, np.nan, 1.0, 0.0], nan_ok=True
    )
    assert both.rows()[2]["rate"] is None
    assert len(impact_tables(selected, [sex])) == 1


def test_small_categories_may_be_left_out_of_ratios_but_are_reported() -> None:
    # z: 15 of 1,000 are below 2 %; all of them are selected, which would set the highest rate.
    codes = np.repeat([0, 1, 2], [500, 485, 15])
    selected = np.zeros(1000, dtype=bool)
    selected[:250] = selected[500:597] = selected[985:] = True
    groups = Cells(("x", "y", "z"), codes)
    kept = selection_impact(selected, groups)
    assert kept.impact_ratio.tolist() == pytest.approx([0.5, 0.2, 1.0])
    left_out = selection_impact(selected, groups, exclude_below=LL144_EXCLUSION)
    assert left_out.excluded.tolist() == [False, False, True]
    assert left_out.impact_ratio.tolist() == pytest.approx([1.0, 0.4, np.nan], nan_ok=True)
    assert left_out.counts[2] == 15 and left_out.rate[2] == 1.0
    exactly = selection_impact(selected, groups, exclude_below=0.015)
    assert not exactly.excluded.any()  # "less than", not "at most"


def test_scores_count_above_the_median_of_everybody() -> None:
    scores = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 100.0])
    groups = Cells(("a", "b"), np.array([0, 0, 1, 1, 0, -1]))
    table = scoring_impact(scores, groups)  # median 3.5
    assert table.rate.tolist() == pytest.approx([1 / 3, 1 / 2])
    assert table.impact_ratio.tolist() == pytest.approx([2 / 3, 1.0])
    with pytest.raises(InvalidValue, match="scores"):
        scoring_impact(np.array([1.0, np.nan]), Cells(("a",), np.array([0, 0])))
    with pytest.raises(EmptyData, match="scores"):
        scoring_impact(np.array([]), Cells(("a",), np.array([], dtype=int)))


def test_exposure_takes_the_place_of_selection() -> None:
    # METRICS: six items, the first three in A
    groups = Cells(("A", "B"), np.array([0, 0, 0, 1, 1, 1]))
    table = exposure_impact(np.arange(6)[None, :], groups)
    assert table.rate.tolist() == pytest.approx([0.710310, 0.391246], abs=1e-6)
    assert table.impact_ratio.tolist() == pytest.approx([1.0, 0.550810], abs=1e-6)
    assert table.counts.tolist() == [3, 3]


def test_nobody_selected_and_bad_input() -> None:
    selected, groups = applicants()
    assert np.isnan(selection_impact(np.zeros_like(selected), groups).impact_ratio).all()
    with pytest.raises(InvalidValue, match="selected"):
        selection_impact(selected[1:], groups)
    with pytest.raises(InvalidValue, match="exclude_below"):
        selection_impact(selected, groups, exclude_below=2.0)
    with pytest.raises(InvalidValue, match="group code"):
        selection_impact(selected, Cells(("only",), groups.codes))
