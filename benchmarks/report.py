"""One shape for every benchmark: a JSON object, or a table for people."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np


def parser(description: str, seed: int = 2020) -> argparse.ArgumentParser:
    """The flags that all benchmarks share."""
    out = argparse.ArgumentParser(description=description)
    out.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    out.add_argument("--smoke", action="store_true", help="a small, quick version")
    out.add_argument("--seed", type=int, default=seed)
    return out


def result(
    name: str,
    value: float,
    unit: str,
    bar: float | None = None,
    holds: bool | None = None,
    peer: str | None = None,
    ratio: float | None = None,
) -> dict[str, Any]:
    """One measured figure.

    Args:
        name: What was measured.
        value: The figure.
        unit: Its unit.
        bar: What it is held against, if anything.
        holds: Whether it keeps the bar.
        peer: Name of what it was compared with, in the same run.
        ratio: How many times better than the peer.
    """
    return {
        "name": name,
        "value": float(value),
        "unit": unit,
        "bar": bar,
        "holds": None if holds is None else bool(holds),
        "peer": peer,
        "ratio": None if ratio is None else float(ratio),
    }


def emit(results: Sequence[dict[str, Any]], seed: int, as_json: bool, **details: Any) -> None:
    """Print the results on stdout, as one JSON object or as a table.

    ``details`` are more keys of the JSON object: what stands behind the figures.
    """
    if as_json:
        report = {"results": list(results), "machine": machine(), "seed": seed, **details}
        print(json.dumps(report))
        return
    width = max((len(row["name"]) for row in results), default=4)
    for row in results:
        verdict = {None: "", True: "holds", False: "MISSED"}[row["holds"]]
        bar = "" if row["bar"] is None else f"bar {row['bar']:g}"
        peer = "" if row["ratio"] is None else f"{row['peer']}: {row['ratio']:.1f}×"
        value = f"{row['value']:.4g} {row['unit']}"
        print(f"{row['name']:<{width}}  {value:<22} {bar:<14} {verdict:<7} {peer}".rstrip())


def say(text: str) -> None:
    """Progress, on stderr, so that stdout holds results alone."""
    print(text, file=sys.stderr, flush=True)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
