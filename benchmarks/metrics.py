"""What the metrics cost for 10,000 users × 10 positions, beside one user at a time.

python -m benchmarks.metrics --json
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairloop.metrics import accuracy, calibration, diversity, exposure, popularity
from fairloop.metrics.disaggregate import disaggregate
from fairloop.metrics.evidence import Evidence
from fairloop.metrics.intersections import Cells
from fairloop.metrics.item_statistics import gini_of, shown_matrix
from fairloop.metrics.measure import measure
from fairloop.metrics.permutation import gap_test
from fairloop.metrics.plackett_luce import integrated_exposures, sampled_exposures
from fairloop.metrics.registry import computable
from threadpoolctl import threadpool_limits

from benchmarks.peers import plain_metrics
from benchmarks.report import emit, parser, result, say

N_ITEMS, K, N_TOPICS, N_GROUPS = 1682, 10, 18, 6
N_REPLICATES = 2000
PLAIN = "plain Python, one user at a time"


@dataclass(frozen=True)
class Pair:
    """One figure of ours and its peer's, over all users and over the peer's.

    Attributes:
        name: What is computed.
        ours: Returns what both return.
        plain: The peer, on `share` of the work.
        share: Part of the work that the peer does; its time is scaled up.
        alike: Whether both must agree (sampling agrees in distribution alone).
    """

    name: str
    ours: Callable[[], Any]
    plain: Callable[[], Any]
    share: float = 1.0
    alike: bool = True


def evidence_of(n_users: int, seed: int) -> Evidence:
    """Lists that follow popularity, and 20 held-out items a user."""
    rng = np.random.default_rng(seed)
    popular = np.sort(rng.gamma(0.5, 120.0, N_ITEMS))[::-1] + 1.0
    blocks = []
    for start in range(0, n_users, 2000):
        keys = np.log(popular) + rng.gumbel(size=(min(2000, n_users - start), N_ITEMS))
        blocks.append(np.argpartition(-keys, K + 20, axis=1)[:, : K + 20])
    drawn = rng.permuted(np.concatenate(blocks), axis=1)
    topics = rng.random((N_ITEMS, N_TOPICS)) < 0.12
    topics[:, 0] |= ~topics.any(axis=1)
    held = drawn[:, 5:25]
    return Evidence(
        drawn[:, :K],
        N_ITEMS,
        np.repeat(np.arange(n_users), held.shape[1]),
        held.ravel(),
        topics=topics,
        popularity=np.floor(popular),
        n_train_users=n_users,
        item_groups=Cells(tuple("abcdef"), rng.integers(0, N_GROUPS, N_ITEMS)),
        target=np.full(N_GROUPS, 1 / N_GROUPS),
        profile_topics=rng.dirichlet(np.full(N_TOPICS, 0.3), size=n_users),
    )


def metric_pairs(e: Evidence) -> list[Pair]:
    lists, topics, popular = e.lists, e.topics, e.popularity
    groups, target, profiles = e.item_groups, e.target, e.profile_topics
    assert e.held_users is not None and e.held_items is not None and topics is not None
    assert popular is not None and groups is not None and target is not None
    assert profiles is not None
    users, held_users, held_items = np.arange(len(lists)), e.held_users, e.held_items

    def wanted() -> plain_metrics.Wanted:
        return plain_metrics.held_out(held_users, held_items, len(lists))

    def judged() -> tuple[np.ndarray, np.ndarray]:
        return accuracy.relevance_of(lists, users, held_users, held_items, N_ITEMS)

    tenth, member = lists[: len(lists) // 10], topics.astype(float)
    return [
        Pair(
            "ndcg, held-out pairs looked up",
            lambda: accuracy.ndcg(*judged()),
            lambda: plain_metrics.ndcg(lists, wanted()),
        ),
        Pair(
            "recall, held-out pairs looked up",
            lambda: accuracy.recall(*judged()),
            lambda: plain_metrics.recall(lists, wanted()),
        ),
        Pair(
            "average precision, held-out pairs looked up",
            lambda: accuracy.average_precision(*judged()),
            lambda: plain_metrics.average_precision(lists, wanted()),
        ),
        Pair(
            "intra-list Jaccard distance",
            lambda: diversity.intra_list_jaccard(lists, topics),
            lambda: plain_metrics.intra_list_jaccard(tenth, topics),
            0.1,
        ),
        Pair(
            "novelty",
            lambda: popularity.novelty(lists, popular, len(lists)),
            lambda: plain_metrics.novelty(lists, popular, len(lists)),
        ),
        Pair(
            "calibration",
            lambda: calibration.calibration_kl(
                profiles, calibration.topic_distribution(lists, topics)
            ),
            lambda: plain_metrics.calibration_kl(profiles[: len(tenth)], tenth, member),
            0.1,
        ),
        Pair(
            "exposure of 6 groups",
            lambda: exposure.group_exposure(lists, groups.codes, N_GROUPS),
            lambda: plain_metrics.group_exposure(lists, groups.codes, N_GROUPS),
        ),
        Pair(
            "awrf",
            lambda: exposure.awrf(lists, groups.codes, target),
            lambda: plain_metrics.awrf(lists, groups.codes, target),
        ),
        Pair(
            "gini",
            lambda: gini_of(shown_matrix(lists, N_ITEMS)).value,
            lambda: plain_metrics.gini(lists, N_ITEMS),
        ),
        Pair(
            "coverage",
            lambda: diversity.coverage(lists, N_ITEMS),
            lambda: plain_metrics.coverage(lists, N_ITEMS),
        ),
    ]


def statistics_pairs(e: Evidence, seed: int) -> list[Pair]:
    n_users = len(e.lists)
    values = accuracy.ndcg(e.relevance, e.n_relevant)
    codes = np.random.default_rng(seed).integers(0, N_GROUPS, n_users)
    groups = Cells(tuple("abcdef"), codes)

    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    shuffles = 400
    return [
        Pair(
            "ndcg by group with gap and ratio",
            lambda: disaggregate(values, groups).values,
            lambda: plain_metrics.by_group(lambda m: float(values[m].mean()), codes, N_GROUPS),
        ),
        Pair(
            f"permutation test of 6 groups, {shuffles} shuffles",
            lambda: gap_test(values, codes, N_GROUPS, shuffles, rng()).p_value,
            lambda: plain_metrics.gap_p_value(values, codes, N_GROUPS, shuffles // 10, rng()),
            0.1,
            alike=False,
        ),
        *(
            Pair(
                f"bootstrap of {n} mean{'s' * (n > 1)}, {N_REPLICATES} replicates",
                lambda n=n: measure({str(m): values for m in range(n)}, N_REPLICATES, rng()),
                lambda n=n: plain_metrics.bootstrap_means(
                    np.tile(values, (n, 1)).T, N_REPLICATES // 10, rng()
                ),
                0.1,
                alike=False,
            )
            for n in (1, 20)
        ),
    ]


def policy_pairs(seed: int, n_users: int) -> list[Pair]:
    scores = np.random.default_rng(seed).normal(size=(n_users, 100))
    few, samples = max(n_users // 100, 1), 100

    def plain() -> np.ndarray:
        rng = np.random.default_rng(seed)
        return plain_metrics.plackett_luce_samples(scores[:few], K, samples, rng)

    def sampled() -> np.ndarray:
        return sampled_exposures(scores, K, samples, np.random.default_rng(seed)).mean

    return [
        Pair(
            f"Plackett-Luce exposure of {n_users} users × 100, {samples} samples",
            sampled,
            plain,
            few / n_users,
            alike=False,
        ),
        Pair(
            f"Plackett-Luce exposure of {n_users} users × 100, integrated, peer 100 samples",
            lambda: integrated_exposures(scores, K),
            plain,
            few / n_users,
            alike=False,
        ),
    ]


def timed(work: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Shortest processor time of several runs, and what the last one returned."""
    shortest, out = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        out = work()
        shortest = min(shortest, time.process_time() - start)
    return float(shortest), out


