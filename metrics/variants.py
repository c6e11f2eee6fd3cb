"""What other libraries compute under names that we use for something else.

They are here so that a number of theirs can be matched, not because one should report them. Each
was checked against the library's public source; ``registry.METRICS`` says which library and name.
"""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .accuracy import graded_ndcg, judged, ndcg, precision_at_hits
from .diversity import coverage, gini
from .lists import distinct, look_up, mean_over_positions, require_lists


def lenskit_discount(k: int) -> FloatArray:
    """1/log2(max(j, 2)) for positions j = 1…k: the first two weigh the same, shape ``(k,)``.

    The original paper's discount with base 2 (Järvelin & Kekäläinen 2002) and LensKit's default,
    ``LogRankWeight()`` in ``lenskit/metrics/ranking/_weighting.py``.
    """
    return 1.0 / np.log2(np.maximum(np.arange(1, k + 1), 2))


def ndcg_lenskit(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """NDCG with ``lenskit_discount``, shape ``(U,)``; NaN where a user has no held-out item."""
    return ndcg(relevance, n_relevant, lenskit_discount(relevance.shape[1]))


def ndcg_exponential(grades: FloatArray, ideal_grades: FloatArray) -> FloatArray:
    """NDCG with gains 2^grade − 1 (Burges et al. 2005), shape ``(U,)``.

    ``ndcg_burges`` of ranx (``ranx/metrics/ndcg.py``). Elliot's ``nDCG`` is the same with grades
    rating − threshold + 1 (``elliot/evaluation/relevance/relevance.py``). For binary grades it is
    the plain NDCG.

    Args:
        grades: Grade of the item at each position, 0 where not relevant, shape ``(U, k)``.
        ideal_grades: Grades of all held-out items of each user, padded with 0, shape ``(U, m)``.
    """
    return graded_ndcg(np.exp2(grades) - 1.0, np.exp2(ideal_grades) - 1.0)


def recall_truncated(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """Relevant positions / min(held-out items, k), so that 1 can always be reached.

    LensKit's ``Recall`` (``lenskit/metrics/ranking/_pr.py``).
    """
    reachable = np.clip(n_relevant, 1, relevance.shape[1])
    return judged(relevance.sum(axis=1) / reachable, n_relevant)


def average_precision_trec(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """Mean precision at the relevant positions, over *all* held-out items, shape ``(U,)``.

    trec_eval's ``map`` and ranx's (``ranx/metrics/average_precision.py``): it cannot reach 1 where
    a user has more held-out items than positions.
    """
    return judged(precision_at_hits(relevance) / np.maximum(n_relevant, 1), n_relevant)


def average_precision_elliot(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """Mean of Precision@1 … Precision@k, relevant position or not, shape ``(U,)``.

    What Elliot calls ``MAP`` (``elliot/evaluation/metrics/accuracy/map/map.py``). It is no average
    precision: positions without a hit count too.
    """
    at = np.cumsum(relevance, axis=1) / np.arange(1, relevance.shape[1] + 1)
    return judged(at.mean(axis=1), n_relevant)


def shannon_entropy_recbole(amounts: FloatArray) -> FloatArray:
    """Entropy in nats / number of distinct items shown, shape ``(...)`` (RecBole).

    RecBole's ``ShannonEntropy`` (``recbole/evaluator/metrics.py``). The division lets the value
    *fall* when more items are shown equally often.

    Args:
        amounts: How often each item is shown, shape ``(..., I)``.
    """
    total = amounts.sum(axis=-1, keepdims=True)
    p = np.divide(amounts, total, out=np.zeros(np.shape(amounts)), where=total > 0)
    logs = np.log(p, out=np.zeros(np.shape(p)), where=p > 0)
    distinct = (p > 0).sum(axis=-1)
    nothing = np.full(np.shape(distinct), np.nan)
    return np.divide(-(p * logs).sum(axis=-1), distinct, out=nothing, where=distinct > 0)


def gini_recbole(amounts: FloatArray) -> FloatArray:
    """Gini over the catalogue *and* RecBole's padding item, never shown, shape ``(...)``.

    RecBole's ``GiniIndex`` takes the number of items from a vocabulary whose entry 0 is padding.

    Args:
        amounts: How often each item is shown, shape ``(..., I)``.
    """
    padding = np.zeros((*np.shape(amounts)[:-1], 1))
    return gini(np.concatenate([amounts, padding], axis=-1))


def gini_elliot(amounts: FloatArray) -> FloatArray:
    """1 − G · n/(n − 1): 1 where all items are shown alike, 0 where one has everything (Elliot).

    Elliot's ``Gini`` (``elliot/evaluation/metrics/diversity/gini_index/gini_index.py``); higher is
    more equal, the other way round than the index of that name.

    Args:
        amounts: How often each item is shown, shape ``(..., I)``, at least two items.
    """
    n = amounts.shape[-1]
    if n < 2:
        raise InvalidValue("n − 1 is 0 with one item", field="amounts")
    return 1.0 - gini(amounts) * n / (n - 1)


def coverage_recbole(lists: IntArray, n_items: int) -> float:
    """Distinct items shown / (items + 1): RecBole's ``ItemCoverage`` counts its padding item."""
    return coverage(lists, n_items) * n_items / (n_items + 1)


def popularity_rank(popularity: FloatArray) -> FloatArray:
    """Rank of each item by popularity as a quantile, 1 for the most popular, shape ``(I,)``.

    Equally popular items share their mean rank; items without an interaction have 0. The mean over
    a list is LensKit's ``MeanPopRank`` (``lenskit/metrics/ranking/_pop.py``).

    Args:
        popularity: Training interactions of each item, shape ``(I,)``.
    """
    seen = popularity > 0
    used, place, ties = np.unique(popularity[seen], return_inverse=True, return_counts=True)
    last = np.cumsum(ties)
    mean_rank = last - (ties - 1) / 2.0
    out = np.zeros(len(popularity))
    out[seen] = mean_rank[place] / seen.sum() if len(used) else 0.0
    return out


def mean_popularity_rank(lists: IntArray, popularity: FloatArray) -> FloatArray:
    """Mean ``popularity_rank`` of each list, shape ``(U,)`` (Ekstrand & Mahant 2017, LensKit)."""
    return mean_over_positions(look_up(popularity_rank(popularity), lists))


def recbole_tail(popularity: FloatArray, tail_ratio: float = 0.1) -> BoolArray:
    """Items that RecBole's ``TailPercentage`` calls long tail, shape ``(I,)``.

    Args:
        popularity: Training interactions of each item, shape ``(I,)``.
        tail_ratio: Up to 1: the share of least used items, of those used at all; of equally used
            items the one with the lower index first. Above 1: items used at most so often.
    """
    if not tail_ratio > 0:
        raise InvalidValue(f"tail_ratio is {tail_ratio}", field="tail_ratio", mend="Use above 0.")
    used = np.flatnonzero(popularity > 0)
    tail = np.zeros(len(popularity), dtype=np.bool_)
    if tail_ratio > 1:
        tail[used] = popularity[used] <= tail_ratio
    else:
        ascending = used[np.argsort(popularity[used], kind="stable")]
        tail[ascending[: max(int(len(used) * tail_ratio), 1)]] = True
    return tail


def elliot_tail(popularity: FloatArray, head_share: float = 0.8) -> BoolArray:
    """Items that Elliot's ``APLT`` calls long tail, shape ``(I,)``.

    The head is the shortest run of most popular items that holds the share of all interactions
    (``elliot/evaluation/popularity_utils/popularity.py``); of equally popular items the one with
    the lower index belongs to it first.

    Args:
        popularity: Training interactions of each item, shape ``(I,)``.
        head_share: Share of the interactions that makes the head, in (0, 1).
    """
    if not 0.0 < head_share < 1.0:
        raise InvalidValue(f"head_share is {head_share}", field="head_share", mend="Use (0, 1).")
    descending = np.argsort(-popularity, kind="stable")
    held = np.cumsum(popularity[descending])
    n_head = int(np.searchsorted(held, head_share * popularity.sum())) + 1
    tail = np.ones(len(popularity), dtype=np.bool_)
    tail[descending[:n_head]] = False
    return tail


def n_items_shown(lists: IntArray, n_items: int) -> int:
    """Distinct items shown, not divided by anything: Elliot's ``ItemCoverage``."""
    return len(distinct(lists[require_lists(lists, n_items)]))
