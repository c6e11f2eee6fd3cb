"""``python -m benchmarks.headroom --json | python -m benchmarks.pages.headroom``: into the docs.

``docs/headroom.json`` keeps what the benchmark printed, and the tables in ``docs/simulator.md``
are made from it.
"""

import json
import sys
from typing import Any

from fairloop.simulators.policies.reference import REFERENCES

from benchmarks.pages.page import write

DATA = ("made-up", "MovieLens-100K")
DIFFERENCES = (
    "what memory is worth",
    "what knowing the user now is worth",
    "what planning is worth",
)


def block(report: dict[str, Any]) -> str:
    """The part of the page between the two markers."""
    rows = {row["name"]: row for row in report["results"]}

    def value(name: str) -> float:
        return rows[name]["value"]

    def interval(name: str) -> str:
        low, high = value(f"{name}, low end"), value(f"{name}, high end")
        return f"{value(name):.2f} [{low:.2f}, {high:.2f}]"

    def share(of: str, name: str) -> str:
        if name in ("greedy", "oracle"):
            return "0 %" if name == "greedy" else "100 %"
        return f"{100 * value(f'{of}: headroom taken by {name}'):.0f} %"

    head = "".join(f" {of} | of the headroom |" for of in DATA)
    lines = [f"| policy | what it knows |{head}", "| --- | --- |" + " --- |" * 4]
    for name, what in REFERENCES.items():
        cells = "".join(f" {interval(f'{of}: {name}')} | {share(of, name)} |" for of in DATA)
        lines.append(f"| `{name}` | {what} |{cells}")
    lines += ["", "| paired difference |" + "".join(f" {of} |" for of in DATA)]
    lines.append("| --- |" + " --- |" * len(DATA))
    for meaning in DIFFERENCES:
        unit = rows[f"{DATA[0]}: {meaning}"]["unit"]
        cells = "".join(f" {interval(f'{of}: {meaning}')} |" for of in DATA)
        lines.append(f"| {meaning} ({unit}) |{cells}")
    pairing = "variance of a paired difference over an unpaired one"
    cells = "".join(f" {value(f'{of}: {pairing}'):.2f} |" for of in DATA)
    lines.append(f"| {pairing} |{cells}")
    return "\n".join(lines)


def main() -> None:
    report = json.load(sys.stdin)
    write("simulator.md", "headroom", block(report), report, "headroom.json")


if __name__ == "__main__":
    main()
