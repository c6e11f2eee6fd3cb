"""The figures in the docs are those of the stored benchmarks."""

import json
from pathlib import Path

from benchmarks.pages import headroom, simulator
from benchmarks.pages.page import replaced

DOCS = Path(__file__).parents[2] / "docs"


def test_the_tables_are_those_of_the_stored_reports() -> None:
    page = (DOCS / "simulator.md").read_text(encoding="utf-8")
    measured = json.loads((DOCS / "simulator.json").read_text(encoding="utf-8"))
    earned = json.loads((DOCS / "headroom.json").read_text(encoding="utf-8"))
    assert replaced(page, "benchmark", simulator.block(measured)) == page
    assert replaced(page, "headroom", headroom.block(earned)) == page
    replicas = (DOCS / "replicas.md").read_text(encoding="utf-8")
    assert replaced(replicas, "benchmark", simulator.replicas_block(measured)) == replicas


def test_what_is_said_of_planning_holds_in_the_stored_report() -> None:
    earned = json.loads((DOCS / "headroom.json").read_text(encoding="utf-8"))
    lows = [
        row["value"]
        for row in earned["results"]
        if "what planning is worth" in row["name"] and row["name"].endswith("low end")
    ]
    assert len(lows) == 2 and min(lows) > 0
