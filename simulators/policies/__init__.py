"""What may choose slates in a simulation: chance, re-rankers, fixed or learned weights, oracles."""

from .base import Decision, PolicyLuck, SlatePolicy
from .linear import ObservationPolicy, StaticWeights
from .rerankers import RerankerPolicy, from_reranker
from .simple import PopularitySlates, RandomSlates

__all__ = [
    "Decision",
    "ObservationPolicy",
    "PolicyLuck",
    "PopularitySlates",
    "RandomSlates",
    "RerankerPolicy",
    "SlatePolicy",
    "StaticWeights",
    "from_reranker",
]
