"""Policies that nobody could deploy, in the same table as those that could: what there is to win.

They see what no platform can (see `simulators.policies.oracles` and `.bayes_index`). Two of them
hold no limit and need no tuning of their own. The other two hold the limits as every entrant does:
by a price for each, raised on validation users until the level lies above its target by a margin
(`calibration`). Limits on engagement gaps between groups of users are measured and not held.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import FloatArray
from ..simulators.dynamics import sigmoid
from ..simulators.known_taste import KnownTaste
from ..simulators.policies import SlatePolicy
from ..simulators.policies.bayes_index import BayesIndex
from ..simulators.policies.limit_prices import LimitPrices
from ..simulators.policies.oracles import PRICE, MyopicOracle, PlanningOracle
from .baselines import Entrant
from .calibration import CalibrationConfig, calibrate
from .outcomes import Arena
from .report import EvaluationReport

MYOPIC = "myopic-oracle"
PLANNING = "oracle"
LIMITED = "oracle-under-limits"
BAYES = "bayes-index"


def reference_entrants() -> tuple[Entrant, ...]:
    """One-step greedy on the simulator's own expected reward, and the oracle that plans.

    The planning one is a lower bound on what planning with the truth can win; its price of showing
    what has not recovered was searched once on other data (``benchmarks.headroom --tune``).
    """
    return (
        Entrant(MYOPIC, "reference", MyopicOracle, {}, 0),
        Entrant(PLANNING, "reference", PlanningOracle, {"price": PRICE}, 0),
    )


def limited_references(
    validation: Arena,
    n_test: int,
    seed: int,
    config: CalibrationConfig,
    known: KnownTaste,
) -> tuple[Entrant, ...]:
    """What can be won under the limits: with the truth, and with what observable state can tell.

    Where calibration did not reach a limit, ``parameters["held"]`` is 0, and what the reference
    earns is no ceiling under that limit.

    Args:
        validation: The users on whom the prices are raised.
        n_test: Users on whom the limits shall be shown to hold.
        seed: Root of the luck of the calibration.
        config: Its effort and margins.
        known: Of validation users and of those that the references will serve.

    Returns:
        The planning oracle and the one that must learn tastes; the latter only under the choice
        model that it covers.
    """
    units = price_units(validation)
    found: list[Entrant] = []
    for name in _covered(validation):
        made = _Reference(name, known, validation.constraints.labels)

        def turned(knobs: FloatArray, made: "_Reference" = made) -> Callable[[], SlatePolicy]:
            return _Remade(made, made.parameters(knobs * units))

        end = calibrate(turned, validation, n_test, seed, config, least=0.0)
        numbers = {**made.parameters(end.knobs * units), "held": float(end.held)}
        found.append(Entrant(name, "reference", _Remade(made, numbers), numbers, end.steps))
    return tuple(found)


def remade_references(
    report: EvaluationReport, arena: Arena, known: KnownTaste
) -> tuple[Entrant, ...]:
    """The references of a report made of their stored numbers, and those without any.

    Reports of earlier versions have none under limits, or other numbers, and then none is made;
    see `references_left_out`.
    """
    labels, stored = arena.constraints.labels, {p.name: p for p in report.policies}
    other = references_left_out(report, arena)
    again = [
        Entrant(
            name,
            "reference",
            _Remade(_Reference(name, known, labels), stored[name].parameters),
            stored[name].parameters,
            stored[name].simulator_steps,
        )
        for name in _covered(arena)
        if name in stored and name not in other
    ]
    return (*reference_entrants(), *again)


def references_left_out(report: EvaluationReport, arena: Arena) -> dict[str, str]:
    """References of a report that this version cannot make again of their numbers, and why.

    A price means something beside the rule that it was calibrated for: where the rule is another
    now, so is the name of its price (``diversity``; it was ``distance`` where slates were filled
    greedily), and the stored one is no ceiling under these limits.
    """
    labels, covered = arena.constraints.labels, _covered(arena)
    needed = {"price", "held", *LimitPrices((0.0,) * len(labels)).named(labels)}
    return {
        p.name: "its prices were calibrated by another version, for other slates"
        for p in report.policies
        if p.name in covered and set(p.parameters) != needed
    }


def price_units(arena: Arena) -> FloatArray:
    """Price of each limit that moves a look's worth by one standard deviation, shape ``(C,)``.

    So knobs are as large as those of the linear policies, for which the search of `calibrate` is
    made. The worth is that of rested users; for diversity it is the distance to one other item that
    counts here, which is near enough for a unit.
    """
    world, context = arena.world, arena.context
    valid = context.valid
    worth = _spread(sigmoid(world.appeal) * sigmoid(world.worth), valid)
    members = [_spread(floor, valid) for floor in context.floors]
    distance = context.pattern_distance[context.patterns[:, :1], context.patterns]
    return worth / np.maximum([*members, _spread(distance, valid)], SMALLEST_SPREAD)


SMALLEST_SPREAD = 0.1
"""What hardly varies gets no more than 10 times the price."""


def _spread(values: FloatArray, valid: np.ndarray) -> float:
    """Standard deviation within a pool, mean over pools."""
    n = valid.sum(axis=1)
    centred = np.where(valid, values - (values * valid).sum(axis=1, keepdims=True) / n[:, None], 0)
    return float(np.sqrt((centred**2).sum(axis=1) / n).mean())


def _covered(arena: Arena) -> tuple[str, ...]:
    """The references under limits that there are in this world."""
    exact = arena.world.config.choice.model == "position"
    return (LIMITED, BAYES) if exact else (LIMITED,)


@dataclass(frozen=True)
class _Reference:
    """One kind of reference under limits, and the names of its numbers."""

    name: str
    known: KnownTaste
    labels: tuple[str, ...]

    def parameters(self, prices: FloatArray) -> dict[str, float]:
        """Its numbers, with these prices of the limits, shape ``(C,)``."""
        *bonuses, diversity = (float(price) for price in prices)
        return {"price": PRICE, **LimitPrices(tuple(bonuses), diversity).named(self.labels)}

    def policy(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """The policy of these numbers."""
        limits, price = LimitPrices.of(parameters, self.labels), parameters["price"]
        if self.name == BAYES:
            return BayesIndex(self.known, price, limits)
        return PlanningOracle(price, self.name, limits)


@dataclass(frozen=True)
class _Remade:
    """Makes a reference of its numbers, anew for each simulation."""

    reference: _Reference
    parameters: Mapping[str, float]

    def __call__(self) -> SlatePolicy:
        return self.reference.policy(self.parameters)
