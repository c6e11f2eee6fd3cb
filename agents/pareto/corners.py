"""Weights for the corners of a range of targets: what else should move with a target.

Turning the knobs of the limits alone keeps all other weights where training at one target left
them. Where the range is wide that costs engagement: with loose limits the weights need not make up
for what the limits take. So at each corner of the range a short black-box search moves all of them.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...simulators.gaps import Controller
from ...simulators.logged import LoggedPopulation
from ...simulators.policies import Decision, PolicyLuck
from ...simulators.rollout import simulate
from ..outcomes import Arena, UserTotals, averaged
from ..policy import WeightPolicy
from ..search import SearchConfig, maximise


class ManyOffsets:
    """One policy with other offsets for each row of users, so that trials share a simulation.

    Args:
        policy: What chooses the weights.
        offsets: Added to them, a row for each user that a simulation starts with, ``(U, A)``.
    """

    name = "policy"

    def __init__(self, policy: WeightPolicy, offsets: FloatArray) -> None:
        self._policy, self._offsets = policy, offsets

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The linear re-ranker's slates; no controller, which rows of many trials would share."""
        seen = logged.observation(np.zeros_like(controller.gaps))
        weights = self._policy.weights(seen, self._offsets[logged.row])
        return Decision.certain(logged.slates(weights, self._policy.response))


def side_by_side(
    arena: Arena, policy: WeightPolicy, offsets: FloatArray, seed: int, rows: IntArray
) -> list[UserTotals]:
    """Simulate some users once for each of several offsets, on the same luck.

    Args:
        arena: The users and the limits.
        policy: What chooses the weights.
        offsets: In place of the policy's own, shape ``(P, A)``.
        seed: Root of the users' luck.
        rows: Distinct rows of the arena.
    """
    n_trials, n_users = len(offsets), len(rows)
    bare = policy.with_offsets(np.zeros(policy.n_actions))
    outcome = simulate(
        arena.world,
        ManyOffsets(bare, np.repeat(offsets, n_users, axis=0)),
        arena.constraints,
        seed,
        rows=np.tile(rows, n_trials),
        context=arena.context,
        twins=True,
    )
    return [
        averaged([outcome.take(slice(i * n_users, (i + 1) * n_users))]) for i in range(n_trials)
    ]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a search at one corner found: offsets ``(A,)``, and the user-steps it took."""

    offsets: FloatArray
    steps: int


def search_offsets(
    policy: WeightPolicy,
    arena: Arena,
    aims: FloatArray,
    units: FloatArray,
    seed: int,
    config: SearchConfig,
) -> Moved:
    """Move all weights for engagement under the limits of the arena, from the policy's offsets on.

    The objective is that of tuned baselines (`agents.baselines.tune`): engagement relative to where
    the search starts, less the price of what levels lack of their aims.

    Args:
        policy: Where the search starts; its offsets hold the limits.
        arena: Training users under the targets of the corner.
        aims: Level to reach of each limit, target and margin, shape ``(C,)``.
        units: Weight that moves the score by one standard deviation, for the size of the weights
            that the search starts from, shape ``(A,)``.
        seed: Root of the search and of the users' luck.
        config: Budget.
    """
    luck, search = np.random.SeedSequence(seed).spawn(2)
    root = int(luck.generate_state(1)[0])
    start = policy.offsets.astype(np.float64)
    n_users = min(config.users, len(arena))

    def trials(points: FloatArray, generation: int) -> tuple[FloatArray, int]:
        rng = np.random.default_rng([root, generation])
        rows = np.sort(rng.choice(len(arena), n_users, replace=False))
        tried = np.concatenate([np.zeros((1, len(start))), points]) * units + start
        # The start is tried with them: its engagement on these users is the unit of the others.
        first, *rest = side_by_side(arena, policy, tried, root + generation, rows)
        unit = max(float(first.expected_engagement.mean()), 1e-9)
        gaps = arena.gaps.take(rows)
        values = [
            float(t.expected_engagement.mean()) / unit
            - config.price * float(np.maximum(aims - t.levels(), 0.0).sum())
            - config.price * float(np.maximum(gaps.excess(t.expected_engagement), 0.0).sum())
            for t in rest
        ]
        return np.array(values), first.n_slates + sum(t.n_slates for t in rest)

    found = maximise(trials, np.zeros(len(start)), config, np.random.default_rng(search))
    return Moved((start + found.point * units).astype(np.float32), found.steps)
