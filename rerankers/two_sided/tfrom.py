"""TFROM, offline: a batch of slates filled rank by rank under a cap on each provider's exposure.

Wu, Cao, Xu & Tan, "TFROM: A Two-sided Fairness-Aware Recommendation Model for Both Customers and
Providers", SIGIR 2021.
"""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import PAD, FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ...metrics.exposure import position_discount
from ...metrics.lists import sum_by
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge, target_shares
from ..order import best_first, serving_order
from ..randomness import draw_seed
from ..relevance import RelevanceScale, relevance
from .draft import draft_round, producers

Fairness = Literal["uniform", "quality"]

TOLERANCE = 1e-9
"""Exposure, in slates, by which rounding may seem to pass a cap."""

_OPEN = -1
"""Position for which no candidate was found yet."""


class TFROMSettings(RerankerSettings):
    """What both scenarios of TFROM share.

    Attributes:
        attribute: Item attribute whose groups are the providers. Items whose provider is not known
            are never held back.
        fairness: What a provider's exposure should be proportional to: ``"uniform"``, how many
            items it has; ``"quality"``, the relevance its items have for the users, summed over
            the pools (by number of items where there is none at all).
        strictness: A provider's cap is its fair exposure divided by this; 0 sets no cap.
        relevance: Scale of the scores that quality and the users' losses are measured on.
    """

    attribute: str = "popularity"
    fairness: Fairness = "uniform"
    strictness: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    relevance: RelevanceScale = "scaled"

    def _scaled(self, strength: float) -> Self:
        return self.changed(strictness=strength)


class TFROMOfflineConfig(TFROMSettings):
    """TFROM where all users of a batch are known.

    Attributes:
        first: Who chooses first at each rank, by the NDCG of their slate so far. With
            ``"worst-off"`` the loss is spread over the users; the authors' public code sorts the
            other way.
    """

    algorithm: Literal["tfrom-offline"] = "tfrom-offline"
    first: Literal["worst-off", "best-off"] = "worst-off"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return TFROMOfflineReranker(self, knowledge.item_groups(self.attribute))


class TFROMOfflineReranker:
    """Every user's first position, then every second one, with capped providers passed over.

    At each rank the users choose in turn, by the NDCG that their slates have so far, and take the
    best candidate whose provider stays within its cap. Positions for which a user found none are
    filled last, again by rank, with a candidate of the least exposed provider.

    Exposure is counted in slates: position j hands out 1/log2(j + 1), divided by what a slate
    hands out in all. NDCG is that of the model's own relevance.

    O(U · N · k); filling takes a step in Python for each position left open.
    """

    name = "tfrom-offline"

    def __init__(self, config: TFROMOfflineConfig, groups: Groups) -> None:
        self._config, self._groups = config, groups

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        serving = serving_order(pools.users, draw_seed(rng))
        ordered, columns = best_first(pools.take(serving))
        gain = relevance(ordered, self._config.relevance)
        provider = providers(ordered.items, self._groups)
        caps = self._caps(provider, gain)
        places = fill_by_rank(provider, gain, caps, k, self._config.first == "worst-off")
        slates = np.empty((len(pools), k), np.intp)
        slates[serving] = np.take_along_axis(columns, places, axis=1)
        return Slates.from_columns(pools, slates)

    def _caps(self, provider: IntArray, gain: FloatArray) -> FloatArray:
        """Exposure, in slates, that each provider may have, shape ``(P + 2,)``."""
        shares = target_shares(self._groups, None)
        n_providers = len(shares)
        if self._config.fairness == "quality":
            quality = sum_by(provider.ravel(), gain.ravel(), n_providers + 2)[:n_providers]
            shares = quality_shares(quality, shares)
        with_slack = np.full(n_providers, np.inf)
        if self._config.strictness > 0:
            with_slack = shares * len(provider) / self._config.strictness
        return np.append(with_slack, [np.inf, 0.0])


def providers(items: IntArray, groups: Groups) -> IntArray:
    """Provider of every candidate, shape of ``items``, in [0, P + 1].

    P is that of items whose provider is not known; P + 1 stands for padding.
    """
    n_providers = len(groups.names)
    return np.where(items == PAD, n_providers + 1, producers(items, groups.codes, n_providers))


def quality_shares(quality: FloatArray, otherwise: FloatArray) -> FloatArray:
    """Each provider's share of all relevance, or ``otherwise`` where there is none, ``(P,)``."""
    total = quality.sum()
    return quality / total if total > 0 else otherwise


def fill_by_rank(
    provider: IntArray, gain: FloatArray, caps: FloatArray, k: int, worst_off_first: bool
) -> IntArray:
    """The slates of a batch.

    Args:
        provider: Provider of every candidate, shape ``(U, N)``: users in the order in which they
            are served where nothing else tells them apart, best candidate first. The last code is
            nobody's.
        gain: Relevance of every candidate, shape ``(U, N)``.
        caps: Exposure, in slates, that each provider may have; nobody's is 0.
        k: Slate length.
        worst_off_first: Whether low NDCG so far goes first, or high.

    Returns:
        Columns, shape ``(U, k)``.
    """
    n_users, nobody = len(provider), len(caps) - 1
    discount = position_discount(k)
    per_position = discount / discount.sum()
    ideal = (gain[:, :k] * discount).sum(axis=1)
    ideal[ideal == 0.0] = 1.0
    sign = 1.0 if worst_off_first else -1.0
    offered = provider.copy()
    exposure = np.zeros(len(caps))
    ndcg = np.zeros(n_users)
    slates = np.full((n_users, k), _OPEN)
    for j, weight in enumerate(per_position):
        turns = np.argsort(sign * ndcg, kind="stable")
        room = np.clip((caps - exposure + TOLERANCE) / weight, 0, n_users).astype(np.intp)
        room[nobody] = 0
        nth, chosen = draft_round(offered[turns], room)
        rows = turns[nth]
        slates[rows, j] = chosen
        exposure += weight * np.bincount(provider[rows, chosen], minlength=len(caps))
        ndcg[rows] += gain[rows, chosen] * discount[j] / ideal[rows]
        offered[rows, chosen] = nobody
    _fill_open_positions(slates, offered, exposure, per_position)
    return slates


def _fill_open_positions(
    slates: IntArray, offered: IntArray, exposure: FloatArray, per_position: FloatArray
) -> None:
    """Give each open position, rank by rank, the best item of the least exposed provider.

    Each choice moves the exposure that the next one looks at, so this is a plain loop.
    """
    nobody = len(exposure) - 1
    exposure[nobody] = np.inf  # not to be taken
    for j, weight in enumerate(per_position):
        for row in np.flatnonzero(slates[:, j] == _OPEN).tolist():
            best = int(exposure[offered[row]].argmin())
            slates[row, j] = best
            exposure[offered[row, best]] += weight
            offered[row, best] = nobody
