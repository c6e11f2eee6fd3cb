"""What the platform knows: base scores, priors for what is cold, and what clicks taught it."""

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.simulators.market.config import RecordConfig
from fairloop.simulators.market.record import Record

TOPICS = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
CONFIG = RecordConfig(score_slope=1.0, cold_shrinkage=1.0, click_shrinkage=2.0, half_life=1.0)


def record(config: RecordConfig = CONFIG) -> Record:
    pools = CandidatePools(
        np.array([0]), np.array([[0, 1, 2, 3]]), np.array([[2.0, 99.0, 0.0, -99.0]])
    )
    look = np.array([1.0, 0.5])
    return Record(pools, TOPICS, np.array([10.0, 5.0, 3.0, 1.0]), look, 0.5, config)


def test_a_cold_item_scores_by_its_topics_and_never_by_its_base_score() -> None:
    known = record()
    known.reset(np.array([False, True, False, True]))
    # the two warm items have z = 1 and −1; a cold one the mean of one item, shrunk by one: z / 2
    np.testing.assert_allclose(known.relevance, [[1.0, 0.5, -1.0, -0.5]])
    assert known.popularity()[[1, 3]].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(known.lift(), 0.0)
    assert known.newness().tolist() == [1.0] * 4


def test_clicks_lift_an_item_relative_to_the_others() -> None:
    known = record()
    known.reset(np.array([False, True, False, True]))
    shown, rows = np.array([[1, 3]]), np.array([0])
    for day in range(20):
        known.observe(day, rows, shown, np.array([[True, False]]))
    first, second = 1 / (1 + np.exp(-0.5)), 0.5 / (1 + np.exp(0.5))
    np.testing.assert_allclose(known.item_expected, [0, 20 * first, 0, 20 * second], rtol=1e-5)
    scale = 20 / (20 * first + 20 * second)
    expected = [0.0, np.log(22 / (scale * 20 * first + 2)), 0.0]
    expected.append(np.log(2 / (scale * 20 * second + 2)))
    np.testing.assert_allclose(known.lift(), expected, rtol=1e-5)
    np.testing.assert_allclose(known.newness()[[1, 3]], [1 / 21**0.5, 1 / 11**0.5])


def test_repeats_fade_by_the_day_and_a_blank_leaves_no_trace() -> None:
    known = record(RecordConfig(half_life=1.0, click_weight=10.0))
    rows = np.array([0])
    known.observe(0, rows, np.array([[2, -1]]), np.array([[True, False]]))
    assert known.item_repeats.tolist() == [[0.0, 0.0, 11.0, 0.0]]
    assert known.item_examined.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert known.fade(3) == pytest.approx(1 / 8)
    known.observe(3, rows, np.array([[2, 0]]), np.array([[False, True]]))
    np.testing.assert_allclose(known.fade(3) * known.item_repeats, [[11.0, 0.0, 11 / 8 + 1, 0.0]])
    np.testing.assert_allclose(known.fade(3) * known.topic_repeats, [[1.0, 1 / 8]])
    known.observe(500, rows, np.array([[2, 0]]), np.array([[False, True]]))
    np.testing.assert_allclose(known.fade(500) * known.item_repeats, [[11.0, 0.0, 1.0, 0.0]])


def test_padding_is_not_a_candidate() -> None:
    pools = CandidatePools(np.array([0]), np.array([[3, -1]]), np.array([[1.0, np.nan]]))
    known = Record(pools, TOPICS, np.zeros(4), np.ones(1), 0.5, CONFIG)
    assert known.items.tolist() == [[3, 4]]
    assert np.isfinite(known.relevance).all()
