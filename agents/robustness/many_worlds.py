"""Several worlds stepped as one: what a learner sees is one batch of users.

The worlds hold the same catalogue and differ in their dynamics, so one policy acts in all of them
and its gradient is that of the mean over worlds (domain randomisation). Each world is a platform of
its own: gaps to the limits are measured in each by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ...rerankers.constraints import Constraints
from ...simulators.actions import ActionMap
from ...simulators.envs.rerank import RerankTask
from ...simulators.envs.task import Info, Reward, Task, Visit, observation_box
from ...simulators.gaps import Controller
from ...simulators.outcome import StepOutcome
from ...simulators.world import World
from .parameters import acting, value_of


class ManyWorldsTask(Task):
    """Weights for the users of several worlds, one world's rows after the other's.

    Observation: as of `RerankTask`, and for critics (``privileged``) the latent state and then the
    log of each parameter of the row's world that differs between the worlds. A policy does not see
    which world it is in: it has to tell from the log, as when it serves.

    Args:
        worlds: Same catalogue, slate size, horizon and switches; at least one.
        constraints: Floors that are observed and measured.
        seed: Root of the luck; each world has its own, so that a user who stands in several does
            not live through the same there.
        rows: Rows of each world, repeats allowed; every user once by default.
        action_map: From actions to weights.
        reward: Satisfaction sampled, or expected given slate and state.
        privileged: Whether the latent state and the world's parameters follow in the observation.
        make_controller: Makes what watches, and may shift, the weights in each world; measures
            only, by default.

    Attributes:
        parts: The task of each world.
        n_actor_obs: Columns that follow from the log, the first ones.
        outcome: All that the last slates brought; None before the first.
        measured: Exposure share of each floor's group, then diversity, ``(n, C)``.

    Raises:
        InvalidValue: There is no world, the worlds cannot be stepped together, or there are rows
            for another number of worlds.
    """

    def __init__(
        self,
        worlds: Sequence[World],
        constraints: Constraints | None = None,
        seed: int = 0,
        rows: Sequence[IntArray] | None = None,
        action_map: ActionMap | None = None,
        reward: Reward = "sampled",
        privileged: bool = False,
        make_controller: Callable[[], Controller] | None = None,
    ) -> None:
        _require_alike(worlds)
        if rows is not None and len(rows) != len(worlds):
            raise InvalidValue(
                f"rows for {len(rows)} of {len(worlds)} worlds",
                field="rows",
                mend="Give an array of rows for each world.",
            )
        taken = [w if rows is None else w.take(rows[i]) for i, w in enumerate(worlds)]
        self._n_worlds = len(worlds)
        self.parts = tuple(
            RerankTask(
                world,
                constraints,
                own,
                action_map,
                None if make_controller is None else make_controller(),
                reward,
                privileged,
            )
            for world, own in zip(taken, self._seeds(seed), strict=True)
        )
        sizes = [len(part) for part in self.parts]
        self._ends = np.cumsum(sizes)[:-1]
        self._known = np.repeat(_which_world(worlds), sizes, axis=0) if privileged else None
        self.n_actor_obs = self.parts[0].n_actor_obs
        self.outcome: StepOutcome | None = None
        self.measured: FloatArray = np.concatenate([part.measured for part in self.parts])
        self.observation_space = observation_box(self.observe().shape[1])
        self.action_space = self.parts[0].action_space

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    @property
    def weight_offsets(self) -> FloatArray:
        """Added to all weights in all worlds, shape ``(A,)``."""
        return self.parts[0].weight_offsets

    @weight_offsets.setter
    def weight_offsets(self, offsets: FloatArray) -> None:
        for part in self.parts:
            part.weight_offsets = offsets

    def seed(self, seed: int) -> None:
        """See `Task`."""
        for part, own in zip(self.parts, self._seeds(seed), strict=True):
            part.seed(own)

    def reset(self, rows: BoolArray | None = None) -> None:
        """See `Task`."""
        if rows is None:
            for part in self.parts:
                part.reset()
            return
        for part, mask in zip(self.parts, np.split(rows, self._ends), strict=True):
            part.reset(mask)

    def observe(self) -> FloatArray:
        """See `Task`."""
        seen = np.concatenate([part.observe() for part in self.parts])
        return seen if self._known is None else np.concatenate([seen, self._known], axis=1)

    def step(self, actions: FloatArray) -> Visit:
        """Show every user of every world the slate that their weights make."""
        split = np.split(np.asarray(actions), self._ends)
        visits = [part.step(own) for part, own in zip(self.parts, split, strict=True)]
        self.measured = np.concatenate([part.measured for part in self.parts])
        self.outcome = joined([part.outcome for part in self.parts if part.outcome is not None])
        return Visit(
            np.concatenate([v.reward for v in visits]),
            np.concatenate([v.terminated for v in visits]),
            np.concatenate([v.truncated for v in visits]),
            {n: np.concatenate([v.info[n] for v in visits]) for n in visits[0].info},
        )

    def start_info(self) -> Info:
        """See `Task`."""
        infos = [part.start_info() for part in self.parts]
        return {name: np.concatenate([info[name] for info in infos]) for name in infos[0]}

    def _seeds(self, seed: int) -> list[int]:
        """A root for each world; with a single one as if there were no others."""
        if self._n_worlds == 1:
            return [seed]
        return [int(s) for s in np.random.SeedSequence(seed).generate_state(self._n_worlds)]


def joined(outcomes: Sequence[StepOutcome]) -> StepOutcome:
    """The outcomes of several populations, one after the other."""
    if len(outcomes) == 1:
        return outcomes[0]
    whole: dict[str, FloatArray | None] = {}
    for field in fields(StepOutcome):
        # Looks may be one row for all users of a world, and worlds differ in it.
        name = "examination" if field.name == "looks" else field.name
        parts = [getattr(outcome, name) for outcome in outcomes]
        whole[field.name] = None if parts[0] is None else np.concatenate(parts)
    return StepOutcome(**whole)  # pyright: ignore[reportArgumentType]  each keeps its type


def _which_world(worlds: Sequence[World]) -> FloatArray:
    """Log of every parameter that differs between the worlds, shape ``(W, P)``, float32."""
    names = sorted({name for world in worlds for name in acting(world.config)})
    table = np.array([[value_of(world.config, name) for name in names] for world in worlds])
    differs = (table != table[0]).any(axis=0) & (table > 0).all(axis=0)
    return np.log(table[:, differs]).astype(np.float32)


def _require_alike(worlds: Sequence[World]) -> None:
    """Refuse worlds whose users no batch can hold together."""
    if not worlds:
        raise InvalidValue("no world", field="worlds", mend="Give one or more.")
    first = worlds[0]

    def shape(world: World) -> tuple[object, ...]:
        c = world.config
        switches = (c.choice.model, c.dwell.enabled, c.session.enabled)
        return (c.horizon_days, c.slate_size, world.n_candidates, world.n_topics, *switches)

    for number, world in enumerate(worlds):
        if shape(world) != shape(first):
            raise InvalidValue(
                f"world {number} has another horizon, slate size, pool size, choice model or "
                "switches than world 0",
                field="worlds",
                mend="Draw all of them around one base world.",
            )
