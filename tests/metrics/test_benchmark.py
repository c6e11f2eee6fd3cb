"""The benchmarks of metrics and statistics run and keep the shape of results."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def smoke(name: str) -> dict[str, dict]:
    """Results by name of a benchmark's small version."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--smoke", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"results", "machine", "seed"}
    assert all(
        set(row) == {"name", "value", "unit", "bar", "holds", "peer", "ratio"}
        for row in report["results"]
    )
    return {row["name"]: row for row in report["results"]}


def test_the_statistics_benchmark_shows_what_is_a_test_and_what_is_not() -> None:
    results = smoke("statistics")
    assert results["false alarms, bootstrap interval used as a test"]["value"] > 0.9
    assert results["false alarms, four-fifths rule used as a test"]["value"] > 0.8
    tests = [row for name, row in results.items() if row["bar"] == 0.05]
    assert len(tests) == 6 and all(row["holds"] for row in tests)
    assert results["power at twice the minimum detectable gap"]["holds"]


def test_the_metrics_benchmark_compares_with_plain_loops_that_agree() -> None:
    results = smoke("metrics")
    assert all(row["ratio"] > 0 for row in results.values() if row["peer"])
    assert sum(row["peer"] is not None for row in results.values()) >= 15
