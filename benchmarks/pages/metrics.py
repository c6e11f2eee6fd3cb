"""What `benchmarks.statistics` and `benchmarks.metrics` printed, into ``docs/metrics.md``.

``(python -m benchmarks.statistics --json; python -m benchmarks.metrics --json) |
python -m benchmarks.pages.metrics``. ``docs/metrics.json`` keeps both reports.
"""

import json
import sys
from typing import Any

from benchmarks.pages.page import write


def block(reports: dict[str, Any]) -> str:
    """The part of the page between the two markers."""
    statistics, metrics = reports["statistics"], reports["metrics"]
    machine = metrics["machine"]
    lines = [
        f"{machine['processor']}, one thread, Python {machine['python']}, numpy "
        f"{machine['numpy']}; processor time.",
        "",
        "| tests and intervals | value | bar | holds |",
        "| --- | --- | --- | --- |",
    ]
    for row in statistics["results"]:
        bar = "–" if row["bar"] is None else f"{row['bar']:g}"
        held = {None: "–", True: "yes", False: "**no**"}[row["holds"]]
        lines.append(f"| {row['name']} | {row['value']:.4g} {row['unit']} | {bar} | {held} |")
    lines += ["", "False alarms hold where 5 % tests reject in 3–8 % of the trials.", ""]
    lines += [
        "| 10,000 users × 10 | ours | times faster than one at a time |",
        "| --- | --- | --- |",
    ]
    for row in metrics["results"]:
        ratio = "–" if row["ratio"] is None else f"{row['ratio']:.1f}"
        lines.append(f"| {row['name']} | {1000 * row['value']:.1f} ms | {ratio} |")
    return "\n".join(lines)


def main() -> None:
    statistics, metrics = (json.loads(line) for line in sys.stdin if line.strip())
    reports = {"statistics": statistics, "metrics": metrics}
    write("metrics.md", "benchmark", block(reports), reports, "metrics.json")


if __name__ == "__main__":
    main()
