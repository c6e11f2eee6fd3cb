"""Online allocation by dual mirror descent: floors and caps at the least loss of relevance."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import FloatArray
from ...candidates.catalogue import Groups
from ...errors import InvalidValue
from ..base import Reranker
from ..constraints import Share
from ..knowledge import Knowledge, target_shares
from .control import AmortisedConfig, AmortisedReranker, GroupController, Tally
from .state import AmortisedState, Vector

MirrorMap = Literal["euclidean", "entropy"]
"""``"euclidean"``: prices move by steps. ``"entropy"``: they are multiplied (negative entropy)."""

START = 0.1
"""Where the prices of the entropy map start, in units of ``largest_price``: 0 would stay 0."""

LEAST = 0.01
"""Where they end downwards, in units of their start: lower ones would take for ever to return."""


class DualMirrorDescentConfig(AmortisedConfig):
    """Which shares of exposure each group must receive in the long run, and how prices move.

    Attributes:
        floors: Smallest share of the groups' exposure by group name; groups left out have none.
            Where None, ``fraction`` of each group's share of the items.
        fraction: See ``floors``; 0.8 is the four-fifths convention.
        caps: Largest share by group name.
        mirror: The mirror map.
        horizon: T, the slates over which floors and caps should hold; the step is
            ``step / sqrt(T)``.
        step: Factor of the step.
        largest_price: Where a price ends, in units of relevance. Where floors can be met no price
            need be higher than a few times the range of relevance, which is 1 unless raw.
    """

    algorithm: Literal["dual-mirror-descent"] = "dual-mirror-descent"
    floors: dict[str, Share] | None = None
    fraction: Share = 0.8
    caps: dict[str, Share] = Field(default_factory=dict)
    mirror: MirrorMap = "euclidean"
    horizon: Annotated[int, Field(ge=1)] = 10_000
    step: Annotated[float, Field(gt=0.0)] = 1.0
    largest_price: Annotated[float, Field(gt=0.0)] = 2.0

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        groups = knowledge.item_groups(self.attribute)
        controller = DualMirrorDescent(self, groups)
        return AmortisedReranker(self, controller, groups, self.algorithm)

    def limits(self, groups: Groups) -> tuple[FloatArray, FloatArray]:
        """Floors and caps, each of shape ``(G,)``; 0 and 1 where there is none.

        Raises:
            InvalidValue: A name is not a group, floors sum above 1, caps sum below 1, or a cap
                lies below the floor of its group.
        """
        if self.floors is None:
            floors = self.fraction * target_shares(groups, None)
        else:
            floors = _by_group(self.floors, groups, 0.0, "floors")
        caps = _by_group(self.caps, groups, 1.0, "caps")
        problem = None
        if floors.sum() > 1.0 + 1e-9:
            problem = f"floors sum to {floors.sum():g}, above 1"
        elif caps.sum() < 1.0 - 1e-9:
            problem = f"caps sum to {caps.sum():g}, below 1"
        elif (floors > caps).any():
            name = groups.names[int((floors > caps).argmax())]
            problem = f"the floor of {name!r} lies above its cap"
        if problem is not None:
            mend = "Choose floors and caps that some division of the exposure can meet."
            raise InvalidValue(problem, field="floors", mend=mend)
        return floors, caps

    def _scaled(self, strength: float) -> Self:
        floors = self.floors
        return self.changed(
            floors=None if floors is None else {g: strength * s for g, s in floors.items()},
            fraction=strength * self.fraction,
            caps={g: 1.0 - strength * (1.0 - s) for g, s in self.caps.items()},
        )


class DualMirrorDescentState(AmortisedState):
    """What dual mirror descent remembers.

    Attributes:
        mirror: The mirror map.
        floors: Smallest shares.
        caps: Largest shares.
        floor_moves: How far the price of each floor has moved from its start, in the space of the
            mirror map (where steps add up), in units of price.
        cap_moves: The same for each cap.
    """

    identity: ClassVar[tuple[str, ...]] = (*AmortisedState.identity, "mirror", "floors", "caps")
    summed: ClassVar[tuple[str, ...]] = (*AmortisedState.summed, "floor_moves", "cap_moves")

    mirror: MirrorMap
    floors: Vector
    caps: Vector
    floor_moves: Vector
    cap_moves: Vector


class DualMirrorDescent(GroupController[DualMirrorDescentState]):
    """A price for each floor and each cap; a group's bonus is the first minus the second.

    Maximises discounted relevance ``Σ_t Σ_j v_j r_t(item at j)`` such that, over the stream, group
    g receives at least ``floor_g`` and at most ``cap_g`` of the groups' exposure. With prices μ, ν
    the Lagrangian of one slate is largest for the candidates sorted by ``r + μ_g − ν_g``, so each
    slate is solved exactly, and the prices move against the subgradient (Balseiro, Lu & Mirrokni,
    "The Best of Many Worlds: Dual Mirror Descent for Online Allocation Problems", Operations
    Research 2023), with η = step/√T:

        euclidean:  μ ← clip(μ + η · (floor − share), 0, largest)
        entropy:    μ ← clip(μ · exp(η · (floor − share) / μ_start), least, largest)

    The paper has resources that run out; a slate must always be filled, so caps are held on
    average here, as are floors (the same authors' "Regularized Online Allocation Problems", ICML
    2021, has such lower bounds). As the prices of the euclidean map sum the shortfalls up, on every
    stream whatever ``T · (floor − share) ≤ largest_price/η`` while no price is at its end, so that
    shares miss by O(1/√T); on stationary streams mean relevance is within O(1/√T) of the best in
    hindsight. With the euclidean map this is a controller of integral action alone, on one side of
    each limit.
    """

    def __init__(self, config: DualMirrorDescentConfig, groups: Groups) -> None:
        floors, caps = config.limits(groups)
        zeros = (0.0,) * len(groups.names)
        blank = DualMirrorDescentState(
            algorithm=config.algorithm,
            attribute=groups.attribute,
            groups=groups.names,
            exposure=zeros,
            mirror=config.mirror,
            floors=tuple(floors.tolist()),
            caps=tuple(caps.tolist()),
            floor_moves=zeros,
            cap_moves=zeros,
        )
        super().__init__(blank, config.workers)
        self._floors, self._caps = floors, caps
        self._eta = config.step / np.sqrt(config.horizon)
        self._map = _Mirror.of(config.mirror, config.largest_price)
        self._floor_moves = Tally(len(zeros), config.workers)
        self._cap_moves = Tally(len(zeros), config.workers)

    @property
    def floor_prices(self) -> FloatArray:
        """μ, shape ``(G,)``; 0 where there is no floor."""
        return np.where(self._floors > 0, self._map.price(self._floor_moves.seen), 0.0)

    @property
    def cap_prices(self) -> FloatArray:
        """ν, shape ``(G,)``; 0 where there is no cap."""
        return np.where(self._caps < 1, self._map.price(self._cap_moves.seen), 0.0)

    @property
    def bonuses(self) -> FloatArray:
        """μ − ν, shape ``(G,)``."""
        return self.floor_prices - self.cap_prices

    def update(
        self, exposure: FloatArray, n_slates: int, relevance: FloatArray | None = None
    ) -> None:
        """See `GroupController.update`; ``relevance`` is not read."""
        self._count(exposure, n_slates)
        # Of the groups' exposure alone: what items of no group receive is not at stake.
        total = exposure.sum()
        self._floor_moves.add(self._eta * (self._floors * total - exposure))
        self._cap_moves.add(self._eta * (exposure - self._caps * total))
        for moves in (self._floor_moves, self._cap_moves):
            moves.hold(self._map.lowest, self._map.highest)

    def state(self) -> DualMirrorDescentState:
        """See `GroupController.state`."""
        return self._blank.model_copy(
            update={
                "n_slates": self.n_slates,
                "exposure": tuple(self.exposure.own.tolist()),
                "floor_moves": tuple(self._floor_moves.own.tolist()),
                "cap_moves": tuple(self._cap_moves.own.tolist()),
            }
        )

    def _load(self, state: DualMirrorDescentState) -> None:
        self._floor_moves.load(state.floor_moves)
        self._cap_moves.load(state.cap_moves)


class _Mirror:
    """From moves in the mirror's space, which add up, to prices.

    The entropy map is ``h(μ) = μ_start · Σ (μ log μ − μ)``: scaled so that at their start the
    prices of both maps move alike.
    """

    def __init__(self, start: float, lowest: float, highest: float) -> None:
        self._start, self.lowest, self.highest = start, lowest, highest

    @classmethod
    def of(cls, mirror: MirrorMap, largest: float) -> Self:
        if mirror == "euclidean":
            return cls(0.0, 0.0, largest)
        start = START * largest
        return cls(start, start * float(np.log(LEAST)), start * float(np.log(1.0 / START)))

    def price(self, moves: FloatArray) -> FloatArray:
        held = np.clip(moves, self.lowest, self.highest)  # merged moves may lie outside
        return held if self._start == 0.0 else self._start * np.exp(held / self._start)


def _by_group(shares: dict[str, float], groups: Groups, absent: float, field: str) -> FloatArray:
    unknown = sorted(set(shares).difference(groups.names))
    if unknown:
        raise InvalidValue(
            f"no group named {', '.join(map(repr, unknown))} in {groups.attribute!r}",
            field=field,
            mend=f"Use names among {', '.join(groups.names)}.",
        )
    return np.array([shares.get(name, absent) for name in groups.names])
