"""The benchmark's plain loop is the slow oracle of the whole engine, visit by visit."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_engine_and_plain_loop_agree_and_the_benchmark_prints_one_object() -> None:
    command = [sys.executable, "-m", "benchmarks.simulator", "--json", "--smoke"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    printed = json.loads(done.stdout)
    figures = {row["name"]: row for row in printed["results"]}
    assert figures["agreement of engine and plain loop"]["value"] > 0.99
    assert figures["engine alone, 256 users"]["ratio"] > 1.0
    assert all(row["value"] > 0 for row in printed["results"])
