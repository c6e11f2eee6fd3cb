"""A small catalogue, pools and constraints that every test of the room can ask for."""

from collections.abc import Callable

import numpy as np
import pytest

from fairloop.arrays import PAD
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.rerankers.constraints import Constraints, ExposureFloor


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """120 items in 7 topics; the least popular four fifths are the long tail."""
    rng = np.random.default_rng(7)
    n, t = 120, 7
    topics = rng.random((n, t)) < 0.25
    topics[:3] = False  # items without any topic do occur
    popularity = np.sort(rng.gamma(0.5, 60.0, n))[::-1].copy()
    year = rng.integers(1930, 1999, n).astype(float)
    year[5] = np.nan
    tail = (np.arange(n) >= n // 5).astype(int)
    decade = np.where(np.isnan(year), -1, (np.nan_to_num(year) >= 1980).astype(int))
    return Catalogue(
        item_ids=np.array([f"i{i}" for i in range(n)]),
        titles=np.array([f"Item {i}" for i in range(n)]),
        topics=topics,
        topic_names=tuple(f"t{i}" for i in range(t)),
        year=year,
        popularity=popularity,
        groups={
            "popularity": Groups("popularity", ("head", "long_tail"), tail),
            "era": Groups("era", ("old", "new"), decade),
        },
    )


@pytest.fixture(scope="session")
def make_pools(catalogue: Catalogue) -> Callable[..., CandidatePools]:
    """Random pools, best first; popular items tend to score higher. Some may be ragged."""

    def make(
        n_users: int = 12, n_columns: int = 20, seed: int = 0, ragged: bool = False
    ) -> CandidatePools:
        rng = np.random.default_rng(seed)
        items = np.argsort(rng.random((n_users, catalogue.n_items)), axis=1)[:, :n_columns]
        lean = np.log1p(catalogue.popularity) * 0.3
        scores = rng.normal(size=items.shape) + lean[items]
        order = np.argsort(-scores, axis=1)
        items = np.take_along_axis(items, order, axis=1)
        scores = np.take_along_axis(scores, order, axis=1)
        if ragged:
            sizes = rng.integers(n_columns // 2, n_columns + 1, n_users)
            empty = np.arange(n_columns) >= sizes[:, None]
            items[empty], scores[empty] = PAD, 0.0
        return CandidatePools(np.arange(n_users), items, scores)

    return make


@pytest.fixture(scope="session")
def constraints() -> Constraints:
    """One floor for the long tail and one on diversity."""
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.5, window=200)
    return Constraints(exposure=(floor,), min_diversity=0.7)
