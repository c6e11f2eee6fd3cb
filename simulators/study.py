"""Feedback-loop studies: what a recommender does to its own data, with and without re-ranking."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from ..arrays import IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.config import CandidateConfig
from ..candidates.dataset import Dataset
from ..candidates.fit import RecBoleWorker
from ..candidates.folders import write_folder_atomically
from ..candidates.groups import GroupsConfig
from ..candidates.interactions import Interactions
from ..candidates.pools import CandidatePools
from ..candidates.sealed_folder import seal
from ..errors import InvalidValue
from ..rerankers.base import Reranker
from ..rerankers.constraints import Constraints
from ..rerankers.exposure import ExposureConfig
from ..rerankers.factory import make_reranker
from ..rerankers.knowledge import Knowledge
from ..rerankers.state import StateLookup
from .study_config import ArmConfig, StudyConfig
from .study_measures import MEASURES, measure_round
from .study_plot import draw_study
from .study_users import RunningStates, StudyUsers, append_clicks

Progress = Callable[[int, int], None]
LoadPolicy = Callable[[str, CandidateSet, StateLookup], Reranker]
"""From a policy's version, the candidates and the users' observed state to a re-ranker."""

KIND = "study"


class Refitter(Protocol):
    """What a study needs of a model's process; ``RecBoleWorker`` is the one in use."""

    def fit(
        self, dataset: Dataset, config: CandidateConfig | None, groups: GroupsConfig | None
    ) -> CandidateSet:
        """Split, fit and evaluate."""
        ...

    def refit(
        self, base: CandidateSet, train: Interactions, top_n: int | None = None
    ) -> CandidateSet:
        """Fit again on other training interactions."""
        ...


@dataclass(frozen=True, slots=True)
class StudyResult:
    """The measures of a study.

    Attributes:
        config: What was run; the constraints are filled in.
        frame: One row per measure: ``arm``, ``seed``, ``round`` (from 1), ``measure``, ``of``
            (``attribute=group``, or empty) and ``value``.
        metrics: RecBole's own test measures of the first fit.
    """

    config: StudyConfig
    frame: pd.DataFrame
    metrics: dict[str, float]

    def save(self, folder: Path) -> Path:
        """Store ``study.parquet``, ``study.png``, ``study.svg`` and a manifest, all or nothing.

        Raises:
            StorageFull: The disk is full; nothing is left behind and an earlier folder stays.
        """

        def fill(target: Path) -> None:
            self.frame.to_parquet(target / "study.parquet", index=False)
            arms = [arm.name for arm in self.config.arms]
            draw_study(self.frame, arms, self._targets(), target / "study")
            seal(
                target,
                {
                    "kind": KIND,
                    "format": 1,
                    "config": self.config.model_dump(mode="json"),
                    "metrics": self.metrics,
                    "measures": MEASURES,
                },
            )

        return write_folder_atomically(folder, fill)

    def _targets(self) -> dict[str, float]:
        """Minimum exposure shares by ``attribute=group``."""
        limits = self.config.constraints or Constraints()
        return {f"{floor.attribute}={floor.group}": floor.share for floor in limits.exposure}

    def last_round(self) -> pd.DataFrame:
        """Mean over seeds of each measure in the last round, one column per arm."""
        last = self.frame[self.frame["round"] == self.config.rounds]
        table = last.pivot_table(
            index=["measure", "of"], columns="arm", values="value", aggfunc="mean"
        )
        return table[[arm.name for arm in self.config.arms]]


