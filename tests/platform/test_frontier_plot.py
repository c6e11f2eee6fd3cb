"""Pictures of planes with many methods, few, and measures of which less is better."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from fairloop.agents.report import Interval
from fairloop.platform.frontier_plot import draw_plane
from fairloop.platform.frontier_report import (
    FrontierMethod,
    FrontierPlane,
    FrontierPoint,
    FrontierReport,
)
from fairloop.rerankers.constraints import Constraints


def interval(value: float) -> Interval:
    return Interval(value=value, low=value - 0.01, high=value + 0.01)


def report(n_methods: int, higher_is_better: bool = True) -> FrontierReport:
    rng = np.random.default_rng(n_methods)
    sign = 1.0 if higher_is_better else -1.0
    methods = []
    for number in range(n_methods):
        far, steep = rng.uniform(0.1, 0.9, 2)
        points = tuple(
            FrontierPoint(
                strength=s,
                settings={},
                accuracy=interval(0.3 - 0.2 * steep * s),
                measure=interval(0.5 + 0.4 * sign * far * s),
                efficient=s > 0,
            )
            for s in (0.0, 0.5, 1.0)
        )
        methods.append(
            FrontierMethod(
                algorithm=f"method {number} <&>",
                points=points,
                gains=number != 1,
                kept=interval(0.5),
                accuracy_at_level=None,
                front=1.0 / n_methods,
                dominates=(),
                dominated_by=("method 0 <&>",) if number == 2 else (),
            )
        )
    plane = FrontierPlane(
        against="gap",
        label="a gap",
        higher_is_better=higher_is_better,
        level=0.6,
        methods=tuple(methods),
        comparisons=(),
    )
    return FrontierReport(
        data="lists.csv",
        users=100,
        k=5,
        accuracy="NDCG@5",
        points=3,
        seed=0,
        replicates=100,
        confidence=0.95,
        item_attribute=None,
        user_attribute=None,
        constraints=Constraints(),
        notes={},
        seconds={},
        planes=(plane,),
        skipped_methods={},
        skipped_measures={},
    )


@pytest.mark.parametrize(("n_methods", "higher_is_better"), [(1, True), (7, False), (26, True)])
def test_every_method_is_drawn_and_named(n_methods: int, higher_is_better: bool) -> None:
    made = report(n_methods, higher_is_better)
    pictures = draw_plane(made, made.planes[0])
    assert pictures[".png"].startswith(b"\x89PNG")
    root = ElementTree.fromstring(pictures[".svg"])
    texts = [text.strip() for text in root.itertext() if text.strip()]
    for method in made.planes[0].methods:
        assert method.algorithm in texts
    assert ("a gap (less is better: turned)" in texts) == (not higher_is_better)
    if n_methods > 2:
        assert "gains nothing over the base order" in texts
        assert "dominated by 1: method 0 <&>" in texts
    assert len(pictures[".svg"]) < 200_000


def test_shortening_the_file_leaves_labels_alone() -> None:
    made = report(3)
    root = ElementTree.fromstring(draw_plane(made, made.planes[0])[".svg"])
    texts = [text.strip() for text in root.itertext() if text.strip()]
    ticks = texts[texts.index("a gap") + 1 : texts.index("NDCG@5")]
    assert {len(tick) for tick in ticks} == {4}  # 0.18, 0.20, …
    assert len(set(ticks)) == len(ticks) >= 4


def test_a_file_that_stands_in_the_documents_stays_small() -> None:
    made = report(12)
    assert len(draw_plane(made, made.planes[0])[".svg"]) < 100_000
