"""DPP with kernels given and without, xQuAD, PM-2, calibrated greedily and exactly."""

from functools import cache

import numpy as np
from fairloop.rerankers.base import Slates
from fairloop.rerankers.diversity.calibrated import CalibratedConfig
from fairloop.rerankers.diversity.determinant import greedy_map
from fairloop.rerankers.diversity.dpp import DPPConfig
from fairloop.rerankers.diversity.pm2 import PM2Config
from fairloop.rerankers.diversity.xquad import XQuADConfig
from fairloop.rerankers.relevance import relevance

from benchmarks.lines.setting import Line, Setting, equal_slates
from benchmarks.peers import plain_diversity, plain_loops

DPP_BAR = 0.10  # processor seconds per 1,000 users, kernels given
THETA, SHRINKAGE, STRENGTH, FOCUS, ALPHA = 0.7, 0.01, 0.5, 0.5, 0.01
EXACT_USERS = 5
"""Integer programmes take tenths of a second each."""


def lines(setting: Setting) -> list[Line]:
    pools, k = setting.pools, setting.k
    worth, wanted = relevance(pools), setting.knowledge.profiles_of(pools)

    @cache
    def kernels() -> np.ndarray:
        return np.array([_kernel(*user) for user in zip(worth, setting.topics, strict=True)])

    def map_by_kernel() -> np.ndarray:
        return np.array([plain_diversity.dpp_map(kernel, k) for kernel in kernels()])

    def dpp() -> np.ndarray:
        return plain_diversity.dpp(worth, setting.topics, THETA, SHRINKAGE, k)

    def xquad() -> np.ndarray:
        return plain_diversity.xquad(worth, setting.topics, wanted, STRENGTH, "relevance", k)

    def pm2() -> np.ndarray:
        return plain_diversity.pm2(worth, setting.topics, wanted, STRENGTH, FOCUS, k)

    def calibrated() -> np.ndarray:
        return plain_diversity.calibrated(worth, setting.topics, wanted, STRENGTH, ALPHA, k)

    return [
        Line(
            "dpp, kernels given",
            lambda: greedy_map(kernels(), pools.valid, k),
            map_by_kernel,
            bar=DPP_BAR,
            agree=lambda ours: _equal_columns(ours, map_by_kernel()),
        ),
        Line(
            "dpp",
            lambda: setting.slates(DPPConfig(theta=THETA, shrinkage=SHRINKAGE)),
            dpp,
            agree=lambda ours: equal_slates(ours, dpp()),
        ),
        Line(
            "xquad",
            lambda: setting.slates(XQuADConfig(strength=STRENGTH)),
            xquad,
            agree=lambda ours: equal_slates(ours, xquad()),
        ),
        Line(
            "pm-2",
            lambda: setting.slates(PM2Config(strength=STRENGTH, focus=FOCUS)),
            pm2,
            agree=lambda ours: equal_slates(ours, pm2()),
        ),
        Line(
            "calibrated",
            lambda: setting.slates(CalibratedConfig(strength=STRENGTH, alpha=ALPHA)),
            calibrated,
            agree=lambda ours: equal_slates(ours, calibrated()),
        ),
        _exact_line(setting.first(min(EXACT_USERS, len(pools)))),
    ]


def _exact_line(setting: Setting) -> Line:
    """Exact slates, held against greedy ones: their objective may not be smaller."""
    worth, topics = relevance(setting.pools), setting.topics
    wanted = setting.knowledge.profiles_of(setting.pools)
    exact, greedy = (
        CalibratedConfig(strength=STRENGTH, alpha=ALPHA, method=method)
        for method in ("exact", "greedy")
    )

    def objective(slates: Slates) -> np.ndarray:
        return np.array(
            [
                plain_diversity.calibrated_objective(r[row], t[row], p, STRENGTH, ALPHA)
                for r, t, p, row in zip(worth, topics, wanted, slates.columns, strict=True)
            ]
        )

    def agree(ours: Slates) -> tuple[str, float, float, bool]:
        smallest = float((objective(ours) - objective(setting.slates(greedy))).min())
        return "objective above the greedy slate's, worst user", smallest, -1e-6, True

    return Line(
        "calibrated, exact by integer programmes",
        lambda: setting.slates(exact),
        agree=agree,
        per=len(setting.pools),
    )


def _kernel(worth: np.ndarray, topics: np.ndarray) -> np.ndarray:
    similarity = (1.0 - SHRINKAGE) * (1.0 - plain_loops.jaccard(topics))
    np.fill_diagonal(similarity, 1.0)
    return plain_diversity.dpp_kernel(worth, similarity, THETA)


def _equal_columns(ours: np.ndarray, plain: np.ndarray) -> tuple[str, float, float, bool]:
    share = float((ours == plain).all(axis=1).mean())
    return "choices equal to the plain loop's", share, 0.999, True
