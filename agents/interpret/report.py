"""What was found about a policy, as data."""

from pydantic import BaseModel, ConfigDict, Field

from ...rerankers.policy_reason import PolicyReason
from .sentence import SAID_FROM


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class InterpretConfig(_Model):
    """How much is looked at.

    Attributes:
        users: Users whose visits are simulated, at most.
        pairs: Pairs of visits for the shares of variance.
        folds: Folds of users for their standard errors.
        bins: Bins of a curve, at most.
        curve_visits: Visits that a curve is averaged over, at most.
        reference: Visits that make the usual weights of a local reason.
        requests: Visits that are searched for something to tell.
        examples: Of these, the strongest are shown in full.
        said_from: Smallest effect that is told, in standard deviations of score.
    """

    users: int = Field(default=200, ge=4)
    pairs: int = Field(default=2000, ge=20)
    folds: int = Field(default=10, ge=2)
    bins: int = Field(default=20, ge=2)
    curve_visits: int = Field(default=1000, ge=10)
    reference: int = Field(default=128, ge=2)
    requests: int = Field(default=60, ge=0)
    examples: int = Field(default=5, ge=0)
    said_from: float = Field(default=SAID_FROM, gt=0.0)


class GroupEffect(_Model):
    """What one group of columns does to one weight, as shares of the weight's variance.

    Attributes:
        group: Name of the group.
        first_order: Explained by the group by itself.
        total: Left when all others are known.
        shapley: In between; sums to 1 over the groups.
        error: Standard error of ``shapley`` over users.
    """

    group: str
    first_order: float
    total: float
    shapley: float
    error: float


class WeightInfluence(_Model):
    """What moves one weight.

    Attributes:
        weight: Its name.
        mean: Over the visits.
        sd: Standard deviation over the visits.
        sd_independent: The same if the groups were independent of one another; where it differs
            from ``sd`` much, groups hang together and shares are to be read with care.
        moves: ``sd`` in standard deviations of score: how much its moving can matter in a list.
        effects: One for each group the policy reads; none where the weight never moves.
    """

    weight: str
    mean: float
    sd: float
    sd_independent: float
    moves: float
    effects: tuple[GroupEffect, ...]


class ColumnCurve(_Model):
    """How weights follow one column, the others as they are.

    Attributes:
        column: Its name.
        at: Its values at the ends of ``B`` bins; for logarithms, the number itself.
        count: Visits in each bin.
        histogram: Visits in equal steps from the first to the last value.
        ale: Accumulated local effect on each weight at ``at``, mean 0 over the visits.
        partial: Partial dependence less its mean.
    """

    column: str
    at: tuple[float, ...]
    count: tuple[int, ...]
    histogram: tuple[int, ...]
    ale: dict[str, tuple[float, ...]]
    partial: dict[str, tuple[float, ...]]


class ItemMove(_Model):
    """One item of an example's slate.

    Attributes:
        item_id: Public id.
        usual: Place under the usual weights; one beyond what is followed where it lies further.
        place: Place on the slate.
        groups: Places that each group moved it up; they sum to ``usual - place``.
    """

    item_id: str
    usual: int
    place: int
    groups: dict[str, float]


class Example(_Model):
    """One visit, explained in full.

    Attributes:
        user: User index.
        visit: Visits before it.
        sentence: What may be told.
        reason: The same as data.
        weights: Name to its value here, its usual value, and what each group did to it.
        items: The slate.
    """

    user: int
    visit: int
    sentence: str
    reason: PolicyReason
    weights: dict[str, dict[str, float]]
    items: tuple[ItemMove, ...]


class InterpretationReport(_Model):
    """Which state moves which weight of a policy.

    Attributes:
        policy: Version, where it is known.
        seed: Root of the simulation and of all draws.
        n_users: Simulated users.
        n_visits: Their visits.
        slate_size: Items per slate.
        config: How much was looked at.
        groups: Columns of each group that the policy reads.
        unread: Columns that it does not read.
        weights: Each weight.
        curves: Single numbers, and of each larger group the column that matters most.
        told: Share of the searched visits for which there is something to tell; None where none
            was searched.
        told_by_state: How many of them, by state.
        examples: The strongest among them.
    """

    policy: str = ""
    seed: int
    n_users: int
    n_visits: int
    slate_size: int
    config: InterpretConfig
    groups: dict[str, tuple[str, ...]]
    unread: tuple[str, ...]
    weights: tuple[WeightInfluence, ...]
    curves: tuple[ColumnCurve, ...]
    told: float | None
    told_by_state: dict[str, int]
    examples: tuple[Example, ...]

    @property
    def is_static(self) -> bool:
        """Whether no weight moves: everybody is given the same."""
        return not any(weight.effects for weight in self.weights)
