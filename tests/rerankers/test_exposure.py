import json

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureCeiling, ExposureFloor
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.controller import ConstraintController, ControllerConfig
from fairloop.rerankers.exposure import ExposureConfig, ExposureReranker, measure
from fairloop.rerankers.feasibility import check_reachable
from fairloop.rerankers.features import feature_names
from fairloop.rerankers.greedy import build_slates
from fairloop.rerankers.topk import TopKReranker

RNG = np.random.default_rng(0)


def limits(share: float | None, diversity: float | None, window: int = 200) -> Constraints:
    floors = ()
    if share is not None:
        floors = (
            ExposureFloor(attribute="popularity", group="long_tail", share=share, window=window),
        )
    return Constraints(exposure=floors, min_diversity=diversity)


def serve(
    reranker: ExposureReranker, make_pools, catalogue, constraints, batches: int, size: int
) -> np.ndarray:
    """Measures of every slate in the order of the batches, shape (batches * size, C)."""
    measured = []
    for seed in range(batches):
        pools = make_pools(size, 40, seed=seed)
        slates = reranker.rerank(pools, 8, RNG)
        context = PoolContext.of(pools, catalogue, constraints)
        measured.append(measure(context, slates.columns))
    return np.concatenate(measured)


@pytest.mark.parametrize("size", [1, 20, 400])
@pytest.mark.parametrize(("share", "diversity"), [(0.93, None), (0.9, 0.86), (None, 0.88)])
def test_targets_are_held_over_time(make_pools, catalogue, size, share, diversity) -> None:
    constraints = limits(share, diversity)
    check_reachable(make_pools(200, 40), constraints, catalogue, 8)
    base = TopKReranker().rerank(make_pools(200, 40), 8, RNG)
    context = PoolContext.of(make_pools(200, 40), catalogue, constraints)
    unaided = measure(context, base.columns).mean(axis=0)
    target = np.array([t for t in (share, diversity or 0.0) if t is not None])
    assert (unaided < target - 0.02)[target > 0].any()  # there is something to do

    reranker = ExposureReranker(ExposureConfig(), catalogue, constraints)
    measured = serve(reranker, make_pools, catalogue, constraints, 2000 // size, size)
    settled = measured[600:].mean(axis=0)
    assert (settled >= target - 0.01).all(), settled
    if share is not None:
        assert abs(settled[0] - share) < 0.01 or unaided[0] > share


def test_a_margin_ends_above_the_target(make_pools, catalogue) -> None:
    constraints = limits(0.93, None)
    config = ExposureConfig(controller=ControllerConfig(margin=0.02))
    reranker = ExposureReranker(config, catalogue, constraints)
    measured = serve(reranker, make_pools, catalogue, constraints, 60, 20)
    assert 0.935 < measured[400:, 0].mean() < 0.96


def test_a_group_above_its_floor_is_left_alone(make_pools, catalogue) -> None:
    pools = make_pools(50, 40)
    reranker = ExposureReranker(ExposureConfig(), catalogue, limits(0.1, 0.1))
    slates = reranker.rerank(pools, 8, RNG)
    np.testing.assert_array_equal(slates.columns, TopKReranker().rerank(pools, 8, RNG).columns)
    assert (reranker.controller.bonuses == 0).all()
    assert (reranker.controller.gaps > 0).all()


def test_the_window_repays_what_a_bad_spell_owed(make_pools, catalogue) -> None:
    controller = ConstraintController(limits(0.5, None, window=50))
    controller.update(np.tile([0.3, 0.0], (40, 1)))
    owing = controller.bonuses[0]
    for _ in range(50):  # exactly at target: nothing new is owed, the debt leaves the window
        controller.update(np.array([[0.5, 0.0]]))
    assert 0 < controller.bonuses[0] < owing
    assert controller.gaps[0] == pytest.approx(0.0)


def test_gaps_and_offsets_line_up_with_the_policy(catalogue) -> None:
    constraints = limits(0.5, 0.7)
    controller = ConstraintController(constraints, ControllerConfig(start_bonus=0.4))
    assert controller.gaps.tolist() == [0.0, 0.0]
    offsets = controller.offsets()
    names = (*feature_names(constraints), "diversity")
    assert offsets.shape == (len(names),)
    assert dict(zip(names, offsets, strict=True))["floor:popularity=long_tail"] == np.float32(0.4)
    assert np.count_nonzero(offsets) == 1
    controller.update(np.array([[0.6, 0.9], [0.2, 0.5]]))
    np.testing.assert_allclose(controller.gaps, [0.4 - 0.5, 0.7 - 0.7])


def test_only_active_users_are_measured() -> None:
    controller = ConstraintController(limits(0.5, 0.7))
    controller.update(np.array([[0.6, 0.9], [0.0, 0.0]]), np.array([True, False]))
    np.testing.assert_allclose(controller.gaps, [0.1, 0.2])
    assert controller.n_slates == 1


def test_a_thousand_slates_at_once_do_not_swing_the_bonus_further_than_sixteen() -> None:
    many, few = (ConstraintController(limits(0.9, None, window=5000)) for _ in range(2))
    many.update(np.tile([0.4, 0.0], (1000, 1)))
    few.update(np.tile([0.4, 0.0], (16, 1)))
    np.testing.assert_allclose(many.bonuses, few.bonuses)


def test_a_saved_state_continues_where_it_stopped(make_pools, catalogue) -> None:
    constraints = limits(0.93, 0.86)
    whole = ExposureReranker(ExposureConfig(), catalogue, constraints)
    serve(whole, make_pools, catalogue, constraints, 5, 20)
    text = whole.controller.to_json()
    json.loads(text)
    resumed = ExposureReranker(ExposureConfig(), catalogue, constraints)
    resumed.controller.restore(text)
    pools = make_pools(70, 40, seed=99)
    one, two = whole.rerank(pools, 8, RNG), resumed.rerank(pools, 8, RNG)
    np.testing.assert_array_equal(one.columns, two.columns)
    assert whole.controller.to_json() == resumed.controller.to_json()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a controller state"),
        ("{}", "not a controller state"),
        (ConstraintController(limits(0.4, 0.7)).to_json(), "expected"),
        (ConstraintController(limits(None, 0.7)).to_json(), "expected"),
    ],
)
def test_a_state_of_other_constraints_is_refused(text: str, reason: str) -> None:
    controller = ConstraintController(limits(0.5, 0.7))
    before = controller.to_json()
    with pytest.raises(InvalidValue, match=reason):
        controller.restore(text)
    assert controller.to_json() == before


