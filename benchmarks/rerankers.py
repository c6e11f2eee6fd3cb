"""Processor seconds per 1,000 users, 100 candidates to 10, one thread, each beside its peer.

    python -m benchmarks.rerankers --json [--smoke]

Catalogue and pools are made up at MovieLens-100K's size (1,682 items, 18 genres, 216 genre sets,
50 providers). Each figure is the best of several runs in processor time: wall time for one thread
with a core to itself, without the time that other programs hold the core. Where both sides define
the same slate or the same objective, how far they agree is printed too: a fast wrong answer is no
answer. A peer that is too slow for 1,000 users works on fewer, and its time is scaled up. Last, one
re-ranker of each kind serves 1,000, 10,000 and 100,000 users in batches, to show what a user costs
and what memory it takes.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import importlib
import pkgutil
import time
from collections.abc import Callable
from typing import Any

import benchmarks.lines
from benchmarks.lines.scaling import SIZES, scaling
from benchmarks.lines.scoring import linear_step
from benchmarks.lines.setting import Line, Setting, make_setting
from benchmarks.report import emit, parser, result, say

STEP_BAR = 100_000  # user-steps per second of features and slates together


def best_time(job: Callable[[], Any], repeats: int) -> float:
    """Processor seconds of the quickest run."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


def all_lines(setting: Setting) -> list[Line]:
    """The lines of every family in ``benchmarks/lines``."""
    found: list[Line] = []
    for module in sorted(m.name for m in pkgutil.iter_modules(benchmarks.lines.__path__)):
        family = importlib.import_module(f"benchmarks.lines.{module}")
        if hasattr(family, "lines"):
            found += family.lines(setting)
    return found


def measure(line: Line, setting: Setting, repeats: int) -> list[dict[str, Any]]:
    """Time, ratio and agreement of one line."""
    say(f"{line.name} …")
    n_users = len(setting.pools)
    first = line.ours()  # what is made once, such as a table, is made here
    scale = 1000 / (line.per or n_users) if line.per != 0 else 1.0
    seconds = best_time(line.ours, repeats) * scale
    ratio = None
    if line.plain is not None:
        peer_scale = 1000 / (line.plain_users or n_users) if line.per != 0 else 1.0
        ratio = best_time(line.plain, min(repeats, 2)) * peer_scale / seconds
    unit = "s (processor)"
    what = f"{line.name}: 1,000 users" if line.per != 0 else line.name
    holds = None if line.bar is None else seconds <= line.bar
    peer = line.peer if line.plain is not None else None
    rows = [result(what, seconds, unit, line.bar, holds, peer, ratio)]
    if line.ratio_bar is not None and ratio is not None:
        name = f"{line.name}: times faster than its peer"
        rows.append(result(name, ratio, "×", line.ratio_bar, ratio >= line.ratio_bar))
    if line.agree is not None:
        figure, value, bar, larger = line.agree(first)
        held = value >= bar if larger else value <= bar
        rows.append(result(f"{line.name}: {figure}", value, "", bar, held))
    return rows


def step_rate(setting: Setting, repeats: int) -> dict[str, Any]:
    rate = len(setting.pools) / best_time(linear_step(setting), repeats)
    name = "features and greedy slates, pools gathered before"
    return result(name, rate, "user-steps/s (processor)", STEP_BAR, rate >= STEP_BAR)


def run(n_users: int, repeats: int, seed: int, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    setting = make_setting(n_users, seed)
    rows = [row for line in all_lines(setting) for row in measure(line, setting, repeats)]
    return [*rows, step_rate(setting, repeats), *scaling(seed, sizes)]


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    n_users, repeats, sizes = (200, 2, (100, 1_000)) if args.smoke else (1000, 5, SIZES)
    emit(run(n_users, repeats, args.seed, sizes), args.seed, args.json)


if __name__ == "__main__":
    main()
