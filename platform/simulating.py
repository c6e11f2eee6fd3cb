"""Policies in a simulated world: the same users, the same luck, a log of what was shown."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import FloatArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.folders import named_storage_errors, write_file_atomically
from ..errors import InvalidValue
from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from ..simulators.engines import usual_engine
from ..simulators.impressions import ImpressionLog, write_impressions
from ..simulators.policies import Decision
from ..simulators.recording import ExposureTally, ImpressionRecorder
from ..simulators.rollout import Totals, UserOutcomes, slates_shown
from ..simulators.world import World
from .ranking import Ranking
from .simulated_figures import figures_of, measured
from .simulated_policies import NamedPolicy
from .simulation_report import SimulatedPolicy, SimulationReport

CONFIDENCE = 0.95
SUMMARY = "summary.json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Simulation:
    """Who is simulated, in which world, and how often.

    Attributes:
        candidates: Users, items and groups.
        ranking: What re-rankers may know of them.
        world: The truth; its slate size and horizon hold.
        world_seed: What it was made with.
        episodes: Lives of each user, each with luck of its own.
        seed: Root of luck and of the policies' draws.
    """

    candidates: CandidateSet
    ranking: Ranking
    world: World
    world_seed: int
    episodes: int
    seed: int

    @property
    def luck(self) -> tuple[int, ...]:
        """A seed for each episode."""
        states = np.random.SeedSequence(self.seed).generate_state(self.episodes)
        return tuple(int(state) for state in states)


@dataclass(frozen=True, slots=True)
class Run:
    """What one policy came to.

    Attributes:
        outcomes: One per episode, rows being the users.
        received: Exposure by item attribute, summed over episodes, shape ``(U, G)``.
        slates: Slates shown.
        drawn: Those among them that chance decided.
    """

    outcomes: tuple[UserOutcomes, ...]
    received: dict[str, FloatArray]
    slates: int
    drawn: int


def choose_users(world: World, n_users: int | None, seed: int) -> World:
    """The world of so many of its users, drawn at random; of all where None.

    Raises:
        InvalidValue: There are fewer.
    """
    if n_users is None:
        return world
    if n_users > len(world):
        raise InvalidValue(
            f"{n_users:,} users wanted, and {len(world):,} have a full pool",
            field="users",
            mend=f"Use at most {len(world):,}, or more --episodes of each.",
        )
    rows = np.random.default_rng(seed).choice(len(world), n_users, replace=False)
    return world.take(np.sort(rows))


def run_simulation(
    simulation: Simulation,
    policies: Sequence[NamedPolicy],
    folder: Path | None,
    *,
    replicates: int = 2000,
    progress: Progress | None = None,
) -> SimulationReport:
    """Let every policy serve the same users on the same luck, and write down what happened.

    Args:
        simulation: Who, where, how often.
        policies: At least one; differences are to the first.
        folder: Gets ``<policy>.parquet`` for each, and ``summary.json``, once all is done; other
            files in it stay. Nothing is written where None.
        replicates: Resamples of the users.
        progress: Called with users finished and users in all, over policies and episodes.

    Raises:
        StorageFull: The disk is full; nothing is left behind and earlier files stay.
    """
    total = len(policies) * simulation.episodes * len(simulation.world)
    runs: list[Run] = []

    def advance(done: int) -> None:
        if progress is not None:
            before = len(runs) * simulation.episodes * len(simulation.world)
            progress(before + done, total)

    if folder is None:
        for policy in policies:
            runs.append(_run(simulation, policy, advance, None))
        return _report(simulation, policies, runs, None, replicates)
    with named_storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".simulation.", dir=folder) as name:
            for policy in policies:
                path = Path(name) / f"{policy.name}.parquet"
                runs.append(_run(simulation, policy, advance, path))
            report = _report(simulation, policies, runs, folder, replicates)
            for path in Path(name).iterdir():
                os.replace(path, folder / path.name)
    write_file_atomically(folder / SUMMARY, report.model_dump_json(indent=1).encode())
    return report


def _run(
    simulation: Simulation, policy: NamedPolicy, advance: Callable[[int], None], log: Path | None
) -> Run:
    """All episodes of one policy, streamed into its log."""
    course = _Course(simulation, policy, advance, recorded=log is not None)
    parts = course.parts()
    if log is None:
        for _ in parts:
            pass
    else:
        write_impressions(log, parts)
    return Run(tuple(course.outcomes), course.tally.received, course.slates, course.drawn)


class _Course:
    """One policy's way through all episodes; what it came to stands here when it is through."""

    def __init__(
        self,
        simulation: Simulation,
        policy: NamedPolicy,
        advance: Callable[[int], None],
        *,
        recorded: bool,
    ) -> None:
        world, groups = simulation.world, simulation.candidates.catalogue.groups
        self._simulation, self._policy, self._advance = simulation, policy, advance
        self._recorded = recorded
        self._context = PoolContext.of(world.pools, world.catalogue, Constraints())
        self.tally = ExposureTally(groups, len(world), world.config.slate_size)
        self.outcomes: list[UserOutcomes] = []
        self.slates = self.drawn = 0

    def parts(self) -> Iterator[ImpressionLog]:
        """Simulate; gives the parts of the log, or nothing where none is wanted."""
        world = self._simulation.world
        for number, seed in enumerate(self._simulation.luck):
            policy = self._policy.make(self._simulation.ranking)
            totals, recorder = Totals.of(world, None, None), self._recorder(number)
            for shown in slates_shown(world, policy, seed=seed, context=self._context):
                totals.add(shown)
                self.tally.add(shown)
                self._count(shown.decision, shown.outcome.active)
                if self._recorded:
                    yield from recorder.add(shown)
                self._advance(number * len(world) + totals.n_gone)
            yield from recorder.rest()
            self.outcomes.append(totals.outcomes())

    def _count(self, decision: Decision, active: np.ndarray) -> None:
        self.slates += int(active.sum())
        self.drawn += int((active & (decision.slate < 1.0)).sum())

    def _recorder(self, episode: int) -> ImpressionRecorder:
        """Users of a later episode count as other people: what they lived before is not known."""
        candidates, world = self._simulation.candidates, self._simulation.world
        ids = candidates.user_ids[world.users].astype(np.str_)
        return ImpressionRecorder(
            candidates.catalogue.item_ids,
            ids if episode == 0 else np.char.add(ids, f"#{episode + 1}"),
            dwell=world.config.dwell.enabled,
            first_slate=self.slates,
        )


def _report(
    simulation: Simulation,
    policies: Sequence[NamedPolicy],
    runs: Sequence[Run],
    folder: Path | None,
    replicates: int,
) -> SimulationReport:
    users = simulation.world.users
    figures = [figures_of(run.outcomes, run.received, simulation.candidates, users) for run in runs]
    world = simulation.world
    return SimulationReport(
        data=simulation.ranking.proposals.name,
        users=len(world),
        episodes=simulation.episodes,
        k=world.config.slate_size,
        seed=simulation.seed,
        world_seed=simulation.world_seed,
        world=world.config,
        engine=usual_engine(),
        replicates=replicates,
        confidence=CONFIDENCE,
        policies=tuple(
            SimulatedPolicy(
                name=policy.name,
                what=policy.what,
                slates=run.slates,
                stochastic=run.drawn / max(run.slates, 1),
                log=None if folder is None else str(folder / f"{policy.name}.parquet"),
                figures=measured(
                    own, None if own is figures[0] else figures[0], simulation.seed, replicates
                ),
            )
            for policy, run, own in zip(policies, runs, figures, strict=True)
        ),
    )
