"""FA*IR with its tables, and the DetGreedy family."""

from functools import partial

import numpy as np
from fairloop.rerankers.config import RerankerSettings
from fairloop.rerankers.quotas.det import (
    DetConsConfig,
    DetConstSortConfig,
    DetGreedyConfig,
    DetRelaxedConfig,
    DetSettings,
)
from fairloop.rerankers.quotas.fa_ir import FAIRConfig
from fairloop.rerankers.quotas.fair_tables import MinimumTable, adjusted_table

from benchmarks.lines.setting import Line, Setting, equal_slates
from benchmarks.peers import plain_quotas

TABLE_BAR = 0.01  # processor seconds for one adjusted table of 100 positions
TABLE = (100, 0.25, 0.1)
PROTECTED, ATTRIBUTE = 0.8, "provider"  # share of the long tail; 50 groups for the others
FAMILY: tuple[type[DetSettings], ...] = (
    DetGreedyConfig,
    DetConsConfig,
    DetRelaxedConfig,
    DetConstSortConfig,
)


def lines(setting: Setting) -> list[Line]:
    return [_table(), _fa_ir(setting), *(_det(setting, kind) for kind in FAMILY)]


def _table() -> Line:
    def agree(ours: MinimumTable) -> tuple[str, float, float, bool]:
        plain, _ = plain_quotas.adjusted_table(*TABLE)
        return "minima equal to the bisection's", float((ours.minima == plain).mean()), 1.0, True

    return Line(
        f"fa-ir, adjusted table for n={TABLE[0]}",
        lambda: adjusted_table.__wrapped__(*TABLE),  # not from the cache
        lambda: plain_quotas.adjusted_table(*TABLE),
        bar=TABLE_BAR,
        agree=agree,
        per=0,
        peer="plain numpy and scipy, bisection to 1e-10",
    )


def _fa_ir(setting: Setting) -> Line:
    config, k = FAIRConfig(p=PROTECTED), setting.k
    minima = adjusted_table(k, PROTECTED, config.alpha, config.level).minima[:, None]
    codes = setting.codes("popularity")  # 1 is the long tail
    plain = partial(
        plain_quotas.each_user,
        lambda scores, queue: plain_quotas.fa_ir(scores, queue, minima, k),
        setting.pools.scores,
        codes,
    )
    return _line(setting, config, plain)


def _det(setting: Setting, kind: type[DetSettings]) -> Line:
    codes = setting.codes(ATTRIBUTE)
    everyone = setting.knowledge.catalogue.groups[ATTRIBUTE].codes
    shares = np.bincount(everyone) / len(everyone)
    config = kind(attribute=ATTRIBUTE)
    name = config.model_dump()["algorithm"]
    rank = plain_quotas.det_const_sort
    if kind is not DetConstSortConfig:
        rank = partial(plain_quotas.det, name)
    plain = partial(
        plain_quotas.each_user,
        lambda scores, groups: rank(scores, groups, shares, setting.k),
        setting.pools.scores,
        codes,
    )
    return _line(setting, config, plain)


def _line(setting: Setting, config: RerankerSettings, plain: partial[np.ndarray]) -> Line:
    return Line(
        config.model_dump()["algorithm"],
        lambda: setting.slates(config),
        plain,
        agree=lambda ours: equal_slates(ours, plain()),
    )
