"""Policies that nobody could deploy, in the same table as those that could: what there is to win.

They see every user's latent state (see `simulators.policies.oracles`), which no platform does. They
hold no constraint and need no tuning of their own.
"""

from ..simulators.policies.oracles import PRICE, MyopicOracle, PlanningOracle
from .baselines import Entrant

MYOPIC = "myopic-oracle"
PLANNING = "oracle"


def reference_entrants() -> tuple[Entrant, ...]:
    """One-step greedy on the simulator's own expected reward, and the oracle that plans.

    The planning one is a lower bound on what planning with the truth can win; its price of showing
    what has not recovered was searched once on other data (``benchmarks.headroom --tune``).
    """
    return (
        Entrant(MYOPIC, "reference", MyopicOracle, {}, 0),
        Entrant(PLANNING, "reference", PlanningOracle, {"price": PRICE}, 0),
    )
