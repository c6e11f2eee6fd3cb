"""Values worked out by hand or published, one test for each."""

import math

import numpy as np
import pytest
from fairloop.metrics import accuracy, calibration, diversity, exposure, gaps, popularity
from fairloop.metrics import expected_exposure as expected

A, B, C, D, E, F = range(6)
LIST = np.array([[A, B, C, D, E]])
RELEVANCE, N_RELEVANT = accuracy.relevance_of(
    LIST, np.array([0]), np.zeros(3, dtype=int), np.array([B, D, F]), 6
)


def test_relevance_is_looked_up() -> None:
    assert RELEVANCE.tolist() == [[False, True, False, True, False]]
    assert N_RELEVANT.tolist() == [3]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (accuracy.ndcg, 0.498189),
        (accuracy.recall, 2 / 3),
        (accuracy.precision, 2 / 5),
        (accuracy.hit, 1.0),
        (accuracy.reciprocal_rank, 1 / 2),
        (accuracy.average_precision, (1 / 2 + 2 / 4) / 3),
    ],
)
def test_accuracy(metric, value: float) -> None:
    assert metric(RELEVANCE, N_RELEVANT)[0] == pytest.approx(value, abs=1e-6)


def test_ndcg_with_lenskit_discount() -> None:
    discount = 1 / np.maximum(np.log2(np.arange(1, 6)), 1)
    assert accuracy.ndcg(RELEVANCE, N_RELEVANT, discount)[0] == pytest.approx(0.570141, abs=1e-6)


def test_graded_ndcg_is_the_worked_example_of_its_definition() -> None:
    gains, ideal = np.array([[3.0, 0.0, 2.0]]), np.array([[2.0, 3.0, 1.0, 0.0]])
    log3 = math.log2(3)
    assert accuracy.graded_ndcg(gains, ideal)[0] == pytest.approx((3 + 1) / (3 + 2 / log3 + 0.5))


def test_alpha_ndcg_discounts_a_topic_seen_above() -> None:
    aspects = np.array([[[1, 0], [1, 0], [0, 1]]], dtype=bool)
    # gains 1, 1/2, 1; the greedy ideal shows the other topic second: 1, 1, 1/2
    log3 = math.log2(3)
    value = (1 + 0.5 / log3 + 1 / 2) / (1 + 1 / log3 + 0.5 / 2)
    assert accuracy.alpha_ndcg(aspects, aspects, alpha=0.5)[0] == pytest.approx(value)


def test_intra_list_jaccard() -> None:
    topics = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
    value = diversity.intra_list_jaccard(np.array([[0, 1, 2]]), topics)[0]
    assert value == pytest.approx((1 / 2 + 1 + 1) / 3)


def test_gini_and_entropy() -> None:
    amounts = np.array([3.0, 2.0, 1.0, 0.0])
    assert diversity.gini(amounts) == pytest.approx(0.416667, abs=1e-6)
    assert diversity.shannon_entropy(amounts) == pytest.approx(1.459148, abs=1e-6)


POPULARITY = np.array([100.0, 50.0, 10.0, 5.0])
LISTS = np.array([[0, 1], [0, 3]])


def test_average_recommendation_popularity() -> None:
    assert popularity.mean_popularity(LISTS, POPULARITY).mean() == pytest.approx(63.75)


def test_popularity_lift() -> None:
    profile = popularity.profile_popularity(
        np.array([0, 0, 1, 1]), np.array([0, 2, 1, 3]), POPULARITY, 2
    )
    lift = popularity.popularity_lift(popularity.mean_popularity(LISTS, POPULARITY), profile)
    assert lift == pytest.approx(0.545455, abs=1e-6)


def test_long_tail_share_and_novelty() -> None:
    tail = np.array([False, False, True, True])
    assert popularity.long_tail_share(LISTS, tail).tolist() == [0.0, 0.5]
    novelty = popularity.novelty(LISTS, POPULARITY, 100)
    assert novelty == pytest.approx([(0 + 1) / 2, (0 - math.log2(0.05)) / 2])


def test_serendipity() -> None:
    value = popularity.serendipity(
        np.array([[True, False, True]]), np.array([[0.9, 0.9, 0.1]]), np.array([[0.4, 0.1, 0.6]])
    )
    assert value[0] == pytest.approx((0.5 + 0.0) / 2)


