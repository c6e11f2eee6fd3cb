from collections.abc import Callable

import numpy as np
import pytest
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.engines import EngineName
from fairloop.simulators.fit import fit_world
from fairloop.simulators.world import Sensitivities, World

WorldMaker = Callable[..., World]


@pytest.fixture(params=["numpy", "compiled"])
def engine(request: pytest.FixtureRequest) -> EngineName:
    return request.param


@pytest.fixture(scope="session")
def candidates() -> CandidateSet:
    return synthetic_candidates(n_users=60, n_items=120, n_topics=5, seed=3, top_n=40)


@pytest.fixture(scope="session")
def world(candidates: CandidateSet) -> World:
    return fit_world(candidates, WorldConfig(), seed=5)


@pytest.fixture(scope="session")
def constraints() -> Constraints:
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.4, window=200)
    return Constraints(exposure=(floor,), min_diversity=0.7)


@pytest.fixture(scope="session")
def make_world() -> WorldMaker:
    """A hand-made world: every user has the same pool of all items, item i in topic i modulo T."""

    def make(
        config: WorldConfig,
        n_users: int = 1,
        appeal: tuple[float, ...] = (0.5, -0.3, 1.0, 0.0),
        worth: tuple[float, ...] = (0.2, 0.8, -0.5, 0.0),
        n_topics: int = 2,
    ) -> World:
        n = len(appeal)
        membership = np.arange(n)[:, None] % n_topics == np.arange(n_topics)
        catalogue = Catalogue(
            item_ids=np.array([str(i) for i in range(n)]),
            titles=np.array([str(i) for i in range(n)]),
            topics=membership,
            topic_names=tuple(f"t{t}" for t in range(n_topics)),
            year=np.full(n, np.nan),
            popularity=np.arange(n, 0, -1.0),
            groups={
                "popularity": Groups("popularity", ("head", "long_tail"), np.arange(n) * 2 // n)
            },
        )
        ones = np.ones(n_users, np.float32)
        return World(
            config=config,
            pools=CandidatePools(
                np.arange(n_users),
                np.tile(np.arange(n), (n_users, 1)),
                np.tile(np.arange(n, 0, -1.0), (n_users, 1)),
            ),
            catalogue=catalogue,
            topics=membership.astype(np.float32),
            usual_topics=np.full(n_topics, 1 / n_topics, np.float32),
            appeal=np.tile(np.array(appeal, np.float32), (n_users, 1)),
            worth=np.tile(np.array(worth, np.float32), (n_users, 1)),
            sensitivities=Sensitivities(ones, ones, ones, ones, ones),
        )

    return make
