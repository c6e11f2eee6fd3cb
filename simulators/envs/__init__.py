"""The simulator as reinforcement-learning environments; importing this registers them.

``gymnasium.make("fairloop.simulators.envs:fairloop/Slate-v0")`` imports and makes one in a single
line. Each task (``rerank``, ``slate``) is one engine-facing class for many users in arrays
(``task``), from which ``single`` makes a Gymnasium environment of one user, ``vector`` a native
Gymnasium vector environment and ``sb3`` a stable-baselines3 one. Seeds, ends and final observations
mean the same in all of them; ``task`` says what.
"""

from .registration import ENVIRONMENTS, register

__all__ = ["ENVIRONMENTS", "register"]

register()
