"""The learned re-ranker: how fast it learns and serves, and what it wins on held-out users.

    python -m benchmarks.agents --json [--smoke]

EASE candidates of MovieLens-100K and the default training; with ``--smoke`` made-up data and
budgets of seconds, whose policy proves nothing, so that its figures are held against no bar.
Speeds are the best of several runs in processor time on one thread: wall time for one thread with a
core to itself. The peers are stable-baselines3 with one environment per user, and its ``predict``
with a plain greedy loop, one request at a time; the latter is spared the features, and the share of
slates that agree is printed: a fast wrong answer is no answer.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from fairloop.agents.baselines import Entrant, weight_units
from fairloop.agents.config import TrainConfig
from fairloop.agents.families import STATE_AWARE, StaticLinear
from fairloop.agents.jobs import Serve
from fairloop.agents.outcomes import Arena
from fairloop.agents.pipeline import PUBLISHED, Seeds, TrainedPolicy, split_arenas, train_policy
from fairloop.agents.policy import WeightPolicy
from fairloop.agents.reevaluation import remade_baselines
from fairloop.agents.report import Interval
from fairloop.agents.serving import PolicyReranker
from fairloop.agents.train import learn
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.fit import fit_candidates
from fairloop.candidates.groups import movielens_groups
from fairloop.candidates.read import movielens_100k
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.rerankers.features import FEATURES, observation, scoring_features
from fairloop.simulators.actions import ActionMap
from fairloop.simulators.fit import fit_world
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.world import World

from benchmarks.lines import gate, learners, ope, robustness
from benchmarks.peers.plain_policy import PlainPolicy, learn_one_env_per_user
from benchmarks.report import emit, parser, result, say

Rows = list[dict[str, Any]]
LEARNING_BAR = 20_000  # user-steps per second, everything included
SERVING_BAR = 50.0  # milliseconds for all requests
TRAINING_BAR = 600.0  # seconds from candidates to a judged policy
REQUESTS, VISITS = 1000, 5
PEER_USERS = 16


def movielens_ease(seed: int) -> CandidateSet:
    return fit_candidates(movielens_100k(), CandidateConfig(seed=seed), movielens_groups())


def user_steps_per_second(work: Callable[[int], int], rollouts: int, repeats: int) -> float:
    """Best of several runs of ``work``, which takes a number of rollouts and returns user-steps."""
    work(1)  # torch imports parts of itself on first use
    rates: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        steps = work(rollouts)
        rates.append(steps / (time.process_time() - start))
    return max(rates)


def learning_speed(arena: Arena, config: TrainConfig, rollouts: int, repeats: int) -> Rows:
    """The default learner on a shorter budget: simulation, critic, multipliers, gradient steps.

    In the first rollout the critic learns alone, which is cheaper; its share of the budget is about
    what it is by default, or above in a short run.
    """
    ppo, seed = TrainConfig().ppo, config.seed
    per_rollout = ppo.n_envs * ppo.rollout_steps
    units = weight_units(arena, seed)
    nothing = np.zeros(len(arena.targets))
    family = StaticLinear("base order", FEATURES, units, arena.constraints)
    start = family.weights(family.start, nothing)

    def ours(rollouts: int) -> int:
        budget = {"total_steps": rollouts * per_rollout, "critic_steps": per_rollout}
        short = ppo.model_copy(update=budget)
        return learn(arena, start, units, nothing, seed, short, config.lagrange).steps

    def plain(rollouts: int) -> int:
        around = ActionMap(start, (ppo.reach * units).astype(np.float32))
        return learn_one_env_per_user(
            arena.world, arena.constraints, around, ppo, PEER_USERS, rollouts, seed
        )

    fast = user_steps_per_second(ours, rollouts, repeats)
    slow = user_steps_per_second(plain, 1, 1)
    return [
        result(
            "learning, everything included",
            fast,
            "user-steps/s (processor)",
            LEARNING_BAR,
            fast >= LEARNING_BAR,
            "stable-baselines3's PPO, one environment per user",
            fast / slow,
        )
    ]


def serving_speed(world: World, policy: WeightPolicy, seed: int, repeats: int) -> Rows:
    """Requests of users with a few visits behind them, from pools to slates."""
    rows = np.arange(REQUESTS) % len(world)
    logged = LoggedPopulation(world, policy.constraints, seed, rows)
    pools, k = world.pools.take(rows), world.config.slate_size
    reranker = PolicyReranker(policy, world.catalogue, lambda _: logged.observed)
    for _ in range(VISITS):
        logged.step(logged.slates(policy.weights(logged.observation(reranker.gaps))))
    rng = np.random.default_rng(seed)
    context, state = logged.context, logged.observed
    seen = observation(context, state, reranker.gaps)
    features = scoring_features(context, state).astype(float)
    topics = world.catalogue.topics[pools.items].astype(float)
    peer = PlainPolicy(policy)

    def ours() -> np.ndarray:
        return reranker.rerank(pools, k, rng).columns

    def plain() -> np.ndarray:
        return peer.slates(seen, features, topics, k)

    fast, slow = milliseconds(ours, repeats), milliseconds(plain, 1)
    agreed = float((ours() == plain()).all(axis=1).mean())
    return [
        result(
            f"weights and slates of {REQUESTS:,} requests, {world.n_candidates} to {k}",
            fast,
            "ms (processor)",
            SERVING_BAR,
            fast <= SERVING_BAR,
            "stable-baselines3's predict and a plain greedy loop, one request at a time",
            slow / fast,
        ),
        result("slates equal to the plain loop's", agreed, "share", 0.999, agreed >= 0.999),
    ]


def milliseconds(job: Callable[[], Any], repeats: int) -> float:
    """Processor time of the quickest run."""
    job()
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return 1000.0 * min(times)


def outcome(trained: TrainedPolicy, config: TrainConfig, judged: bool) -> Rows:
    """Figures on held-out users; each held against its bar where ``judged``."""

    def row(
        name: str,
        value: float,
        unit: str,
        bar: float | None = None,
        low_is_good: bool = False,
    ) -> dict[str, Any]:
        if bar is None or not judged:
            return result(name, value, unit)
        return result(name, value, unit, bar, value <= bar if low_is_good else value >= bar)

    report = trained.report
    rows = [
        row(f"engagement of {policy.name}", policy.engagement.value, "satisfaction per user")
        for policy in report.policies
    ]
    able = [p for p in report.policies if p.kind == "baseline" and p.breaks_no_constraint]
    simple = [p for p in able if p.name in config.gate.simple_baselines]
    rows.append(row("baselines that break no constraint", len(able), "policies", 1))
    rows.append(row("simple re-rankers among them", len(simple), "policies", 1))
    if report.best_baseline is not None:
        rows += interval_rows(
            row,
            f"engagement relative to {report.best_baseline}, the best tuned baseline",
            report.learned.engagement_ratio,
            config.gate.min_ratio_low,
        )
    if simple:
        best = max(simple, key=lambda p: p.engagement.value)
        rows += interval_rows(
            row,
            f"engagement relative to {best.name}, the best simple re-ranker",
            quotient(report.learned.engagement, best.engagement),
            1.0,
        )
    rows += [
        row(
            f"upper bound of the violation, {constraint.name}",
            constraint.violation_ucb,
            "share" if constraint.name != "diversity" else "mean distance",
            0.0,
            low_is_good=True,
        )
        for constraint in report.learned.constraints
    ]
    rows.append(row("the gate lets it through", trained.verdict.passed, "0 or 1", 1))
    return rows


def interval_rows(
    row: Callable[..., dict[str, Any]], name: str, ratio: Interval, low_bar: float
) -> Rows:
    return [
        row(name, ratio.value, "ratio", 1.0),
        row(f"{name}: low end", ratio.low, "ratio", low_bar),
        row(f"{name}: high end", ratio.high, "ratio"),
    ]


def quotient(above: Interval, below: Interval) -> Interval:
    """Every ratio that two intervals allow: wider than a paired one, and what the gate asks for."""
    return Interval(
        value=above.value / below.value, low=above.low / below.high, high=above.high / below.low
    )


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    if args.smoke:
        candidates = synthetic_candidates(160, 400, 8, seed=args.seed, top_n=100)
        config, rollouts, repeats = TrainConfig.smoke(args.seed), 3, 1
    else:
        say("EASE on MovieLens-100K")
        candidates = movielens_ease(args.seed)
        workers = os.cpu_count() or 1
        config, rollouts, repeats = TrainConfig(seed=args.seed, workers=workers), 12, 3
    seeds = Seeds.of(config.seed)
    world = fit_world(candidates, config.world, seeds.world)
    arenas = split_arenas(world, candidates, config, seeds.split)
    say("learning speed")
    rows = learning_speed(arenas.train, config, rollouts, repeats)
    say("training")
    start = time.perf_counter()
    trained = train_policy(candidates, config, lambda stage, done, total: say_once(f"  {stage}"))
    seconds = time.perf_counter() - start
    name = f"from candidates to a judged policy, {config.workers} processes"
    in_time = (None, None) if args.smoke else (TRAINING_BAR, seconds <= TRAINING_BAR)
    rows.append(result(name, seconds, "s", *in_time))
    say("serving speed")
    rows += serving_speed(world, trained.policy, args.seed, repeats=5)
    rows += outcome(trained, config, judged=not args.smoke)
    found, _ = remade_baselines(trained.report, arenas.test)
    baseline = next(entrant for entrant in found if entrant.name == STATE_AWARE)
    policy = Entrant(PUBLISHED, "learned", Serve(trained.policy), {}, 0)
    say("held-out worlds")
    rows += robustness.figures(policy, baseline, arenas.test, args.seed, args.smoke)
    for line in (learners, ope, gate):
        say(line.__name__)
        rows += line.figures(args.seed, args.smoke)
    emit(rows, args.seed, args.json)


@cache
def say_once(text: str) -> None:
    say(text)


if __name__ == "__main__":
    main()