def run(pair: Pair) -> dict[str, Any]:
    say(pair.name)
    seconds, ours = timed(pair.ours, 3)
    plain_seconds, plain = timed(pair.plain, 1)
    if pair.alike:
        expected = np.asarray(plain)
        got = np.asarray(ours)[: len(expected)] if expected.ndim else np.asarray(ours)
        np.testing.assert_allclose(got, expected, atol=1e-5)
    ratio = plain_seconds / pair.share / max(seconds, 1e-9)
    return result(pair.name, seconds, "s", peer=PLAIN, ratio=ratio)


def everything(e: Evidence, n_replicates: int, seed: int) -> list[dict[str, Any]]:
    """All metrics that the evidence allows, then intervals for all, once."""
    say("every computable metric")
    metrics = computable(e)

    def values() -> dict[str, Any]:
        return {m.name: m.measured(e) for m in metrics if m.measured is not None}

    seconds, statistics = timed(values, 1)
    say("every interval")
    whole, _ = timed(lambda: measure(statistics, n_replicates, np.random.default_rng(seed)), 1)
    return [
        result(f"{len(metrics)} metrics", seconds, "s"),
        result(f"intervals of {len(metrics)} metrics, {n_replicates} replicates", whole, "s"),
    ]


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    n_users = 300 if options.smoke else 10_000
    with threadpool_limits(1):
        e = evidence_of(n_users, options.seed)
        results = [
            *map(run, metric_pairs(e)),
            *map(run, statistics_pairs(e, options.seed)),
            *map(run, policy_pairs(options.seed, n_users // 10)),
            *everything(e, 50 if options.smoke else 500, options.seed),
        ]
    emit(results, options.seed, options.json)


if __name__ == "__main__":
    main()
