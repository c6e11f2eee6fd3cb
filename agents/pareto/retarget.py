"""A conditioned policy at one target, evaluated and judged there as a trained one is.

Held-out users are those of the training. The baselines are calibrated anew for the target
(`recalibrated`), the references too, and the gate's rule is that of the training: a policy whose
targets were changed gets in no easier. Each further target is one more look at the same held-out
users, and the levels of the gate are those of one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...candidates.candidate_set import CandidateSet
from ...config_files import validate
from ...rerankers.constraints import Constraints
from ...simulators.fit import fit_known_taste, fit_world
from ..baselines import Entrant
from ..config import TrainConfig
from ..evaluate import evaluate
from ..gate import judge
from ..jobs import Serve
from ..pipeline import Arenas, Seeds, allowed_pools, split_arenas
from ..policy import WeightPolicy
from ..references import limited_references, reference_entrants
from ..storage import PolicyManifest
from .recalibrated import recalibrated_baselines
from .storage import StoredConditioned

Progress = Callable[[str, int, int], None]
"""Called with the name of a stage, work done and work in all."""


@dataclass(frozen=True, slots=True)
class Retargeted:
    """An ordinary policy, and what was found of it.

    Attributes:
        policy: At the targets that were asked for.
        manifest: Its limits, its own evaluation and verdict, and where it comes from.
        left_out: Baselines that are not in the evaluation, and why.
    """

    policy: WeightPolicy
    manifest: PolicyManifest
    left_out: dict[str, str]


def retarget(
    stored: StoredConditioned,
    targets: Mapping[str, float],
    candidates: CandidateSet,
    progress: Progress | None = None,
) -> Retargeted:
    """Turn the dial: the policy for some targets, evaluated on held-out users and judged.

    Args:
        stored: The conditioned policy.
        targets: By name of the limit; dials that are not named stay at the trained policy's own.
        candidates: Those it was trained on.
        progress: Called as the work goes on.

    Raises:
        InvalidValue: A target is unknown or out of range, or the stored configuration is of
            another version.
        UnreachableConstraint: The limits could not be held beside these targets.
    """
    policy = stored.policy.at(targets)
    base, tell = stored.manifest.base, progress or (lambda stage, done, total: None)
    config = validate(TrainConfig, base.config)
    seeds, n_steps = Seeds.of(config.seed), 3
    arenas = arenas_of(base, candidates, policy.constraints)
    n_test, calibration = len(arenas.test), config.calibration
    validation = arenas.validation
    tell("calibrate baselines", 0, n_steps)
    baselines, left_out = recalibrated_baselines(
        base.report, validation, n_test, seeds.calibration, calibration, policy.response
    )
    tell("calibrate baselines", 2, n_steps)
    known = fit_known_taste(
        candidates, config.world, seeds.world, allowed_pools(candidates, config)
    )
    limited = limited_references(validation, n_test, seeds.calibration, calibration, known)
    tell("calibrate baselines", n_steps, n_steps)
    learned = base.report.learned
    steps = learned.simulator_steps + stored.manifest.report.steps
    weights = (policy.centre + policy.offsets).tolist()
    numbers = {**learned.parameters, **dict(zip(policy.action_names, weights, strict=True))}
    entrant = Entrant(learned.name, "learned", Serve(policy), numbers, steps)
    report = evaluate(
        arenas.test,
        [*baselines, entrant, *reference_entrants(), *limited],
        learned.name,
        candidates,
        seeds.evaluation,
        config.evaluation,
        lambda done, total: tell("evaluate", done, total),
    )
    asked = dict(zip(stored.policy.names, stored.policy.targets(targets).tolist(), strict=True))
    lineage = {
        **base.lineage,
        "conditioned": stored.version,
        "source": stored.manifest.source,
        "targets": ", ".join(f"{name} {target:g}" for name, target in asked.items()),
        "baselines": "calibrated for these targets, not searched anew",
    }
    manifest = base.model_copy(
        update={
            "constraints": policy.constraints,
            "lineage": lineage,
            "report": report,
            "verdict": judge(report, config.gate),
        }
    )
    return Retargeted(policy, manifest, left_out)


def arenas_of(
    manifest: PolicyManifest, candidates: CandidateSet, constraints: Constraints
) -> Arenas:
    """The users of a stored policy's training under some limits, split as they were then.

    Raises:
        InvalidValue: The stored configuration is of another version.
    """
    config = validate(TrainConfig, manifest.config)
    seeds, pools = Seeds.of(config.seed), allowed_pools(candidates, config)
    world = fit_world(candidates, config.world, seeds.world, pools)
    limited = config.model_copy(update={"constraints": constraints})
    return split_arenas(world, candidates, limited, seeds.split)
