"""Holds limits over time: a proportional-integral controller on score bonuses.

After FairCo (Morik et al., SIGIR 2020), which adds to each score a bonus proportional to the
exposure that its group is owed. An integral term is added, so that a bonus that is needed for ever
is held without a standing debt. Bonuses never fall below zero: a floor lifts, it does not push
down a group that has more than its share.

A ceiling pushes down: it is a floor on everything but its group, whose bonus orders candidates as
the same amount taken off the group's scores would. Limits on engagement gaps are not acted on: one
slate says nothing about a mean over users and weeks.
"""

from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..arrays import BoolArray, FloatArray
from ..errors import InvalidValue
from .constraints import Constraints
from .features import FEATURES

PACE = 16
"""Slates per update up to which the gains hold in full."""

USUAL_WINDOW = 1000
"""Slates of a window for which the integral gain holds as it is."""

QUICKEST = 4.0
"""Largest factor on it for a shorter one, beyond which bonuses swing more than they help."""

Gain = Annotated[float, Field(ge=0.0)]


class ControllerConfig(BaseModel):
    """How hard and how fast the bonuses react.

    Bonuses are in units of the score they are added to; the base score is standardised within
    each pool, so 1 is one standard deviation.

    Gains are per slate. A share over a window shorter than `USUAL_WINDOW` is a promise about
    sooner, so its integral gain is larger in proportion, up to `QUICKEST` times. An update that
    brings more than ``PACE`` slates counts as ``PACE`` of them, because a bonus that many users met
    at once must not be corrected once for each of them.

    Attributes:
        integral: Added to a bonus per slate and unit of shortfall of that slate.
        proportional: Bonus per unit of the shortfall summed over the window: what is owed.
        diversity_scale: Gains on the distance term relative to those on exposure; diversity
            answers to its strength more weakly than exposure does to a bonus.
        largest_bonus: Where a bonus ends; reached only when a target is out of reach.
        margin: Aimed at above each target, so that noise does not end below it.
        diversity_window: Slates over which diversity is amortised; as the constraints say, where
            None.
        start_bonus: Bonus of each limit on exposure before anything was measured; one number for
            all.
        start_diversity: Strength of the distance term before anything was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    integral: Gain = 0.05
    proportional: Gain = 0.05
    diversity_scale: Gain = 20.0
    largest_bonus: Annotated[float, Field(gt=0.0)] = 20.0
    margin: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    diversity_window: Annotated[int, Field(ge=1)] | None = None
    start_bonus: Gain = 0.0
    start_diversity: Gain = 0.0


class ControllerState(BaseModel):
    """What a controller remembers; saved and restored as JSON.

    Attributes:
        keys: What each entry holds: the items that each limit on exposure lifts, then
            ``"diversity"``.
        targets: Least level of each entry when the state was made, without margin.
        integral: The integral part of each bonus.
        recent: The latest measured values of each entry, oldest first, at most a window each.
        n_slates: Slates measured in all.
        n_latest: Slates measured by the latest update.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    keys: tuple[str, ...]
    targets: tuple[float | None, ...]
    integral: list[float]
    recent: list[list[float]]
    n_slates: Annotated[int, Field(ge=0)]
    n_latest: Annotated[int, Field(ge=0)]


