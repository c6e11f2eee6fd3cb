import numpy as np
import pytest
from fairloop.candidates.catalogue import Groups
from fairloop.errors import InvalidValue
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.amortised.mirror_descent import DualMirrorDescent, DualMirrorDescentConfig
from fairloop.rerankers.knowledge import column_codes
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.topk import TopKReranker
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import coo_array, vstack

from benchmarks.peers import plain_amortised

RNG = np.random.default_rng(0)
GROUPS = Groups("kind", ("a", "b", "c"), np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2]))
BOTH = pytest.mark.parametrize("mirror", ["euclidean", "entropy"])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    floor=st.sampled_from([0.0, 0.3, 0.8]),
    cap=st.sampled_from([0.2, 0.6, 1.0]),
    mirror=st.sampled_from(["euclidean", "entropy"]),
    block=st.sampled_from([1, 4, 16]),
    ragged=st.booleans(),
)
def test_equals_the_papers_form(make_pools, knowledge, seed, floor, cap, mirror, block, ragged):
    config = DualMirrorDescentConfig(
        attribute="era",
        floors={"new": floor},
        caps={"old": cap},
        mirror=mirror,
        block=block,
        horizon=25,
        largest_price=0.7,
    )
    groups = knowledge.item_groups("era")
    pools = make_pools(40, 16, seed=seed, ragged=ragged)
    codes = np.where(pools.valid, column_codes(groups, pools), -2)
    expected = plain_amortised.dual_mirror_descent(
        relevance(pools),
        codes,
        np.array([0.0, floor]),
        np.array([cap, 1.0]),
        serving_order(pools.users, 0),
        block,
        1 / 5,
        0.7,
        5,
        mirror == "entropy",
    )
    slates = config.make(knowledge).rerank(pools, 5, RNG)
    np.testing.assert_array_equal(slates.columns, expected)


def test_prices_move_against_the_subgradient_by_hand() -> None:
    config = DualMirrorDescentConfig(
        attribute="kind", floors={"b": 0.4}, caps={"a": 0.5}, horizon=100, step=2.0
    )
    controller = DualMirrorDescent(config, GROUPS)
    assert (controller.bonuses == 0).all()
    controller.update(np.array([6.0, 3.0, 1.0]), 10)
    # η = 2/√100; b lacks .4·10 − 3 slates, a has 6 − .5·10 too many.
    np.testing.assert_allclose(controller.floor_prices, [0, 0.2 * 1.0, 0])
    np.testing.assert_allclose(controller.cap_prices, [0.2 * 1.0, 0, 0])
    np.testing.assert_allclose(controller.bonuses, [-0.2, 0.2, 0])
    controller.update(np.array([1.0, 9.0, 0.0]), 10)  # both limits are more than met
    assert (controller.bonuses == 0).all()


def test_prices_of_the_entropy_map_are_multiplied() -> None:
    config = DualMirrorDescentConfig(
        attribute="kind", floors={"b": 0.4}, mirror="entropy", horizon=100, largest_price=2.0
    )
    controller = DualMirrorDescent(config, GROUPS)
    np.testing.assert_allclose(controller.bonuses, [0, 0.2, 0])  # it cannot start at 0
    controller.update(np.array([6.0, 3.0, 1.0]), 10)
    np.testing.assert_allclose(controller.bonuses, [0, 0.2 * np.exp(0.1 * 1.0 / 0.2), 0])
    for _ in range(100):
        controller.update(np.array([10.0, 0.0, 0.0]), 10)
    assert controller.bonuses[1] == pytest.approx(2.0)
    for _ in range(100):
        controller.update(np.array([0.0, 10.0, 0.0]), 10)
    assert controller.bonuses[1] == pytest.approx(0.01 * 0.2)


@BOTH
@pytest.mark.parametrize("horizon", [100, 400, 1600])
def test_limits_are_missed_by_no_more_than_the_prices_say(make_pools, knowledge, mirror, horizon):
    floor, cap = 0.93, 0.05
    config = DualMirrorDescentConfig(
        floors={"long_tail": floor}, caps={"head": cap}, mirror=mirror, horizon=horizon, block=4
    )
    reranker = config.make(knowledge)
    for start in range(0, horizon, 100):
        reranker.rerank(make_pools(100, 40, seed=start), 8, RNG)
    controller = reranker.controller
    head, tail = controller.shares
    # On any stream: T (floor − share) ≤ move of the price / η, while prices are not at their end.
    assert controller.floor_prices[1] < 2 and controller.cap_prices[0] < 2
    travelled = 2.0 if mirror == "euclidean" else 0.2 * np.log(10)
    assert floor - tail <= travelled / np.sqrt(horizon)
    assert head - cap <= travelled / np.sqrt(horizon)
    top = TopKReranker().rerank(make_pools(400, 40), 8, RNG)
    unaided = (knowledge.catalogue.groups["popularity"].codes == 1)[top.items].mean()
    assert unaided < floor - 0.1  # there was something to do


