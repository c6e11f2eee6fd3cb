"""From candidates to a judged policy: tune the baselines, learn, calibrate, evaluate, judge."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from ..candidates.candidate_set import CandidateSet
from ..candidates.pools import CandidatePools
from ..rerankers.constraints import Constraints
from ..rerankers.feasibility import check_reachable
from ..rerankers.ratios import resolve
from ..simulators.fit import fit_known_taste, fit_world
from ..simulators.world import World
from .baselines import Entrant, weight_units
from .config import TrainConfig
from .evaluate import evaluate
from .families import baseline_families
from .gate import Verdict, judge
from .jobs import LearnJob, TrainedSeed, TuneJob
from .outcomes import Arena
from .policy import WeightPolicy
from .references import limited_references, reference_entrants
from .report import EvaluationReport
from .split import UserSplit, split_users
from .stages import Work, open_work, run_stages
from .storage import PolicyManifest, save_policy
from .targets import default_constraints

StageProgress = Callable[[str, int, int], None]
"""Called with the name of the stage, work done and work in all."""


@dataclass(frozen=True, slots=True)
class TrainedPolicy:
    """The published policy and everything known about it.

    Attributes:
        policy: Best on validation users among the training seeds.
        manifest: What is stored beside it.
        report: Every training seed and every tuned baseline on held-out users.
        verdict: Whether it may be deployed.
        training: Each training seed.
        work: Where its stages and their curves are kept; None if they are not.
        resumed: Names of the stages that an earlier run had kept.
    """

    policy: WeightPolicy
    manifest: PolicyManifest
    report: EvaluationReport
    verdict: Verdict
    training: tuple[TrainedSeed, ...]
    work: Work | None = None
    resumed: tuple[str, ...] = ()

    def save(self, policies: Path) -> Path:
        """Write the policy and its manifest; the folder's name is the version.

        Raises:
            StorageFull: The disk refused; nothing was kept.
        """
        return save_policy(self.policy, self.manifest, policies)


@dataclass(frozen=True, slots=True)
class Arenas:
    """The three groups of users under the same limits."""

    train: Arena
    validation: Arena
    test: Arena


def train_policy(
    candidates: CandidateSet,
    config: TrainConfig | None = None,
    progress: StageProgress | None = None,
    candidates_version: str = "",
    work: Path | None = None,
    *,
    fresh: bool = False,
) -> TrainedPolicy:
    """Train a constrained re-ranker and judge it against tuned baselines on held-out users.

    Args:
        candidates: What could be shown.
        config: Budgets, seeds, limits and the rule for deployment.
        progress: Called with the name of the stage, work done and work in all.
        candidates_version: Recorded as lineage.
        work: Folder in which each stage (a tuned baseline, a training seed) is kept as it ends, in
            a folder of its configuration, candidates and code; a run that was cut goes on there,
            to the same result. Nothing is kept by default.
        fresh: Forget what an earlier run of the same configuration kept.

    Raises:
        CorruptArtifact: A kept stage cannot be read.
        InvalidValue: There are too few users to split, or a constraint names an unknown group.
        UnreachableConstraint: No slates from these pools could hold a constraint.
    """
    config = config or TrainConfig()
    report_to = progress or (lambda stage, done, total: None)
    seeds = Seeds.of(config.seed)
    world = fit_world(candidates, config.world, seeds.world, allowed_pools(candidates, config))
    arenas = split_arenas(world, candidates, config, seeds.split)
    check_reachable(world.pools, arenas.train.constraints, world.catalogue, config.world.slate_size)

    tuning = tune_jobs(arenas, config, seeds)
    kept = None if work is None else open_work(work, candidates, config, fresh=fresh)
    tuned, resumed = run_stages(
        tuning, kept, config.workers, lambda d, t: report_to("tune baselines", d, t)
    )
    learning = [
        LearnJob(
            arenas.train,
            arenas.validation,
            len(arenas.test),
            seed,
            seeds.calibration,
            seeds.units,
            config,
        )
        for seed in seeds.training(config.training_seeds)
    ]
    trained, resumed_too = run_stages(
        learning, kept, config.workers, lambda d, t: report_to("learn", d, t)
    )

    best = int(np.argmax([t.rank for t in trained]))
    learned = [
        Entrant(seed_name(i, best), "learned", t.make, t.parameters, t.steps)
        for i, t in enumerate(trained)
    ]
    start = trained[best].tuned.entrant()
    known = fit_known_taste(candidates, config.world, seeds.world, world.pools)
    references = limited_references(
        arenas.validation, len(arenas.test), seeds.calibration, config.calibration, known
    )
    entrants = [*(t.entrant() for t in tuned), start, *learned, *reference_entrants(), *references]
    report = evaluate(
        arenas.test,
        entrants,
        PUBLISHED,
        candidates,
        seeds.evaluation,
        config.evaluation,
        lambda d, t: report_to("evaluate", d, t),
    )
    verdict = judge(report, config.gate)
    manifest = _manifest(trained[best], report, verdict, config, arenas.test, candidates_version)
    return TrainedPolicy(
        policy=trained[best].policy,
        manifest=manifest,
        report=report,
        verdict=verdict,
        training=tuple(trained),
        work=kept,
        resumed=(*resumed, *resumed_too),
    )


PUBLISHED = "learned"
"""Name of the published policy in the report; other training seeds carry their number."""


def seed_name(index: int, best: int) -> str:
    """Name of a training seed in the report."""
    return PUBLISHED if index == best else f"{PUBLISHED}, seed {index + 1}"


@dataclass(frozen=True, slots=True)
class Seeds:
    """Independent streams, one per part, spawned from one seed."""

    world: int
    split: int
    tuning: int
    learning: int
    evaluation: int
    units: int
    calibration: int

    @classmethod
    def of(cls, seed: int) -> "Seeds":
        """Spawn them."""
        children = np.random.SeedSequence(seed).spawn(7)
        return cls(*(int(child.generate_state(1)[0]) for child in children))

    def training(self, n: int) -> tuple[int, ...]:
        """Seeds of ``n`` trainings; the first ones do not depend on ``n``."""
        return tuple(int(s) for s in np.random.SeedSequence(self.learning).generate_state(n))


def allowed_pools(candidates: CandidateSet, config: TrainConfig) -> CandidatePools:
    """What the hard filters leave of the pools, as when serving."""
    filters = (config.constraints or Constraints()).filters
    return candidates.pools().keep(filters.allowed(candidates.catalogue))


def split_arenas(world: World, candidates: CandidateSet, config: TrainConfig, seed: int) -> Arenas:
    """Split the users; limits that need numbers get them from the training users."""
    split: UserSplit = split_users(len(world), config.split, seed)
    constraints = config.constraints or default_constraints(
        candidates, world.users[split.train], config.world.slate_size
    )
    constraints = resolve(constraints, world.pools.take(split.train), world.catalogue)
    parts = (split.train, split.validation, split.test)
    groups = candidates.user_groups
    return Arenas(*(Arena.of(world.take(rows), constraints, groups) for rows in parts))


def tune_jobs(arenas: Arenas, config: TrainConfig, seeds: Seeds) -> list[TuneJob]:
    """One job per baseline, all of the budget that one training seed may spend.

    That is the search for the start, and then the step budget of learning twice: once for the
    network, once for the search that goes on without it.
    """
    units = weight_units(arenas.train, seeds.units)
    families = baseline_families(arenas.train.world.catalogue, arenas.train.constraints, units)
    search = config.search.model_copy(
        update={"steps": config.search.steps + 2 * config.ppo.total_steps}
    )
    return [
        TuneJob(
            family,
            arenas.train,
            arenas.validation,
            len(arenas.test),
            seeds.tuning,
            search,
            config.calibration,
            None,
        )
        for family in families
    ]


def _manifest(
    trained: TrainedSeed,
    report: EvaluationReport,
    verdict: Verdict,
    config: TrainConfig,
    arena: Arena,
    candidates_version: str,
) -> PolicyManifest:
    policy = trained.policy
    # How many processes made it does not change what was made.
    recorded = config.model_copy(update={"workers": 1})
    return PolicyManifest(
        name=PUBLISHED,
        slate_size=arena.world.config.slate_size,
        constraints=policy.constraints,
        feature_names=policy.feature_names,
        observation_names=policy.observation_names,
        n_hidden=len(policy.hidden),
        lineage={
            "candidates": candidates_version,
            "world": hash_of(config.world),
            "config": hash_of(recorded),
            "seed": str(config.seed),
        },
        config=recorded.model_dump(mode="json"),
        curve=trained.curve,
        report=report,
        verdict=verdict,
    )


def hash_of(model: BaseModel) -> str:
    """SHA-256 of a configuration's JSON, hexadecimal."""
    return hashlib.sha256(model.model_dump_json().encode()).hexdigest()
