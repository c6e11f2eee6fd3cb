"""A stored policy evaluated anew, beside the baselines that its report names.

A baseline is a few numbers, and these are stored with the report: so it is made again, the same to
the last bit, and nothing is tuned. On the same candidates and with the same seed the figures are
those that were stored. Other candidates (of another base model, or of other people) show how far a
policy carries; users that it was trained or calibrated on are left out wherever they appear.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..arrays import BoolArray
from ..candidates.candidate_set import CandidateSet
from ..config_files import validate
from ..errors import EmptyData
from ..rerankers.features import feature_names
from ..rerankers.response import ResponseModel
from ..simulators.fit import fit_known_taste, fit_world
from .baselines import Entrant
from .config import TrainConfig
from .evaluate import evaluate
from .families import Family, baseline_families, kind_of, reward_aware
from .jobs import Serve
from .outcomes import Arena, MakePolicy
from .pipeline import Seeds, allowed_pools
from .references import references_left_out, remade_references
from .report import EvaluationReport, PolicyFigures
from .serving import PolicyReranker
from .split import split_users
from .storage import PolicyManifest, StoredPolicy


@dataclass(frozen=True, slots=True)
class Reevaluation:
    """What a second look found.

    Attributes:
        report: The policy, its baselines and the references.
        seed: Root of the luck.
        left_out: Policies of the stored report that could not be made again, and why.
    """

    report: EvaluationReport
    seed: int
    left_out: dict[str, str]


def reevaluate(
    stored: StoredPolicy,
    trained_on: CandidateSet,
    candidates: CandidateSet | None = None,
    seeds: int | None = None,
    seed: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reevaluation:
    """Evaluate a stored policy on users it has not seen.

    Args:
        stored: The policy.
        trained_on: The candidates it was trained on: they tell who was held out.
        candidates: What is shown now; the same by default.
        seeds: Simulator seeds; as many as at training by default.
        seed: Root of the luck; that of the stored report by default, whose seeds come first again.
        progress: Called with policies done and in all.

    Raises:
        InvalidValue: The stored configuration is of another version, or the policy reads other
            topics or groups than these candidates have.
        EmptyData: No user of the candidates was held out.
    """
    config = validate(TrainConfig, stored.manifest.config)
    arena = held_out_arena(stored.manifest, config, trained_on, candidates)
    # Made for its checks alone: widths may agree where topics do not.
    PolicyReranker(stored.policy, arena.world.catalogue)
    baselines, left_out = remade_baselines(stored.manifest.report, arena, stored.policy.response)
    left_out |= references_left_out(stored.manifest.report, arena)
    learned = stored.manifest.report.learned
    shown = trained_on if candidates is None else candidates
    pools = allowed_pools(shown, config)
    known = fit_known_taste(shown, config.world, Seeds.of(config.seed).world, pools)
    entrants = [
        *baselines,
        _entrant(learned, Serve(stored.policy)),
        *remade_references(stored.manifest.report, arena, known),
    ]
    evaluation = config.evaluation
    if seeds is not None:
        evaluation = evaluation.model_copy(update={"seeds": seeds})
    seed = Seeds.of(config.seed).evaluation if seed is None else seed
    report = evaluate(arena, entrants, learned.name, shown, seed, evaluation, progress)
    return Reevaluation(report, seed, left_out)


def held_out_arena(
    manifest: PolicyManifest,
    config: TrainConfig,
    trained_on: CandidateSet,
    candidates: CandidateSet | None = None,
) -> Arena:
    """The users that the policy has not seen, in the world of its configuration.

    Raises:
        EmptyData: There are fewer than two, with which no interval can be made.
    """
    shown = trained_on if candidates is None else candidates
    seeds = Seeds.of(config.seed)
    world = fit_world(shown, config.world, seeds.world, allowed_pools(shown, config))
    unseen = ~_seen(config, trained_on, shown)[world.users]
    if unseen.sum() < 2:
        raise EmptyData(
            f"{int(unseen.sum())} of {len(world)} users were not trained on",
            field="candidates",
            mend="Use candidates with more users, or of other people.",
        )
    rows = np.flatnonzero(unseen)
    return Arena.of(world.take(rows), manifest.constraints, shown.user_groups)


def _seen(config: TrainConfig, trained_on: CandidateSet, shown: CandidateSet) -> BoolArray:
    """Which users of ``shown`` the policy was trained or calibrated on, shape ``(U,)``.

    Ids of another data set are other people's, even where they are spelt alike.
    """
    if trained_on.lineage.get("dataset") != shown.lineage.get("dataset"):
        return np.zeros(shown.n_users, np.bool_)
    users = allowed_pools(trained_on, config).users
    split = split_users(len(users), config.split, Seeds.of(config.seed).split)
    rows = np.concatenate([split.train, split.validation])
    return np.isin(shown.user_ids.astype(str), trained_on.user_ids[users[rows]].astype(str))


def remade_baselines(
    report: EvaluationReport, arena: Arena, response: ResponseModel | None = None
) -> tuple[list[Entrant], dict[str, str]]:
    """The baselines of a report made of their stored numbers, and why others were not.

    Those that have no numbers are made even where the report does not know them yet.
    """
    families = _families(arena, response)
    stored = {p.name: p for p in report.policies if p.kind in ("baseline", "start")}
    found: list[Entrant] = []
    left_out = {
        name: "this version has no such baseline" for name in stored if name not in families
    }
    for name, family in families.items():
        figures = stored.get(name)
        if figures is None and not _numbers(family, arena):
            found.append(Entrant(name, kind_of(name), partial(family.remade, {}), {}, 0))
        elif figures is None:
            left_out[name] = "it was not tuned when the policy was trained"
        elif set(figures.parameters) != _numbers(family, arena):
            left_out[name] = "it was tuned by another version, with other numbers"
        else:
            found.append(_entrant(figures, partial(family.remade, figures.parameters)))
    for p in report.policies:
        if p.kind == "learned" and p.name != report.published:
            left_out[p.name] = "only the published policy is stored"
    return found, left_out


def _families(arena: Arena, response: ResponseModel | None) -> dict[str, Family]:
    """By name; how large a unit of each weight was plays no part in making one again."""
    catalogue, constraints = arena.world.catalogue, arena.constraints
    units = np.ones(len(feature_names(constraints)) + 1)
    families: list[Family] = [*baseline_families(catalogue, constraints, units)]
    if response is not None:
        families.append(reward_aware(units, constraints, response))
    return {f.name: f for f in families}


def _numbers(family: Family, arena: Arena) -> set[str]:
    return set(family.parameters(family.start, np.zeros(len(arena.targets))))


def _entrant(figures: PolicyFigures, make: MakePolicy) -> Entrant:
    steps = figures.simulator_steps
    return Entrant(figures.name, figures.kind, make, figures.parameters, steps)
