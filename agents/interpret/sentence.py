"""From one request to the reason that may be told: the state that moved something, and what.

A reason is given only if it is true in three ways, each by at least `SAID_FROM`: the state's share
of the difference to the usual weights, what is lost when the state is taken back to that of other
visits, and the whole difference itself must all point the same way. They must do so for the weight
itself and for its strength beside the others. What is said of the state must be true as well: high
or low among other visits, and by value (`policy_reason`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray
from ...errors import InvalidValue
from ...rerankers.policy_reason import HIGH, LOW, PolicyReason, State, reason_clause
from ..policy import WeightPolicy
from .groups import detail_of, groups_read, kind_of
from .influence import Weigh
from .local import Attribution, attribute
from .shapley import shapley_values
from .strengths import Aspects

SAID_FROM = 0.03
"""Smallest effect that is told, in standard deviations of score: a candidate that stands two
standard deviations out gains or loses 0.06, about what lies between neighbours near the top."""

OF_A_TOPIC = 0.5
"""Part of `SAID_FROM` that a topic alone must have brought for it to be named."""

_STATE_OF: dict[str, State] = {
    "clicks_lately": "clicks_lately",
    "taste": "taste",
    "satisfaction": "satisfaction",
    "click_rate": "click_rate",
    "log_slates": "slates_seen",
    "log_days_away": "days_away",
    "mean_fatigue": "shown_lately",
    "pool_topic": "pool_topic",
}

_SLATES = "log_slates"
_OF_A_PAST = {kind for kind in _STATE_OF if not kind.startswith("pool")} - {_SLATES}


@dataclass(frozen=True, slots=True)
class Found:
    """A reason, and the weights as they would be without it.

    Attributes:
        reason: State and aspect.
        without: The request's weights, those of the aspect as they are on average when the state
            is that of other visits; shape ``(A,)``.
    """

    reason: PolicyReason
    without: FloatArray


class Reasoner:
    """Finds what may be told of a policy's weights.

    Args:
        policy: Its names and scales; the weights themselves come from ``weigh``.
        reference: What the policy saw at other visits, shape ``(M, O)``.
        said_from: See `SAID_FROM`.

    Raises:
        InvalidValue: The reference has other columns than the policy reads, or no row.
    """

    def __init__(
        self, policy: WeightPolicy, reference: FloatArray, said_from: float = SAID_FROM
    ) -> None:
        if reference.ndim != 2 or reference.shape[1] != len(policy.observation_names):
            raise InvalidValue(
                f"observations of shape {reference.shape}, "
                f"but the policy reads {len(policy.observation_names)} columns",
                field="reference",
                mend="Run `fairloop interpret` for this policy.",
            )
        if not len(reference):
            raise InvalidValue("no observation", field="reference")
        self.policy, self.reference, self.said_from = policy, reference, said_from
        self.groups = groups_read(policy)
        self.aspects = Aspects.of(policy.action_names)

    def attribution(
        self, seen: FloatArray, loadings: FloatArray, weigh: Weigh | None = None
    ) -> Attribution:
        """See `attribute`; ``weigh`` is the policy itself by default."""
        weigh = weigh or self.policy.weights
        return attribute(weigh, seen, self.reference, self.groups, self.aspects, loadings)

    def reason(
        self,
        seen: FloatArray,
        loadings: FloatArray,
        weigh: Weigh | None = None,
        attribution: Attribution | None = None,
    ) -> Found | None:
        """The surest reason: true in all ways, and by the largest margin; None without one.

        Args:
            seen: What the policy saw of the request, shape ``(O,)``.
            loadings: Of the request (`Aspects.loadings`), shape ``(A,)``.
            weigh: From observations to weights as they served: with a controller's offsets and a
                user's wish; the policy itself by default.
            attribution: The request's, where it is at hand.
        """
        weigh = weigh or self.policy.weights
        if attribution is None:
            # Most requests differ too little in whole for any state to be told, at 1/2^G the cost.
            usual = self.aspects.strengths(weigh(self.reference), loadings).mean(axis=0)
            own = self.aspects.strengths(weigh(seen[None]), loadings)[0]
            if np.abs(own - usual).max() < self.said_from:
                return None
            attribution = self.attribution(seen, loadings, weigh)
        for group, aspect in self._true_moves(attribution, loadings):
            size = float(attribution.by_aspect[group, aspect])
            for told in self._states(seen, loadings, weigh, group, aspect, np.sign(size)):
                reason = told.model_copy(update={"size": abs(size)})
                if reason_clause(reason, "title") is not None:
                    return Found(reason, self._without(attribution, group, aspect))
        return None

    def _true_moves(
        self, attribution: Attribution, loadings: FloatArray
    ) -> Iterator[tuple[int, int]]:
        """Groups and aspects whose share, loss and whole difference agree, surest first.

        They must agree in strengths, and in the weights themselves in units of the usual score:
        when one weight grows the others weaken beside it, and none of those moved.
        """
        amounts = self.aspects.amounts(attribution.weights, loadings)
        unit = max(float(np.linalg.norm(amounts[0])), 1e-12)
        tables = (attribution.strengths, amounts / unit)
        sign = np.sign(attribution.by_aspect)
        removed = [attribution.removed(group) for group in range(len(sign))]
        least = np.full(sign.shape, np.inf)
        for worth in tables:
            whole = np.broadcast_to(worth[-1] - worth[0], sign.shape)
            for moved in (shapley_values(worth), worth[-1] - worth[removed], whole):
                least = np.minimum(least, sign * moved)
        for cell in np.argsort(-least, axis=None, kind="stable"):
            group, aspect = np.unravel_index(int(cell), sign.shape)
            if least[group, aspect] < self.said_from:
                return
            yield int(group), int(aspect)

    def _states(
        self,
        seen: FloatArray,
        loadings: FloatArray,
        weigh: Weigh,
        group: int,
        aspect: int,
        sign: float,
    ) -> Iterator[PolicyReason]:
        """What may be said of a group's state: its columns that did it, then the group itself."""
        columns = self.groups[group].columns
        kind = kind_of(self.policy.observation_names[int(columns[0])])
        if kind in _OF_A_PAST and not self._has_a_past(seen):
            return
        swapped = np.repeat(np.broadcast_to(seen, self.reference.shape)[None], len(columns), 0)
        swapped[np.arange(len(columns)), :, columns] = self.reference[:, columns].T
        values = weigh(swapped.reshape(-1, len(seen))).reshape(*swapped.shape[:2], -1)
        without = self.aspects.strengths(values, loadings)[..., aspect].mean(axis=1)
        own = self.aspects.strengths(weigh(seen[None]), loadings)[0, aspect]
        lost = sign * (own - without)
        for place in np.argsort(-lost, kind="stable"):
            if lost[place] < OF_A_TOPIC * self.said_from:
                break
            column = int(columns[place])
            name = self.policy.observation_names[column]
            yield from self._told(name, seen[column], self.reference[:, column], aspect, sign)
        if kind == "clicks_lately":
            total = self.reference[:, columns].sum(axis=1)
            yield from self._told("clicks_lately", seen[columns].sum(), total, aspect, sign)

    def _has_a_past(self, seen: FloatArray) -> bool:
        """Whether the user was shown a list before; to a newcomer nothing was lately."""
        names = self.policy.observation_names
        return _SLATES not in names or bool(seen[names.index(_SLATES)] > 0.0)

    def _told(
        self, name: str, value: float, others: FloatArray, aspect: int, sign: float
    ) -> Iterator[PolicyReason]:
        """The state in one column, if it is one that is spoken of, and high or low."""
        state = _STATE_OF.get(kind_of(name))
        percentile = percentile_among(float(value), others)
        if state is None or LOW < percentile < HIGH:
            return
        aspect_name = self.aspects.names[aspect]
        is_floor = aspect_name.startswith("floor:")
        yield PolicyReason(
            state=state,
            topic=detail_of(name),
            level="high" if percentile >= HIGH else "low",
            value=float(np.expm1(value)) if name.startswith("log_") else float(value),
            percentile=percentile,
            aspect=aspect_name,
            group=aspect_name.partition("=")[2] if is_floor else None,
            direction="up" if sign > 0 else "down",
            size=1.0,
        )

    def _without(self, attribution: Attribution, group: int, aspect: int) -> FloatArray:
        weights = attribution.weights[-1].copy()
        columns = self.aspects.columns(aspect)
        weights[columns] = attribution.weights[attribution.removed(group), columns]
        return weights


def percentile_among(value: float, others: FloatArray | Sequence[float]) -> float:
    """Share of the others below a value, equal ones counting half, in %."""
    others = np.asarray(others, np.float64)
    below, equal = np.mean(others < value), np.mean(others == value)
    return float(100.0 * (below + equal / 2.0))
