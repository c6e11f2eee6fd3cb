"""SARDINE's SlateTopK environments for one user, as the paper and its authors' code state them.

Plain Python and small numpy arrays; the oracle of ``simulators/replicas/sardine``. Luck can be
handed in (uniforms per position), so that both can be compared click by click.
"""

from collections import deque

import numpy as np
from fairloop.simulators.replicas.sardine import SardineConfig


def draw_items(config: SardineConfig, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors over two or three topics, ``(I, T)``."""
    items = np.zeros((config.n_items, config.n_topics))
    for i in range(config.n_items):
        n = rng.integers(config.topics_per_item, config.topics_per_item + 2)
        topics = rng.permutation(config.n_topics)[:n]
        items[i, topics] = rng.random(config.n_topics)[topics]
        items[i] /= np.linalg.norm(items[i])
    return items


def draw_interest(config: SardineConfig, rng: np.random.Generator) -> np.ndarray:
    """A unit vector over three to five topics, drawn until their number fits, ``(T,)``."""
    n = config.topics_per_user
    while True:
        chosen = rng.random(config.n_topics) > 1.0 - n / config.n_topics
        if n - 2 < chosen.sum() < n + 2:
            interest = rng.random(config.n_topics) * chosen
            return interest / np.linalg.norm(interest)


class PlainSardine:
    """One user in one episode."""

    def __init__(self, config: SardineConfig, items: np.ndarray) -> None:
        self.c = config
        self.items = items.astype(float)
        self.main_topic = items.argmax(axis=1)
        falling = [config.click_prop**j for j in range(config.slate_size)]
        if config.click_model == "mixPBM":
            falling = [(a + b) / 2 for a, b in zip(falling, reversed(falling), strict=True)]
        self.looked_at = falling

    def reset(self, interest: np.ndarray, first_slate: np.ndarray, luck: np.ndarray) -> int:
        """A new user; the first slate's clicks, which earn nothing but are remembered."""
        self.t = 0
        self.interest = interest.astype(float)
        self.current = self.interest.copy()
        self.recent: deque[tuple[int, int]] = deque(maxlen=self.c.recent_clicks)
        self.bored = [False] * self.c.n_topics
        self.timeout = [self.c.boredom_window] * self.c.n_topics
        return self._interact(first_slate, luck)

    def step(self, slate: np.ndarray, luck: np.ndarray) -> tuple[int, bool]:
        """Clicks on a slate, and whether the episode is over."""
        n_clicks = self._interact(slate, luck)
        return n_clicks, self.t > self.c.episode_length

    def click_probabilities(self, slate: np.ndarray) -> list[float]:
        """Relevant and looked at."""
        c, topics = self.c, [int(self.main_topic[i]) for i in slate]
        crowded = max(topics.count(t) for t in topics) >= c.diversity_threshold
        out = []
        for j, item in enumerate(slate):
            score = float(self.items[item] @ self.current)
            if c.relevance_threshold is None:
                relevance = 1.0 / (1.0 + np.exp(-c.slope * (score - c.offset)))
            else:
                relevance = float(score > c.relevance_threshold)
            if c.relevance_penalty:
                relevance *= 0.5 ** sum(self.bored)
            attraction = c.alpha * relevance
            if crowded:
                attraction /= c.diversity_penalty
            out.append(attraction * self.looked_at[j])
        return out

    def scores(self) -> np.ndarray:
        """What greedy sorts by."""
        return self.items @ self.current

    def _interact(self, slate: np.ndarray, luck: np.ndarray) -> int:
        chances = self.click_probabilities(slate)
        clicked = [int(slate[j]) for j in range(len(slate)) if luck[j] < chances[j]]
        for item in clicked:
            self.recent.append((self.t, int(self.main_topic[item])))
        self.t += 1
        self._get_bored()
        self._be_influenced(clicked)
        self.current = self.interest.copy()
        if self.c.boredom_type == "user_car" and any(self.bored):
            self.current[:] = 0.0
        if self.c.boredom_type == "user_tloi":
            self.current[np.array(self.bored)] = 0.0
        return len(clicked)

    def _get_bored(self) -> None:
        while self.recent and self.recent[0][0] < self.t - self.c.boredom_window:
            self.recent.popleft()
        for topic in range(self.c.n_topics):
            if self.bored[topic]:
                self.timeout[topic] -= 1
                self.bored[topic] = self.timeout[topic] != 0
            if not self.bored[topic]:
                self.timeout[topic] = self.c.boredom_window
            if sum(t == topic for _, t in self.recent) >= self.c.boredom_threshold:
                self.bored[topic] = True

    def _be_influenced(self, clicked: list[int]) -> None:
        if not clicked:
            return
        mean = np.mean([self.items[i] for i in clicked], axis=0)
        if self.c.influence == "as_published":
            mean = np.full(self.c.n_topics, mean.mean())  # one number, to all topics
        moved = self.c.omega * self.interest + (1.0 - self.c.omega) * mean
        self.interest = moved / np.linalg.norm(moved)


def play(config: SardineConfig, greedy: bool, n_episodes: int, seed: int) -> np.ndarray:
    """Clicks of each episode, ``(n_episodes,)``, with its own luck."""
    rng = np.random.default_rng(seed)
    user = PlainSardine(config, draw_items(config, rng))
    k, clicks = config.slate_size, np.zeros(n_episodes)
    for episode in range(n_episodes):
        interest = draw_interest(config, rng)
        user.reset(interest, rng.integers(0, config.n_items, k), rng.random(k))
        over = False
        while not over:
            slate = np.argsort(-user.scores())[:k] if greedy else rng.integers(0, config.n_items, k)
            n, over = user.step(slate, rng.random(k))
            clicks[episode] += n
    return clicks
