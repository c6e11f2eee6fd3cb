"""One simulated user at a time, as most simulators are written: the peer of ``simulator``.

The same equations as ``fairloop.simulators.dynamics``, stated once more for a single user, with
the luck handed in so that both can be compared visit by visit.
"""

import math

import numpy as np
from fairloop.simulators.world import World


class PlainUser:
    """A user of a world, in plain Python and small numpy arrays."""

    def __init__(self, world: World, row: int) -> None:
        self.c = world.config
        self.items = world.pools.items[row]
        self.topics = world.topics.astype(float)
        self.usual = world.usual_topics.astype(float)
        self.appeal = world.appeal[row].astype(float)
        self.worth = world.worth[row].astype(float)
        s = world.sensitivities
        self.satiation = float(s.satiation[row]) * self.c.satiation.strength
        self.tiredness = float(s.fatigue[row])
        self.rate = min(float(s.drift[row]) * self.c.drift.rate, 1.0)
        self.leaving = float(s.leaving[row]) * self.c.leaving.sensitivity
        self.returning = float(s.returning[row]) * self.c.returning.sensitivity
        self.reset()

    def reset(self) -> None:
        self.load = np.zeros(self.topics.shape[1])
        self.drift = np.zeros(self.topics.shape[1])
        self.fatigue = np.zeros(len(self.items))
        self.mood = self.c.satisfaction.reference
        self.day = 0.0

    def step(
        self,
        columns: np.ndarray,
        chance: np.ndarray,
        taste: np.ndarray,
        u_leave: float,
        u_gap: float,
    ) -> tuple[float, float, bool]:
        """Engagement, day of the next visit, and whether the user left."""
        c, engagement, enjoyed, clicked = self.c, 0.0, np.zeros_like(self.drift), 0
        eaten = np.zeros_like(self.load)
        for j, column in enumerate(columns):
            topics = self.topics[self.items[column]]
            lost = self.satiation * (topics @ np.maximum(self.load - c.satiation.threshold, 0.0))
            moved = c.drift.gain * (topics @ self.drift)
            appeal = self.appeal[column] - lost + moved - self.tiredness * self.fatigue[column]
            worth = self.worth[column] - c.satiation.on_satisfaction * lost + moved
            examined = (1.0 / math.log2(j + 2)) ** c.choice.position_bias
            self.fatigue[column] += c.fatigue.per_showing
            if chance[j] < examined * sigmoid(appeal):
                mean = sigmoid(worth)
                room = min(mean, 1.0 - mean)
                satisfaction = mean + c.satisfaction.noise * (2.0 * taste[j] - 1.0) * room
                self.fatigue[column] += c.fatigue.per_click
                engagement += satisfaction
                clicked += 1
                eaten += topics
                enjoyed += satisfaction * topics
        self.load += eaten
        if enjoyed.sum() > 0:
            self.drift += self.rate * (enjoyed / enjoyed.sum() - self.usual - self.drift)
        felt = engagement / clicked if clicked else 0.0
        self.mood += c.satisfaction.memory * (felt - self.mood)
        better = self.mood - c.satisfaction.reference
        left = u_leave < sigmoid(logit(c.leaving.base_rate) - self.leaving * better)
        hazard = sigmoid(logit(1.0 / c.returning.mean_days) + self.returning * better)
        gap = 1.0 + math.floor(math.log(1.0 - u_gap) / math.log1p(-min(hazard, 1.0 - 1e-6)))
        self.load *= 0.5 ** (gap / c.satiation.half_life)
        self.fatigue *= 0.5 ** (gap / c.fatigue.half_life)
        self.day += gap
        return engagement, self.day, left


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def logit(p: float) -> float:
    return math.log(p / (1.0 - p))
