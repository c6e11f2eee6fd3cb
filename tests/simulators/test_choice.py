"""Exact probabilities against enumeration, and draws against the probabilities."""

from itertools import product

import numpy as np
import pytest
from fairloop.simulators import dynamics, randomness
from fairloop.simulators.choice import ChoiceModel, discount, make_choice
from fairloop.simulators.config import ChoiceConfig
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

MODELS = ("position", "cascade", "logit")
K = 4
appeals = arrays(np.float32, (3, K), elements=st.floats(-6, 6, width=32))
quick = settings(max_examples=50, deadline=None)


def model(name: str, **settings: float) -> ChoiceModel:
    return make_choice(ChoiceConfig.model_validate({"model": name, **settings}), K)


def probabilities(choice: ChoiceModel, appeal: np.ndarray) -> np.ndarray:
    return choice.clicks(appeal, dynamics.sigmoid(appeal))


def draw(choice: ChoiceModel, appeal: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """Clicks of n visits of a slate, (n, k)."""
    many = np.tile(appeal, (n, 1))
    keys = randomness.derive(np.uint64(seed) + np.zeros(1, np.uint64), np.arange(n * (K + 1)))
    keys = keys.reshape(n, K + 1)
    attraction = dynamics.sigmoid(many)
    u = randomness.uniforms(keys[:, :K])
    return choice.draw(
        many, attraction, choice.clicks(many, attraction), u, keys[:, :K], keys[:, K]
    )


@pytest.mark.parametrize("name", MODELS)
@quick
@given(appeal=appeals)
def test_probabilities_are_probabilities(name: str, appeal: np.ndarray) -> None:
    choice = model(name)
    click = probabilities(choice, appeal)
    looks = np.broadcast_to(choice.examination(dynamics.sigmoid(appeal)), appeal.shape)
    assert ((click >= 0) & (click <= 1) & (looks >= 0) & (looks <= 1)).all()
    assert (click <= looks + 1e-6).all()
    np.testing.assert_allclose(looks[:, 0], 1.0)


@quick
@given(appeal=appeals, after_click=st.floats(0, 1), after_skip=st.floats(0, 1))
def test_cascade_equals_enumeration(
    appeal: np.ndarray, after_click: float, after_skip: float
) -> None:
    """Over every pattern of who would click, and every position at which reading stops."""
    choice = model("cascade", continue_after_click=after_click, continue_after_skip=after_skip)
    looks, click = np.zeros((3, K)), np.zeros((3, K))
    for user, a in enumerate(expit(appeal.astype(float))):
        for would in product([0, 1], repeat=K):
            weight = np.prod(np.where(would, a, 1 - a))
            reached = 1.0
            for j in range(K):
                looks[user, j] += weight * reached
                click[user, j] += weight * reached * would[j]
                reached *= after_click if would[j] else after_skip
    attraction = dynamics.sigmoid(appeal)
    np.testing.assert_allclose(choice.examination(attraction), looks, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(probabilities(choice, appeal), click, rtol=1e-4, atol=1e-6)


def test_craswells_cascade_is_the_first_attractive_item() -> None:
    """Equation of Craswell et al. 2008: c_j = r_j · Π_{i<j} (1 − r_i)."""
    choice = model("cascade", continue_after_click=0.0, continue_after_skip=1.0)
    r = np.array([0.5, 0.25, 0.8, 0.1])
    appeal = np.log(r / (1 - r)).astype(np.float32)[None]
    expected = [0.5, 0.5 * 0.25, 0.5 * 0.75 * 0.8, 0.5 * 0.75 * 0.2 * 0.1]
    np.testing.assert_allclose(probabilities(choice, appeal)[0], expected, rtol=1e-5)
    assert (draw(choice, appeal, 500).sum(axis=1) <= 1).all()


@quick
@given(appeal=appeals, no_click=st.floats(-4, 4), bias=st.floats(0, 3))
def test_logit_equals_its_definition(appeal: np.ndarray, no_click: float, bias: float) -> None:
    choice = model("logit", no_click=no_click, position_bias=bias)
    odds = np.exp(appeal.astype(float)) * discount(K, bias)
    expected = odds / (odds.sum(axis=1, keepdims=True) + np.exp(no_click))
    np.testing.assert_allclose(probabilities(choice, appeal), expected, rtol=1e-4, atol=1e-7)


def test_logit_survives_extreme_utilities() -> None:
    appeal = np.array([[500.0, -500.0, 0.0, 0.0]], np.float32)
    np.testing.assert_allclose(probabilities(model("logit"), appeal), [[1, 0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_draws_match_the_probabilities(name: str) -> None:
    """100,000 visits: every position within 4 standard errors."""
    n, choice = 100_000, model(name, no_click=0.5)
    appeal = np.array([[0.3, -0.5, 1.0, 0.1]], np.float32)
    p = probabilities(choice, appeal)[0].astype(float)
    clicked = draw(choice, appeal, n)
    assert (np.abs(clicked.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n)).all()
    if name == "logit":
        assert (clicked.sum(axis=1) <= 1).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_more_appealing_item_is_never_lost_on_the_same_luck(name: str) -> None:
    """Luck belongs to the item: raising an item's appeal keeps each of its clicks."""
    choice = model(name, continue_after_click=1.0)
    low = np.array([[0.3, -0.5, 1.0, 0.1]], np.float32)
    high = low + np.array([[0, 0, 1.5, 0]], np.float32)
    before, after = draw(choice, low, 5000)[:, 2], draw(choice, high, 5000)[:, 2]
    assert after[before].all() and after.sum() > before.sum()


@pytest.mark.parametrize("name", ["position", "cascade"])
def test_what_has_no_chance_is_not_clicked_on_the_luckiest_draw(name: str) -> None:
    attraction = np.array([[0.0, 0.5, 0.0, 0.5]], np.float32)
    choice, keys = model(name), np.zeros((1, K + 1), np.uint64)
    click, luckiest = choice.clicks(attraction, attraction), np.zeros((1, K), np.float32)
    drawn = choice.draw(attraction, attraction, click, luckiest, keys[:, :K], keys[:, K])
    assert not drawn[:, [0, 2]].any() and drawn[:, 1].all()


@pytest.mark.parametrize("name", ["position", "cascade"])
def test_a_lower_position_is_looked_at_less(name: str) -> None:
    attraction = np.full((1, K), 0.4, np.float32)
    looks = np.broadcast_to(model(name).examination(attraction), (1, K))
    assert (np.diff(looks[0]) < 0).all()


@quick
@given(st.integers(1, 50), st.floats(0.0, 5.0))
def test_the_discount_starts_at_one_and_falls(k: int, bias: float) -> None:
    p = discount(k, bias)
    assert p[0] == 1.0 and ((p > 0) & (p <= 1)).all() and (np.diff(p) <= 0).all()


def test_the_discount_is_that_of_exposure_at_bias_one_and_flat_at_zero() -> None:
    np.testing.assert_allclose(discount(3, 1.0), [1, 1 / np.log2(3), 1 / 2], rtol=1e-6)
    np.testing.assert_array_equal(discount(3, 0.0), [1, 1, 1])
