"""Cost and memory from 1,000 to 100,000 users, in batches: linear, and bounded."""

import time
import tracemalloc
from typing import Any

import numpy as np
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.factory import RerankerConfig, make_reranker
from fairloop.rerankers.order import rerank_in_batches
from pydantic import TypeAdapter

from benchmarks.lines.setting import make_setting
from benchmarks.report import result, say

SIZES = (1_000, 10_000, 100_000)
GROWTH_BAR = 1.3
"""Times that a user may cost more among 100,000 than among 10,000."""
MEMORY_BAR = 1.2
"""Times that the working memory may grow from 10,000 users to 100,000."""

ONE_OF_EACH_KIND = ("mmr", "dpp", "fa-ir", "p-mmf", "tfrom-online", "dual-mirror-descent")


def scaling(seed: int, sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Rows for one re-ranker of each kind."""
    adapter: TypeAdapter[RerankerConfig] = TypeAdapter(RerankerConfig)
    batch = sizes[-2]
    growth_of = f"{sizes[-1]:,} users against {batch:,}"
    rows: list[dict[str, Any]] = []
    for name in ONE_OF_EACH_KIND:
        config = adapter.validate_python({"algorithm": name})
        measured = [_run(config, n_users, batch, seed) for n_users in sizes]
        for n_users, (seconds, memory) in zip(sizes, measured, strict=True):
            of = f"{name}, {n_users:,} users"
            rows.append(result(f"{of}: each 1,000", seconds, "s (processor)"))
            rows.append(result(f"{of}: working memory", memory, "MB"))
        (seconds, memory), (last_seconds, last_memory) = measured[-2:]
        slower, more = last_seconds / seconds, last_memory / memory
        cost, size = f"{name}: cost of a user, {growth_of}", f"{name}: memory, {growth_of}"
        rows.append(result(cost, slower, "×", GROWTH_BAR, slower <= GROWTH_BAR))
        rows.append(result(size, more, "×", MEMORY_BAR, more <= MEMORY_BAR))
    return rows


def _run(config: RerankerConfig, n_users: int, batch: int, seed: int) -> tuple[float, float]:
    """Processor seconds per 1,000 users, and peak working memory in MB beside the pools."""
    say(f"{config.algorithm}, {n_users:,} users …")
    setting = make_setting(min(n_users, batch), seed)
    copies = n_users // len(setting.pools)
    pools = CandidatePools(
        np.arange(n_users),
        np.tile(setting.pools.items, (copies, 1)),
        np.tile(setting.pools.scores, (copies, 1)),
    )

    def serve() -> None:
        reranker = make_reranker(config, setting.knowledge)
        for _ in rerank_in_batches(reranker, pools, setting.k, np.random.default_rng(seed), batch):
            pass

    times = []
    for _ in range(2 if n_users > batch else 3):
        start = time.process_time()
        serve()
        times.append(time.process_time() - start)
    tracemalloc.start()
    serve()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return min(times) / n_users * 1000, peak
