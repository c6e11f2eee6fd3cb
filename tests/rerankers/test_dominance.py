"""Dominance between frontiers: its definition by hand, its error rate, and what it can find."""

import numpy as np
import pytest
from fairloop.metrics.terms import divide_sums
from fairloop.rerankers.attainable import STEPS, Attainable, mixtures, resample
from fairloop.rerankers.dominance import compare
from fairloop.rerankers.frontier import Swept
from fairloop.rerankers.frontier_axes import Axis
from fairloop.rerankers.frontier_summary import N_LEVELS, front, summarise
from hypothesis import given, settings
from hypothesis import strategies as st


def axis(higher_is_better: bool = True) -> Axis:
    return Axis("measure", "a measure", higher_is_better, lambda lists: lists, divide_sums)


def swept(name: str, x: np.ndarray, y: np.ndarray) -> Swept:
    """A sweep whose measures are means of these values per setting and user, ``(P, U)``."""
    strengths = np.linspace(0.0, 1.0, len(x))
    terms = tuple(np.stack([v, np.ones_like(v)], axis=2) for v in (x, y))
    return Swept(name, strengths, (), terms, 0.0)


def plane(*methods: Swept, higher_is_better: bool = True, replicates: int = 300, seed: int = 0):
    axes = (axis(), axis(higher_is_better))
    sums = resample(list(methods), replicates, np.random.default_rng(seed))
    return [Attainable.of(method, axes, sums, 1) for method in methods]


def curve(*points: tuple[float, float], n_users: int = 200, noise: float = 0.0, seed: int = 0):
    """Per-user values around these points; the same noise everywhere, so differences are exact."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0.0, noise, (2, n_users)) if noise else np.zeros((2, n_users))
    x = np.array([[px] for px, _ in points]) + common[0]
    y = np.array([[py] for _, py in points]) + common[1]
    return x, y


BASE = (1.0, 0.0)


def verdicts(methods) -> dict[tuple[str, str], str]:
    return {(c.method, c.other): c.verdict for c in compare(methods)}


def test_mixtures_are_every_setting_and_every_pair() -> None:
    rows = mixtures(3)
    np.testing.assert_array_equal(rows[:3], np.eye(3))
    assert rows.shape == (3 + 3 * (STEPS - 1), 3)
    np.testing.assert_allclose(rows.sum(axis=1), 1.0)
    assert ((rows > 0).sum(axis=1) <= 2).all() and (rows >= 0).all()


def test_a_setting_below_the_line_between_two_others_is_not_efficient() -> None:
    # (0.4, 0.5) lies below the middle (0.5, 0.5) of the base order and (0, 1).
    (method,) = plane(swept("a", *curve(BASE, (0.4, 0.5), (0.0, 1.0))))
    assert method.efficient().tolist() == [2]
    (method,) = plane(swept("a", *curve(BASE, (0.6, 0.5), (0.0, 1.0))))
    assert method.efficient().tolist() == [1, 2]


def ratio(sums: np.ndarray) -> np.ndarray:
    return sums.min(axis=-1) / sums.max(axis=-1)


def test_where_a_mixture_is_best_it_stands_for_the_method() -> None:
    """One setting gives group 2 half of group 1's exposure, the other twice as much."""
    groups = Axis("ratio", "a ratio", True, lambda lists: lists, ratio)
    accuracy = np.ones((2, 40, 2))
    accuracy[1, :, 0] = 0.8
    exposure = np.tile(np.array([[2.0, 1.0], [1.0, 2.0]])[:, None, :], (1, 40, 1))
    method = Swept("a", np.array([0.0, 1.0]), (), (accuracy, exposure), 0.0)
    sums = resample([method], 50, np.random.default_rng(0))
    found = Attainable.of(method, (axis(), groups), sums, 1)
    (end,) = found.efficient()
    np.testing.assert_allclose(found.weights[end], 0.5)
    assert (found.x[end], found.y[end]) == (pytest.approx(0.9), pytest.approx(1.0))


def test_settings_that_only_lose_gain_nothing_and_are_not_compared() -> None:
    good = swept("good", *curve(BASE, (0.9, 0.5)))
    bad = swept("bad", *curve(BASE, (0.9, -0.5)))
    methods = plane(good, bad)
    assert len(methods[1].efficient()) == 0
    assert compare(methods) == []


def test_a_frontier_above_another_dominates_it_and_not_the_other_way_round() -> None:
    upper = swept("upper", *curve(BASE, (0.9, 0.5), (0.6, 1.0), noise=0.1))
    lower = swept("lower", *curve(BASE, (0.7, 0.5), (0.3, 1.0), noise=0.1))
    found = {(c.method, c.other): c for c in compare(plane(upper, lower))}
    sure = found["upper", "lower"]
    assert sure.verdict == "dominates"
    assert found["lower", "upper"].verdict == "frontiers cross"
    # At worth 0.5 and 1 the upper one has 0.9 and 0.6; only (0.65, 0.5), a mixture with the base
    # order, is efficient for the lower one at 0.5, so that its one efficient setting is (0.3, 1).
    assert plane(lower)[0].efficient().tolist() == [1, 2]
    assert sure.accuracy is not None
    np.testing.assert_allclose(sure.accuracy.difference.value, np.mean([0.2, 0.3]))
    assert sure.accuracy.p_value < 0.001


def test_more_worth_at_the_same_accuracy_is_enough() -> None:
    further = swept("further", *curve(BASE, (1.0, 0.8), noise=0.1))
    nearer = swept("nearer", *curve(BASE, (1.0, 0.5), noise=0.1))
    (sure,) = [c for c in compare(plane(further, nearer)) if c.verdict == "dominates"]
    assert (sure.method, sure.other) == ("further", "nearer")
    assert sure.accuracy is not None and sure.worth is not None
    assert sure.accuracy.difference.value == pytest.approx(0.0, abs=1e-12)
    assert sure.accuracy.p_value == 1.0
    np.testing.assert_allclose(sure.worth.difference.value, 0.3)


