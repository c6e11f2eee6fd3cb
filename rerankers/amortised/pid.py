"""A PID controller that holds the groups' exposure shares at targets, from both sides."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ...arrays import FloatArray
from ...candidates.catalogue import Groups
from ...errors import InvalidValue
from ..base import Reranker
from ..constraints import Share
from ..knowledge import Knowledge, target_shares
from .control import AmortisedConfig, AmortisedReranker, GroupController, Tally
from .state import AmortisedState, Vector

Gain = Annotated[float, Field(ge=0.0)]


class PIDConfig(AmortisedConfig):
    """What share each group should receive, and how the bonuses react.

    Attributes:
        targets: Shares of exposure by group name, which sum to 1 (one may be left out: it gets
            what remains). Each group's share of the items where neither this nor ``ratios`` is
            given.
        ratios: Instead of shares, how exposures should relate to one another, such as
            ``{"head": 1, "long_tail": 2}``; names every group.
        proportional: Bonus per unit by which the latest block's share fell short.
        integral: Added to a bonus per slate and unit by which that slate's share fell short.
        derivative: Bonus per unit by which the shortfall grew from one block to the next. A block
            of few slates is noisy, and this term amplifies noise.
        largest_bonus: Where a bonus ends, upwards and downwards. Relevance lies in [0, 1] unless
            ``relevance`` is ``"raw"``, and 1 lifts a group's worst candidate to the best of others.
    """

    algorithm: Literal["pid"] = "pid"
    targets: dict[str, Share] | None = None
    ratios: dict[str, Annotated[float, Field(gt=0.0)]] | None = None
    proportional: Gain = 0.05
    integral: Gain = 0.005
    derivative: Gain = 0.02
    largest_bonus: Gain = 1.0

    @model_validator(mode="after")
    def _one_kind_of_target(self) -> Self:
        if self.targets is not None and self.ratios is not None:
            raise ValueError("give targets or ratios, not both")
        return self

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        groups = knowledge.item_groups(self.attribute)
        return AmortisedReranker(self, PIDController(self, groups), groups, self.algorithm)

    def shares(self, groups: Groups) -> FloatArray:
        """The target shares, shape ``(G,)``, sum 1.

        Raises:
            InvalidValue: A name is not a group, a group has no ratio, or shares do not sum to 1.
        """
        if self.ratios is None:
            return target_shares(groups, self.targets)
        if set(self.ratios) != set(groups.names):
            raise InvalidValue(
                f"ratios for {', '.join(self.ratios)}, but the groups of {groups.attribute!r} are "
                f"{', '.join(groups.names)}",
                field="ratios",
                mend="Give one ratio per group.",
            )
        wanted = np.array([self.ratios[name] for name in groups.names])
        return wanted / wanted.sum()

    def _scaled(self, strength: float) -> Self:
        return self.changed(largest_bonus=strength * self.largest_bonus)


class PIDState(AmortisedState):
    """What the PID controller remembers.

    Attributes:
        targets: Target shares.
        integral: The integral part of each bonus.
        shortfall: Target minus received exposure in the latest block, in slates.
        n_latest: Slates in that block.
        shortfall_before: The same for the block before it.
        n_before: Slates in that one.
    """

    identity: ClassVar[tuple[str, ...]] = (*AmortisedState.identity, "targets")
    summed: ClassVar[tuple[str, ...]] = (*AmortisedState.summed, "integral")
    latest: ClassVar[tuple[str, ...]] = ("shortfall", "n_latest", "shortfall_before", "n_before")

    targets: Vector
    integral: Vector
    shortfall: Vector
    n_latest: Annotated[int, Field(ge=0)] = 0
    shortfall_before: Vector
    n_before: Annotated[int, Field(ge=0)] = 0


class PIDController(GroupController[PIDState]):
    """One bonus per group, positive or negative, in the textbook's discrete (positional) form.

    After block n of B slates, with ``e_n`` the target share minus the mean share received:

        I_n = clip(I_{n−1} + K_i · B · e_n)              (integral)
        u_n = clip(K_p · e_n + I_n + K_d · (e_n − e_{n−1}))

    where clip holds ±``largest_bonus``. Clipping the integral is the anti-windup: while a target is
    out of reach no debt piles up that would have to be repaid later. While it is within reach, the
    clip never acts and ``Σ B e = I/K_i`` stays bounded: the amortised share is off by O(1/t).

    Which one when. `ConstraintController` (``"exposure-controller"``) holds *floors*, read from
    the shared constraints, over a sliding window and together with a floor on diversity; it never
    pushes a group down. This one holds *shares*: each group at its target, from above as from
    below, over the whole stream, whose state can be merged across workers. FairCo needs no
    targets: exposure follows merit. Dual mirror descent holds floors and caps at the least loss of
    relevance, with a bound.
    """

    def __init__(self, config: PIDConfig, groups: Groups) -> None:
        zeros = (0.0,) * len(groups.names)
        self._target = config.shares(groups)
        blank = PIDState(
            algorithm=config.algorithm,
            attribute=groups.attribute,
            groups=groups.names,
            exposure=zeros,
            targets=tuple(self._target.tolist()),
            integral=zeros,
            shortfall=zeros,
            shortfall_before=zeros,
        )
        super().__init__(blank, config.workers)
        self._config = config
        self._integral = Tally(len(zeros), config.workers)
        self._latest = self._before = (np.zeros(len(zeros)), 0)

    @property
    def bonuses(self) -> FloatArray:
        """u, shape ``(G,)``, within ±``largest_bonus``."""
        latest, before = _mean(*self._latest), _mean(*self._before)
        # There is no change before there are two blocks.
        change = latest - before if self._before[1] else np.zeros_like(latest)
        raw = (
            self._config.proportional * latest
            + self._integral.seen
            + self._config.derivative * change
        )
        return np.clip(raw, -self._config.largest_bonus, self._config.largest_bonus)

    def update(
        self, exposure: FloatArray, n_slates: int, relevance: FloatArray | None = None
    ) -> None:
        """See `GroupController.update`; ``relevance`` is not read."""
        self._count(exposure, n_slates)
        # Of the groups' exposure alone: what items of no group receive is not at stake.
        shortfall = self._target * exposure.sum() - exposure
        self._integral.add(self._config.integral * shortfall)
        self._integral.hold(-self._config.largest_bonus, self._config.largest_bonus)
        self._before, self._latest = self._latest, (shortfall, n_slates)

    def state(self) -> PIDState:
        """See `GroupController.state`."""
        return self._blank.model_copy(
            update={
                "n_slates": self.n_slates,
                "exposure": tuple(self.exposure.own.tolist()),
                "integral": tuple(self._integral.own.tolist()),
                "shortfall": tuple(self._latest[0].tolist()),
                "n_latest": self._latest[1],
                "shortfall_before": tuple(self._before[0].tolist()),
                "n_before": self._before[1],
            }
        )

    def _load(self, state: PIDState) -> None:
        self._integral.load(state.integral)
        self._latest = (np.array(state.shortfall), state.n_latest)
        self._before = (np.array(state.shortfall_before), state.n_before)


def _mean(total: FloatArray, n: int) -> FloatArray:
    return total / max(n, 1)
