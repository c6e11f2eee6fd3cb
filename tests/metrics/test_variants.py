"""Variants of other libraries: values that those libraries gave, or their formula by hand.

ranx 0.3.21 and LensKit 2025.8.1 were run on the lists below; Elliot's values follow its source
(0.3.1, files named beside each).
"""

import math

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.metrics import accuracy, diversity, exposure, popularity, variants

# The list ABCDE; relevant are B, D and F, with grades 3, 1 and 2.
RELEVANCE = np.array([[False, True, False, True, False]])
THREE, EIGHT = np.array([3]), np.array([8])
GRADES, IDEAL = np.array([[0.0, 3.0, 0.0, 1.0, 0.0]]), np.array([[3.0, 1.0, 2.0]])


@pytest.mark.parametrize(
    ("function", "n_relevant", "value"),
    [
        (accuracy.ndcg, THREE, 0.49818925746641285),  # ranx ndcg@5; LensKit with offset=1
        (accuracy.ndcg, EIGHT, 0.36005461457723403),  # ranx ndcg@5
        (variants.ndcg_lenskit, THREE, 0.5701406500739015),  # LensKit NDCG(5)
        (variants.ndcg_lenskit, EIGHT, 0.4211582832992167),  # LensKit NDCG(5)
        (accuracy.recall, EIGHT, 0.25),  # ranx recall@5
        (variants.recall_truncated, EIGHT, 0.4),  # LensKit Recall(5)
        (accuracy.average_precision, EIGHT, 0.2),  # LensKit AveragePrecision(5)
        (variants.average_precision_trec, EIGHT, 0.125),  # ranx map@5
        (variants.average_precision_trec, THREE, 0.3333333333333333),  # ranx map@5
        (accuracy.rank_biased_precision, THREE, 0.21961875),  # LensKit RBP(5), ranx rbp.85
        # elliot/evaluation/metrics/accuracy/map/map.py: mean of Precision@1 … Precision@5
        (variants.average_precision_elliot, THREE, (0 + 1 / 2 + 1 / 3 + 2 / 4 + 2 / 5) / 5),
    ],
)
def test_binary_relevance(function, n_relevant, value: float) -> None:
    assert function(RELEVANCE, n_relevant)[0] == pytest.approx(value, abs=1e-12)
    assert np.isnan(function(RELEVANCE, np.array([0]))[0])


def test_graded_relevance() -> None:
    # ranx ndcg@5 and ndcg_burges@5
    graded = accuracy.graded_ndcg(GRADES, IDEAL)[0]
    assert graded == pytest.approx(0.4879324590115489, abs=1e-12)
    burges = variants.ndcg_exponential(GRADES, IDEAL)[0]
    assert burges == pytest.approx(0.5160538258158408, abs=1e-12)
    # LensKit NDCG(5, gain="rating")
    lenskit = accuracy.graded_ndcg(GRADES, IDEAL, variants.lenskit_discount(5))[0]
    assert lenskit == pytest.approx(0.6215669797301413, abs=1e-12)


def test_exponential_gains_of_binary_grades_change_nothing() -> None:
    binary, ideal = RELEVANCE.astype(float), np.ones((1, 3))
    plain = accuracy.ndcg(RELEVANCE, THREE)
    np.testing.assert_allclose(variants.ndcg_exponential(binary, ideal), plain)


# Lists ab and ad of four items, popularity 100, 50, 10, 5.
LISTS = np.array([[0, 1], [0, 3]])
POPULARITY = np.array([100.0, 50.0, 10.0, 5.0])
COUNTS = np.array([2.0, 1.0, 0.0, 1.0])


def test_gini() -> None:
    assert diversity.gini(COUNTS) == pytest.approx(0.375)  # LensKit ListGini
    shown = exposure.item_exposure(LISTS, 4, exposure.rbp_discount(2, 0.85))
    # LensKit ExposureGini, which adds up in single precision
    assert diversity.gini(shown) == pytest.approx(0.40540540018074706, abs=1e-7)
    # elliot/evaluation/metrics/diversity/gini_index/gini_index.py: j = 2, 3, 4 of n = 4
    by_hand = 1 - ((2 * 2 - 5) * 1 / 4 + (2 * 3 - 5) * 1 / 4 + (2 * 4 - 5) * 2 / 4) / 3
    assert variants.gini_elliot(COUNTS) == pytest.approx(by_hand)
    equal, single = np.ones(5), np.eye(5)[0]
    assert variants.gini_elliot(np.stack([equal, single])) == pytest.approx([1.0, 0.0])
    with pytest.raises(InvalidValue, match="amounts"):
        variants.gini_elliot(np.ones(1))


def test_entropy_and_coverage() -> None:
    nats = -(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25))
    assert variants.shannon_entropy_recbole(COUNTS) == pytest.approx(nats / 3)
    assert np.isnan(variants.shannon_entropy_recbole(np.zeros(3)))
    # elliot/evaluation/metrics/diversity/shannon_entropy/shannon_entropy.py, two users, lists of 2
    elliot = sum((c / 2) * -math.log2(c / 4) for c in (2, 1, 1)) / 2
    assert diversity.shannon_entropy(COUNTS) == pytest.approx(elliot)
    assert variants.n_items_shown(LISTS, 4) == 3
    assert variants.coverage_recbole(LISTS, 4) == pytest.approx(3 / 5)


def test_popularity_ranks() -> None:
    ranks = variants.mean_popularity_rank(LISTS, POPULARITY)
    assert ranks.tolist() == [0.875, 0.625]  # LensKit MeanPopRank
    ties = variants.popularity_rank(np.array([4.0, 0.0, 4.0, 9.0]))
    assert ties == pytest.approx([1.5 / 3, 0.0, 1.5 / 3, 1.0])
    assert variants.popularity_rank(np.zeros(2)).tolist() == [0.0, 0.0]


def test_long_tails_differ_by_library() -> None:
    # elliot/evaluation/popularity_utils/popularity.py: 100 + 50 ≥ 0.8 · 165 make the head
    assert variants.elliot_tail(POPULARITY).tolist() == [False, False, True, True]
    used = np.array([5.0, 0.0, 3.0, 3.0, 8.0])
    assert np.flatnonzero(variants.recbole_tail(used)).tolist() == [2]
    assert np.flatnonzero(variants.recbole_tail(used, 0.5)).tolist() == [2, 3]
    assert np.flatnonzero(variants.recbole_tail(used, 5)).tolist() == [0, 2, 3]
    shares = popularity.long_tail_share(LISTS, variants.elliot_tail(POPULARITY))
    assert shares.tolist() == [0.0, 0.5]
    with pytest.raises(InvalidValue, match="tail_ratio"):
        variants.recbole_tail(used, 0.0)
    with pytest.raises(InvalidValue, match="head_share"):
        variants.elliot_tail(used, 1.0)
