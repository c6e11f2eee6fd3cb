"""A market as one would write it first: users, items and providers one at a time.

The same equations as ``fairloop.simulators.market``, stated once more in plain Python, for users
with the position model, fatigue, mood, leaving and returning. Luck and arrivals are handed in, so
that both can be compared slate by slate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from fairloop.simulators.market.market import Market

ROUNDING = 1e-4  # of scores, which the market sums up in float32

UserLuck = Callable[[int, int, list[int]], tuple[np.ndarray, np.ndarray, float, float]]
"""(user, visit, items) to uniforms: clicks (k,), satisfaction (k,), leaving, returning."""


@dataclass
class PlainVisitor:
    arrives: int
    day: int = 0
    mood: float = 0.0
    alive: bool = True
    visits: int = 0
    tired: dict[int, tuple[float, int]] = field(default_factory=dict)
    repeats: dict[int, tuple[float, int]] = field(default_factory=dict)


@dataclass
class PlainProvider:
    need: float
    memory: float
    clock: float = 0.0
    entered: bool = False
    viable: bool = True


class PlainMarket:
    """Takes its world, arrivals and needs from a ``Market`` that has not begun; shares nothing."""

    def __init__(
        self,
        market: Market,
        weights: dict[str, float],
        user_luck: UserLuck,
        provider_luck: Callable[[int, int], float],
    ) -> None:
        self.world, self.config = market.world, market.config
        self.c, self.weights = market.world.config, weights
        self.user_luck, self.provider_luck = user_luck, provider_luck
        self.owner = market.offers.provider_of_item.tolist()
        self.due = market.offers.due_day.tolist()
        self.prior = market.record.relevance.tolist()
        self.items = market.world.pools.items.tolist()
        self.appeal, self.worth = market.world.appeal.tolist(), market.world.worth.tolist()
        self.released: dict[int, int] = {}
        self.users = [
            PlainVisitor(a, a, self.c.satisfaction.reference) for a in market.arrival_day.tolist()
        ]
        self.providers = [PlainProvider(n, n) for n in market.providers.need.tolist()]
        self.common_need = float(market.common_need[0])
        n = len(self.owner)
        self.clicks, self.expected, self.examined = [0.0] * n, [0.0] * n, [0.0] * n
        self.day = 0
        self.look = [
            (1.0 / math.log2(j + 2)) ** self.c.choice.position_bias
            for j in range(self.c.slate_size)
        ]

    def step(self, proposed: np.ndarray | None = None) -> dict[int, tuple[list[int], float]]:
        """One day: for each user who came, the items shown and the engagement.

        Where a proposed slate (a row of columns per user) scores the same, up to rounding, position
        by position, it is shown instead of the own one: ties do not count as differences.
        """
        on_offer = self.open()
        came: dict[int, tuple[list[int], float]] = {}
        received = [0.0] * len(self.providers)
        scores = {item: self.item_score(item) for item in on_offer}
        todays = []
        for u, user in enumerate(self.users):
            if user.alive and user.day <= self.day:
                offer = [] if proposed is None else [c for c in proposed[u].tolist() if c >= 0]
                todays.append((u, self.slate(u, scores, offer)))
        for u, columns in todays:
            came[u] = self.visit(u, columns, received)
        self.providers_live(received)
        self.day += 1
        return came

    def open(self) -> list[int]:
        """Items on offer today, after today's releases."""
        on_offer = []
        for item, p in enumerate(self.owner):
            provider = self.providers[p]
            if not provider.viable:
                continue
            if item not in self.released and self.due[item] <= provider.clock:
                self.released[item] = self.day
            life = self.config.arrivals.lifetime_days
            if item in self.released and (not life or self.day - self.released[item] < life):
                on_offer.append(item)
                provider.entered = True
        return on_offer

    def item_score(self, item: int) -> float:
        r, w = self.config.record, self.weights
        total = sum(self.expected)
        scale = sum(self.clicks) / total if total > 0 else 1.0
        shrink = r.click_shrinkage
        lift = math.log((self.clicks[item] + shrink) / (scale * self.expected[item] + shrink))
        provider = self.providers[self.owner[item]]
        lacking = self.lacking(provider, self.common_need)  # as far as the platform knows
        newness = 1.0 / math.sqrt(1.0 + self.examined[item])
        return w["relevance"] * lift + w["shortfall"] * lacking + w["newness"] * newness

    def slate(self, u: int, scores: dict[int, float], proposed: list[int]) -> list[int]:
        """Columns of the highest scores among what is on offer, or a proposal as good."""
        found = {
            column: scores[item] + self.own_score(u, column)
            for column, item in enumerate(self.items[u])
            if item in scores
        }
        best = sorted(found, key=lambda column: -found[column])[: self.c.slate_size]
        same = len(proposed) == len(best) and all(
            column in found and abs(found[column] - found[own]) < ROUNDING
            for column, own in zip(proposed, best, strict=True)
        )
        return proposed if same else best

    def own_score(self, u: int, column: int) -> float:
        """What this user adds to the score of an item."""
        r, w, user = self.config.record, self.weights, self.users[u]
        amount, day = user.repeats.get(column, (0.0, self.day))
        repeats = amount * 0.5 ** ((self.day - day) / r.half_life) / r.click_weight
        return w["relevance"] * self.prior[u][column] + w["item_repeat"] * repeats

    def visit(self, u: int, columns: list[int], received: list[float]) -> tuple[list[int], float]:
        c, user = self.c, self.users[u]
        items = [self.items[u][column] for column in columns]
        chance, taste, u_leave, u_gap = self.user_luck(u, user.visits, items)
        sensitivity = self.world.sensitivities
        engagement, n_clicks = 0.0, 0
        for j, (column, item) in enumerate(zip(columns, items, strict=True)):
            amount, day = user.tired.get(column, (0.0, self.day))
            amount *= 0.5 ** ((self.day - day) / c.fatigue.half_life)
            appeal = self.appeal[u][column] - amount * float(sensitivity.fatigue[u])
            clicked = bool(chance[j] < self.look[j] * sigmoid(appeal))
            gained = 0.0
            if clicked:
                mean = sigmoid(self.worth[u][column])
                room = min(mean, 1.0 - mean)
                gained = mean + c.satisfaction.noise * (2.0 * float(taste[j]) - 1.0) * room
            amount += c.fatigue.per_showing + c.fatigue.per_click * clicked
            user.tired[column] = amount, self.day
            self.take_down(u, column, item, j, clicked)
            currency = self.config.providers.receives
            received[self.owner[item]] += {
                "exposure": self.look[j],
                "clicks": float(clicked),
                "engagement": gained,
            }[currency]
            engagement, n_clicks = engagement + gained, n_clicks + clicked
        self.live_on(u, engagement / n_clicks if n_clicks else 0.0, u_leave, u_gap)
        return items, engagement

    def take_down(self, u: int, column: int, item: int, j: int, clicked: bool) -> None:
        """What the platform writes down of one position."""
        r, user = self.config.record, self.users[u]
        amount, day = user.repeats.get(column, (0.0, self.day))
        amount *= 0.5 ** ((self.day - day) / r.half_life)
        user.repeats[column] = amount + 1.0 + r.click_weight * clicked, self.day
        self.clicks[item] += clicked
        self.examined[item] += self.look[j]
        base = logit(self.c.choice.base_attraction)
        self.expected[item] += self.look[j] * sigmoid(base + self.prior[u][column])

    def live_on(self, u: int, felt: float, u_leave: float, u_gap: float) -> None:
        c, user, s = self.c, self.users[u], self.world.sensitivities
        user.mood += c.satisfaction.memory * (felt - user.mood)
        better = user.mood - c.satisfaction.reference
        pull = float(s.leaving[u]) * c.leaving.sensitivity * better
        left = u_leave < sigmoid(logit(c.leaving.base_rate) - pull)
        pull = float(s.returning[u]) * c.returning.sensitivity * better
        hazard = sigmoid(logit(1.0 / c.returning.mean_days) + pull)
        gap = 1 + math.floor(math.log(1.0 - u_gap) / math.log1p(-min(hazard, 1.0 - 1e-6)))
        user.day, user.visits = self.day + gap, user.visits + 1
        user.alive = not left and user.day < c.horizon_days

    def lacking(self, provider: PlainProvider, need: float) -> float:
        return min(max(1.0 - provider.memory / need, 0.0), 1.0) * provider.entered

    def providers_live(self, received: list[float]) -> None:
        c = self.config.providers
        keep = 0.5 ** (1.0 / c.half_life)
        for p, provider in enumerate(self.providers):
            here = provider.entered and provider.viable
            if here:
                provider.memory = keep * provider.memory + (1.0 - keep) * received[p]
            lacking = self.lacking(provider, provider.need)
            provider.clock += 1.0 - c.production.slowdown * lacking
            if here and lacking > 0:
                chance = c.departure.rate * lacking**c.departure.steepness
                provider.viable = not self.provider_luck(p, self.day) < chance


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def logit(p: float) -> float:
    return math.log(p / (1.0 - p))
