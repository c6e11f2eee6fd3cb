"""What a learner knows before it learns: how things look under the tuned weights.

A few visits give the scale of every observation and of the reward, so that networks meet numbers
near 1 and the prices of the constraints have one unit in every learner.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue
from ...rerankers.features import feature_names, observation_names
from ...simulators.gaps import RunningGaps
from ...simulators.logged import LoggedPopulation
from ..outcomes import Arena
from ..policy import Layer, WeightPolicy, size_of

VISITS = 48
"""Visits with the tuned weights from which everything is measured; more than an episode has."""

STAYING = 0.7
"""Share of the days ahead that a user is expected to stay for; see `agents.train.STAYING`."""

SMALLEST_SPREAD = 1e-4


@dataclass(frozen=True, slots=True)
class Footing:
    """How visits look under the tuned weights.

    Attributes:
        mean: Of every column that actor or critic sees, shape ``(O + L,)``.
        scale: Inverse standard deviation, shape ``(O + L,)``; 0 for a column that does not vary,
            and for the gaps to the constraints, which follow the learner itself.
        n_actor: Columns that the actor sees, ``O``; the first ones.
        unit: Mean expected engagement of a slate.
        per_day: What a day within the horizon is worth, in units of that.
        steps: User-steps that were simulated.
    """

    mean: FloatArray
    scale: FloatArray
    n_actor: int
    unit: float
    per_day: float
    steps: int


def observe_both(logged: LoggedPopulation, gaps: FloatArray) -> FloatArray:
    """What a platform sees of every user, then what only a simulator can, ``(U, O + L)``."""
    return np.concatenate([logged.observation(gaps), logged.population.privileged()], axis=1)


def measure(arena: Arena, start: FloatArray, seed: int, n_users: int) -> Footing:
    """Let users be served by the tuned weights for `VISITS` visits.

    Args:
        arena: The training users and the limits.
        start: Tuned weights, shape ``(A,)``.
        seed: Root of the users' luck and of their choice.
        n_users: Users at a time; every user as often as any other, up to one.
    """
    rows = spread_rows(len(arena), n_users, np.random.default_rng(seed))
    logged = LoggedPopulation(arena.world, arena.constraints, seed, rows, arena.context)
    gaps = RunningGaps(arena.constraints)
    everyone = np.ones(len(rows), np.bool_)
    weights = np.broadcast_to(start.astype(np.float32), (len(rows), len(start)))
    seen, rewards, away = [observe_both(logged, gaps.gaps)], list[float](), list[float]()
    for _ in range(VISITS):
        columns = logged.slates(weights)
        measured = logged.measured(columns)
        outcome = logged.step(columns)
        gaps.update(measured, everyone)
        logged.reset(outcome.left | outcome.ended)
        seen.append(observe_both(logged, gaps.gaps))
        rewards.append(float(outcome.expected_engagement.mean()))
        away.append(float((outcome.next_day - outcome.day).mean()))
    stacked = np.concatenate(seen).astype(np.float64)
    mean, std = stacked.mean(axis=0), stacked.std(axis=0)
    # A column that does not vary here tells nothing, and would explode where it does vary.
    varies = std > SMALLEST_SPREAD
    scale = np.where(varies, 1.0 / np.maximum(std, SMALLEST_SPREAD), 0.0)
    n_actor = logged.observation(gaps.gaps).shape[1]
    scale[n_actor - len(gaps.gaps) : n_actor] = 0.0
    return Footing(
        mean=mean.astype(np.float32),
        scale=scale.astype(np.float32),
        n_actor=n_actor,
        unit=max(float(np.mean(rewards)), 1e-9),
        per_day=STAYING / max(float(np.mean(away)), 1.0),
        steps=VISITS * len(rows),
    )


def spread_rows(n_users: int, n_rows: int, rng: np.random.Generator) -> IntArray:
    """Rows of an arena, sorted, every user as often as any other, up to one."""
    whole = [rng.permutation(n_users) for _ in range(-(-n_rows // n_users))]
    return np.sort(np.concatenate(whole)[:n_rows])


def starting_policy(
    arena: Arena,
    start: FloatArray,
    units: FloatArray,
    footing: Footing,
    reach: float,
    hidden: tuple[int, ...],
    rng: np.random.Generator,
) -> WeightPolicy:
    """The tuned weights as a network: random hidden layers under a head of zeros.

    Args:
        arena: The training users and the limits.
        start: Tuned weights, shape ``(A,)``.
        units: Weight that moves the score by one standard deviation, shape ``(A,)``.
        footing: Scales of the observations.
        reach: How far the network may move each weight, relative to the size of the tuned ones.
        hidden: Widths of the tanh layers.
        rng: Draws the hidden layers, uniformly within one over the root of their inputs.
    """
    layers, width = list[Layer](), footing.n_actor
    for size in hidden:
        bound = width**-0.5
        weight = rng.uniform(-bound, bound, (size, width)).astype(np.float32)
        layers.append(Layer(weight, rng.uniform(-bound, bound, size).astype(np.float32)))
        width = size
    n_actions = len(start)
    return WeightPolicy(
        constraints=arena.constraints,
        feature_names=feature_names(arena.constraints),
        observation_names=observation_names(arena.world.catalogue.topic_names, arena.constraints),
        mean=footing.mean[: footing.n_actor],
        scale=footing.scale[: footing.n_actor],
        hidden=tuple(layers),
        head=Layer(np.zeros((n_actions, width), np.float32), np.zeros(n_actions, np.float32)),
        centre=start.astype(np.float32),
        reach=(reach * size_of(start, units) * units).astype(np.float32),
        offsets=np.zeros(n_actions, np.float32),
        response=arena.context.response,
    )


def require_shapes(arena: Arena, start: FloatArray, units: FloatArray, margins: FloatArray) -> None:
    """Refuse arguments of a learner that do not fit its arena.

    Raises:
        InvalidValue: A shape differs, a number is not finite, or a unit is not above 0.
    """
    n_actions = len(feature_names(arena.constraints)) + 1
    expected = {"start": (start, n_actions), "units": (units, n_actions)}
    expected["margins"] = (margins, len(arena.targets))
    for name, (array, length) in expected.items():
        if np.shape(array) != (length,):
            raise InvalidValue(
                f"shape {np.shape(array)}, expected ({length},)",
                field=name,
                mend="A weight for each feature of the constraints, then the diversity strength; "
                "a margin for each constraint.",
            )
        if not np.isfinite(array).all():
            raise InvalidValue("holds a number that is not finite", field=name)
    if not (units > 0).all():
        raise InvalidValue("must be above 0", field="units", mend="Measure them: weight_units.")
