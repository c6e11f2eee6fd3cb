"""What a log must hold, and what is said where it does not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fairloop.agents.ope.evaluate import estimate
from fairloop.agents.ope.logged import LoggedSlates
from fairloop.agents.ope.propensities import Propensities, certain
from fairloop.agents.ope.sources import UNKNOWN_GROUP, from_decisions, from_impressions
from fairloop.arrays import MISSING, PAD
from fairloop.candidates.catalogue import Groups
from fairloop.errors import (
    EmptyData,
    FairloopError,
    InvalidValue,
    MissingColumn,
    NotIdentified,
    UnknownItem,
)
from fairloop.simulators.impressions import ImpressionLog, read_impressions, write_impressions

HALF = np.full(2, 0.5)
PREFIX = np.array([[0.8, 0.5], [0.6, 0.5]])


def logged(**changed: object) -> LoggedSlates:
    """Two slates of two items."""
    given: dict[str, object] = {
        "users": np.array([4, 9]),
        "items": np.array([[0, 1], [2, 3]]),
        "rewards": np.array([[1.0, 0.0], [0.0, 2.0]]),
        "logging": Propensities(slate=HALF, prefix=PREFIX, item=PREFIX),
    }
    return LoggedSlates(**{**given, **changed})  # type: ignore[arg-type]  wrong ones too


@pytest.mark.parametrize(
    ("changed", "field", "kind"),
    [
        ({"logging": Propensities(slate=np.array([0.5, np.nan]))}, "logging.slate", InvalidValue),
        ({"logging": Propensities(slate=np.array([0.5, 0.0]))}, "logging.slate", InvalidValue),
        ({"logging": Propensities(slate=np.array([0.5, 1.5]))}, "logging.slate", InvalidValue),
        ({"logging": Propensities(slate=np.array([0.5, -0.5]))}, "logging.slate", InvalidValue),
        (
            {"logging": Propensities(slate=np.array([0.5, np.finfo(np.float64).tiny]))},
            "logging.slate",
            InvalidValue,
        ),
        ({"logging": Propensities(slate=np.ones(3))}, "logging.slate", InvalidValue),
        ({"logging": Propensities(item=PREFIX * [[1], [np.nan]])}, "logging.item", InvalidValue),
        ({"logging": Propensities(prefix=PREFIX[:, ::-1])}, "logging.prefix", InvalidValue),
        (
            {"logging": Propensities(slate=HALF / 2, prefix=PREFIX)},
            "logging.prefix",
            InvalidValue,
        ),
        ({"rewards": np.array([[1.0, np.nan], [0.0, 0.0]])}, "rewards", InvalidValue),
        ({"rewards": np.zeros(3)}, "rewards", InvalidValue),
        ({"users": np.zeros(3, int)}, "users", InvalidValue),
        ({"items": np.array([[0, 0], [1, 2]])}, "items", InvalidValue),
        ({"items": np.array([[0, 1], [PAD, 2]])}, "items", InvalidValue),
        ({"items": np.empty((0, 2), int)}, "items", EmptyData),
        ({"positions": np.zeros((2, 3), int)}, "positions", InvalidValue),
        ({"groups": np.array([0, 1]), "group_names": ("one",)}, "groups", InvalidValue),
    ],
)
def test_what_cannot_be_true_is_refused_with_its_field(
    changed: dict[str, object], field: str, kind: type[FairloopError]
) -> None:
    with pytest.raises(kind) as error:
        logged(**changed)
    assert error.value.field == field and error.value.mend


def test_target_may_be_zero_but_not_missing() -> None:
    fine = estimate(logged(), Propensities(slate=np.array([0.0, 1.0])), method="ips")
    assert fine.value == pytest.approx(2.0)  # (0 · 1 + 2 · 2) / 2
    with pytest.raises(InvalidValue) as error:
        estimate(logged(), Propensities(slate=np.array([np.nan, 1.0])), method="ips")
    assert error.value.field == "target.slate"


@pytest.mark.parametrize(
    ("method", "target", "field"),
    [
        ("snips", Propensities(item=PREFIX), "target.slate"),
        ("iips", Propensities(slate=HALF), "target.item"),
        ("rips", Propensities(slate=HALF), "target.prefix"),
        ("pi-uniform", Propensities(slate=HALF), "logging"),
        ("pi-factored", Propensities(slate=HALF), "target.item"),
    ],
)
def test_probabilities_that_are_not_known_are_asked_for(method, target, field) -> None:
    with pytest.raises(NotIdentified) as error:
        estimate(logged(), target, method=method)
    assert error.value.field == field and error.value.mend


def test_padding_is_a_shorter_slate() -> None:
    short = logged(items=np.array([[0, 1], [2, PAD]]))
    assert short.filled.tolist() == [[True, True], [True, False]]
    same = certain(short.items, np.array([[0, 1], [2, PAD]]))
    assert same.slate is not None and same.slate.tolist() == [1.0, 1.0]


def test_taking_slates_takes_all_that_belongs_to_them() -> None:
    whole = logged(
        groups=np.array([1, 0]), group_names=("a", "b"), positions=np.array([[1, 2]] * 2)
    )
    part = whole.take(np.array([1]))
    assert part.users.tolist() == [9] and part.items.tolist() == [[2, 3]]
    assert part.groups is not None and part.groups.tolist() == [0]
    assert part.logging.prefix is not None and part.logging.prefix.tolist() == [[0.6, 0.5]]


@pytest.fixture
def log() -> ImpressionLog:
    """Slates 7 and 3, their rows mixed; slate 3 is shorter."""
    return ImpressionLog(
        item_ids=np.array(["a", "b", "c", "d"]),
        item=np.array([1, 0, 2, 3]),
        position=np.array([2, 1, 1, 5], dtype=np.int32),
        clicked=np.array([True, False, True, False]),
        slate=np.array([7, 7, 3, 7]),
        user_ids=np.array(["u", "v"]),
        user=np.array([1, 1, 0, 1]),
        satisfaction=np.array([0.25, np.nan, 0.5, np.nan], dtype=np.float32),
        propensity_item=np.array([0.2, 0.4, 0.3, 0.1]),
        propensity_slate=np.array([0.05, 0.05, 0.3, 0.05]),
    )


def test_impressions_become_slates(log: ImpressionLog) -> None:
    found = from_impressions(log, known=("slate", "item"))
    assert found.items.tolist() == [[2, PAD, PAD], [0, 1, 3]]
    assert found.users.tolist() == [0, 1]
    assert found.rewards.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert found.positions is not None and found.positions.tolist() == [[1, 0, 0], [1, 2, 5]]
    assert found.logging.slate is not None and found.logging.slate.tolist() == [0.3, 0.05]
    assert found.logging.item is not None
    assert found.logging.item.tolist() == [[0.3, 1, 1], [0.4, 0.2, 0.1]]
    engaged = from_impressions(log, reward="engagement")
    assert engaged.slate_rewards.tolist() == [0.5, 0.25]
    assert engaged.logging.item is None


def test_impressions_from_a_file_are_the_same(log: ImpressionLog, tmp_path) -> None:
    write_impressions(tmp_path / "log.parquet", [log])
    again = from_impressions(read_impressions(tmp_path / "log.parquet"), known=("slate", "item"))
    first = from_impressions(log, known=("slate", "item"))
    assert np.array_equal(again.items, first.items)
    assert np.array_equal(again.rewards, first.rewards)
    assert again.logging.slate is not None and first.logging.slate is not None
    assert np.array_equal(again.logging.slate, first.logging.slate)


def test_users_whose_group_is_missing_are_a_group(log: ImpressionLog) -> None:
    groups = Groups("age", ("young", "old"), np.array([1, MISSING]))
    found = from_impressions(log, user_groups=groups)
    assert found.groups is not None
    assert [found.group_names[g] for g in found.groups] == ["old", UNKNOWN_GROUP]


@pytest.mark.parametrize(
    ("changed", "arguments", "field", "kind"),
    [
        ({"propensity_slate": None}, {}, "propensity_slate", MissingColumn),
        (
            {"propensity_slate": np.array([0.05, 0.05, np.nan, 0.05])},
            {},
            "propensity_slate",
            InvalidValue,
        ),
        (
            {"propensity_slate": np.array([0.05, 0.04, 0.3, 0.05])},
            {},
            "propensity_slate",
            InvalidValue,
        ),
        ({"user": np.array([0, 1, 0, 1])}, {}, "user", InvalidValue),
        ({"position": np.array([2, 2, 1, 5], np.int32)}, {}, "position", InvalidValue),
        (
            {"satisfaction": np.full(4, np.nan, np.float32)},
            {"reward": "engagement"},
            "satisfaction",
            InvalidValue,
        ),
        ({"satisfaction": None}, {"reward": "engagement"}, "satisfaction", MissingColumn),
        (
            {},
            {"user_groups": Groups("age", ("young",), np.array([0]))},
            "user_groups",
            InvalidValue,
        ),
    ],
)
def test_logs_that_contradict_themselves_are_refused(log, changed, arguments, field, kind) -> None:
    with pytest.raises(kind) as error:
        from_impressions(replace(log, **changed), **arguments)
    assert error.value.field == field and error.value.mend


DECISIONS = pd.DataFrame(
    {
        "recommendation_id": ["r2", "r2", "r1", "r1"],
        "user_id": ["u", "u", "v", "v"],
        "position": [2, 1, 1, 2],
        "item_id": ["a", "b", "a", "c"],
        "propensity": [0.25, 0.25, 0.5, 0.5],
    }
)
FEEDBACK = pd.DataFrame(
    {
        "recommendation_id": ["r2", "r2", "r1", None, "elsewhere", "r1"],
        "item_id": ["b", "b", "c", "a", "a", "a"],
        "kind": ["click", "like", "click", "click", "click", "skip"],
    }
)


def test_stored_decisions_become_slates() -> None:
    found = from_decisions(DECISIONS, FEEDBACK)
    assert found.items.tolist() == [[1, 0], [0, 2]]
    assert found.users.tolist() == [0, 1]
    assert found.rewards.tolist() == [[1.0, 0.0], [0.0, 1.0]]  # two events of one item count once
    assert found.logging.slate is not None and found.logging.slate.tolist() == [0.25, 0.5]
    dear = from_decisions(DECISIONS, FEEDBACK, {"like": 3.0, "click": 1.0, "skip": -1.0})
    assert dear.rewards.tolist() == [[3.0, 0.0], [-1.0, 1.0]]
    assert from_decisions(DECISIONS, FEEDBACK.iloc[:0]).rewards.sum() == 0.0


def test_stored_decisions_that_contradict_themselves_are_refused() -> None:
    stray = FEEDBACK.assign(item_id="zebra")
    with pytest.raises(UnknownItem, match="zebra"):
        from_decisions(DECISIONS, stray)
    with pytest.raises(MissingColumn, match="propensity"):
        from_decisions(DECISIONS.drop(columns="propensity"), FEEDBACK)
    with pytest.raises(InvalidValue, match="no probability"):
        from_decisions(DECISIONS.assign(propensity=np.nan), FEEDBACK)
    with pytest.raises(EmptyData):
        from_decisions(DECISIONS.iloc[:0], FEEDBACK)


def test_in_slates_of_one_item_all_probabilities_are_one() -> None:
    alone = DECISIONS[DECISIONS["position"] == 1]
    found = from_decisions(alone, FEEDBACK[FEEDBACK["item_id"] != "c"]).logging
    assert found.item is not None and found.item.tolist() == [[0.25], [0.5]]
    assert found.prefix is not None and found.anywhere is not None
