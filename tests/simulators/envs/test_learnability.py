"""An untuned learner must get somewhere: PPO with its defaults against random actions."""

import pytest
from fairloop.simulators.envs import ENVIRONMENTS

from benchmarks.learnability import learn


def test_ppo_with_defaults_beats_random_after_one_rollout() -> None:
    learned = learn("fairloop/Slate-v0", steps=2048, episodes=100, seed=0)
    assert learned.beats_random()
    assert learned.ppo.mean() > 1.3 * learned.random.mean()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_ppo_with_defaults_beats_random_on_every_environment(name: str) -> None:
    learned = learn(name, steps=6144, episodes=100, seed=1)
    assert learned.beats_random(), learned.gain()
