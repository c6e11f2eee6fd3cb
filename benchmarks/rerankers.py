"""Seconds per 1,000 users, 100 candidates to 10, one thread, beside a plain loop over users.

    python -m benchmarks.rerankers --json [--smoke]

Catalogue and pools are made up at MovieLens-100K's size (1,682 items, 18 genres, 216 genre sets).
Each figure is the best of several runs in processor time: wall time for one thread with a core to
itself, without the time that other programs hold the core. Where both sides define the same slate,
the share of slates that agree is printed too: a fast wrong answer is no answer.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.exposure import ExposureConfig
from fairloop.rerankers.factory import RerankerConfig, make_reranker
from fairloop.rerankers.features import feature_names, scoring_features
from fairloop.rerankers.linear import LinearConfig, linear_slates
from fairloop.rerankers.mmr import MMRConfig
from fairloop.rerankers.plackett_luce import PlackettLuceConfig
from fairloop.rerankers.state import new_state
from fairloop.rerankers.topk import TopKConfig

from benchmarks.peers import plain_loops
from benchmarks.report import emit, parser, result, say

N_ITEMS, N_TOPICS, N_SETS, N, K = 1682, 18, 216, 100, 10
MMR_BAR = 0.03  # seconds per 1,000 users
STEP_BAR = 100_000  # user-steps per second of features and slates together
TRADE_OFF, DIVERSITY, TEMPERATURE = 0.7, 1.0, 0.5
SHARE, MIN_DIVERSITY = 0.45, 0.9
PEER = "plain numpy, one user at a time"


def make_catalogue(rng: np.random.Generator) -> Catalogue:
    topic_sets = rng.random((N_SETS, N_TOPICS)) < 0.12
    popularity = np.sort(rng.gamma(0.5, 120.0, N_ITEMS))[::-1].copy()
    tail = (np.arange(N_ITEMS) >= N_ITEMS // 5).astype(int)
    ids = np.arange(N_ITEMS).astype(str)
    return Catalogue(
        item_ids=ids,
        titles=ids,
        topics=topic_sets[rng.integers(0, N_SETS, N_ITEMS)],
        topic_names=tuple(f"genre {t}" for t in range(N_TOPICS)),
        year=rng.integers(1930, 1999, N_ITEMS).astype(float),
        popularity=popularity,
        groups={"popularity": Groups("popularity", ("head", "long_tail"), tail)},
    )


def make_pools(catalogue: Catalogue, n_users: int, rng: np.random.Generator) -> CandidatePools:
    items = np.argsort(rng.random((n_users, N_ITEMS)), axis=1)[:, :N]
    scores = rng.normal(size=items.shape) + 0.3 * np.log1p(catalogue.popularity)[items]
    order = np.argsort(-scores, axis=1)
    return CandidatePools(
        np.arange(n_users),
        np.take_along_axis(items, order, axis=1),
        np.take_along_axis(scores, order, axis=1),
    )


def best_time(job: Callable[[], Any], repeats: int) -> float:
    """Processor seconds of the quickest run."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


def run(n_users: int, repeats: int, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    catalogue = make_catalogue(rng)
    pools = make_pools(catalogue, n_users, rng)
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=SHARE)
    constraints = Constraints(exposure=(floor,), min_diversity=MIN_DIVERSITY)
    context = PoolContext.of(pools, catalogue, constraints)
    state = new_state(n_users, N, N_TOPICS)
    names = feature_names(constraints)
    weights = {"base": 1.0, "satiation": -1.0, "fatigue": -2.0, names[-1]: 0.4}
    vector = np.array([weights.get(name, 0.0) for name in names])
    topics = catalogue.topics[pools.items].astype(float)
    member = context.floors[0] > 0

    rows: list[tuple[RerankerConfig, float | None, Callable[[], Any], bool]] = [
        (TopKConfig(), None, lambda: plain_loops.top_k(pools.scores, K), True),
        (
            MMRConfig(trade_off=TRADE_OFF),
            MMR_BAR,
            lambda: plain_loops.mmr(pools.scores, topics, TRADE_OFF, K),
            True,
        ),
        (
            LinearConfig(weights=weights, diversity=DIVERSITY),
            None,
            lambda: plain_loops.linear(
                scoring_features(context, state).astype(float), vector, topics, DIVERSITY, K
            ),
            True,
        ),
        (
            ExposureConfig(),
            None,
            lambda: plain_loops.exposure_controller(
                pools.scores, member, topics, SHARE, MIN_DIVERSITY, K
            ),
            False,
        ),
        (
            PlackettLuceConfig(temperature=TEMPERATURE),
            None,
            lambda: plain_loops.plackett_luce(
                pools.scores, TEMPERATURE, K, np.random.default_rng(seed)
            ),
            False,
        ),
    ]
    results: list[dict[str, Any]] = []
    for config, bar, plain, same_slates in rows:
        say(f"{config.algorithm} …")
        reranker = make_reranker(config, catalogue, constraints)

        def ours(reranker=reranker):
            return reranker.rerank(pools, K, np.random.default_rng(seed))

        slates = ours()
        per_1000 = 1000 / n_users
        seconds = best_time(ours, repeats) * per_1000
        peer_seconds = best_time(plain, repeats) * per_1000
        results.append(
            result(
                f"{config.algorithm}: 1,000 users, {N} to {K}",
                seconds,
                "s (processor)",
                bar=bar,
                holds=None if bar is None else seconds <= bar,
                peer=PEER,
                ratio=peer_seconds / seconds,
            )
        )
        if same_slates:
            agree = float((slates.columns == plain()).all(axis=1).mean())
            name = f"{config.algorithm}: slates equal to the plain loop's"
            results.append(result(name, agree, "share", bar=0.999, holds=agree >= 0.999))

    per_user = np.tile(vector.astype(np.float32), (n_users, 1))
    strength = np.full(n_users, DIVERSITY, np.float32)
    step = best_time(lambda: linear_slates(context, state, per_user, strength, K), repeats)
    rate = n_users / step
    name = "features and greedy slates, pools gathered before"
    results.append(
        result(name, rate, "user-steps/s (processor)", bar=STEP_BAR, holds=rate >= STEP_BAR)
    )
    return results


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    n_users, repeats = (200, 3) if args.smoke else (1000, 5)
    emit(run(n_users, repeats, args.seed), args.seed, args.json)


if __name__ == "__main__":
    main()
