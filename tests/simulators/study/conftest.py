"""A small study with numpy's EASE in place of the RecBole process."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.dataset import Dataset
from fairloop.candidates.ease import ease_weights
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.item_weights import ItemWeights
from fairloop.candidates.synthetic import ease_candidates, synthetic_dataset
from fairloop.candidates.top_n import top_n
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.exposure import ExposureConfig
from fairloop.rerankers.topk import TopKConfig
from fairloop.simulators.study.config import ArmConfig, StudyConfig
from fairloop.simulators.study.users import StudyUsers, study_truth
from fairloop.simulators.world import World

MakeConfig = Callable[..., StudyConfig]
MakePeople = Callable[..., StudyUsers]


class NumpyWorker:
    """EASE without RecBole; counts its fits and keeps what it was given."""

    def __init__(self) -> None:
        self.refits: list[Interactions] = []

    def fit(self, dataset, config, groups):
        return ease_candidates(dataset, config)

    def refit(self, base, train, top_n=None):
        self.refits.append(train)
        return refit(base, train, top_n or base.config.top_n)


def refit(base: CandidateSet, train: Interactions, n: int) -> CandidateSet:
    weights = ease_weights(train.matrix())
    scores = train.matrix() @ weights
    items, best = top_n(scores, train.plus(base.valid).matrix(), n)
    return replace(
        base, train=train, items=items, scores=best, item_weights=ItemWeights.of(weights)
    )


@pytest.fixture
def worker() -> NumpyWorker:
    return NumpyWorker()


@pytest.fixture(scope="session")
def make_worker() -> type[NumpyWorker]:
    return NumpyWorker


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return synthetic_dataset(n_users=60, n_items=150, seed=4)


@pytest.fixture(scope="session")
def floor() -> Constraints:
    limit = ExposureFloor(attribute="popularity", group="long_tail", share=0.5)
    return Constraints(exposure=(limit,))


@pytest.fixture(scope="session")
def config(floor: Constraints) -> MakeConfig:
    """A study of two arms and two seeds over four days, with changes."""

    def make(**changes: object) -> StudyConfig:
        settings = {
            "candidates": CandidateConfig(top_n=60, seed=4),
            "rounds": 4,
            "seeds": (1, 2),
            "k": 5,
            "arms": (
                ArmConfig(name="top-k", reranker=TopKConfig()),
                ArmConfig(name="controller", reranker=ExposureConfig()),
            ),
            "constraints": floor,
        }
        return StudyConfig.model_validate(settings | changes)

    return make


@pytest.fixture(scope="session")
def base(dataset: Dataset) -> CandidateSet:
    return ease_candidates(dataset, CandidateConfig(top_n=60, seed=4))


@pytest.fixture(scope="session")
def ranking(base: CandidateSet) -> CandidateSet:
    """All unseen items of each user."""
    return refit(base, base.train, base.n_items)


@pytest.fixture(scope="session")
def make_truth(ranking: CandidateSet, config: MakeConfig) -> Callable[..., World]:
    """The truth of some users in a world given as in a study file."""

    def make(users=None, days: int = 10, seed: int = 3, **world: object) -> World:
        return study_truth(ranking, config(world=world).world, 5, days, seed, users)

    return make
