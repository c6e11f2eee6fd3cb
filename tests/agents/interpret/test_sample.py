"""What is noted of a policy is what it saw when it served."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.interpret.sample import observe_policy
from fairloop.agents.jobs import Serve
from fairloop.agents.outcomes import Arena
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.features import observation
from fairloop.simulators.rollout import simulate


def test_observations_follow_from_the_states_that_stand_beside_them(sample, arena):
    context = arena.context.take(sample.rows)
    gaps = sample.observation[:, -len(arena.targets) :]
    np.testing.assert_array_equal(observation(context, sample.state, gaps), sample.observation)
    assert (sample.users == arena.world.users[sample.rows]).all()
    np.testing.assert_array_equal(sample.state.n_slates, sample.visits)
    assert np.abs(gaps).max() > 0  # its controller measures


def test_every_visit_of_each_user_is_noted_and_nothing_is_changed_by_noting(varied, arena):
    seed = 3
    sample = observe_policy(varied, arena, seed, n_users=len(arena))
    luck = int(np.random.SeedSequence(seed).spawn(2)[1].generate_state(1)[0])
    served = simulate(
        arena.world, Serve(varied)(), arena.constraints, luck, rows=np.arange(len(arena))
    )
    np.testing.assert_array_equal(np.bincount(sample.rows, minlength=len(arena)), served.n_slates)
    again = observe_policy(varied, arena, seed, n_users=len(arena))
    np.testing.assert_array_equal(again.observation, sample.observation)


def test_users_are_limited_and_a_request_is_its_visit(sample):
    assert len(np.unique(sample.users)) == 40
    context, state = sample.request(17)
    assert (context.items[0] == sample.arena.world.pools.items[sample.rows[17]]).all()
    assert state.n_slates[0] == sample.visits[17]


def test_other_limits_or_features_are_refused(varied, arena):
    free = Arena.of(arena.world, Constraints())
    with pytest.raises(InvalidValue, match="constraints"):
        observe_policy(varied, free, 0)
    renamed = replace(varied, feature_names=("x", *varied.feature_names[1:]))
    with pytest.raises(InvalidValue, match="features"):
        observe_policy(renamed, arena, 0)
