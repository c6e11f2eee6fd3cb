from pathlib import Path

import numpy as np
import pytest
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import ArtifactNotFound
from fairloop.platform.db.engine import Database
from fairloop.platform.home import Home
from fairloop.platform.ordering import BUILTINS
from fairloop.platform.registry import deploy
from fairloop.platform.studying import SERVING, policies_of
from fairloop.rerankers.state import new_state


@pytest.mark.parametrize("name", BUILTINS)
def test_what_serves_is_studied_though_it_is_no_policy(
    database: Database, tmp_path: Path, name: str
) -> None:
    """Where the gate refused every policy, one of the package's own re-rankers serves."""
    candidates = synthetic_candidates(40, 80, 5, seed=1, top_n=30)
    pools = candidates.pools()
    load = policies_of(Home(tmp_path), database)

    def load_serving():
        return load(SERVING, candidates, lambda p: new_state(len(p), 30, 5))

    with pytest.raises(ArtifactNotFound, match="no policy is deployed"):
        load_serving()
    deploy(database, name)
    slates = load_serving().rerank(pools, 10, np.random.default_rng(0))
    assert slates.items.shape == (len(pools), 10)
