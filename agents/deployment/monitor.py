"""The roll-back rule: watches a canary and says when to stop it, either way.

All bets of `hypotheses` run side by side. The alarm is the mean of the alarms' capitals; when it
reaches ``1 / false_alarms`` the policy is rolled back. A policy as good as the control that keeps
every limit is rolled back with at most that probability, whenever and however often one looks,
and for any distribution of users. Each proof that reaches ``1 / false_promotions`` stays proven;
with all of them the policy is promoted. When the planned users are used up, doubt works against it.
"""

import math
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...arrays import FloatArray
from ...errors import InvalidValue
from .betting import log_capital, log_evidence, stakes
from .canary import CanaryPlan
from .hashes import sha256_of
from .hypotheses import Units, gains, hypotheses

Move = Literal["continue", "promote", "roll back"]
PRIOR_USERS = 20.0
"""Users that the planned mean engagement counts for, until there are real ones."""

_AT_ONCE = 4_096
"""Users looked at together: 4,096 users on 10 bets of 5 stakes take 1.6 MB."""


class MonitorState(BaseModel):
    """What a monitor remembers; saved and restored as JSON.

    Attributes:
        plan: Hash of the plan it belongs to.
        users: Users seen.
        canary_users: Of these, on the new policy.
        engagement: Sum of their capped engagement.
        capital: Logarithm of the capital on each stake of each bet, shape ``(P, J)``.
        alarm: Highest the alarm ever was, as a logarithm.
        proofs: The same of each bet.
        move: Where the canary stands.
        reason: Why, for people.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    plan: str
    users: int = Field(ge=0)
    canary_users: int = Field(ge=0)
    engagement: float = Field(ge=0.0)
    capital: list[list[float]]
    alarm: float
    proofs: list[float]
    move: Move
    reason: str


class CanaryMonitor:
    """Watches one canary.

    Args:
        plan: What the gate planned.
    """

    def __init__(self, plan: CanaryPlan) -> None:
        self.plan = plan
        asked = hypotheses(plan.spread, plan.config, plan.share, plan.engagement_cap)
        self._asked = asked
        self._alarms = np.array([one.kind == "alarm" for one in asked])
        self._stakes = np.stack(
            [stakes(max(one.effect, 1e-9), one.variance, one.worst) for one in asked]
        )
        self._state = MonitorState(
            plan=sha256_of(plan),
            users=0,
            canary_users=0,
            engagement=0.0,
            capital=[[0.0] * self._stakes.shape[1] for _ in asked],
            alarm=0.0,
            proofs=[0.0] * len(asked),
            move="continue",
            reason="No user has been seen.",
        )

    @property
    def move(self) -> Move:
        """Where the canary stands."""
        return self._state.move

    @property
    def reason(self) -> str:
        """Why, for people."""
        return self._state.reason

    @property
    def state(self) -> MonitorState:
        """A copy of what it remembers."""
        return self._state.model_copy(deep=True)

    def evidence(self) -> dict[str, float]:
        """Highest capital that the bet on each question ever had; 1 is none."""
        return {
            one.question: math.exp(min(peak, 700.0))
            for one, peak in zip(self._asked, self._state.proofs, strict=True)
        }

    def update(self, units: Units) -> Move:
        """Take in users whose slates have all been seen.

        Each user is handed in once, in the order in which the last slate was shown. How they are
        cut into batches does not matter, except that users after the deciding one are looked at
        as well.

        Raises:
            InvalidValue: The canary has ended, or a figure is impossible.
        """
        state = self._state
        if state.move != "continue":
            raise InvalidValue(
                f"the canary has ended: {state.move}", field="units", mend="Start a new one."
            )
        _check(units, self.plan)
        for start in range(0, len(units), _AT_ONCE):
            self._take_in(_part(units, slice(start, start + _AT_ONCE)))
        state.move, state.reason = self._judge()
        return state.move

    def to_json(self) -> str:
        """The state as JSON."""
        return self._state.model_dump_json()

    @classmethod
    def restore(cls, plan: CanaryPlan, text: str) -> Self:
        """Continue from a state saved by `to_json`.

        Raises:
            InvalidValue: The text is not such a state, or belongs to another plan.
        """
        monitor = cls(plan)
        try:
            state = MonitorState.model_validate_json(text)
        except ValidationError as error:
            raise InvalidValue(
                f"not a state of a canary: {error.errors()[0]['msg']}",
                field="canary",
                mend="Use what to_json gave.",
            ) from error
        shape = np.shape(np.array(state.capital, dtype=object))
        if state.plan != sha256_of(plan) or shape != monitor._stakes.shape:
            raise InvalidValue(
                "a state of another plan", field="canary", mend="Restore it with the plan it is of."
            )
        monitor._state = state
        return monitor

    def _take_in(self, units: Units) -> None:
        state, plan = self._state, self.plan
        capped = np.minimum(units.engagement, plan.engagement_cap)
        sums = PRIOR_USERS * plan.spread.engagement + state.engagement
        counts = PRIOR_USERS + state.users + np.arange(len(units))
        before = (sums + np.cumsum(capped) - capped) / counts
        won = gains(units, plan.spread, plan.config, plan.share, plan.engagement_cap, before)
        capital = log_capital(won, self._stakes, np.array(state.capital))
        evidence = log_evidence(capital)
        alarm = log_evidence(evidence[:, self._alarms])
        state.users += len(units)
        state.canary_users += int(units.canary.sum())
        state.engagement += float(capped.sum())
        state.capital = capital[-1].tolist()
        state.alarm = max(state.alarm, float(alarm.max()))
        state.proofs = np.maximum(state.proofs, evidence.max(axis=0)).tolist()

    def _judge(self) -> tuple[Move, str]:
        state, config = self._state, self.plan.config
        seen = f"after {state.users:,} users, {state.canary_users:,} of them on the new policy"
        peaks = np.array(state.proofs)
        if state.alarm >= math.log(1.0 / config.false_alarms):
            worst = int(np.argmax(np.where(self._alarms, peaks, -np.inf)))
            return "roll back", f"Alarm {seen}; most evidence: {self._asked[worst].question}."
        proven = peaks >= math.log(1.0 / config.false_promotions)
        open_questions = [
            one.question
            for one, done in zip(self._asked, proven, strict=True)
            if one.kind == "proof" and not done
        ]
        if not open_questions:
            return "promote", f"Everything is shown {seen}."
        if state.users >= self.plan.users:
            left = "; ".join(open_questions)
            return "roll back", f"Not shown {seen}, as many as were planned: {left}."
        return "continue", f"Not shown yet {seen}: {'; '.join(open_questions)}."


def _check(units: Units, plan: CanaryPlan) -> None:
    """Refuse what cannot have happened: a bet on such figures would prove nothing."""
    n, limits = len(units), plan.spread.limits
    shapes = {"engagement": (n,), "slates": (n,), "measured": (n, len(limits))}
    for name, shape in shapes.items():
        array: FloatArray = getattr(units, name)
        if array.shape != shape:
            raise InvalidValue(f"shape {array.shape}, expected {shape}", field=f"units.{name}")
        if not np.isfinite(array).all():
            raise InvalidValue("holds NaN or infinity", field=f"units.{name}")
    if (units.engagement < 0.0).any():
        raise InvalidValue("engagement below 0", field="units.engagement")
    if ((units.slates < 0) | (units.slates > plan.spread.slates_per_user)).any():
        raise InvalidValue(
            f"a user has not between 0 and {plan.spread.slates_per_user} slates",
            field="units.slates",
            mend="Count the first slates of each user alone, as many as were planned.",
        )
    allowed = units.slates[:, None] + 1e-6
    if ((units.measured < 0.0) | (units.measured > allowed)).any():
        raise InvalidValue(
            "a share of a slate below 0 or above 1",
            field="units.measured",
            mend="Sum each limit's measure over the slates that count.",
        )


def _part(units: Units, rows: slice) -> Units:
    return Units(
        units.canary[rows], units.engagement[rows], units.slates[rows], units.measured[rows]
    )