CODES = np.array([0, 0, 0, 1, 1, 1])
ONE_RANKING = np.arange(6)[None, :]
RELEVANT = np.array([0.81, 0.80, 0.79, 0.78, 0.77, 0.76])


def test_group_exposure_and_parity_ratio() -> None:
    per_item = exposure.exposure_per_item(ONE_RANKING, CODES, 2)
    assert per_item == pytest.approx([0.710310, 0.391246], abs=1e-6)
    assert exposure.parity_ratio(per_item) == pytest.approx(0.550810, abs=1e-6)


def test_disparate_treatment_and_impact() -> None:
    shown = exposure.item_exposure(ONE_RANKING, 6)
    treatment = exposure.disparate_treatment_ratio(shown, RELEVANT, CODES, 0, 1)
    impact = exposure.disparate_impact_ratio(shown, RELEVANT, CODES, 0, 1)
    assert treatment == pytest.approx(1.747428, abs=1e-6)
    assert impact == pytest.approx(1.819335, abs=1e-6)


def test_amortised_inequity() -> None:
    attention = np.array([[1.0, 0.0], [0.5, 0.5]])
    relevance = np.array([[1.0, 1.0], [1.0, 1.0]])
    assert exposure.amortised_inequity(attention, relevance) == pytest.approx(0.25 + 0.25)


def test_awrf() -> None:
    share = 0.710310 / (0.710310 + 0.391246)
    target = np.array([0.5, 0.5])
    assert exposure.awrf(ONE_RANKING, CODES, target)[0] == pytest.approx(1.5 - share, abs=1e-6)
    middle = [(share + 0.5) / 2, (1.5 - share) / 2]
    js = 0.5 * sum(
        p * math.log2(p / m)
        for row in ([share, 1 - share], [0.5, 0.5])
        for p, m in zip(row, middle, strict=True)
    )
    assert exposure.awrf(ONE_RANKING, CODES, target, "js")[0] == pytest.approx(1 - js, abs=1e-6)


def test_expected_exposure() -> None:
    discount = exposure.rbp_discount(3, 0.5)
    target = expected.target_exposure(np.array([True, True, False]), discount)
    assert target == pytest.approx([0.75, 0.75, 0.25])
    assert expected.expected_exposure_disparity(discount) == pytest.approx(1.3125)
    assert expected.expected_exposure_relevance(discount, target) == pytest.approx(1.1875)
    assert expected.expected_exposure_loss(discount, target) == pytest.approx(0.125)


def test_plackett_luce_exposure() -> None:
    scores = np.array([2.0, 1.0, 0.0])
    exact = expected.plackett_luce_exposure_exact(scores)
    assert exact == pytest.approx([0.869461, 0.689210, 0.572260], abs=1e-6)


def test_group_shares_of_the_worst() -> None:
    shares = np.array([30.0, 10.0, 20.0])
    assert exposure.parity_ratio(shares) == pytest.approx(1 / 3)
    assert exposure.worst_half_share(shares) == pytest.approx(1 / 6)


def test_calibration() -> None:
    history, shown = np.array([[0.7, 0.3]]), np.array([[1.0, 0.0]])
    assert calibration.calibration_kl(history, shown)[0] == pytest.approx(1.133982, abs=1e-6)


def test_topics_spread_evenly_over_an_item() -> None:
    topics = np.array([[1, 1], [1, 0]], dtype=bool)
    shares = calibration.topic_distribution(np.array([[0, 1], [1, -1]]), topics)
    assert shares.tolist() == [[0.75, 0.25], [1.0, 0.0]]


def test_user_group_gap() -> None:
    per_group = gaps.group_means(np.array([0.3, 0.5, 0.34]), np.array([0, 0, 1]), 2)
    assert gaps.gap(per_group) == pytest.approx(0.06)
    assert gaps.ratio(per_group) == pytest.approx(0.85)


def test_impact_ratio() -> None:
    ratios = gaps.impact_ratio(np.array([400, 90]), np.array([2000, 600]))
    assert ratios == pytest.approx([1.0, 0.75])
