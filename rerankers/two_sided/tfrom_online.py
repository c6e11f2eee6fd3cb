"""TFROM, online: users come one after another, and exposure is accounted for over all of them.

Wu, Cao, Xu & Tan, "TFROM: A Two-sided Fairness-Aware Recommendation Model for Both Customers and
Providers", SIGIR 2021.
"""

from typing import ClassVar, Literal, Self

import numpy as np

from ...arrays import FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ...metrics.exposure import position_discount
from ...metrics.lists import sum_by
from ..amortised.state import AmortisedState, Vector, read_state
from ..base import Reranker, Slates, require_k
from ..knowledge import Knowledge, target_shares
from ..order import best_first, serving_order
from ..relevance import relevance
from .tfrom import TOLERANCE, Fairness, TFROMSettings, providers

BLOCK = 256
"""Users whose limits are worked out together."""


class TFROMOnlineConfig(TFROMSettings):
    """TFROM where users come one after another."""

    algorithm: Literal["tfrom-online"] = "tfrom-online"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return TFROMOnlineReranker(self, knowledge.item_groups(self.attribute))


class TFROMState(AmortisedState):
    """What TFROM online remembers.

    Attributes:
        fairness: What exposure should be proportional to.
        quality: Relevance of each provider's candidates, summed over the users served.
    """

    identity: ClassVar[tuple[str, ...]] = (*AmortisedState.identity, "fairness")
    summed: ClassVar[tuple[str, ...]] = (*AmortisedState.summed, "quality")

    fairness: Fairness
    quality: Vector


class ExposureLedger:
    """Who was shown how much so far; saved, restored and (by `merge`) added up across workers.

    Attributes:
        exposure: Exposure of each provider, in slates; then of items of no provider (and of
            padding, which has none).
        quality: Relevance of each provider's candidates so far, shape ``(P,)``; stays 0 where
            fairness does not ask for it.
        n_slates: Slates shown.
    """

    def __init__(self, config: TFROMOnlineConfig, groups: Groups) -> None:
        nothing = (0.0,) * len(groups.names)
        self._blank = TFROMState(
            algorithm=config.algorithm,
            attribute=groups.attribute,
            groups=groups.names,
            fairness=config.fairness,
            exposure=nothing,
            quality=nothing,
        )
        self._load(self._blank)

    def state(self) -> TFROMState:
        """A copy of what it remembers."""
        exposure = tuple(self.exposure[: len(self.quality)])
        seen = {"exposure": exposure, "quality": tuple(self.quality.tolist())}
        return self._blank.model_copy(update={"n_slates": self.n_slates, **seen})

    def to_json(self) -> str:
        """The state as JSON."""
        return self.state().model_dump_json()

    def restore(self, text: str) -> Self:
        """Continue from a state saved by `to_json`, or merged; returns the ledger itself.

        Raises:
            InvalidValue: The text is not such a state, or belongs to other providers.
        """
        state = read_state(TFROMState, text)
        self._blank.require_same(state)
        self._load(state)
        return self

    def add_quality(self, offered: FloatArray) -> FloatArray:
        """Count what the next users' candidates are worth to them.

        Args:
            offered: Shape ``(B, P)``, in the order in which the users come.

        Returns:
            Quality of each provider at each user's turn, shape ``(B, P)``.
        """
        so_far = np.cumsum(np.vstack([self.quality, offered]), axis=0)
        self.quality = so_far[-1]
        return so_far[1:]

    def _load(self, state: TFROMState) -> None:
        self.n_slates = state.n_slates
        self.exposure = [*state.exposure, 0.0, 0.0]
        self.quality = np.array(state.quality)


class TFROMOnlineReranker:
    """Best candidate first, among providers that stay within the exposure due to them by now.

    With t users served, this one included, a provider's fair exposure is its share of t slates.
    Position by position the user gets the best candidate whose provider stays within that; then
    the positions for which there was none are filled with the best candidates left.

    It learns as it serves: each call moves the state of ``controller``, so equal slates need equal
    generators *and* equal states. Save the state with ``controller.to_json()``.

    Each user waits for the one before, so this is a loop in Python: O(U · N · k) steps at worst,
    O(U · (N + k)) where caps rarely hold anything back.
    """

    name = "tfrom-online"

    def __init__(self, config: TFROMOnlineConfig, groups: Groups) -> None:
        self.controller = ExposureLedger(config, groups)
        self._config, self._groups = config, groups
        self._sizes = target_shares(groups, None)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`; ``rng`` is not used."""
        require_k(pools, k)
        ordered, columns = best_first(pools)
        gain = relevance(ordered, self._config.relevance)
        provider = providers(ordered.items, self._groups)
        discount = position_discount(k)
        weights = (discount / discount.sum()).tolist()
        places = np.empty((len(pools), k), np.intp)
        # By a hash, so that no one always comes first.
        serving = serving_order(pools.users, self.controller.n_slates)
        for start in range(0, len(serving), BLOCK):
            rows = serving[start : start + BLOCK]
            limits = self._limits(provider[rows], gain[rows])
            each = zip(provider[rows].tolist(), limits.tolist(), strict=True)
            places[rows] = [self._serve(codes, limit, weights) for codes, limit in each]
        return Slates.from_columns(pools, np.take_along_axis(columns, places, axis=1))

    def _limits(self, provider: IntArray, gain: FloatArray) -> FloatArray:
        """Exposure due to each candidate's provider when its user's turn has come, ``(B, N)``.

        Infinite for items of no provider; padding is due none.
        """
        ledger, n_providers = self.controller, len(self._sizes)
        served = ledger.n_slates + np.arange(1, len(provider) + 1)
        ledger.n_slates += len(provider)
        due = np.broadcast_to(self._sizes, (len(provider), n_providers))
        if self._config.fairness == "quality":
            due = ledger.add_quality(quality_by_user(provider, gain, n_providers))
            total = due.sum(axis=1, keepdims=True)
            due = np.where(total > 0, due / np.where(total > 0, total, 1.0), self._sizes)
        strictness = self._config.strictness
        due = due * served[:, None] / strictness if strictness > 0 else np.full(due.shape, np.inf)
        ends = np.broadcast_to([np.inf, -np.inf], (len(provider), 2))
        return np.take_along_axis(np.hstack([due, ends]) + TOLERANCE, provider, axis=1)

    def _serve(self, codes: list[int], limits: list[float], weights: list[float]) -> list[int]:
        """The next user's slate, best candidate first; the ledger takes it in."""
        exposure = self.controller.exposure
        waiting = list(range(len(codes)))
        slate = [-1] * len(weights)
        for j, weight in enumerate(weights):
            for place in waiting:
                if exposure[codes[place]] + weight <= limits[place]:
                    exposure[codes[place]] += weight
                    slate[j] = place
                    waiting.remove(place)
                    break
        for j, weight in enumerate(weights):
            if slate[j] < 0:
                slate[j] = waiting.pop(0)
                exposure[codes[slate[j]]] += weight
        return slate


def quality_by_user(provider: IntArray, gain: FloatArray, n_providers: int) -> FloatArray:
    """Relevance of each provider's candidates for each user, shape ``(B, P)``."""
    width = n_providers + 2
    cell = np.arange(len(provider))[:, None] * width + provider
    return sum_by(cell.ravel(), gain.ravel(), len(provider) * width).reshape(-1, width)[:, :-2]
