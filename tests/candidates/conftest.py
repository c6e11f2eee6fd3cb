from collections.abc import Iterator

import pytest
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.fit import RecBoleWorker
from fairloop.candidates.groups import movielens_groups
from fairloop.candidates.read import movielens_100k
from fairloop.candidates.synthetic import synthetic_dataset


@pytest.fixture(scope="session")
def worker() -> Iterator[RecBoleWorker]:
    """One RecBole process for all tests: importing it takes seconds."""
    with RecBoleWorker() as running:
        yield running


@pytest.fixture(scope="session")
def small():
    return synthetic_dataset(n_users=60, n_items=80, n_topics=5)


@pytest.fixture(scope="session")
def movielens():
    return movielens_100k()


@pytest.fixture(scope="session")
def movielens_ease(worker, movielens):
    return worker.fit(movielens, CandidateConfig(), movielens_groups())
