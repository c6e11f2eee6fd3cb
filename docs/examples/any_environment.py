"""The learner on an environment of one's own: ``python docs/examples/any_environment.py``."""

import gymnasium
import numpy as np
from fairloop.agents.library.limits import Limit
from fairloop.agents.library.train import train_on
from gymnasium import spaces

N_ITEMS, K = 8, 2


class Shelf(gymnasium.Env):
    """A user wants items of one topic; half of the items are local ones, and liked a bit less."""

    observation_space = spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = spaces.MultiDiscrete([N_ITEMS] * K)

    def reset(self, *, seed=None, options=None):
        """Somebody else comes."""
        super().reset(seed=seed)
        self.visits, self.topic = 0, int(self.np_random.integers(2))
        return np.eye(2, dtype=np.float32)[self.topic], {}

    def step(self, action):
        """Show the items; the share of local ones is measured."""
        shown = set(action.tolist())  # an item shown twice counts once
        liked = [1.0 - 0.3 * self.is_local(i) for i in shown if i % 2 == self.topic]
        self.visits += 1
        share = sum(map(self.is_local, shown)) / K
        seen = np.eye(2, dtype=np.float32)[self.topic]
        return seen, sum(liked), False, self.visits == 5, {"local": share}

    @staticmethod
    def is_local(item):
        """Whether an item is from here."""
        return item >= N_ITEMS // 2


def local_share(agent):
    """Of what the agent would show."""
    topics = np.eye(2, dtype=np.float32)
    return float(np.vectorize(Shelf.is_local)(agent.act(topics)).mean())


for limits in ((), (Limit(name="local", bound=0.5, side="above", scale=0.1),)):
    agent = train_on(Shelf, 16_000, seed=1, limits=limits, num_envs=32)
    earned = agent.evaluate(Shelf, 40).mean()
    print(len(limits), "limits: return", round(earned, 2), "local share", local_share(agent))