def test_measures_of_the_wrong_shape_or_not_finite_are_refused() -> None:
    controller = ConstraintController(limits(0.5, 0.7))
    for bad in (np.zeros((3, 1)), np.zeros(2), np.array([[np.nan, 0.1]])):
        with pytest.raises(InvalidValue, match="measured"):
            controller.update(bad)


def test_a_user_is_not_always_served_first(make_pools, catalogue) -> None:
    pools = make_pools(200, 40)
    same = CandidatePools(
        pools.users, np.tile(pools.items[0], (200, 1)), np.tile(pools.scores[0], (200, 1))
    )
    constraints = limits(0.97, None)
    reranker = ExposureReranker(ExposureConfig(block=8), catalogue, constraints)
    context = PoolContext.of(same, catalogue, constraints)
    first = measure(context, reranker.rerank(same, 8, RNG).columns)[:, 0]
    # Equal pools: shares differ only by when a user was served, which must not follow the index.
    assert first.std() > 0
    assert abs(np.corrcoef(first, np.arange(200))[0, 1]) < 0.25


@pytest.mark.parametrize("size", [20, 400])
def test_a_ceiling_is_held_over_time(make_pools, catalogue, size) -> None:
    ceiling = ExposureCeiling(attribute="popularity", group="head", share=0.05, window=200)
    constraints = Constraints(exposure=(ceiling,))
    head = catalogue.group("popularity").mask("head")
    reranker = ExposureReranker(ExposureConfig(), catalogue, constraints)
    shares = []
    for seed in range(2000 // size):
        pools = make_pools(size, 40, seed=seed)
        unaided = head[TopKReranker().rerank(pools, 8, RNG).items] @ DISCOUNTS
        assert size < 400 or unaided.mean() > 0.1  # there is something to push down
        shares.append(head[reranker.rerank(pools, 8, RNG).items] @ DISCOUNTS)
    assert np.concatenate(shares)[600:].mean() == pytest.approx(0.05, abs=0.01)
    assert (reranker.controller.bonuses[0] > 0).all()


DISCOUNTS = 1 / np.log2(np.arange(8) + 2)
DISCOUNTS /= DISCOUNTS.sum()


def test_a_bonus_for_the_rest_is_a_malus_for_the_group(make_pools, catalogue) -> None:
    pools = make_pools(50, 40)
    ceiling = ExposureCeiling(attribute="popularity", group="head", share=0.1)
    context = PoolContext.of(pools, catalogue, Constraints(exposure=(ceiling,)))
    head = catalogue.group("popularity").mask("head")[pools.items]
    scores = context.memoryless[:, 0]
    for diversity in (0.0, 2.0):
        lifted = build_slates(scores + 0.7 * context.floors[0], diversity, context, 8)
        pushed = build_slates(scores - 0.7 * head, diversity, context, 8)
        np.testing.assert_array_equal(lifted, pushed)


def turned(pools: CandidatePools, head: np.ndarray) -> CandidatePools:
    """The same pools with a taste for the head of the catalogue."""
    scores = pools.scores + 1.5 * head[pools.items]
    order = np.argsort(-scores, axis=1)
    items = np.take_along_axis(pools.items, order, axis=1)
    return CandidatePools(pools.users, items, np.take_along_axis(scores, order, axis=1))


@pytest.mark.parametrize("window", [100, 300])
def test_a_breach_is_over_within_a_window(make_pools, catalogue, window) -> None:
    """Taste turns: from then on head is what scores, and nothing but the ceiling keeps it down."""
    ceiling = ExposureCeiling(attribute="popularity", group="head", share=0.1, window=window)
    reranker = ExposureReranker(ExposureConfig(), catalogue, Constraints(exposure=(ceiling,)))
    head = catalogue.group("popularity").mask("head")
    shares, unaided, turn = [], [], 30
    for seed in range(turn + 50):
        pools = make_pools(20, 40, seed=seed)
        pools = turned(pools, head) if seed >= turn else pools
        shares.append(head[reranker.rerank(pools, 8, RNG).items] @ DISCOUNTS)
        unaided.append(head[pools.items[:, :8]] @ DISCOUNTS)
    assert np.concatenate(unaided[turn:]).mean() > 0.4
    assert shares[turn].mean() > 0.15
    later = np.concatenate(shares)[20 * turn + window :]
    means = np.convolve(later, np.ones(window) / window, "valid")
    assert (means <= 0.1 + 3 * later.std() / np.sqrt(window)).all()
    assert later.mean() <= 0.1 + 3 * later.std() / np.sqrt(len(later))


def test_diversity_has_a_window_of_its_own() -> None:
    limit = Constraints(min_diversity=0.5, diversity_window=10)
    controller = ConstraintController(limit)
    controller.update(np.full((10, 1), 0.1))
    controller.update(np.full((10, 1), 0.9))
    assert controller.gaps[-1] == pytest.approx(0.4)
    assert controller.windows == (10,)
    overruled = ConstraintController(limit, ControllerConfig(diversity_window=20))
    for value in (0.1, 0.9):
        overruled.update(np.full((10, 1), value))
    assert overruled.gaps[-1] == pytest.approx(0.0)
