"""What came after a click: satisfaction and minutes."""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ..impressions import ImpressionLog
from .click_table import sums
from .findings import Found

MIN_CLICKS = 50
_PATHS = ("tastes.unrated_satisfaction", "satisfaction.noise")
_DWELL = ("dwell.minutes", "dwell.gain", "dwell.spread")
Z = 1.96


@dataclass(frozen=True, slots=True)
class ItemSatisfaction:
    """Mean satisfaction with each item.

    Attributes:
        mean: Shape ``(I,)``; that of all where an item was not clicked.
        error: Standard deviation of what is believed of it, shape ``(I,)``.
    """

    mean: FloatArray
    error: FloatArray


def fit_outcomes(
    log: ImpressionLog,
) -> tuple[ItemSatisfaction | None, dict[str, Found]]:
    """Satisfaction by item, where there is any, and what the clicks told.

    Items' means are drawn towards the mean of all by as much as the differences between items and
    within them say (empirical Bayes: James & Stein 1961, moments as in DerSimonian & Laird 1986).
    """
    found: dict[str, Found] = {}
    seen = np.zeros(len(log), bool)
    if log.satisfaction is not None:
        seen = log.clicked & np.isfinite(log.satisfaction)
    if log.satisfaction is None or seen.sum() < MIN_CLICKS:
        note = f"satisfaction is known of {int(seen.sum()):,} clicks"
        found |= {path: Found(value=None, note=note) for path in (*_PATHS, *_DWELL)}
        return None, found
    value, item = log.satisfaction[seen].astype(np.float64), log.item[seen]
    mean, error = float(value.mean()), float(value.std() / np.sqrt(len(value)))
    items = _item_means(value, item, log.n_items)
    found[_PATHS[0]] = Found(
        value=mean, low=mean - Z * error, high=mean + Z * error, how="mean over rated clicks"
    )
    found[_PATHS[1]] = _noise(value, item, items.mean)
    found |= _dwell(log, seen)
    return items, found


def _item_means(value: FloatArray, item: IntArray, n_items: int) -> ItemSatisfaction:
    mean, count = float(value.mean()), sums(item, n_items)
    raw = sums(item, n_items, value) / np.maximum(count, 1.0)
    clicked = count > 0
    inner = float(((value - raw[item]) ** 2).sum() / max(len(value) - clicked.sum(), 1))
    off = float((count * (raw - mean) ** 2)[clicked].sum()) - (clicked.sum() - 1) * inner
    scale = float(count.sum() - (count**2).sum() / count.sum())
    between = max(off / max(scale, 1e-9), 0.0)
    weight = count * between / np.maximum(count * between + inner, 1e-12)
    shrunk = mean + weight * np.where(clicked, raw - mean, 0.0)
    return ItemSatisfaction(np.clip(shrunk, 0.0, 1.0), np.sqrt(between * (1.0 - weight)))


def _noise(value: FloatArray, item: IntArray, item_mean: FloatArray) -> Found:
    """Half-width of the uniform noise: its variance is (noise · room)² / 3."""
    count, n = sums(item, len(item_mean)), len(item_mean)
    raw = sums(item, n, value) / np.maximum(count, 1.0)
    inner = ((value - raw[item]) ** 2).sum() / max(len(value) - (count > 0).sum(), 1)
    room = np.minimum(item_mean, 1.0 - item_mean)[item]
    noise = np.sqrt(3.0 * inner / max(float((room**2).mean()), 1e-9))
    wide = "; ratings vary more than the widest noise allows" if noise > 1 else ""
    return Found(
        value=float(noise),
        how="what is left of satisfaction within an item",
        note=f"lasting differences in taste between users are in it{wide}",
    )


def _dwell(log: ImpressionLog, seen: np.ndarray) -> dict[str, Found]:
    """Log minutes = log median + gain · (satisfaction − ½) + spread · N(0, 1), least squares."""
    if log.dwell is None or log.satisfaction is None:
        return {path: Found(value=None, note="dwell is not logged") for path in _DWELL}
    used = seen & np.isfinite(log.dwell) & (log.dwell > 0)
    if used.sum() < MIN_CLICKS:
        note = f"dwell is known of {int(used.sum()):,} rated clicks"
        return {path: Found(value=None, note=note) for path in _DWELL}
    y = np.log(log.dwell[used].astype(np.float64))
    x = np.stack([np.ones(len(y)), log.satisfaction[used] - 0.5], axis=1)
    at = np.linalg.lstsq(x, y, rcond=None)[0]
    left = y - x @ at
    spread = float(left.std())
    errors = spread * np.sqrt(np.diag(np.linalg.pinv(x.T @ x)))
    how, note = "least squares of log minutes on satisfaction", "an item's length is not known"
    median, gain, reach = float(np.exp(at[0])), float(at[1]), np.exp(Z * errors[0])
    half = Z * spread / np.sqrt(2 * len(y))
    return {
        _DWELL[0]: Found(value=median, low=median / reach, high=median * reach, how=how, note=note),
        _DWELL[1]: Found(
            value=gain, low=gain - Z * errors[1], high=gain + Z * errors[1], how=how, note=note
        ),
        _DWELL[2]: Found(value=spread, low=spread - half, high=spread + half, how=how, note=note),
    }
