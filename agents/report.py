"""What an evaluation on held-out users found, as data."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..errors import InvalidValue

Kind = Literal["baseline", "start", "learned", "reference"]
"""A reference sees what no platform can: it says how much there is to win, and is never served."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Model):
    """An estimate with a two-sided interval from resampling users."""

    value: float
    low: float
    high: float


class ConstraintFigure(_Model):
    """One constraint, as measured on held-out users.

    Attributes:
        name: ``"exposure:<attribute>=<group>"`` for a floor on a share, ``"ceiling:…"`` for a
            ceiling on one, ``"diversity"``, or ``"engagement:<attribute>=<group>"`` for the
            shortfall of a group of users.
        bound: Whether ``target`` is the least or the largest value that is allowed.
        target: The limit.
        measured: What the slates, or the users' engagement, had.
        violation_ucb: Upper one-sided confidence bound of the violation; the constraint counts as
            met when it is not above 0.
        merit_share: For a share that follows from a ratio, the group's share of merit.
    """

    name: str
    bound: Literal["floor", "ceiling"] = "floor"
    target: float
    measured: Interval
    violation_ucb: float
    merit_share: float | None = None

    @property
    def violation(self) -> float:
        """Point estimate of the violation; negative where the limit is kept with room."""
        over = self.measured.value - self.target
        return over if self.bound == "ceiling" else -over

    @property
    def met(self) -> bool:
        """Whether the limit holds with confidence."""
        return self.violation_ucb <= 0.0

    @property
    def title(self) -> str:
        """The limit in one line, such as ``"diversity ≥ 0.700"``."""
        return f"{self.name} {'≤' if self.bound == 'ceiling' else '≥'} {self.target:.3f}"

    @property
    def ratio(self) -> float | None:
        """Exposure share over merit share, where the limit follows from such a ratio."""
        return None if self.merit_share is None else self.measured.value / self.merit_share


class PolicyFigures(_Model):
    """One policy on held-out users.

    Attributes:
        name: Name for tables.
        kind: A baseline; the tuned weights that learning starts at, which are no baseline, so that
            what the features bring and what learning adds are told apart; learned; or a reference
            that could not be deployed.
        parameters: Tuned parameters by name; weights for the linear ones.
        simulator_steps: User-steps of simulation spent on tuning or learning it.
        engagement: Satisfaction summed over clicks, per user over the horizon. Users click and
            move on by chance; what is summed is each slate's expectation given the user's state,
            which has the same mean and less noise.
        engagement_ratio: Engagement over that of ``EvaluationReport.best_baseline``, paired on
            the same users and the same luck.
        slates: Slates per user over the horizon.
        retained: Share of users who had not left at the horizon.
        constraints: Each constraint: shares in the order of the specification, diversity, then
            groups of users.
        ndcg: NDCG of the first slate against held-out interactions, over users who have any.
        gap_closed: Engagement above ``EvaluationReport.gap_from``, as a share of what
            ``EvaluationReport.gap_to`` has above it, paired on the same users and the same luck;
            negative below the former, above 1 beyond the latter. None where the gap is not
            positive in every resample, or one of the two was not evaluated.
        gaps_closed: The same with each of ``EvaluationReport.gaps_to`` in the place of ``gap_to``,
            by its name; without those of which there is no share.
    """

    name: str
    kind: Kind
    parameters: dict[str, float]
    simulator_steps: int = Field(ge=0)
    engagement: Interval
    engagement_ratio: Interval
    slates: Interval
    retained: Interval
    constraints: tuple[ConstraintFigure, ...]
    ndcg: Interval | None
    gap_closed: Interval | None = None
    gaps_closed: dict[str, Interval] = {}

    @property
    def reference(self) -> bool:
        """Whether it sees what no platform can, and so could not be deployed."""
        return self.kind == "reference"

    @property
    def meets_constraints(self) -> bool:
        """Whether every upper confidence bound of a violation is at or below 0."""
        return all(c.met for c in self.constraints)

    @property
    def breaks_no_constraint(self) -> bool:
        """Whether every point estimate is within its limit; the weaker statement."""
        return all(c.violation <= 0.0 for c in self.constraints)


class EvaluationReport(_Model):
    """Policies compared on held-out users, on the same randomness.

    Attributes:
        n_users: Held-out users; the unit that is resampled.
        seeds: Seeds of the simulator; figures are means over them.
        slate_size: Items per slate.
        confidence: Level of two-sided intervals and of the one-sided bounds.
        n_bootstrap: Resamples.
        published: The learned policy that would be deployed.
        best_baseline: The tuned baseline of highest engagement among those that break no
            constraint by their point estimate; None if all do.
        policies: Figures of each policy.
        gap_from: Where the gap that policies close begins: the base model's own order.
        gap_to: Where it ends: a reference that plans with the truth. It holds no constraint, so a
            policy that does would not close the gap even if it chose as well.
        gaps_to: Other ends of it: references that were calibrated to hold the constraints, as the
            policies were. Whether they do stands in their own figures.
        left_out: Groups of items or users that a limit says nothing about, and why.
    """

    n_users: int = Field(ge=0)
    seeds: tuple[int, ...]
    slate_size: int = Field(ge=1)
    confidence: float = Field(gt=0.0, lt=1.0)
    n_bootstrap: int = Field(ge=1)
    published: str
    best_baseline: str | None
    policies: tuple[PolicyFigures, ...]
    gap_from: str | None = None
    gap_to: str | None = None
    gaps_to: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def figures(self, name: str) -> PolicyFigures:
        """The figures of one policy.

        Raises:
            InvalidValue: No policy of that name was evaluated.
        """
        for figures in self.policies:
            if figures.name == name:
                return figures
        names = ", ".join(p.name for p in self.policies)
        raise InvalidValue(f"no policy named {name!r}", field="policy", mend=f"Use one of {names}.")

    @property
    def learned(self) -> PolicyFigures:
        """The figures of the policy that would be deployed."""
        return self.figures(self.published)
