"""The statistics benchmark runs and keeps the shape of results."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_statistics_benchmark_prints_one_json_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.statistics", "--smoke", "--json"],
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
    by_name = {row["name"]: row for row in report["results"]}
    assert by_name["false alarms, bootstrap interval used as a test"]["value"] > 0.9
    assert by_name["power at twice the minimum detectable gap"]["holds"]
