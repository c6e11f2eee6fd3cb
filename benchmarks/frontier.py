"""The accuracy-fairness frontier of every re-ranker on MovieLens-100K, and which dominate.

    python -m benchmarks.frontier --json [--smoke] [--out FOLDER]

EASE candidates are fitted through the same pipeline as ``fairloop train candidates``, in a
temporary home folder; relevance is RecBole's held-out split. Each method is swept in strength and
drawn in three planes: NDCG@10 against the worst group's exposure per item (head and long tail),
against intra-list distance, and against the gap in NDCG between active and inactive users
(docs/frontier.md). ``--out`` also writes the pictures and every point.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.groups import movielens_groups
from fairloop.candidates.proposals import Proposals
from fairloop.candidates.read import movielens_100k
from fairloop.errors import FairloopError
from fairloop.platform.datasets import import_dataset
from fairloop.platform.db.engine import open_database
from fairloop.platform.db.migrate import upgrade
from fairloop.platform.frontier import run_frontier, save_frontier
from fairloop.platform.frontier_report import FrontierPlane, FrontierReport
from fairloop.platform.home import Home
from fairloop.platform.ranking import Ranking, prepare, proposals_in_service
from fairloop.platform.reranking import rerank_lists
from fairloop.platform.settings import Settings
from fairloop.platform.training import train_candidates
from fairloop.rerankers.algorithms import algorithms, configured
from fairloop.rerankers.config import RerankerSettings

from benchmarks.report import emit, parser, result, say

K = 10


def movielens_proposals(folder: Path, seed: int) -> Proposals:
    """EASE candidates, imported, fitted and deployed in a home folder."""
    settings = Settings(home=folder, seed=seed)
    home = Home.of(settings).ensure()
    upgrade(settings.url)
    database = open_database(settings.url)
    try:
        data = import_dataset(home, movielens_100k(), movielens_groups())
        train_candidates(home, database, CandidateConfig(seed=seed), data.name)
        return proposals_in_service(home, database)
    finally:
        database.close()


def base_order_rows(
    ranking: Ranking, configs: dict[str, RerankerSettings], report: FrontierReport
) -> list[dict[str, Any]]:
    """How many methods ran, and whether all of them start from the base order."""
    top = np.arange(K)
    off: list[str] = []
    for name, config in configs.items():
        try:
            slates = rerank_lists(ranking, config.at_strength(0.0), report.seed)
        except FairloopError:
            continue  # the report says why it cannot run here
        if (slates.columns != top).any():
            off.append(name)
    for name in off:
        say(f"{name} does not start from the base order")
    unable = {n: r for n, r in report.skipped_methods.items() if "base order" not in r}
    for name, reason in report.skipped_methods.items():
        say(f"{name} is not drawn: {reason}")
    return [
        result(
            "methods that start from the base order",
            1.0 - len(off) / len(configs),
            "share",
            1.0,
            not off,
        ),
        result("methods that could not run", len(unable), "methods", 0.0, not unable),
    ]


def plane_rows(report: FrontierReport, plane: FrontierPlane) -> list[dict[str, Any]]:
    """Area, accuracy at a level, and dominance of every method in one plane."""
    rows: list[dict[str, Any]] = []
    for method in plane.methods:
        name = f"{plane.against}, {method.algorithm}"
        reached = method.accuracy_at_level
        at_level = f"{name}: NDCG@{report.k} at {plane.level:.3f}"
        rows += [
            result(
                f"{name}: accuracy kept", method.kept.value, "of the base order's, mean over levels"
            ),
            result(at_level, 0.0 if reached is None else reached.value, "NDCG, 0 if not reached"),
            _named(f"{name}: dominates", method.dominates),
            _named(f"{name}: dominated by", method.dominated_by),
        ]
        by = ", ".join(method.dominated_by) or ("none" if method.gains else "the base order")
        say(f"  {name}: dominated by {by}")
    return rows


def _named(what: str, methods: tuple[str, ...]) -> dict[str, Any]:
    """How many methods, and as the peer which."""
    return result(what, len(methods), "methods", peer=", ".join(methods) or None)


def run(seed: int, smoke: bool, out: Path | None) -> tuple[list[dict[str, Any]], FrontierReport]:
    """The rows, and every point of every frontier."""
    with tempfile.TemporaryDirectory() as folder:
        say("fitting EASE …")
        proposals = movielens_proposals(Path(folder), seed)
    if smoke:
        some = proposals.pools.take(np.arange(200))
        proposals = replace(proposals, pools=some)
    ranking = prepare(proposals, K)
    configs = {name: configured(name) for name in algorithms()}

    def progress(done: int, total: int) -> None:
        say(f"{list(configs)[done]} …" if done < total else "comparing …")

    report = run_frontier(
        ranking,
        configs,
        points=3 if smoke else 8,
        seed=seed,
        replicates=200 if smoke else 1000,
        progress=progress,
    )
    if out is not None:
        save_frontier(report, out)
    rows = base_order_rows(ranking, configs, report)
    rows += [row for plane in report.planes for row in plane_rows(report, plane)]
    return rows, report


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--out", type=Path, help="folder for pictures and frontier.json")
    args = arguments.parse_args()
    rows, report = run(args.seed, args.smoke, args.out)
    emit(rows, args.seed, args.json, frontier=report.model_dump(mode="json"))


if __name__ == "__main__":
    main()
