"""The environments' names in Gymnasium, and where each of them stands."""

from typing import NamedTuple

import gymnasium


class Registered(NamedTuple):
    """Where the faces of a task are; nothing is imported before one is made.

    Attributes:
        single: Class of one user.
        vector: Class of many users, which ``gymnasium.make_vec`` makes.
    """

    single: str
    vector: str


ENVIRONMENTS = {
    "fairloop/Rerank-v0": Registered(
        "fairloop.simulators.envs.rerank:RerankEnv",
        "fairloop.simulators.envs.rerank:RerankVectorEnv",
    ),
    "fairloop/Slate-v0": Registered(
        "fairloop.simulators.envs.slate:SlateEnv",
        "fairloop.simulators.envs.slate:SlateVectorEnv",
    ),
    "fairloop/Provider-v0": Registered(
        "fairloop.simulators.market.env:ProviderEnv",
        "fairloop.simulators.market.env:ProviderVectorEnv",
    ),
}
"""Every registered environment by its id."""


def register() -> None:
    """Make the environments known to ``gymnasium.make`` and ``make_vec``; safe to call again."""
    for name, at in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=at.single, vector_entry_point=at.vector)
