"""FairCo (Morik, Singh, Hong & Joachims, SIGIR 2020): exposure in proportion to merit."""

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

LEAST_MERIT = 1e-4
"""Merit shares count as at least this, so that a group of next to no merit owes no infinity."""


class FairCoConfig(AmortisedConfig):
    """What exposure should be proportional to, and how hard debts are collected.

    Attributes:
        gain: λ of the paper, relevance added per slate of exposure owed; the paper uses 0.01. 0
            keeps the base order. The larger it is, the smaller is the standing debt; where a
            whole ``block`` overshoots its debt, slates swing about the proportion that they hold
            on average.
        merit: What a group deserves: ``"relevance"``, the relevance its candidates offered so far
            (the paper's choice); ``"size"``, its share of the items; or shares by group name,
            which sum to 1 (one may be left out: it gets what remains).
    """

    algorithm: Literal["fairco"] = "fairco"
    gain: Annotated[float, Field(ge=0.0)] = 0.01
    merit: Literal["relevance", "size"] | dict[str, Share] = "relevance"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        groups = knowledge.item_groups(self.attribute)
        return AmortisedReranker(self, FairCoController(self, groups), groups, self.algorithm)

    def _scaled(self, strength: float) -> Self:
        return self.changed(gain=strength * self.gain)


class FairCoState(AmortisedState):
    """What FairCo remembers.

    Attributes:
        merit: The fixed merit shares; None where relevance is merit.
        relevance: Relevance that each group's candidates offered, summed over the pools.
    """

    identity: ClassVar[tuple[str, ...]] = (*AmortisedState.identity, "merit")
    summed: ClassVar[tuple[str, ...]] = (*AmortisedState.summed, "relevance")

    merit: Vector | None
    relevance: Vector


class FairCoController(GroupController[FairCoState]):
    """Adds ``λ · err_t`` to relevance, ``err_t(g) = (t − 1) · max_i D_{t−1}(i, g)``.

    ``D(i, g) = E_i/M_i − E_g/M_g`` with E the exposure and M the merit per slate. The paper takes
    both as means over the group's items, whose number cancels. Here both are taken as shares, which
    multiplies D by one number for all groups: so λ means the same for every k, pool and kind of
    merit, and ``(t − 1) · E_i`` is simply the exposure received so far, in slates.

    The bonus a group needs for ever is held by a standing debt, so D falls as O(1/t) and not
    faster; where merit cannot be met from the pools at all, the debt grows for ever. A group
    without merit is owed nothing.
    """

    def __init__(self, config: FairCoConfig, groups: Groups) -> None:
        zeros = (0.0,) * len(groups.names)
        self.reads_relevance = config.merit == "relevance"
        targets = config.merit if isinstance(config.merit, dict) else None
        self._fixed = None if self.reads_relevance else target_shares(groups, targets)
        blank = FairCoState(
            algorithm=config.algorithm,
            attribute=groups.attribute,
            groups=groups.names,
            exposure=zeros,
            merit=None if self._fixed is None else tuple(self._fixed.tolist()),
            relevance=zeros,
        )
        super().__init__(blank, config.workers)
        self._gain = config.gain
        self.relevance = Tally(len(zeros), config.workers)

    @property
    def merit(self) -> FloatArray:
        """Merit share of each group, shape ``(G,)``; all 0 before any relevance was offered."""
        return self._merit(self.relevance.own)

    @property
    def disparity(self) -> float:
        """Largest D between two groups so far; 0 where exposure is proportional to merit."""
        return float(owed(self.exposure.own, self.merit).max()) / max(self.n_slates, 1)

    @property
    def bonuses(self) -> FloatArray:
        """λ · err, shape ``(G,)``, not negative."""
        return self._gain * owed(self.exposure.seen, self._merit(self.relevance.seen))

    def update(
        self, exposure: FloatArray, n_slates: int, relevance: FloatArray | None = None
    ) -> None:
        """See `GroupController.update`.

        Raises:
            InvalidValue: Relevance is merit, and none is given or it is negative.
        """
        offered = np.zeros_like(exposure) if relevance is None else relevance
        if self.reads_relevance and (
            relevance is None or not (np.isfinite(offered) & (offered >= 0)).all()
        ):
            raise InvalidValue(
                f"{relevance} is not the relevance that {len(exposure)} groups offered",
                field="relevance",
                mend="Give one number per group, not negative.",
            )
        self._count(exposure, n_slates)
        self.relevance.add(offered)

    def state(self) -> FairCoState:
        """See `GroupController.state`."""
        return self._blank.model_copy(
            update={
                "n_slates": self.n_slates,
                "exposure": tuple(self.exposure.own.tolist()),
                "relevance": tuple(self.relevance.own.tolist()),
            }
        )

    def _merit(self, offered: FloatArray) -> FloatArray:
        if self._fixed is not None:
            return self._fixed
        return offered / max(offered.sum(), np.finfo(np.float64).tiny)

    def _load(self, state: FairCoState) -> None:
        self.relevance.load(state.relevance)


def owed(exposure: FloatArray, merit: FloatArray) -> FloatArray:
    """What each group lacks beside the best-served one, ``max_i E_i/M_i − E_g/M_g``.

    Args:
        exposure: Exposure received so far, shape ``(G,)``.
        merit: Merit shares, shape ``(G,)``.

    Returns:
        Shape ``(G,)``, not negative; 0 for a group without merit.
    """
    served = exposure / np.maximum(merit, LEAST_MERIT)
    return np.where(merit > 0, served.max() - served, 0.0)
