"""Exposure programmes, expohedron lotteries and two-sided welfare."""

from dataclasses import replace

import numpy as np
from fairloop.candidates.catalogue import Groups
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.stochastic.expohedron import ExpohedronConfig, ExpohedronReranker
from fairloop.rerankers.stochastic.parity import ExposureParityConfig, ExposureParityReranker
from fairloop.rerankers.two_sided.welf import WelfConfig, WelfReranker

from benchmarks.lines.setting import Line, Setting
from benchmarks.peers import plain_stochastic

SOLVER = "HiGHS and Birkhoff–von Neumann, one user at a time"
LP_USERS, LOOP_USERS = 25, 100
"""Users that the slow sides work on."""

SOME = 8
"""Groups of the middle line: the seven largest providers, and the others as one."""

EXPOHEDRON = ExpohedronConfig(weight=1.0, merit="relevance")
"""The far end of the curve, where a lottery takes the most rankings."""

WELF = WelfConfig(tolerance=0.0, iterations=50)
"""As many steps as the peer."""


def lines(setting: Setting) -> list[Line]:
    few = min(LP_USERS, len(setting.pools))
    return [
        _parity(setting, "popularity", few, len(setting.pools)),
        _parity(_with_some_groups(setting), "label", few, len(setting.pools)),
        _parity(setting, "provider", few, few),
        _expohedron(setting),
        _welf(setting),
    ]


def _with_some_groups(setting: Setting) -> Setting:
    """The same with an attribute ``"label"`` of `SOME` groups."""
    catalogue = setting.knowledge.catalogue
    codes = np.minimum(catalogue.groups["provider"].codes, SOME - 1)
    labels = Groups("label", tuple(f"label {g}" for g in range(SOME)), codes)
    wider = replace(catalogue, groups={**catalogue.groups, "label": labels})
    return replace(setting, knowledge=replace(setting.knowledge, catalogue=wider))


def _parity(setting: Setting, attribute: str, n_plain: int, n_ours: int) -> Line:
    """Expected DCG within a gap of 0, beside a solver's."""
    config = ExposureParityConfig(attribute=attribute)
    part = setting.first(n_ours)
    gains, codes = relevance(setting.pools), setting.codes(attribute)

    def plain() -> np.ndarray:
        found = []
        for user in range(n_plain):
            placement, _ = plain_stochastic.exposure_lp(
                gains[user], codes[user], setting.k, config.constraint, config.reduction
            )
            lottery = plain_stochastic.birkhoff(placement)
            found.append(gains[user] @ plain_stochastic.exposure(lottery, gains.shape[1]))
        return np.array(found)

    def agree(_: object) -> tuple[str, float, float, bool]:
        groups = setting.knowledge.item_groups(attribute)
        lottery = ExposureParityReranker(config, groups).mixture(
            setting.first(n_plain).pools, setting.k
        )
        ours = (lottery.exposure(gains.shape[1]) * gains[:n_plain]).sum(axis=1)
        return (
            "largest difference in expected DCG",
            float(np.abs(ours - plain()).max()),
            1e-6,
            False,
        )

    groups = len(setting.knowledge.catalogue.groups[attribute].names)
    return Line(
        f"exposure-lp ({groups} groups)",
        lambda: part.slates(config),
        plain,
        agree=agree,
        plain_users=n_plain,
        per=n_ours,
        peer=SOLVER,
    )


def _expohedron(setting: Setting) -> Line:
    gains = relevance(setting.pools)
    n_plain = min(LOOP_USERS, len(gains))

    def plain() -> np.ndarray:
        lotteries = [
            plain_stochastic.expohedron(row, setting.k, EXPOHEDRON.merit, EXPOHEDRON.weight)
            for row in gains[:n_plain]
        ]
        return np.array([plain_stochastic.exposure(one, gains.shape[1]) for one in lotteries])

    def agree(_: object) -> tuple[str, float, float, bool]:
        reranker = ExpohedronReranker(EXPOHEDRON)
        lottery = reranker.mixture(setting.first(n_plain).pools, setting.k)
        off = np.abs(lottery.exposure(gains.shape[1]) - plain()).max()
        return "largest difference in expected exposure", float(off), 1e-6, False

    return Line(
        "expohedron", lambda: setting.slates(EXPOHEDRON), plain, agree=agree, plain_users=n_plain
    )


def _welf(setting: Setting) -> Line:
    gains = relevance(setting.pools)
    _, numbers = np.unique(setting.pools.items, return_inverse=True)
    items = numbers.reshape(setting.pools.items.shape)

    def plain() -> float:
        powers = (WELF.user_power, WELF.item_power)
        value, _, _ = plain_stochastic.welf(
            gains, items, setting.k, WELF.item_weight, powers, WELF.offset, WELF.iterations
        )
        return value

    def agree(_: object) -> tuple[str, float, float, bool]:
        ours = WelfReranker(WELF).solve(setting.pools, setting.k).welfare[-1]
        return "relative difference in welfare", abs(float(ours) / plain() - 1.0), 1e-3, False

    return Line("welf", lambda: setting.slates(WELF), plain, agree=agree)
