"""Off-policy estimates against the truth that a simulator knows.

A Plackett-Luce policy of high temperature logs; one of low temperature is judged from the log, and
then played to learn its true value. ``python -m benchmarks.lines.ope`` prints the figures.

- *One visit*: every user comes once, so that the log's states are the target's. Bias, and how often
  a nominal 95 % interval holds the truth, over logs of users and luck drawn anew.
- *Many visits*: the target would bring users into other states than the log's. What is left of the
  error with a log of any length is the bias of the horizon, which no estimator of one slate sees.
"""

import argparse
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairloop.agents.ope.config import OPEConfig
from fairloop.agents.ope.evaluate import estimate
from fairloop.agents.ope.logged import LoggedSlates
from fairloop.agents.ope.methods import Method
from fairloop.agents.ope.propensities import Propensities, plackett_luce
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.rerankers.relevance import standardised
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig, PlackettLuceReranker
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.policies import RerankerPolicy
from fairloop.simulators.rollout import slates_shown
from fairloop.simulators.world import World

from benchmarks.report import result, say

LOGGING, TARGET = 1.0, 0.5
"""Temperatures of the policy that logs and of the one that is judged."""

POOL, K = 8, 3
METHODS: tuple[Method, ...] = ("ips", "snips", "iips", "sniips", "rips", "snrips")
LEAST_COVERAGE = 0.90
"""Of a nominal 95 % bootstrap interval; over 200 logs chance alone gives 0.92 to 0.98."""


@dataclass(frozen=True)
class Played:
    """A log and what is needed to judge the target from it."""

    logged: LoggedSlates
    target: Propensities


def make_world(n_users: int, horizon_days: int, seed: int) -> World:
    """Users with a pool of eight candidates, three of which are shown."""
    candidates = synthetic_candidates(n_users=n_users, n_items=60, seed=seed, top_n=POOL)
    config = WorldConfig(slate_size=K, horizon_days=horizon_days)
    return fit_world(candidates, config, seed=seed)


def policy(temperature: float) -> RerankerPolicy:
    """A Plackett-Luce policy over the base scores."""
    return RerankerPolicy(PlackettLuceReranker(PlackettLuceConfig(temperature=temperature)))


def play(world: World, rows: np.ndarray, seed: int) -> Played:
    """Let the logging policy serve these users, and write down what the target needs."""
    users, columns, clicks, slates, logits = [], [], [], [], []
    for shown in slates_shown(world, policy(LOGGING), seed=seed, rows=rows):
        here = np.flatnonzero(shown.outcome.active)
        users.append(shown.at[here])
        columns.append(shown.decision.columns[here])
        clicks.append(shown.outcome.clicks[here].astype(np.float64))
        slates.append(shown.decision.slate[here])
        pools = shown.world.pools
        scores = np.where(pools.valid, standardised(pools.scores, pools.valid), -np.inf)
        logits.append(scores[here].astype(np.float64))
    shown_columns, scores = np.concatenate(columns), np.concatenate(logits)
    logging = plackett_luce(scores / LOGGING, shown_columns)
    assert logging.slate is not None
    np.testing.assert_allclose(logging.slate, np.concatenate(slates), rtol=1e-5)
    logged = LoggedSlates(np.concatenate(users), shown_columns, np.concatenate(clicks), logging)
    return Played(logged, plackett_luce(scores / TARGET, shown_columns))


def true_value(world: World, temperature: float, seeds: range) -> float:
    """Expected clicks per slate of a policy that serves all users, over many courses of luck."""
    clicks, slates = 0.0, 0
    for seed in seeds:
        for shown in slates_shown(world, policy(temperature), seed=seed):
            here = shown.outcome.active
            clicks += float(shown.outcome.click_probability[here].sum())
            slates += int(here.sum())
    return clicks / slates


