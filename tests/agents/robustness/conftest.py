from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from fairloop.agents.baselines import Entrant
from fairloop.agents.outcomes import Arena
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.features import feature_names
from fairloop.simulators.policies import SlatePolicy, StaticWeights

LIMITS = Constraints(
    exposure=(ExposureFloor(attribute="popularity", group="long_tail", share=0.5),)
)
LIFTED = "floor:popularity=long_tail"


@dataclass(frozen=True)
class Weighted:
    """Base order, less what was seen or clicked lately times ``memory``, long tail lifted."""

    name: str
    memory: float
    lift: float = 2.5

    def __call__(self) -> SlatePolicy:
        given = {"base": 1.0, "satiation": -self.memory, "fatigue": -self.memory, LIFTED: self.lift}
        names = (*feature_names(LIMITS), "diversity")
        return StaticWeights(np.array([given.get(name, 0.0) for name in names]), self.name)


def entrant(name: str, memory: float, kind: str = "baseline", lift: float = 2.5) -> Entrant:
    return Entrant(name, kind, Weighted(name, memory, lift), {}, 0)


@pytest.fixture(scope="session")
def mindful() -> Entrant:
    """Avoids what users have just seen."""
    return entrant("mindful", 3.0, "learned")


@pytest.fixture(scope="session")
def forgetful() -> Entrant:
    """Shows the same again and again."""
    return entrant("forgetful", 0.0)


@pytest.fixture(scope="session")
def loose(world) -> Arena:
    """A floor that both hold."""
    return Arena.of(world, LIMITS)


@pytest.fixture(scope="session")
def make_entrant() -> Callable[..., Entrant]:
    return entrant