def test_crossing_frontiers_are_not_decided() -> None:
    mild = swept("mild", *curve(BASE, (0.95, 0.5), (0.1, 1.0)))
    strong = swept("strong", *curve(BASE, (0.6, 0.5), (0.5, 1.0)))
    assert set(verdicts(plane(mild, strong)).values()) == {"frontiers cross"}


def test_a_lead_within_chance_is_too_close_to_call() -> None:
    rng = np.random.default_rng(3)
    a_x, a_y = curve(BASE, (0.9, 0.5))
    b_x, b_y = curve(BASE, (0.895, 0.5))
    a_x[1] += rng.normal(0.0, 0.3, 200)
    a_x[1] += 0.9 - a_x[1].mean()
    found = verdicts(plane(swept("a", a_x, a_y), swept("b", b_x, b_y)))
    assert found == {("a", "b"): "too close to call", ("b", "a"): "frontiers cross"}


def test_less_is_better_where_the_axis_says_so() -> None:
    small = swept("small", *curve((1.0, 1.0), (0.9, 0.2), noise=0.05))
    large = swept("large", *curve((1.0, 1.0), (0.9, 0.6), noise=0.05))
    found = verdicts(plane(small, large, higher_is_better=False))
    assert found["small", "large"] == "dominates"
    assert found["large", "small"] == "frontiers cross"


def test_equal_methods_dominate_neither_way() -> None:
    x, y = curve(BASE, (0.9, 0.5), (0.5, 1.0), noise=0.1)
    found = verdicts(plane(swept("a", x, y), swept("b", x, y)))
    assert set(found.values()) == {"too close to call"}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_two_methods_never_dominate_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_settings = int(rng.integers(2, 6))
    methods = []
    for name in ("a", "b", "c"):
        x, y = rng.normal(0, 0.02, (2, n_settings, 40)) + rng.random((2, n_settings, 1))
        x[0], y[0] = 0.7, 0.2  # the base order is common to all
        methods.append(swept(name, x, y))
    sure = {
        pair for pair, v in verdicts(plane(*methods, replicates=50)).items() if v == "dominates"
    }
    assert not {(b, a) for a, b in sure} & sure


def trial(rng: np.random.Generator, loss: np.ndarray, leads: tuple[float, ...]) -> set:
    """Who dominates whom among methods with these leads in both measures, each with own luck."""
    users = rng.normal(0.5, 0.2, (2, 1, 100))  # what all methods share of a user
    methods = []
    for number, lead in enumerate(leads):
        x, y = users + rng.normal(0, 0.2, (2, 3, 100))
        x += lead - loss[:, None]
        y += lead + np.array([[0.0], [0.1], [0.2]])
        x[0], y[0] = users[0, 0], users[1, 0]
        methods.append(swept(str(number), x, y))
    found = verdicts(plane(*methods, replicates=100))
    return {pair for pair, verdict in found.items() if verdict == "dominates"}


@pytest.mark.parametrize("loss", [np.array([0, 0.1, 0.2]), np.zeros(3)], ids=["steep", "flat"])
def test_methods_alike_in_law_are_rarely_said_to_dominate(loss: np.ndarray) -> None:
    """300 trials with four methods that differ by chance alone; any claim is a false alarm."""
    rng = np.random.default_rng(2020)
    alarms = sum(bool(trial(rng, loss, (0.0, 0.0, 0.0, 0.0))) for _ in range(300))
    assert alarms <= 0.08 * 300  # 5 %, and two standard errors


def test_a_clear_lead_is_found() -> None:
    rng = np.random.default_rng(2021)
    loss = np.array([0, 0.1, 0.2])
    found = [trial(rng, loss, (0.0, 0.1)) for _ in range(60)]
    assert sum(pairs == {("1", "0")} for pairs in found) >= 0.9 * 60


def test_summaries_by_hand() -> None:
    # Mixing the base order (1, 0) with (0.5, 1) reaches accuracy 1 − y/2 at every level y.
    straight = swept("straight", *curve(BASE, (0.5, 1.0), noise=0.01))
    short = swept("short", *curve(BASE, (0.9, 0.25), noise=0.01))
    methods = plane(straight, short)
    one, two = summarise(methods)
    levels = np.linspace(0.0, 1.0, N_LEVELS)
    assert one.kept.value == pytest.approx(np.mean(1 - levels / 2), abs=0.01)
    assert one.kept.low < one.kept.value < one.kept.high
    assert one.level == pytest.approx(0.5, abs=0.01)
    assert one.at_level is not None and one.at_level.value == pytest.approx(0.75, abs=0.01)
    assert two.at_level is None  # it does not get so far
    reached = levels[levels <= 0.25]
    assert two.kept.value == pytest.approx(np.sum(1 - 0.4 * reached) / N_LEVELS, abs=0.01)
    shares = front(methods)
    assert shares["short"] == pytest.approx((len(reached) - 1) / (N_LEVELS - 1), abs=0.03)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_all_methods_meet_the_same_resampled_users() -> None:
    x, y = curve(BASE, (0.9, 0.5), noise=0.3)
    sums = resample([swept("a", x, y), swept("b", x, y)], 50, np.random.default_rng(1))
    np.testing.assert_array_equal(sums["a", 0], sums["b", 0])
    assert sums["a", 0].shape == (50, 2, 2)
    np.testing.assert_allclose(sums["a", 0][..., 1], 200)  # each replicate has as many users
