"""What is known of tastes, plus what each hidden taste adds, is the world that was fit."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.interactions import Interactions
from fairloop.errors import EmptyData, InvalidValue
from fairloop.simulators.config import ChoiceConfig, TasteConfig, WorldConfig
from fairloop.simulators.fit import fit_known_taste, fit_world, hidden_taste

OTHER = WorldConfig(
    choice=ChoiceConfig(attraction_spread=1.7, base_attraction=0.2),
    tastes=TasteConfig(appeal_hidden=0.3, hidden_share=0.9),
)


def all_alike(rows: Interactions) -> Interactions:
    return replace(rows, rating=np.full_like(rows.rating, 4.0))


@pytest.mark.parametrize("config", [None, OTHER])
@pytest.mark.parametrize("flat", [False, True])
def test_with_hidden_tastes_it_is_the_world(candidates: CandidateSet, config, flat: bool) -> None:
    if flat:
        candidates = replace(candidates, train=all_alike(candidates.train))
    world = fit_world(candidates, config, 8)
    known = fit_known_taste(candidates, config, 8)
    hidden = hidden_taste(world.pools, 8)
    appeal = known.appeal + known.appeal_slope * hidden
    np.testing.assert_allclose(appeal, world.appeal, atol=2e-5)
    np.testing.assert_allclose(known.worth.log_odds(hidden), world.worth, atol=2e-5)
    assert known.appeal_slope > 0.1 and known.worth.slope > 0.01
    nodes = np.array([-1.0, 0.5])
    at_node = known.worth.mean_at(nodes)[:, :, 1]
    alone = known.worth.log_odds(np.full(hidden.shape, 0.5))
    np.testing.assert_allclose(at_node, 1 / (1 + np.exp(-alone)), atol=1e-5)


def test_nothing_of_the_hidden_part_is_left_in_it(candidates: CandidateSet) -> None:
    """Only how strongly all tastes spread together tells of them: two numbers for everybody."""
    first, second = (fit_known_taste(candidates, None, seed) for seed in (1, 2))
    slope, constant = np.polyfit(first.appeal.ravel(), second.appeal.ravel(), 1)
    np.testing.assert_allclose(constant + slope * first.appeal, second.appeal, atol=1e-4)


def test_users_are_found_by_their_index(candidates: CandidateSet) -> None:
    known = fit_known_taste(candidates, None, 1)
    some = known.of(known.users[[5, 2, 5]])
    np.testing.assert_array_equal(some.appeal, known.appeal[[5, 2, 5]])
    np.testing.assert_array_equal(some.worth.known, known.worth.known[[5, 2, 5]])
    with pytest.raises(InvalidValue, match="users"):
        known.of(np.array([10_000]))


def test_without_interactions_nothing_is_known(candidates: CandidateSet) -> None:
    nothing = np.zeros(0, np.int64)
    none = Interactions.build(nothing, nothing, nothing, nothing, 60, candidates.n_items)
    nobody = replace(candidates, train=none)
    with pytest.raises(EmptyData):
        fit_known_taste(nobody)
