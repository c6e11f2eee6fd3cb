"""What a policy saw, visit by visit, while it served simulated users: the data of explanations."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ...rerankers.context import PoolContext
from ...rerankers.state import ObservedState
from ...simulators.gaps import Controller
from ...simulators.logged import LoggedPopulation
from ...simulators.policies import Decision, ObservationPolicy, PolicyLuck
from ...simulators.rollout import simulate
from ..outcomes import Arena
from ..policy import WeightPolicy
from ..serving import PolicyReranker
from ..steering import Steered


@dataclass(frozen=True, slots=True)
class Sample:
    """``n`` visits of some users.

    Attributes:
        observation: What the policy saw, shape ``(n, O)``.
        users: User index, shape ``(n,)``.
        visits: Number of the visit within the user's episode, from 0, shape ``(n,)``.
        rows: Row of the arena, shape ``(n,)``.
        state: The observed state, ``n`` rows.
        arena: Whose users they are.
    """

    observation: FloatArray
    users: IntArray
    visits: IntArray
    rows: IntArray
    state: ObservedState
    arena: Arena

    def __len__(self) -> int:
        return len(self.users)

    def request(self, row: int) -> tuple[PoolContext, ObservedState]:
        """Pool and state of one visit."""
        one = np.array([row])
        return self.arena.context.take(self.rows[one]), self.state.take(one)


def observe_policy(policy: WeightPolicy, arena: Arena, seed: int, n_users: int = 200) -> Sample:
    """Let a policy serve some users, with its controller, and note what it sees at each visit.

    Args:
        policy: As it serves.
        arena: Users, usually held-out ones.
        seed: Root of the choice of users and of their luck.
        n_users: Users at most; all visits of each are kept.

    Raises:
        InvalidValue: The policy was trained for other limits than the arena's, or on another
            catalogue or by another version.
    """
    # Made for its checks alone.
    PolicyReranker(policy, arena.world.catalogue)
    arena = arena.answered_by(policy.response)
    if policy.constraints != arena.constraints:
        raise InvalidValue(
            "the policy was trained under other constraints than these users are under",
            field="constraints",
            mend="Use an arena with the policy's own constraints.",
        )
    choice, luck = np.random.SeedSequence(seed).spawn(2)
    n = min(n_users, len(arena))
    rows = np.sort(np.random.default_rng(choice).choice(len(arena), n, replace=False))
    watcher = _Watcher(policy)
    simulate(
        arena.world,
        Steered(watcher, policy),
        arena.constraints,
        int(luck.generate_state(1)[0]),
        rows=rows,
        context=arena.context,
    )
    at = np.concatenate(watcher.rows)
    states = watcher.states
    return Sample(
        observation=np.concatenate(watcher.seen),
        users=arena.world.users[rows[at]],
        visits=np.repeat(np.arange(len(watcher.rows)), [len(r) for r in watcher.rows]),
        rows=rows[at],
        state=_concatenated(states),
        arena=arena,
    )


class _Watcher:
    """The policy without its controller, taking notes before each decision."""

    def __init__(self, policy: WeightPolicy) -> None:
        self._inner = ObservationPolicy(policy.weights, response=policy.response)
        self.name = self._inner.name
        self.seen: list[FloatArray] = []
        self.rows: list[IntArray] = []
        self.states: list[ObservedState] = []

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The policy's own decision, under the controller that it serves with."""
        here = np.flatnonzero(active)
        self.seen.append(logged.observation(controller.gaps)[here])
        self.rows.append(logged.row[here])
        self.states.append(logged.observed.take(here))
        return self._inner.decide(logged, active, controller, luck)


def _concatenated(states: Sequence[ObservedState]) -> ObservedState:
    return ObservedState(
        *(np.concatenate([getattr(s, f.name) for s in states]) for f in fields(ObservedState))
    )
