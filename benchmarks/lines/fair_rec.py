"""FairRec, FairRec+ and TFROM: exposure divided over providers, one user's turn after another's."""

from collections.abc import Callable
from typing import Any

import numpy as np
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.randomness import draw_seed
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.two_sided.fair_rec import FairRecConfig
from fairloop.rerankers.two_sided.fair_rec_plus import FairRecPlusConfig
from fairloop.rerankers.two_sided.tfrom import TFROMOfflineConfig
from fairloop.rerankers.two_sided.tfrom_online import TFROMOnlineConfig

from benchmarks.lines.setting import N_ITEMS, Line, Setting, equal_slates
from benchmarks.peers import plain_fair_rec, plain_tfrom

FAIR_REC_RATIO = 20
PLAIN = "plain lists and dictionaries, one turn at a time"
PLUS_USERS = 200  # whose envy of one another takes the plain loop a while


def lines(setting: Setting) -> list[Line]:
    return [
        _fair_rec(setting, "fair-rec", 0.5),
        _fair_rec(setting, "fair-rec, full guarantee", 1.0),
        _fair_rec_plus(setting),
        _tfrom_offline(setting),
        _tfrom_online(setting),
    ]


def _fair_rec(setting: Setting, name: str, alpha: float) -> Line:
    pools, k = setting.pools, setting.k

    def plain() -> np.ndarray:
        turns = _turns(setting)
        producer_of = range(N_ITEMS)
        return plain_fair_rec.fair_rec(pools.items, pools.scores, producer_of, turns, alpha, k)

    return Line(
        name,
        lambda: setting.slates(FairRecConfig(alpha=alpha)),
        plain,
        ratio_bar=FAIR_REC_RATIO,
        agree=lambda ours: equal_slates(ours, plain()),
        peer=PLAIN,
    )


def _fair_rec_plus(setting: Setting) -> Line:
    few = setting.first(min(PLUS_USERS, len(setting.pools)))
    config = FairRecPlusConfig(alpha=1.0)

    def plain() -> np.ndarray:
        worth = relevance(few.pools)
        turns = _turns(few)
        return plain_fair_rec.fair_rec_plus(
            few.pools.items, worth, range(N_ITEMS), turns, config.alpha, few.k
        )

    return Line(
        "fair-rec-plus",
        lambda: setting.slates(config),
        plain,
        # What is fair depends on who else is served, so both must serve the same users.
        agree=lambda _: equal_slates(few.slates(config), plain()),
        plain_users=len(few.pools),
        peer=PLAIN,
    )


def _tfrom_offline(setting: Setting) -> Line:
    def plain() -> np.ndarray:
        return plain_tfrom.offline_tfrom(*_gains(setting), _turns(setting), setting.k)

    return _tfrom_line(setting, TFROMOfflineConfig(attribute="provider"), plain)


def _tfrom_online(setting: Setting) -> Line:
    pools = setting.pools

    def plain() -> np.ndarray:
        gains, providers, sizes = _gains(setting)
        server = plain_tfrom.OnlineTFROM(sizes, "uniform", 1.0)
        columns = np.empty((len(pools), setting.k), np.intp)
        for row in serving_order(pools.users, 0).tolist():
            columns[row] = server.serve(gains[row], providers[row], setting.k)
        return columns

    return _tfrom_line(setting, TFROMOnlineConfig(attribute="provider"), plain)


def _tfrom_line(
    setting: Setting,
    config: TFROMOfflineConfig | TFROMOnlineConfig,
    plain: Callable[[], np.ndarray],
) -> Line:
    return Line(
        config.algorithm,
        lambda: setting.slates(config),
        plain,
        agree=lambda ours: equal_slates(ours, plain()),
        peer=PLAIN,
    )


def _turns(setting: Setting) -> list[int]:
    """Rows in the order in which `Setting.slates` serves them."""
    turn = draw_seed(np.random.default_rng(setting.seed))
    return serving_order(setting.pools.users, turn).tolist()


def _gains(setting: Setting) -> tuple[Any, Any, list[int]]:
    """Relevance and provider of every candidate, and the number of each provider's items."""
    sizes = np.bincount(setting.knowledge.catalogue.groups["provider"].codes)
    return relevance(setting.pools).tolist(), setting.codes("provider").tolist(), sizes.tolist()
