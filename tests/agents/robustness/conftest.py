from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from fairloop.agents.baselines import Entrant
from fairloop.agents.outcomes import Arena
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators.policies import SlatePolicy, StaticWeights


@dataclass(frozen=True)
class Weighted:
    """Base order, less what was shown or clicked lately times ``memory``, long tail lifted."""

    name: str
    memory: float
    lift: float = 2.5

    def __call__(self) -> SlatePolicy:
        weights = np.zeros(11)
        weights[[0, 3, 6, 9]] = 1.0, -self.memory, -self.memory, self.lift
        return StaticWeights(weights, self.name)


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
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.5)
    return Arena.of(world, Constraints(exposure=(floor,)))


@pytest.fixture(scope="session")
def make_entrant() -> Callable[..., Entrant]:
    return entrant
