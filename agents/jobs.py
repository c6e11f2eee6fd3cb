"""The two kinds of work that may run in a worker process: tune a baseline, train a seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import FloatArray
from ..simulators.policies import ObservationPolicy, SlatePolicy
from .baselines import Tuned, tune
from .calibration import CalibrationConfig, calibrate, margins
from .config import TrainConfig
from .families import Family, StaticLinear
from .outcomes import Arena, MakePolicy, run
from .policy import WeightPolicy, size_of
from .search import SearchConfig
from .steering import Steered
from .storage import CurvePoint

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TuneJob:
    """Tune one family; see `baselines.tune` for the fields."""

    family: Family
    training: Arena
    validation: Arena
    n_test: int
    seed: int
    search: SearchConfig
    calibration: CalibrationConfig
    start_steps: int | None

    def __call__(self, progress: Progress) -> Tuned:
        """Do the work."""
        return tune(
            self.family,
            self.training,
            self.validation,
            self.n_test,
            self.seed,
            self.search,
            self.calibration,
            self.start_steps,
            progress,
        )


@dataclass(frozen=True)
class Serve:
    """Makes the slate policy of a learned policy."""

    policy: WeightPolicy

    def __call__(self) -> SlatePolicy:
        """Its weights follow from the observation, and its controller watches the limits."""
        return Steered(ObservationPolicy(self.policy.weights), self.policy)


@dataclass(frozen=True)
class TrainedSeed:
    """One training seed, calibrated.

    Attributes:
        policy: Ready to serve.
        curve: How learning went, multipliers included.
        held: Whether its levels reached their aims on validation users.
        validation_engagement: Mean expected engagement per validation user.
        steps: User-steps of simulation, the search for its start included.
    """

    policy: WeightPolicy
    curve: tuple[CurvePoint, ...]
    held: bool
    validation_engagement: float
    steps: int

    @property
    def make(self) -> MakePolicy:
        """Makes its slate policy."""
        return Serve(self.policy)

    @property
    def validation_rank(self) -> float:
        """For choosing among seeds: engagement, behind every seed that holds the constraints."""
        return self.validation_engagement - (0.0 if self.held else 1e9)

    @property
    def parameters(self) -> dict[str, float]:
        """The weights it starts from, offsets included, by name."""
        weights = (self.policy.centre + self.policy.offsets).tolist()
        return dict(zip(self.policy.action_names, weights, strict=True))


@dataclass(frozen=True)
class LearnJob:
    """Learn from the tuned start with one seed, then calibrate on validation users.

    The calibration has a seed of its own, the same for all training seeds: the best of them is
    chosen by its engagement there, which should differ by policy and not by luck.
    """

    training: Arena
    validation: Arena
    n_test: int
    tuned: Tuned
    seed: int
    calibration_seed: int
    config: TrainConfig

    def __call__(self, progress: Progress) -> TrainedSeed:
        """Do the work."""
        from .train import learn  # torch, which tuning does not need

        start = self.tuned.halfway
        assert isinstance(start.family, StaticLinear)  # learning moves weights
        weights, units = start.family.weights(start.point, start.knobs), start.family.units
        totals = run(self.training, start, [self.seed])
        learned = learn(
            self.training,
            weights,
            units,
            margins(totals, self.n_test, self.config.calibration),
            self.seed,
            self.config.ppo,
            self.config.lagrange,
            self.config.threads,
            progress,
        )
        turn = Turn(learned.policy, units * size_of(weights, units))
        end = calibrate(
            turn, self.validation, self.n_test, self.calibration_seed, self.config.calibration
        )
        return TrainedSeed(
            policy=turn(end.knobs).policy,
            curve=learned.curve,
            held=end.held,
            validation_engagement=end.engagement,
            steps=self.config.search.steps + totals.n_slates + learned.steps + end.steps,
        )


@dataclass(frozen=True)
class Turn:
    """Turns the knobs of a learned policy: offsets on its floors' weights and on diversity."""

    policy: WeightPolicy
    units: FloatArray

    def __call__(self, knobs: FloatArray) -> Serve:
        """The policy with the knobs turned."""
        offsets = np.zeros(len(self.units))
        offsets[-len(knobs) :] = knobs * self.units[-len(knobs) :]
        return Serve(self.policy.with_offsets(offsets))
