"""The two kinds of work that may run in a worker process: tune a baseline, train a seed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import FloatArray
from ..simulators.policies import ObservationPolicy, SlatePolicy
from .baselines import Member, Tuned, tune, weight_units
from .calibration import CalibrationConfig, calibrate, margins
from .config import TrainConfig
from .constraints.figures import constraint_names
from .curves import Curve
from .families import Family, StaticLinear, reward_aware
from .kept import KeptPolicy, KeptSeed, KeptTuning, learning_curve, search_curve
from .outcomes import Arena, MakePolicy, run
from .policy import WeightPolicy, size_of
from .response import learn_response
from .robustness.randomise import training_worlds
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

    @property
    def name(self) -> str:
        """See `Stage.name`."""
        return f"tune-{self.family.name}"

    def write(self, result: Tuned) -> KeptTuning:
        """See `Stage.write`."""
        return KeptTuning.of(result)

    def read(self, text: str) -> Tuned:
        """See `Stage.read`."""
        return KeptTuning.model_validate_json(text).tuned(self.family)

    def curve(self, result: Tuned) -> Curve:
        """See `Stage.curve`."""
        return search_curve(result.curve)

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
        return Steered(
            ObservationPolicy(self.policy.weights, response=self.policy.response), self.policy
        )


@dataclass(frozen=True)
class TrainedSeed:
    """One training seed, calibrated.

    Attributes:
        policy: Ready to serve.
        tuned: The static weights over all features that were tuned with the same seed.
        curve: How learning went, multipliers included.
        gain: Share of what was learned that is kept: the best of `GAINS` on the validation users.
            0 says that the network brought nothing: the policy is the static weights that were
            tuned with the whole budget.
        held: Whether its levels reached their aims on validation users.
        engagement: Mean expected engagement per validation user, on the same luck for all
            training seeds.
        steps: User-steps of simulation, those of the response model and the search included.
    """

    policy: WeightPolicy
    tuned: Tuned
    curve: tuple[CurvePoint, ...]
    gain: float
    held: bool
    engagement: float
    steps: int

    @property
    def make(self) -> MakePolicy:
        """Makes its slate policy."""
        return Serve(self.policy)

    @property
    def rank(self) -> float:
        """For choosing among training seeds."""
        return rank(self.held, self.engagement)

    @property
    def parameters(self) -> dict[str, float]:
        """How much of the learned step is kept, and the weights it starts from, by name."""
        weights = (self.policy.centre + self.policy.offsets).tolist()
        return {"gain": self.gain} | dict(zip(self.policy.action_names, weights, strict=True))


@dataclass(frozen=True)
class LearnJob:
    """All that is learned with one seed: users' answers, static weights, and a network on top.

    The response model is fitted to a log first. Then weights over all features are searched; half
    way through, a network begins to learn from them on. Both are calibrated on validation users.

    How much of the learned step is kept is chosen as in a line search: a step that does not raise
    engagement on validation users is shortened, and given up where tuned weights do better.

    The calibration has a seed of its own, the same for all training seeds: the best of them is
    chosen by its engagement there, which should differ by policy and not by luck.
    """

    training: Arena
    validation: Arena
    n_test: int
    seed: int
    calibration_seed: int
    units_seed: int
    config: TrainConfig

    @property
    def name(self) -> str:
        """See `Stage.name`."""
        return f"learn-{self.seed}"

    def write(self, result: TrainedSeed) -> KeptSeed:
        """See `Stage.write`."""
        return KeptSeed(
            policy=KeptPolicy.of(result.policy),
            tuned=KeptTuning.of(result.tuned),
            units=weights_of(result.tuned.member).units.tolist(),
            curve=result.curve,
            gain=result.gain,
            held=result.held,
            engagement=result.engagement,
            steps=result.steps,
        )

    def read(self, text: str) -> TrainedSeed:
        """See `Stage.read`."""
        kept = KeptSeed.model_validate_json(text)
        policy = kept.policy.policy()
        family = reward_aware(np.array(kept.units), policy.constraints, policy.response)
        return TrainedSeed(
            policy=policy,
            tuned=kept.tuned.tuned(family),
            curve=kept.curve,
            gain=kept.gain,
            held=kept.held,
            engagement=kept.engagement,
            steps=kept.steps,
        )

    def curve(self, result: TrainedSeed) -> Curve:
        """See `Stage.curve`."""
        names = (name or "diversity" for name in constraint_names(self.training.constraints))
        return learning_curve(result.curve, (*names, *self.training.gaps.names))

    def __call__(self, progress: Progress) -> TrainedSeed:
        """Do the work."""
        from .train import learn  # torch, which tuning does not need

        answers, searching, drawing = (
            int(s.generate_state(1)[0]) for s in np.random.SeedSequence(self.seed).spawn(3)
        )
        training = self._in_drawn_worlds(drawing)
        response, fitted = learn_response(training, answers, self.config.response)
        training = training.answered_by(response)
        tuned = self._tune(training, searching, fitted, progress)
        start, family = tuned.halfway, weights_of(tuned.halfway)
        weights, units = family.weights(start.point, start.knobs), family.units
        totals = run(training, start, [self.seed])
        learned = learn(
            training,
            weights,
            units,
            margins(totals, self.n_test, self.config.calibration),
            self.seed,
            self.config.ppo,
            self.config.lagrange,
            self.config.threads,
            lambda done, total: progress(tuned.steps + done, tuned.steps + total),
        )
        size = units * size_of(weights, units)
        steps = [self._step(learned.policy.with_gain(gain), gain, size) for gain in GAINS]
        steps.append(self._without_network(learned.policy, tuned.member))
        best = max(steps, key=lambda step: step.rank)
        return TrainedSeed(
            policy=best.policy,
            tuned=tuned,
            curve=learned.curve,
            gain=best.gain,
            held=best.held,
            engagement=best.engagement,
            steps=fitted
            + tuned.steps
            + totals.n_slates
            + learned.steps
            + sum(step.n_slates for step in steps),
        )

    def _in_drawn_worlds(self, seed: int) -> Arena:
        """The training users in the worlds that are asked for."""
        asked = self.config.randomise
        if asked is None:
            return self.training
        worlds = training_worlds(self.training.world, asked.ranges, asked.worlds, seed)
        return replace(self.training, drawn=worlds)

    def _tune(self, training: Arena, seed: int, fitted: int, progress: Progress) -> Tuned:
        """Search the static weights; what the response model took is taken off the budget."""
        config, response = self.config, training.context.response
        units = weight_units(training, self.units_seed)
        family = reward_aware(units, training.constraints, response)
        first = max(config.search.steps - fitted, 1)
        budget = {"steps": first + config.ppo.total_steps}
        return tune(
            family,
            training,
            self.validation.answered_by(response),
            self.n_test,
            seed,
            config.search.model_copy(update=budget),
            config.calibration,
            first,
            lambda done, total: progress(done, total + config.ppo.total_steps),
        )

    def _without_network(self, learned: WeightPolicy, end: Member) -> "Step":
        """The static weights that the search found with the whole budget, as a policy."""
        family = weights_of(end)
        weights = family.weights(end.point, end.knobs)
        size = family.units * size_of(weights, family.units)
        policy = replace(
            learned.with_gain(0.0),
            centre=weights.astype(np.float32),
            reach=(self.config.ppo.reach * size).astype(np.float32),
        )
        return self._step(policy, 0.0, size)

    def _step(self, policy: WeightPolicy, gain: float, units: FloatArray) -> "Step":
        """Calibrate and measure on validation users; training users flatter what was learned."""
        calibration = self.config.calibration
        turn = Turn(policy, units)
        end = calibrate(turn, self.validation, self.n_test, self.calibration_seed, calibration)
        served = turn(end.knobs)
        luck = np.random.SeedSequence([self.calibration_seed, 1])
        seeds = [int(s) for s in luck.generate_state(calibration.choice_seeds)]
        seen = run(self.validation, served, seeds)
        engagement = float(seen.expected_engagement.mean())
        held = end.held and self.validation.within_gaps(seen)
        return Step(served.policy, gain, held, engagement, end.steps + seen.n_slates)


def weights_of(member: Member) -> StaticLinear:
    """The family of tuned static weights."""
    assert isinstance(member.family, StaticLinear)  # a network moves weights, and nothing else
    return member.family


GAINS = (1.0, 0.5)
"""Shares of the learned step that are tried, beside the tuned weights without any learning."""


@dataclass(frozen=True)
class Step:
    """A share of the learned step, calibrated and measured."""

    policy: WeightPolicy
    gain: float
    held: bool
    engagement: float
    n_slates: int

    @property
    def rank(self) -> float:
        """Engagement, behind everything that holds the constraints."""
        return rank(self.held, self.engagement)


def rank(held: bool, engagement: float) -> float:
    """For choosing: engagement, behind everything that holds the constraints if it does not."""
    return engagement - (0.0 if held else 1e9)


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
