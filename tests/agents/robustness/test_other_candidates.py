"""The candidates of another base model, to the same users."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.outcomes import Arena
from fairloop.agents.robustness.held_out import HeldOutConfig, evaluate_elsewhere
from fairloop.agents.robustness.other_candidates import arena_on
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators.fit import fit_world


@pytest.fixture(scope="module")
def popular(candidates) -> CandidateSet:
    """What the most popular items would be proposed as, those left out that a user has seen."""
    popularity = candidates.catalogue.popularity.astype(float)
    order = np.argsort(-popularity, kind="stable")
    items = np.stack(
        [order[~np.isin(order, candidates.seen(u))][:40] for u in range(candidates.n_users)]
    )
    return replace(candidates, items=items, scores=popularity[items].astype(np.float32))


@pytest.fixture(scope="module")
def some(world) -> Arena:
    """Held-out users in the world that they were fit in."""
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.2)
    return Arena.of(world.take(np.arange(0, 80, 2)), Constraints(exposure=(floor,)))


def test_the_same_users_meet_other_items(popular, some):
    arena = arena_on(popular, some, 5)
    assert np.array_equal(arena.world.users, some.world.users)
    assert arena.constraints == some.constraints and arena.world.config == some.world.config
    assert np.array_equal(arena.world.pools.items, popular.items[some.world.users])
    assert not np.array_equal(arena.world.pools.items, some.world.pools.items)
    assert np.array_equal(arena.world.sensitivities.drift, some.world.sensitivities.drift)


def test_with_a_truth_only_the_proposals_change(candidates, popular, some):
    """Users react to an item as they would have, whoever proposed it."""
    everything = synthetic_candidates(n_users=80, n_items=120, n_topics=5, seed=3, top_n=120)
    truth = fit_world(everything, some.world.config, 5, everything.pools(np.arange(80)))
    arena = arena_on(popular, some, 5, truth)
    again = arena_on(candidates, some, 5, truth)
    compared = 0
    for one, other in ((arena, truth), (again, truth)):
        for row, user in enumerate(one.world.users):
            appeal = dict(zip(other.pools.items[user], other.appeal[user], strict=True))
            for item, value in zip(one.world.pools.items[row], one.world.appeal[row], strict=True):
                assert value == appeal[item]
                compared += 1
    assert compared == 2 * 40 * 40


def test_the_same_candidates_give_the_same_world(candidates, some):
    arena = arena_on(candidates, some, 5)
    assert np.array_equal(arena.world.appeal, some.world.appeal)
    assert np.array_equal(arena.world.worth, some.world.worth)


def test_policies_serve_there_and_are_compared(popular, some, mindful, forgetful):
    arenas = {"popular": arena_on(popular, some, 5), "ease": some}
    quick = HeldOutConfig(seeds=1, n_bootstrap=100)
    report = evaluate_elsewhere(arenas, [mindful, forgetful], "forgetful", 1, quick)
    assert [w.world for w in report.worlds] == ["popular", "ease"]
    ratios = [w.of("mindful").ratio for w in report.worlds]
    assert all(r.low < r.value < r.high for r in ratios) and ratios[0] != ratios[1]


def test_candidates_of_other_data_are_refused(some, candidates):
    other = synthetic_candidates(n_users=80, n_items=100, n_topics=5, seed=4, top_n=40)
    with pytest.raises(InvalidValue, match="other items"):
        arena_on(other, some, 5)
    ragged = replace(candidates, items=np.full_like(candidates.items, -1))
    with pytest.raises(InvalidValue, match="0 of the arena's 40 users"):
        arena_on(ragged, some, 5)