def run_study(
    config: StudyConfig,
    dataset: Dataset,
    groups: GroupsConfig | None = None,
    *,
    load_policy: LoadPolicy | None = None,
    default_constraints: Callable[[CandidateSet], Constraints] | None = None,
    worker: Refitter | None = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Recommend, choose, append, refit and measure, for each arm on the same randomness.

    Args:
        config: What to run.
        dataset: The data before the study.
        groups: Groups of items whose exposure is measured; popularity by default.
        load_policy: Turns the version of a stored policy into a re-ranker; needed by arms that
            name one.
        default_constraints: The limits where the configuration states none.
        worker: Fits the models; a new RecBole process where None.
        progress: Called with rounds done and all rounds of all arms and seeds.

    Raises:
        InvalidValue: An arm cannot be built, or ``k`` is above the smallest pool.
        WorkerFailed: A fit failed.
    """
    with ExitStack() as stack:
        fitter = stack.enter_context(RecBoleWorker()) if worker is None else worker
        base = fitter.fit(dataset, config.candidates, groups)
        config = _with_constraints(config, base, default_constraints)
        study = _Study(config, base, fitter, load_policy)
        ranking = fitter.refit(base, base.train, top_n=base.n_items)
        frames: list[pd.DataFrame] = []
        for seed in config.seeds:
            people = study.users(ranking, seed)
            for arm in config.arms:
                frames.append(study.run(arm, people, seed))
                if progress is not None:
                    total = len(config.seeds) * len(config.arms) * config.rounds
                    progress(len(frames) * config.rounds, total)
    return StudyResult(config, pd.concat(frames, ignore_index=True), base.metrics)


@dataclass(frozen=True, slots=True)
class _Study:
    """What all arms and seeds of a study share."""

    config: StudyConfig
    base: CandidateSet
    fitter: Refitter
    load_policy: LoadPolicy | None

    def users(self, ranking: CandidateSet, seed: int) -> StudyUsers:
        """Draw who takes part, among the users with a full pool, and fit their truth."""
        able = self.base.pools().users
        wanted = self.config.users
        if wanted is not None and wanted > len(able):
            raise InvalidValue(
                f"{wanted} users wanted, but {len(able)} have a full pool",
                field="users",
                mend=f"Use at most {len(able)}.",
            )
        if wanted is not None:
            able = np.sort(np.random.default_rng(seed).choice(able, wanted, replace=False))
        return StudyUsers.fit(ranking, able, self.config.world, self.config.k, seed)

    def run(self, arm: ArmConfig, people: StudyUsers, seed: int) -> pd.DataFrame:
        """All rounds of one arm with one seed."""
        base, users = self.base, people.users
        states = RunningStates(base.catalogue)
        reranker = self._reranker(arm, states)
        rng = np.random.default_rng([seed, 1])
        current, train = base, base.train
        rows: list[tuple[object, ...]] = []
        for number in range(1, self.config.rounds + 1):
            pools = _unseen(current.pools(users), train, users)
            slates = reranker.rerank(pools, self.config.k, rng)
            reaction = people.react(slates.items, number)
            rows += [
                (arm.name, seed, number, *measure)
                for measure in measure_round(base, train, users, slates.items, reaction)
            ]
            states.note(pools, slates, reaction)
            train = append_clicks(train, base.train, slates.items, users, reaction, number)
            if number % self.config.refit_every == 0 and number < self.config.rounds:
                current = self.fitter.refit(base, train)
        return pd.DataFrame(rows, columns=["arm", "seed", "round", "measure", "of", "value"])

    def _reranker(self, arm: ArmConfig, states: RunningStates) -> Reranker:
        constraints = self.config.constraints or Constraints()
        if arm.reranker is not None:
            return make_reranker(arm.reranker, Knowledge.of(self.base, constraints, states.of))
        if self.load_policy is None or arm.policy is None:
            raise InvalidValue(
                f"arm {arm.name!r} names a policy, and none can be loaded here",
                field="arms",
                mend="Run it with `fairloop study run`, or give the arm a reranker.",
            )
        return self.load_policy(arm.policy, self.base, states.of)


def _with_constraints(
    config: StudyConfig,
    base: CandidateSet,
    default: Callable[[CandidateSet], Constraints] | None,
) -> StudyConfig:
    """The configuration with its constraints filled in.

    Raises:
        InvalidValue: An exposure controller has no constraint to hold.
    """
    limits = config.constraints
    if limits is None and default is not None:
        limits = default(base)
    if limits is None:
        limits = Constraints()
    holds_nothing = not limits.exposure and limits.min_diversity is None
    if holds_nothing and any(isinstance(arm.reranker, ExposureConfig) for arm in config.arms):
        raise InvalidValue(
            "an exposure controller without a constraint would do nothing",
            field="constraints",
            mend="State an exposure floor or min_diversity.",
        )
    return config.model_copy(update={"constraints": limits})


def _unseen(pools: CandidatePools, train: Interactions, users: IntArray) -> CandidatePools:
    """The pools without what was clicked since the model was fitted."""
    return pools.keep(~train.contains(users, pools.items))
