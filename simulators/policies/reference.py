"""The reference policies by name: from chance to an oracle, to see where another one stands."""

from collections.abc import Callable, Mapping

from ...rerankers.constraints import Constraints
from ...rerankers.topk import TopKReranker
from .base import SlatePolicy
from .heuristic import heuristic
from .oracles import MyopicOracle, PlanningOracle
from .rerankers import RerankerPolicy
from .simple import PopularitySlates, RandomSlates

REFERENCES: Mapping[str, str] = {
    "random": "nothing: candidates at random",
    "popularity": "how often items were met: the most popular candidates",
    "greedy": "the base model's order",
    "heuristic": "what was observed of the user, by weights tuned for whole episodes",
    "myopic-oracle": "the latent state; shows the best slate at this visit",
    "oracle": "the latent state, and what rest regains: plans",
}
"""What each one does, in the order of what it knows."""


def reference_policy(name: str, constraints: Constraints | None = None) -> SlatePolicy:
    """A reference policy.

    Args:
        name: One of ``REFERENCES``.
        constraints: Those of the simulation: their floors add features, which weigh nothing here.

    Raises:
        KeyError: There is no such policy.
    """
    limits = Constraints() if constraints is None else constraints
    makers: dict[str, Callable[[], SlatePolicy]] = {
        "random": RandomSlates,
        "popularity": PopularitySlates,
        "greedy": lambda: RerankerPolicy(TopKReranker(), "greedy"),
        "heuristic": lambda: heuristic(limits),
        "myopic-oracle": MyopicOracle,
        "oracle": lambda: PlanningOracle(name="oracle"),
    }
    return makers[name]()