def one_visit(seed: int, n_logs: int, n_users: int = 400) -> list[dict[str, Any]]:
    """Bias and coverage over logs of one slate per user."""
    world = make_world(8 * n_users, 1, seed)
    truth = true_value(world, TARGET, range(10_000 + seed, 10_040 + seed))
    behind = true_value(world, LOGGING, range(10_000 + seed, 10_040 + seed))
    draws = np.random.SeedSequence(seed).spawn(n_logs)
    values = np.empty((len(METHODS), n_logs))
    covered, wide = np.empty_like(values), np.empty_like(values)
    refused = np.empty_like(values)
    bounds = np.empty(n_logs)
    config = OPEConfig(n_bootstrap=400)
    strict = OPEConfig(interval="bernstein", reward_range=(0.0, float(K)), clip=10.0)
    for log, draw in enumerate(draws):
        rng = np.random.default_rng(draw)
        rows = np.sort(rng.choice(len(world.users), n_users, replace=False))
        played = play(world, rows, int(rng.integers(2**31)))
        for row, method in enumerate(METHODS):
            found = estimate(played.logged, played.target, method=method, config=config)
            assert found.value is not None and found.low is not None and found.high is not None
            values[row, log] = found.value
            covered[row, log] = found.low <= truth <= found.high
            wide[row, log] = found.high - found.low
            refused[row, log] = found.refused
        sure = estimate(played.logged, played.target, method="ips", config=strict)
        assert sure.low is not None and sure.high is not None
        bounds[log] = sure.low <= truth <= sure.high
    rows_out = [
        result("true clicks per slate of the target", truth, "clicks"),
        result("true clicks per slate of the logging policy", behind, "clicks"),
    ]
    for row, method in enumerate(METHODS):
        bias = float(values[row].mean() - truth)
        error = float(values[row].std(ddof=1)) / n_logs**0.5
        coverage = float(covered[row].mean())
        rows_out += [
            result(f"{method}: bias in standard errors of {n_logs} logs", bias / error, "se", 4.0,
                   abs(bias / error) <= 4.0),
            result(f"{method}: mean width of the interval", float(wide[row].mean()), "clicks"),
            result(f"{method}: coverage of a 95 % interval", coverage, "share", LEAST_COVERAGE,
                   coverage >= LEAST_COVERAGE),
            result(f"{method}: refused", float(refused[row].mean()), "share"),
        ]  # fmt: skip
    held = float(bounds.mean())
    rows_out.append(
        result("ips: coverage of empirical Bernstein bounds", held, "share", 0.95, held >= 0.95)
    )
    return rows_out


def many_visits(seed: int, n_users: int, days: int = 30) -> list[dict[str, Any]]:
    """What remains of the error when users come again: the bias of the horizon."""
    world = make_world(n_users, days, seed)
    truth = true_value(world, TARGET, range(20_000 + seed, 20_004 + seed))
    behind = true_value(world, LOGGING, range(20_000 + seed, 20_004 + seed))
    played = play(world, np.arange(n_users), seed)
    found = estimate(played.logged, played.target, method="snips")
    assert found.value is not None and found.low is not None and found.high is not None
    half = (found.high - found.low) / 2.0
    return [
        result(f"{days} days: true clicks per slate of the target", truth, "clicks"),
        result(f"{days} days: true clicks per slate of the logging policy", behind, "clicks"),
        result(f"{days} days: snips from the log", found.value, "clicks"),
        result(f"{days} days: half its interval", half, "clicks"),
        result(f"{days} days: bias of the horizon", found.value / truth - 1.0, "of the truth"),
    ]


def figures(seed: int, smoke: bool) -> list[dict[str, Any]]:
    """Bias and coverage with one visit, and the bias that several visits leave."""
    say("Off-policy estimates against the truth")
    return [
        *one_visit(seed, n_logs=10 if smoke else 200),
        *many_visits(seed, n_users=200 if smoke else 3000),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    for row in figures(arguments.seed, arguments.smoke):
        print(json.dumps(row))