def best_in_hindsight(gain, codes, floors, caps, k) -> float:
    """Largest mean discounted relevance of fractional slates that meet the limits (HiGHS)."""
    n_users, n = gain.shape
    discount = position_discount(k) / position_discount(k).sum()
    user, item, place = (a.ravel() for a in np.indices((n_users, n, k)))
    cell = np.arange(len(user))
    once = coo_array((np.ones(len(cell)), (user * n + item, cell)))
    filled = coo_array((np.ones(len(cell)), (user * k + place, cell)))
    share = [discount[place] * (codes[user, item] == g) / n_users for g in range(len(floors))]
    limits = vstack([coo_array(np.stack([*share, *(-row for row in share)])), once])
    solution = linprog(
        -(discount[place] * gain[user, item]) / n_users,
        A_ub=limits,
        b_ub=np.concatenate([caps, -np.asarray(floors), np.ones(n_users * n)]),
        A_eq=filled,
        b_eq=np.ones(n_users * k),
        bounds=(0, 1),
        method="highs",
    )
    assert solution.status == 0
    return -solution.fun


@BOTH
def test_relevance_comes_close_to_the_best_in_hindsight(make_pools, knowledge, mirror) -> None:
    horizon, k = 400, 3
    pools = make_pools(horizon, 10)
    gain = relevance(pools)
    codes = column_codes(knowledge.item_groups("popularity"), pools)
    floors, caps = [0.0, 0.92], [0.1, 1.0]
    best = best_in_hindsight(gain, codes, floors, caps, k)
    config = DualMirrorDescentConfig(
        floors={"long_tail": 0.92}, caps={"head": 0.1}, mirror=mirror, horizon=horizon, block=1
    )
    reranker = config.make(knowledge)
    slates = reranker.rerank(pools, k, RNG)
    discount = position_discount(k) / position_discount(k).sum()

    def worth(columns: np.ndarray) -> float:
        return float((np.take_along_axis(gain, columns, axis=1) @ discount).mean())

    unaided = worth(TopKReranker().rerank(pools, k, RNG).columns)
    assert best < unaided - 0.005  # the limits cost something
    # Regret of the paper: η G²/2 + a price's way, over T; G² ≤ 2 and η = 1/√T here.
    assert worth(slates.columns) >= best - 1.0 / np.sqrt(horizon)
    # It is much closer than that, and what it is above the best is paid in what the floor lacks.
    assert worth(slates.columns) >= best - 0.01
    assert 0.92 - reranker.controller.shares[1] <= 2 / np.sqrt(horizon)


def test_a_group_within_its_limits_is_left_alone(make_pools, knowledge) -> None:
    config = DualMirrorDescentConfig(floors={"long_tail": 0.1}, caps={"head": 0.9})
    pools = make_pools(100, 30, ragged=True)
    slates = config.make(knowledge).rerank(pools, 6, RNG)
    np.testing.assert_array_equal(slates.columns, TopKReranker().rerank(pools, 6, RNG).columns)


def test_the_default_floors_are_four_fifths_of_each_groups_share_of_the_items(knowledge) -> None:
    floors, caps = DualMirrorDescentConfig().limits(knowledge.item_groups("popularity"))
    np.testing.assert_allclose(floors, [0.8 * 24 / 120, 0.8 * 96 / 120])
    np.testing.assert_allclose(caps, 1.0)
    config = DualMirrorDescentConfig(floors={"head": 0.2}, caps={"head": 0.4}).at_strength(0.5)
    floors, caps = config.limits(knowledge.item_groups("popularity"))
    np.testing.assert_allclose(floors, [0.1, 0.0])
    np.testing.assert_allclose(caps, [0.7, 1.0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"floors": {"head": 0.6, "long_tail": 0.6}}, "floors sum to 1.2"),
        ({"floors": {}, "caps": {"head": 0.3, "long_tail": 0.3}}, "caps sum to 0.6"),
        ({"floors": {"head": 0.5}, "caps": {"head": 0.3}}, "floor of 'head' lies above its cap"),
        ({"floors": {"middle": 0.1}}, "no group named 'middle'"),
        ({"caps": {"middle": 0.1}}, "no group named 'middle'"),
    ],
)
def test_limits_that_nothing_can_meet_are_refused(knowledge, values, message) -> None:
    with pytest.raises(InvalidValue, match=message) as caught:
        DualMirrorDescentConfig(**values).make(knowledge)
    assert caught.value.field in ("floors", "caps") and caught.value.mend


def test_bad_settings_are_refused() -> None:
    for values in ({"horizon": 0}, {"step": 0.0}, {"mirror": "l1"}, {"floors": {"head": 1.2}}):
        with pytest.raises(ValueError):
            DualMirrorDescentConfig(**values)
