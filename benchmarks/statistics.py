"""Are the gap tests and intervals calibrated, and how fast is the bootstrap?

python -m benchmarks.statistics --json
"""

import time
from collections.abc import Callable

import numpy as np
from fairloop.metrics import bootstrap, diversity, gaps, permutation
from fairloop.metrics.comparison import compare
from fairloop.metrics.disaggregate import disaggregate
from fairloop.metrics.impact import selection_impact
from fairloop.metrics.intersections import Cells
from fairloop.metrics.item_statistics import gini_of, shown_matrix
from threadpoolctl import threadpool_limits

from benchmarks.report import emit, parser, result, say

GROUP_SHARES = np.array([0.40, 0.25, 0.15, 0.10, 0.06, 0.04])
GROUPS = tuple("abcdef")
SELECTED = 0.2  # chance that a user finds something, alike in all groups


def ndcg_like(rng: np.random.Generator, n: int) -> np.ndarray:
    """Values with the shape of a per-user NDCG: many zeros, the rest skewed."""
    return np.where(rng.random(n) < 0.35, 0.0, rng.beta(1.6, 2.4, size=n))


def reject(values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, statistic) -> bool:
    test = permutation.gap_test(values, codes, len(GROUP_SHARES), 499, rng, statistic=statistic)
    return test.p_value <= 0.05


def rate(trial: Callable[[np.random.Generator], bool], n: int, seed: int) -> float:
    """Share of independent trials that come out true."""
    seeds = np.random.SeedSequence(seed).spawn(n)
    return float(np.mean([trial(np.random.default_rng(s)) for s in seeds]))


def false_alarms(n_users: int, n_trials: int, seed: int) -> list[dict]:
    """No gap: how often a 5 % test rejects."""

    def alike(statistic):
        def trial(rng: np.random.Generator) -> bool:
            codes = rng.choice(len(GROUP_SHARES), size=n_users, p=GROUP_SHARES)
            return reject(ndcg_like(rng, n_users), codes, rng, statistic)

        return trial

    def unequal_spread(rng: np.random.Generator) -> bool:
        codes = rng.choice(len(GROUP_SHARES), size=n_users, p=GROUP_SHARES)
        spread = np.linspace(0.5, 2.0, len(GROUP_SHARES))[codes]
        return reject(rng.normal(size=n_users) * spread, codes, rng, "studentised")

    def within_users(rng: np.random.Generator) -> bool:
        vectors = rng.normal(size=(300, 1)) + rng.standard_t(4, size=(300, 4))
        return permutation.sign_flip_test(vectors, 199, rng).p_value <= 0.05

    def swapped_mean(rng: np.random.Generator) -> bool:
        common = ndcg_like(rng, 150)
        before, after = ({"ndcg": common + rng.normal(size=150)} for _ in range(2))
        return compare(before, after, 2, 199, rng)["ndcg"].p_value <= 0.05

    def swapped_gini(rng: np.random.Generator) -> bool:
        taste = rng.dirichlet(np.full(40, 0.5))
        lists = rng.choice(40, size=(2, 150, 5), p=taste)
        before, after = ({"gini": gini_of(shown_matrix(rows, 40))} for rows in lists)
        return compare(before, after, 2, 199, rng)["gini"].p_value <= 0.05

    rows = []
    for name, trial in (
        ("false alarms, studentised permutation test", alike("studentised")),
        ("false alarms, range permutation test", alike("range")),
        ("false alarms, studentised, unequal spreads", unequal_spread),
        ("false alarms, sign flips within users", within_users),
        ("false alarms, two methods swapped, a mean", swapped_mean),
        ("false alarms, two methods swapped, Gini", swapped_gini),
    ):
        say(f"{name}: {n_trials} trials")
        share = rate(trial, n_trials, seed)
        low, high = (0.03, 0.08) if n_trials >= 400 else (0.0, 0.15)
        rows.append(result(name, share, "share", 0.05, low <= share <= high))
    return rows