class ConstraintController:
    """Bonuses for each limit on exposure, and the strength of the distance term for diversity.

    Entries are in the order of `observation`'s gaps: floors and ceilings as the constraints list
    them, then diversity. Where no floor on diversity is set its entry stays at its start.

    Raises:
        InvalidValue: A limit on a ratio was not resolved.
    """

    def __init__(self, constraints: Constraints, config: ControllerConfig | None = None) -> None:
        self.config = ControllerConfig() if config is None else config
        constraints.require_resolved()
        floors = constraints.exposure
        self._keys = (*constraints.labels, "diversity")
        self._targets = (*(f.least for f in floors), constraints.min_diversity)
        self._active = np.array([t is not None for t in self._targets])
        self._target = np.array([0.0 if t is None else t for t in self._targets])
        diversity_window = self.config.diversity_window or constraints.diversity_window
        self.windows = (*(f.window for f in floors), diversity_window)
        self._recent = [_Window(w) for w in self.windows]
        start = [self.config.start_bonus] * len(floors) + [self.config.start_diversity]
        self._integral = np.array(start)
        self._gain = self._active.astype(np.float64)
        self._gain[-1] *= self.config.diversity_scale
        haste = np.clip(USUAL_WINDOW / np.array(self.windows), 1.0, QUICKEST)
        haste[-1] = 1.0  # diversity_scale makes it quick enough for any window
        self._integral_gain = self._gain * self.config.integral * haste
        self.n_slates = self._n_latest = 0

    @property
    def gaps(self) -> FloatArray:
        """Mean over the window minus the least, shape ``(C,)``; 0 before anything was measured.

        Negative where a limit is broken, floors and ceilings alike.
        """
        return self._active * np.array(
            [w.mean - t if len(w) else 0.0 for w, t in zip(self._recent, self._target, strict=True)]
        )

    @property
    def bonuses(self) -> FloatArray:
        """Bonus of each limit, then the diversity strength, shape ``(C,)``, not negative.

        That of a ceiling goes to all but its group.
        """
        aim = self._target + self.config.margin
        owed = np.array([w.shortfall(a) for w, a in zip(self._recent, aim, strict=True)])
        raw = self._integral + self._gain * self.config.proportional * _pace(self._n_latest) * owed
        return np.clip(raw, 0.0, self.config.largest_bonus)

    def offsets(self) -> FloatArray:
        """`bonuses` as additions to a linear policy's weights, shape ``(F + 1,)``.

        The order is that of `feature_names`, with the diversity strength last.
        """
        return np.concatenate([np.zeros(len(FEATURES)), self.bonuses]).astype(np.float32)

    def update(self, measured: FloatArray, active: BoolArray | None = None) -> None:
        """Take in what the slates just shown did.

        Args:
            measured: Exposure share of what each limit lifts, and diversity, of each slate, shape
                ``(U, C)``.
            active: Users who were shown a slate, shape ``(U,)``; all by default.

        Raises:
            InvalidValue: The shape is not ``(U, C)`` or a value is not finite.
        """
        if measured.ndim != 2 or measured.shape[1] != len(self._keys):
            raise InvalidValue(
                f"shape {measured.shape}, expected (U, {len(self._keys)})", field="measured"
            )
        shown = np.asarray(measured if active is None else measured[active], np.float64)
        if not np.isfinite(shown).all():
            raise InvalidValue("holds NaN or infinity", field="measured")
        missed = self._target + self.config.margin - shown
        step = self._integral_gain * _pace(len(shown)) * missed.sum(axis=0)
        self._integral = np.clip(self._integral + step, 0.0, self.config.largest_bonus)
        for window, values in zip(self._recent, shown.T, strict=True):
            window.add(values)
        self.n_slates += len(shown)
        self._n_latest = len(shown)

    def state(self) -> ControllerState:
        """A copy of what the controller remembers."""
        return ControllerState(
            keys=self._keys,
            targets=self._targets,
            integral=self._integral.tolist(),
            recent=[w.values.tolist() for w in self._recent],
            n_slates=self.n_slates,
            n_latest=self._n_latest,
        )

    def to_json(self) -> str:
        """The state as JSON."""
        return self.state().model_dump_json()

    def restore(self, text: str) -> Self:
        """Continue from a state saved by `to_json`; returns the controller itself.

        Raises:
            InvalidValue: The text is not such a state, or it belongs to other floors or targets.
        """
        try:
            state = ControllerState.model_validate_json(text)
        except ValidationError as error:
            raise InvalidValue(
                f"not a controller state: {error.errors()[0]['msg']}",
                field="controller",
                mend="Use what to_json gave.",
            ) from error
        if state.keys != self._keys or state.targets != self._targets:
            raise InvalidValue(
                f"a state for {dict(zip(state.keys, state.targets, strict=False))}, "
                f"expected {dict(zip(self._keys, self._targets, strict=True))}",
                field="controller",
                mend="Start a new controller when the constraints change.",
            )
        if not len(state.integral) == len(state.recent) == len(self._keys):
            raise InvalidValue("entries are missing", field="controller")
        self._integral = np.array(state.integral)
        for window, values in zip(self._recent, state.recent, strict=True):
            window.replace(np.array(values))
        self.n_slates, self._n_latest = state.n_slates, state.n_latest
        return self


def _pace(n_slates: int) -> float:
    """What the gains are multiplied with when so many slates come at once."""
    return PACE / max(n_slates, PACE)


class _Window:
    """The latest values, at most ``size`` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.values: FloatArray = np.zeros(0)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return float(self.values.mean())

    def shortfall(self, aim: float) -> float:
        """Shortfall summed over the window, in slates; negative where there is more than aimed."""
        return len(self.values) * aim - float(self.values.sum())

    def add(self, values: FloatArray) -> None:
        self.values = np.concatenate([self.values, values])[-self._size :]

    def replace(self, values: FloatArray) -> None:
        self.values = values[-self._size :].astype(np.float64)
