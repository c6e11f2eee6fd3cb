"""``python -m benchmarks.simulator --json | python -m benchmarks.pages.simulator``: into the docs.

``docs/simulator.json`` keeps what the benchmark printed, and the tables in ``docs/simulator.md``
and ``docs/replicas.md`` are made from it.
"""

import json
import sys
from typing import Any

from benchmarks.pages.page import write

REPLICAS = ("SARDINE", "RecSim", "T-RECS, 20")
"""How names of results begin that belong to the page of the replicas."""


def block(report: dict[str, Any]) -> str:
    """The part of ``docs/simulator.md``: everything but the replicas."""
    machine = report["machine"]
    rows = [row for row in report["results"] if not row["name"].startswith(REPLICAS)]
    head = f"{machine['processor']}, Python {machine['python']}, numpy {machine['numpy']}."
    return f"{head}\n\n{table(rows)}"


def replicas_block(report: dict[str, Any]) -> str:
    """The part of ``docs/replicas.md``."""
    return table([row for row in report["results"] if row["name"].startswith(REPLICAS)])


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| figure | value | bar | holds | times | peer |", "| --- " * 6 + "|"]
    held = {None: "", True: "yes", False: "**no**"}
    for row in rows:
        value = f"{row['value']:,.0f}" if row["value"] >= 1000 else f"{row['value']:.4g}"
        bar = "" if row["bar"] is None else f"{row['bar']:,}"
        ratio = "" if row["ratio"] is None else f"{row['ratio']:,.1f}"
        cells = (row["name"], f"{value} {row['unit']}", bar, held[row["holds"]], ratio)
        lines.append("| " + " | ".join((*cells, row["peer"] or "")) + " |")
    return "\n".join(lines)


def main() -> None:
    report = json.load(sys.stdin)
    write("simulator.md", "benchmark", block(report), report, "simulator.json")
    write("replicas.md", "benchmark", replicas_block(report), report, "simulator.json")


if __name__ == "__main__":
    main()