def no_tests(n_users: int, n_trials: int, seed: int) -> list[dict]:
    """No gap: how often two habits that are no tests find one."""

    def interval_as_test(rng: np.random.Generator) -> bool:
        codes = rng.choice(len(GROUP_SHARES), size=n_users, p=GROUP_SHARES)
        one_hot = np.eye(len(GROUP_SHARES))[codes]
        columns = np.hstack([one_hot * ndcg_like(rng, n_users)[:, None], one_hot])
        sums = bootstrap.bootstrap_sums(columns, 200, rng)
        means = sums[:, : len(GROUP_SHARES)] / sums[:, len(GROUP_SHARES) :]
        return float(bootstrap.interval(np.ptp(means, axis=1))[0]) > 0

    def four_fifths(rng: np.random.Generator) -> bool:
        codes = rng.choice(len(GROUP_SHARES), size=n_users, p=GROUP_SHARES)
        found = rng.random(n_users) < SELECTED
        return bool(np.nanmin(selection_impact(found, Cells(GROUPS, codes)).impact_ratio) < 0.8)

    return [
        result(name, rate(trial, n, seed), "share")
        for name, trial, n in (
            (
                "false alarms, bootstrap interval used as a test",
                interval_as_test,
                max(n_trials // 2, 20),
            ),
            ("false alarms, four-fifths rule used as a test", four_fifths, n_trials),
        )
    ]


def power(n_users: int, n_trials: int, seed: int) -> list[dict]:
    """A planted gap of once and twice the minimum detectable one: how often it is found."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(GROUP_SHARES), size=n_users, p=GROUP_SHARES)
    smallest = permutation.gap_test(
        rng.normal(size=n_users), codes, len(GROUP_SHARES), 4999, rng
    ).minimum_detectable

    def planted(size: float) -> Callable[[np.random.Generator], bool]:
        def trial(rng: np.random.Generator) -> bool:
            values = rng.normal(size=n_users)
            # the two smallest groups differ by `size`, the others stand between them: worst case
            values[codes == len(GROUP_SHARES) - 1] += size / 2
            values[codes == len(GROUP_SHARES) - 2] -= size / 2
            return reject(values, codes, rng, "studentised")

        return trial

    say(f"power: {n_trials} trials each")
    once, twice = (rate(planted(smallest * times), n_trials, seed + 1) for times in (1, 2))
    return [
        result("power at the minimum detectable gap (0.8 aimed at)", once, "share"),
        result("power at twice the minimum detectable gap", twice, "share", 0.9, twice > 0.9),
    ]


def interval_coverage(n_users: int, n_trials: int, seed: int) -> list[dict]:
    """How often a 95 % interval holds the value that repeated samples average to."""
    n_items, k = 800, 10
    chance = 1.0 / np.arange(1, n_items + 1)
    chance /= chance.sum()

    def sample(rng: np.random.Generator) -> np.ndarray:
        return rng.choice(n_items, size=(n_users, k), p=chance)

    def amounts(lists: np.ndarray) -> np.ndarray:
        return np.bincount(lists.ravel(), minlength=n_items).astype(float)

    rng = np.random.default_rng(seed)
    true_gini = np.mean([float(diversity.gini(amounts(sample(rng)))) for _ in range(400)])
    true_cover = np.mean([np.mean(amounts(sample(rng)) > 0) for _ in range(400)])
    inside = {"mean": 0, "Gini": 0, "coverage": 0}
    user = np.repeat(np.arange(n_users), k)
    say(f"interval coverage: {n_trials} trials")
    for _ in range(n_trials):
        estimate = bootstrap.mean_interval(ndcg_like(rng, n_users), 400, rng)
        inside["mean"] += estimate.low <= 0.65 * 0.4 <= estimate.high
        lists = sample(rng)
        replicates = np.array(
            [
                (float(diversity.gini(row)), np.mean(row > 0))
                for row in bootstrap.bootstrap_item_amounts(
                    user, lists.ravel(), np.ones(lists.size), n_users, n_items, 200, rng
                )
            ]
        )
        shown = amounts(lists)
        gini = bootstrap.centred_interval(float(diversity.gini(shown)), replicates[:, 0])
        cover = bootstrap.centred_interval(float(np.mean(shown > 0)), replicates[:, 1])
        inside["Gini"] += gini[0] <= true_gini <= gini[1]
        inside["coverage"] += cover[0] <= true_cover <= cover[1]
    return [
        result(f"95 % interval of {name} holds the truth", hits / n_trials, "share")
        for name, hits in inside.items()
    ]


def bootstrap_speed(seed: int) -> list[dict]:
    """10,000 users, 6 groups, 2,000 replicates, beside one replicate at a time."""
    n_users, n_groups, n_replicates = 10_000, len(GROUP_SHARES), 2_000
    rng = np.random.default_rng(seed)
    values = ndcg_like(rng, n_users)
    codes = rng.choice(n_groups, size=n_users, p=GROUP_SHARES)

    groups = Cells(GROUPS, codes)

    def ours() -> np.ndarray:
        out = disaggregate(
            values, groups, n_bootstrap=n_replicates, rng=np.random.default_rng(seed)
        )
        assert out.low is not None and out.high is not None
        return np.stack([out.low, out.high])

    def plain(replicates: int) -> np.ndarray:
        draw = np.random.default_rng(seed)
        means = []
        for _ in range(replicates):
            rows = draw.integers(0, n_users, size=n_users)
            means.append([values[rows][codes[rows] == g].mean() for g in range(n_groups)])
        return np.quantile(means, [0.025, 0.975], axis=0)

    say("bootstrap speed")
    seconds = min(timed(ours) for _ in range(3))
    part = n_replicates // 10
    peer_seconds = 10 * min(timed(lambda: plain(part)) for _ in range(2))
    name = "bootstrap, 10,000 users × 6 groups × 2,000 replicates"
    peer = "numpy, one replicate at a time (tenth of the run, × 10)"
    means = gaps.group_means(values, codes, n_groups)
    low, high = ours()
    assert ((low < means) & (means < high)).all()
    return [result(name, seconds, "s", 1.0, seconds <= 1.0, peer, peer_seconds / seconds)]


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    n_users, n_trials = (400, 60) if options.smoke else (900, 400)
    with threadpool_limits(1):
        results = [
            *false_alarms(n_users, n_trials, options.seed),
            *no_tests(n_users, n_trials, options.seed),
            *power(n_users, n_trials, options.seed),
            *interval_coverage(n_users, 20 if options.smoke else 200, options.seed),
            *bootstrap_speed(options.seed),
        ]
    emit(results, options.seed, options.json)


if __name__ == "__main__":
    main()
