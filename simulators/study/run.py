"""Feedback-loop studies: what a recommender does to its own data, with and without re-ranking."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import numpy as np
import pandas as pd

from ...candidates.candidate_set import CandidateSet
from ...candidates.config import CandidateConfig
from ...candidates.dataset import Dataset
from ...candidates.fit import RecBoleWorker
from ...candidates.groups import GroupsConfig
from ...candidates.interactions import Interactions
from ...errors import InvalidValue
from ...rerankers.amortised.epsilon_greedy import EpsilonGreedyConfig, EpsilonGreedyReranker
from ...rerankers.base import Reranker
from ...rerankers.constraints import Constraints
from ...rerankers.exposure import ExposureConfig
from ...rerankers.factory import make_reranker
from ...rerankers.knowledge import Knowledge
from ...rerankers.ratios import resolve
from ...rerankers.state import StateLookup
from .. import randomness
from ..world import World
from .config import ArmConfig, StudyConfig
from .feedback import FeedbackLog
from .measures import Before, measure_round
from .observed import ObservedUsers
from .result import ArmAndSeed, StudyResult
from .users import StudyUsers, study_truth

Progress = Callable[[int, int], None]
LoadPolicy = Callable[[str, CandidateSet, StateLookup], Reranker]
"""From a policy's version, the candidates and the users' observed state to a re-ranker."""


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
        total = len(config.seeds) * len(config.arms) * config.rounds
        done = count(1)

        def tick() -> None:
            if progress is not None:
                progress(next(done), total)

        study = _Study(config, base, fitter, load_policy, tick)
        ranking = fitter.refit(base, base.train, top_n=base.n_items)
        frames: list[pd.DataFrame] = []
        logs: dict[ArmAndSeed, FeedbackLog] = {}
        for seed in config.seeds:
            truth = study.truth(ranking, seed)
            before = Before.of(base, truth.users, seed)
            for arm in config.arms:
                frame, log = study.run(arm, truth, before, seed)
                frames.append(frame)
                if config.keep_log:
                    logs[arm.name, seed] = log
    return StudyResult(config, pd.concat(frames, ignore_index=True), base, logs)


@dataclass(frozen=True, slots=True)
class _Study:
    """What all arms and seeds of a study share."""

    config: StudyConfig
    base: CandidateSet
    fitter: Refitter
    load_policy: LoadPolicy | None
    tick: Callable[[], None]

    def truth(self, ranking: CandidateSet, seed: int) -> World:
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
        config = self.config
        return study_truth(ranking, config.world, config.k, config.rounds, seed, able)

    def run(
        self, arm: ArmConfig, truth: World, before: Before, seed: int
    ) -> tuple[pd.DataFrame, FeedbackLog]:
        """All rounds of one arm with one seed."""
        config, base = self.config, self.base
        people = StudyUsers(truth, config.feedback, seed)
        observed = ObservedUsers(base.catalogue, people.users)
        reranker = self._reranker(arm, observed.of)
        log = FeedbackLog(config.feedback)
        current, train = base, base.train
        rows: list[tuple[object, ...]] = []
        for number in range(1, config.rounds + 1):
            rng = np.random.default_rng([seed, randomness.POLICY, number])
            self._one_day(people, current, reranker, log, observed, rng)
            rows += [
                (arm.name, seed, number, *measure)
                for measure in measure_round(before, people, log, train)
            ]
            people.next_day()
            train = log.training(base.train)
            due = number % config.refit_every == 0 and number < config.rounds
            if due and len(train) > len(current.train):  # else the fit would be the same
                current = self.fitter.refit(base, train)
            self.tick()
        columns = ["arm", "seed", "round", "measure", "of", "value"]
        return pd.DataFrame(rows, columns=columns), log

    def _one_day(
        self,
        people: StudyUsers,
        current: CandidateSet,
        reranker: Reranker,
        log: FeedbackLog,
        observed: ObservedUsers,
        rng: np.random.Generator,
    ) -> None:
        """A slate for whoever is here, and further ones for those whose session goes on."""
        while len(people.visiting):
            pools = people.pools(current)
            visits = people.show(pools, reranker.rerank(pools, self.config.k, rng))
            log.append(visits)
            observed.note(visits)

    def _reranker(self, arm: ArmConfig, states: StateLookup) -> Reranker:
        inner = self._without_exploration(arm, states)
        share = self.config.feedback.exploration
        if share == 0.0:
            return inner
        return EpsilonGreedyReranker(EpsilonGreedyConfig(epsilon=share), inner)

    def _without_exploration(self, arm: ArmConfig, states: StateLookup) -> Reranker:
        constraints = self.config.constraints or Constraints()
        if arm.reranker is not None:
            return make_reranker(arm.reranker, Knowledge.of(self.base, constraints, states))
        if self.load_policy is None or arm.policy is None:
            raise InvalidValue(
                f"arm {arm.name!r} names a policy, and none can be loaded here",
                field="arms",
                mend="Run it with `fairloop study run`, or give the arm a reranker.",
            )
        return self.load_policy(arm.policy, self.base, states)


def _with_constraints(
    config: StudyConfig,
    base: CandidateSet,
    default: Callable[[CandidateSet], Constraints] | None,
) -> StudyConfig:
    """The configuration with its constraints filled in.

    Raises:
        InvalidValue: An exposure controller has no constraint to hold, or one that no study holds.
    """
    limits = config.constraints
    if limits is None and default is not None:
        limits = default(base)
    if limits is None:
        limits = Constraints()
    limits = resolve(limits, base.pools(), base.catalogue)
    holds_nothing = not limits.exposure and limits.min_diversity is None
    if holds_nothing and any(isinstance(arm.reranker, ExposureConfig) for arm in config.arms):
        raise InvalidValue(
            "an exposure controller without a constraint would do nothing",
            field="constraints",
            mend="State an exposure floor or min_diversity.",
        )
    limits.refuse_engagement_gaps("a study")
    return config.model_copy(update={"constraints": limits})
