"""``python -m benchmarks.rerankers --json | python -m benchmarks.pages.rerankers``: into the docs.

``docs/rerankers.json`` keeps what the benchmark printed, and the table in ``docs/rerankers.md`` is
made from it.
"""

import json
import sys
from typing import Any

from benchmarks.pages.page import write

TIMED = ": 1,000 users"


def block(report: dict[str, Any]) -> str:
    """The part of the page between the two markers."""
    rows, machine = report["results"], report["machine"]
    lines = [
        f"{machine['processor']}, one thread, Python {machine['python']}, numpy "
        f"{machine['numpy']}; processor milliseconds.",
        "",
        "| re-ranker | 1,000 users, 100 → 10 | times faster than | peer |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        if row["name"].endswith(TIMED):
            ratio = "–" if row["ratio"] is None else f"{row['ratio']:.1f}"
            lines.append(
                f"| {row['name'].removesuffix(TIMED)} | {1000 * row['value']:.1f} ms | {ratio} "
                f"| {row['peer'] or '–'} |"
            )
    lines += ["", "Everything else that the command checks:", ""]
    lines += ["| figure | value | bar | holds |", "| --- | --- | --- | --- |"]
    for row in rows:
        if row["bar"] is not None:
            value = f"{row['value']:.4g} {row['unit']}".strip()
            held = "yes" if row["holds"] else "**no**"
            lines.append(f"| {row['name']} | {value} | {row['bar']:g} | {held} |")
    return "\n".join(lines)


def main() -> None:
    report = json.load(sys.stdin)
    write("rerankers.md", "benchmark", block(report), report, "rerankers.json")


if __name__ == "__main__":
    main()
