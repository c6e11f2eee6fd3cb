"""RecSim's interest evolution for one user, as the paper and its authors' code state it.

Plain Python; the oracle of ``simulators/replicas/recsim``. The choice is drawn by the largest of
log weight plus Gumbel noise (or down the cascade), with the luck handed in, so that both can be
compared slate by slate; ``choice_probabilities`` states the original's law.
"""

import math

import numpy as np
from fairloop.simulators.replicas.recsim import RecSimConfig


class PlainRecSim:
    """One user in one session."""

    def __init__(self, config: RecSimConfig, interests: np.ndarray) -> None:
        self.c = config
        self.interests = [float(x) for x in interests]
        self.budget = config.time_budget

    def weights(self, topics: list[int]) -> tuple[list[float], float]:
        """The original's unnormalised scores of the documents, and of no click."""
        c, scores = self.c, [self.interests[t] for t in topics]
        if c.choice_model == "proportional":
            return [s - c.min_normalizer for s in scores], c.no_click_mass - c.min_normalizer
        if c.choice_model == "logit":
            return [math.exp(s) for s in scores], math.exp(c.no_click_mass)
        out, nothing = [], 1.0
        for s in scores:
            clicks = c.attention_prob * c.score_scaling
            clicks *= math.exp(s) if c.choice_model.startswith("exp") else s - c.min_normalizer
            out.append(nothing * clicks)
            nothing *= 1.0 - clicks
        return out, nothing

    def choice_probabilities(self, topics: list[int]) -> list[float]:
        """Of each document of a slate."""
        weights, nothing = self.weights(topics)
        total = sum(weights) + nothing
        return [w / total for w in weights]

    def step(
        self, topics: list[int], quality: list[float], luck: np.ndarray, idle: float, flip: float
    ) -> tuple[int | None, float, bool]:
        """Position clicked (None), minutes watched, and whether the session is over."""
        chosen = self._choose(topics, luck, idle)
        watched = 0.0
        if chosen is None:
            self.budget -= self.c.step_penalty
        else:
            watched = min(self.budget, self.c.video_length)
            self._watch(topics[chosen], quality[chosen], watched, flip)
        return chosen, watched, self.budget <= 0.0

    def _choose(self, topics: list[int], luck: np.ndarray, idle: float) -> int | None:
        weights, nothing = self.weights(topics)
        if self.c.choice_model.endswith("cascade"):
            left = 1.0
            for j, weight in enumerate(weights):
                if luck[j] < weight / left:
                    return j
                left -= weight
            return None
        races = [math.log(max(w, 1e-30)) + gumbel(u) for w, u in zip(weights, luck, strict=True)]
        best = max(range(len(races)), key=races.__getitem__)
        return best if races[best] > math.log(nothing) + gumbel(idle) else None

    def _watch(self, topic: int, quality: float, watched: float, flip: float) -> None:
        c, interest = self.c, self.interests[topic]
        (score,), nothing = self.weights([topic])
        if c.choice_model == "logit":
            score /= score + nothing
        utility = c.user_quality_factor * score + c.document_quality_factor * quality
        self.budget += c.user_update_alpha * watched * utility - watched
        room = c.alpha_y_intercept - c.alpha_y_intercept / c.alpha_x_intercept * abs(interest)
        step = room * (1.0 - interest)
        interest += step if flip < (interest + 1.0) / 2.0 else -step
        self.interests[topic] = min(max(interest, -1.0), 1.0)


def gumbel(u: float) -> float:
    """Standard Gumbel noise of a uniform."""
    return -math.log(-math.log(min(max(u, 2.0**-25), 1.0 - 2.0**-24)))
