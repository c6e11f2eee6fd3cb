"""T-RECS' users one at a time, as the paper and its authors' code state them.

Plain Python and small numpy arrays; the oracle of ``simulators/replicas/trecs``.
"""

import math

import numpy as np
from fairloop.simulators.replicas.trecs import TrecsConfig


class PlainTrecs:
    """One user."""

    def __init__(self, config: TrecsConfig, profile: np.ndarray, items: np.ndarray) -> None:
        self.c = config
        self.profile = profile.astype(float)
        self.items = items.astype(float)
        self.chosen: set[int] = set()

    def step(self, slate: np.ndarray) -> tuple[int, float]:
        """The position chosen, and the true score of what was chosen."""
        unit = self.profile / np.linalg.norm(self.profile)
        best, best_weighed, best_score = 0, -math.inf, 0.0
        for j, item in enumerate(slate):
            score = float(unit @ self.items[item])
            weighed = score * (j + 1.0) ** self.c.attention_exp
            if not self.c.repeat_interactions and int(item) in self.chosen:
                weighed = -math.inf
            if weighed > best_weighed or j == 0:
                best, best_weighed, best_score = j, weighed, score
        item = int(slate[best])
        self.chosen.add(item)
        if self.c.drift > 0:
            self.profile = turned(self.profile, self.items[item], self.c.drift)
        return best, best_score


def turned(profile: np.ndarray, target: np.ndarray, share: float) -> np.ndarray:
    """A profile turned by a share of the angle to a target; its length stays."""
    length, goal = np.linalg.norm(profile), np.linalg.norm(target)
    if goal == 0:
        return profile
    a, b = profile / length, target / goal
    cosine = float(np.clip(a @ b, -1.0, 1.0))
    angle = math.acos(cosine)
    if angle < 1e-6:
        return profile
    stays, goes = math.sin((1.0 - share) * angle), math.sin(share * angle)
    return length * (stays * a + goes * b) / math.sin(angle)
