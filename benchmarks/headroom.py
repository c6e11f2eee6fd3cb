"""How much there is to win in the simulated world, and by what: chance, order, memory, planning.

    python -m benchmarks.headroom --json [--smoke]
    python -m benchmarks.headroom --tune

Every reference policy serves the same users on the same luck, in several worlds: a made-up data set
each for its seed, and MovieLens-100K's EASE candidates with hidden tastes of each seed; with
``--smoke`` one small made-up data set, whose figures are held against no bar. Intervals are over
users: those of three made-up data sets together, or those of MovieLens over its three worlds.

``--tune`` searches the numbers of the heuristic and of the planning oracle, on other data sets,
users, hidden tastes and luck than those that are measured, and prints them; what it found stands in
``simulators/policies``.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

from collections.abc import Sequence
from typing import Any

import numpy as np
from fairloop.arrays import FloatArray
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.metrics.bootstrap import Estimate, mean_interval
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.policies.reference import REFERENCES, reference_policy
from fairloop.simulators.rollout import simulate
from fairloop.simulators.world import World

from benchmarks.lines.movielens import movielens_ease
from benchmarks.lines.tuning import print_tuned
from benchmarks.report import emit, parser, result, say

Rows = list[dict[str, Any]]
Table = dict[str, FloatArray]
"""Expected engagement by policy, shape ``(worlds, users, seeds of luck)``."""

REPLICATES = 2000
POLICIES = tuple(REFERENCES)
PAIRS = (
    ("myopic-oracle", "greedy", "what knowing the user now is worth"),
    ("heuristic", "greedy", "what memory is worth"),
    ("oracle", "myopic-oracle", "what planning is worth"),
)


def made_up(seed: int, n_users: int = 600, n_items: int = 400) -> CandidateSet:
    return synthetic_candidates(n_users, n_items, 8, seed=seed, top_n=100)


def measured(worlds: Sequence[World], luck: Sequence[int]) -> Table:
    """Every reference policy on the same users and luck."""
    table: Table = {}
    for name in POLICIES:
        say(f"  {name}")
        table[name] = np.stack(
            [
                np.stack(
                    [
                        simulate(world, reference_policy(name), seed=seed).expected_engagement
                        for seed in luck
                    ],
                    axis=1,
                )
                for world in worlds
            ]
        )
    return table


def per_user(values: FloatArray, same_users: bool) -> FloatArray:
    """One number per user: the mean over luck, and over the worlds where they are in all."""
    means = values.mean(axis=2)
    return means.mean(axis=0) if same_users else means.ravel()


def rows_of(of: str, table: Table, seed: int, *, same_users: bool, judged: bool) -> Rows:
    """Engagement, paired differences, the share of the headroom, and what pairing saves."""

    def interval(values: FloatArray) -> Estimate:
        users = per_user(values, same_users)
        return mean_interval(users, REPLICATES, np.random.default_rng(seed))

    rows: Rows = []
    for name in POLICIES:
        rows += figure(f"{of}: {name}", interval(table[name]), "engagement per user")
    for better, worse, meaning in PAIRS:
        found = interval(table[better] - table[worse])
        bar = 0.0 if judged else None
        rows += figure(f"{of}: {meaning}", found, f"{better} − {worse}", bar)
    planning = table["oracle"] - table["myopic-oracle"]
    won = sum(interval(world[None]).low > 0 for world in planning)
    all_of_them = (float(len(planning)), won == len(planning)) if judged else (None, None)
    rows.append(
        result(f"{of}: worlds in which planning wins for sure", won, "worlds", *all_of_them)
    )
    rows += shares(of, table)
    rows.append(pairing(of, table, judged))
    return rows


def figure(name: str, found: Estimate, unit: str, bar: float | None = None) -> Rows:
    """A figure with both ends of its interval; the low end is held against the bar."""
    holds = None if bar is None else found.low > bar
    return [
        result(name, found.value, unit),
        result(f"{name}, low end", found.low, unit, bar, holds),
        result(f"{name}, high end", found.high, unit),
    ]


def shares(of: str, table: Table) -> Rows:
    """How far each policy gets on the way from greedy to the oracle; below 0 is behind greedy."""
    means = {name: float(values.mean()) for name, values in table.items()}
    way = means["oracle"] - means["greedy"]
    return [
        result(f"{of}: headroom taken by {name}", (means[name] - means["greedy"]) / way, "share")
        for name in ("random", "popularity", "heuristic", "myopic-oracle")
    ]


def pairing(of: str, table: Table, judged: bool) -> dict[str, Any]:
    """Variance of a difference on equal luck over that on luck of their own.

    Replications are seeds of luck; the variance is within users, averaged over them, so that what
    differs between users does not flatter the pairing.
    """
    a, b = table["oracle"], table["myopic-oracle"]
    paired = (a - b).var(axis=2, ddof=1).mean()
    unpaired = a.var(axis=2, ddof=1).mean() + b.var(axis=2, ddof=1).mean()
    ratio = float(paired / unpaired)
    name = f"{of}: variance of a paired difference over an unpaired one"
    if not judged:
        return result(name, ratio, "ratio")
    return result(name, ratio, "ratio", 0.5, ratio < 0.5)


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--tune", action="store_true", help="search the policies' numbers")
    args = arguments.parse_args()
    if args.tune:
        print_tuned(made_up, args.seed, args.smoke)
        return
    config = WorldConfig()
    if args.smoke:
        worlds = [fit_world(made_up(args.seed, 80, 160), config, args.seed)]
        table = measured(worlds, (0, 1))
        results = rows_of("made-up", table, args.seed, same_users=False, judged=False)
        emit(results, args.seed, args.json)
        return
    seeds, luck = range(args.seed, args.seed + 3), range(8)
    say("made-up data sets")
    worlds = [fit_world(made_up(seed), config, seed) for seed in seeds]
    table = measured(worlds, luck)
    results = rows_of("made-up", table, args.seed, same_users=False, judged=True)
    say("EASE on MovieLens-100K")
    candidates = movielens_ease(args.seed)
    worlds = [fit_world(candidates, config, seed) for seed in seeds]
    table = measured(worlds, luck)
    results += rows_of("MovieLens-100K", table, args.seed, same_users=True, judged=True)
    emit(results, args.seed, args.json)


if __name__ == "__main__":
    main()
