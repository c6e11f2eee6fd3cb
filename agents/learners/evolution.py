"""An evolution strategy on the same network: what can be had without a gradient of the simulator.

Salimans, Ho, Chen, Sidor & Sutskever 2017, "Evolution Strategies as a Scalable Alternative to
Reinforcement Learning": perturb all layers at once, in antithetic pairs, and step along the mean of
the perturbations weighed by the ranks of what they brought. It sees whole episodes alone, knows
neither states nor rewards within them, and is therefore the honest baseline of policy gradients.

All candidates of a generation serve the same users with the same luck, side by side in one batch.
The constraints are priced as in `agents.train`, over whole episodes: what a candidate brings is the
mean over users of the sum over slates of ``engagement / unit - multipliers · (target - measured)``.
"""

import numpy as np

from ...arrays import FloatArray, IntArray
from ...simulators.rollout import simulate
from ..jobs import Serve
from ..lagrange import Multipliers
from ..outcomes import Arena, MakePolicy, UserTotals, averaged
from ..storage import CurvePoint
from ..train import Learned, Progress
from .config import EvolutionSettings
from .footing import measure, require_shapes, starting_policy
from .genome import Genome, SideBySide

MEASURED_USERS = 64
"""Users of whom the scales are measured."""


class EvolutionLearner:
    """OpenAI's evolution strategy from the tuned weights on.

    Args:
        settings: Budget and settings.
    """

    name = "evolution"

    def __init__(self, settings: EvolutionSettings) -> None:
        self.settings = settings

    def learn(
        self,
        arena: Arena,
        start: FloatArray,
        units: FloatArray,
        margins: FloatArray,
        seed: int,
        progress: Progress | None = None,
    ) -> Learned:
        """See `Learner.learn`. O(D) memory per candidate; the last generation is finished."""
        require_shapes(arena, start, units, margins)
        arena.constraints.refuse_engagement_gaps(f"the learner {self.name!r}")
        settings = self.settings
        streams = np.random.SeedSequence(seed).spawn(3)
        measuring = int(streams[0].generate_state(1)[0])
        rng, lives = np.random.default_rng(streams[1]), np.random.default_rng(streams[2])
        footing = measure(arena, start, measuring, MEASURED_USERS)
        genome = Genome(
            starting_policy(
                arena, start, units, footing, settings.reach, settings.actor_hidden, rng
            )
        )
        multipliers = Multipliers(margins, settings.lagrange)
        ascent = _Adam(genome.size, settings.learning_rate)
        tail = _Tail(genome.size)
        curve: list[CurvePoint] = []
        spent, total = 0, settings.total_steps
        while spent < total:
            noise = rng.standard_normal((settings.pairs, genome.size)).astype(np.float32)
            points = ascent.point + settings.sigma * np.concatenate([noise, -noise])
            n_users = min(settings.users, len(arena))
            rows = np.sort(rng.choice(len(arena), n_users, replace=False))
            brought = run_candidates(arena, genome, points, int(lives.integers(2**32)), rows)
            costs = [mean_costs(arena, totals) for totals in brought]
            values = np.array(
                [
                    float(totals.expected_engagement.mean()) / footing.unit
                    - float(totals.slates.mean() * cost @ multipliers.values)
                    for totals, cost in zip(brought, costs, strict=True)
                ]
            )
            shares = np.array([float(totals.slates.sum()) for totals in brought])
            gradient = ascent_direction(values, noise) / settings.sigma
            ascent.step(gradient, 1.0 - spent / total)
            spent += sum(totals.n_slates for totals in brought)
            if spent >= total / 2:
                tail.add(ascent.point)
            mean_cost = np.average(costs, axis=0, weights=shares)
            curve.append(
                CurvePoint(
                    steps=spent,
                    reward=sum(float(t.expected_engagement.sum()) for t in brought)
                    / float(shares.sum()),
                    costs=tuple(mean_cost.tolist()),
                    multipliers=tuple(multipliers.update(mean_cost).tolist()),
                )
            )
            if progress is not None:
                progress(min(spent, total), total)
        return Learned(genome.policy(tail.mean), tuple(curve), spent + footing.steps)

    def serve(self, learned: Learned) -> MakePolicy:
        """See `Learner.serve`."""
        return Serve(learned.policy)


def run_candidates(
    arena: Arena, genome: Genome, points: FloatArray, seed: int, rows: IntArray
) -> list[UserTotals]:
    """Simulate the users of some rows once for each of several networks, on the same luck.

    Args:
        arena: The users and the limits.
        genome: What the points are networks of.
        points: Shape ``(P, D)``.
        seed: Root of the users' luck.
        rows: Distinct rows of the arena.
    """
    n = len(rows)
    outcome = simulate(
        arena.world,
        SideBySide(genome, points, n),
        arena.constraints,
        seed,
        rows=np.tile(rows, len(points)),
        context=arena.context,
        twins=True,
    )
    return [averaged([outcome.take(slice(i * n, (i + 1) * n))]) for i in range(len(points))]


def mean_costs(arena: Arena, totals: UserTotals) -> FloatArray:
    """Target minus measured, mean over slates, shape ``(C,)``; 0 where no target is set."""
    return np.where(arena.targets > 0, arena.targets - totals.levels(), 0.0)


def ascent_direction(values: FloatArray, noise: FloatArray) -> FloatArray:
    """Mean of the perturbations, weighed by the centred ranks of what both of a pair brought.

    Ranks do not follow the scale of the values, so that neither a lucky candidate nor a change of
    the prices decides the step.

    Args:
        values: What ``[noise, -noise]`` brought, shape ``(2 P,)``; equal values share their rank.
        noise: Shape ``(P, D)``.

    Returns:
        Shape ``(D,)``.
    """
    shaped = centred_ranks(values)
    return (shaped[: len(noise)] - shaped[len(noise) :]) @ noise / len(values)


def centred_ranks(values: FloatArray) -> FloatArray:
    """Ranks scaled to [-½, ½], the mean rank for equal values, shape of ``values`` ``(n,)``."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    ranks = last - (counts - 1) / 2.0
    return ranks[place] / (len(values) - 1) - 0.5


class _Adam:
    """Gradient ascent by Kingma & Ba 2015, "Adam", from 0 on.

    Args:
        size: Dimensions.
        rate: Learning rate.
    """

    def __init__(self, size: int, rate: float) -> None:
        self.point = np.zeros(size)
        self._rate, self._time = rate, 0
        self._first, self._second = np.zeros(size), np.zeros(size)

    def step(self, gradient: FloatArray, share: float) -> None:
        """Move by a ``share`` of the learning rate."""
        self._time += 1
        self._first += (1.0 - BETA_1) * (gradient - self._first)
        self._second += (1.0 - BETA_2) * (gradient**2 - self._second)
        first = self._first / (1.0 - BETA_1**self._time)
        second = self._second / (1.0 - BETA_2**self._time)
        self.point += self._rate * share * first / (np.sqrt(second) + 1e-8)


BETA_1, BETA_2 = 0.9, 0.99


class _Tail:
    """Mean of the points since half of the budget (Polyak & Juditsky 1992); 0 before.

    Args:
        size: Dimensions.
    """

    def __init__(self, size: int) -> None:
        self.mean = np.zeros(size)
        self._n = 0

    def add(self, point: FloatArray) -> None:
        """Take in a point."""
        self._n += 1
        self.mean += (point - self.mean) / self._n
