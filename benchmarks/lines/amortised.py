"""FairCo, PID and dual mirror descent; ε-greedy and Thompson-style exploration."""

import numpy as np
from fairloop.rerankers.amortised.epsilon_greedy import EpsilonGreedyConfig
from fairloop.rerankers.amortised.fairco import FairCoConfig
from fairloop.rerankers.amortised.mirror_descent import DualMirrorDescentConfig
from fairloop.rerankers.amortised.pid import PIDConfig
from fairloop.rerankers.amortised.thompson import ThompsonConfig, posterior_means
from fairloop.rerankers.base import Slates
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.topk import TopKConfig

from benchmarks.lines.setting import Line, Setting, equal_slates
from benchmarks.peers import plain_amortised

BLOCK = 16
TARGET = np.array([0.3, 0.7])  # head, long tail
EPSILON = 0.2
THOMPSON_USERS = 50  # the plain loop takes long
POINTS = 40_001  # of its grid, where it says how probable our slates were


def lines(setting: Setting) -> list[Line]:
    return [*_controllers(setting), _epsilon_greedy(setting), _thompson(setting)]


def _controllers(setting: Setting) -> list[Line]:
    gain, codes, k = relevance(setting.pools), setting.codes("popularity"), setting.k
    order = serving_order(setting.pools.users, 0)
    shares = {"head": float(TARGET[0]), "long_tail": float(TARGET[1])}
    pid = PIDConfig(targets=shares, block=BLOCK)
    descent = DualMirrorDescentConfig(
        floors={"long_tail": 0.7}, caps={"head": 0.4}, block=BLOCK, horizon=1000
    )

    def plain_fairco() -> np.ndarray:
        return plain_amortised.fairco(gain, codes, 2, order, BLOCK, 0.01, k)

    def plain_pid() -> np.ndarray:
        gains = (pid.proportional, pid.integral, pid.derivative)
        return plain_amortised.pid(gain, codes, TARGET, order, BLOCK, gains, pid.largest_bonus, k)

    def plain_descent() -> np.ndarray:
        eta = descent.step / np.sqrt(descent.horizon)
        floors, caps = np.array([0.0, 0.7]), np.array([0.4, 1.0])
        return plain_amortised.dual_mirror_descent(
            gain, codes, floors, caps, order, BLOCK, eta, descent.largest_price, k
        )

    return [
        Line(
            "fairco",
            lambda: setting.slates(FairCoConfig(block=BLOCK)),
            plain_fairco,
            agree=lambda ours: equal_slates(ours, plain_fairco()),
        ),
        Line(
            "pid",
            lambda: setting.slates(pid),
            plain_pid,
            agree=lambda ours: equal_slates(ours, plain_pid()),
        ),
        Line(
            "dual-mirror-descent",
            lambda: setting.slates(descent),
            plain_descent,
            agree=lambda ours: equal_slates(ours, plain_descent()),
        ),
    ]


def _epsilon_greedy(setting: Setting) -> Line:
    n_users, n = setting.pools.items.shape
    weights = np.ones((n_users, n))
    inner = setting.slates(TopKConfig()).columns

    def plain() -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(setting.seed)
        return plain_amortised.epsilon_greedy(weights, inner, EPSILON, 0, rng)

    def agree(ours: Slates) -> tuple[str, float, float, bool]:
        nothing = np.zeros(0, int)
        chance = [
            plain_amortised.drawn_in_order(w, slate, nothing)
            for w, slate in zip(weights, ours.columns, strict=True)
        ]
        same = (ours.columns == inner).all(axis=1)
        expected = (1 - EPSILON) * same + EPSILON * np.array(chance)
        return _largest_error(ours.propensities, expected, 1e-9)

    config = EpsilonGreedyConfig(epsilon=EPSILON)
    return Line("epsilon-greedy", lambda: setting.slates(config), plain, agree=agree)


def _thompson(setting: Setting) -> Line:
    config = ThompsonConfig()
    few = setting.first(min(THOMPSON_USERS, len(setting.pools)))
    mean = posterior_means(few.pools, few.slates(TopKConfig()).columns)
    seen = setting.knowledge.catalogue.popularity[few.pools.items]
    spread = config.scale * np.maximum(1 / np.sqrt(1 + seen / config.prior), 0.2)

    def plain() -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(setting.seed)
        return plain_amortised.thompson(mean, spread, setting.k, rng)

    def agree(ours: Slates) -> tuple[str, float, float, bool]:
        expected = [
            plain_amortised.normal_order(mean[i], spread[i], ours.columns[i], POINTS)
            for i in range(10)
        ]
        return _largest_error(ours.propensities[:10], np.array(expected), 1e-3)

    return Line(
        "thompson",
        lambda: setting.slates(config),
        plain,
        agree=agree,
        plain_users=len(few.pools),
    )


def _largest_error(
    ours: np.ndarray, plain: np.ndarray, bar: float
) -> tuple[str, float, float, bool]:
    error = float(np.abs(ours / plain - 1.0).max())
    return "propensities off the plain formula by at most", error, bar, False
