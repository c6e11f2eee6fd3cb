import numpy as np
import pytest
from fairloop.candidates.catalogue import Groups
from fairloop.errors import InvalidValue
from fairloop.rerankers.amortised.pid import PIDConfig, PIDController
from fairloop.rerankers.knowledge import column_codes
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.topk import TopKReranker
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_amortised

RNG = np.random.default_rng(0)
GROUPS = Groups("kind", ("a", "b", "c"), np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2]))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    target=st.sampled_from([0.2, 0.8]),
    gains=st.sampled_from([(0.05, 0.005, 0.02), (0.0, 0.05, 0.0), (0.5, 0.2, 0.3)]),
    block=st.sampled_from([1, 4, 16]),
    ragged=st.booleans(),
)
def test_equals_the_textbooks_form(make_pools, knowledge, seed, target, gains, block, ragged):
    p, i, d = gains
    config = PIDConfig(
        attribute="era",
        targets={"new": target},
        proportional=p,
        integral=i,
        derivative=d,
        largest_bonus=0.6,
        block=block,
    )
    groups = knowledge.item_groups("era")
    pools = make_pools(40, 16, seed=seed, ragged=ragged)
    codes = np.where(pools.valid, column_codes(groups, pools), -2)
    shares = np.array([1 - target, target])
    expected = plain_amortised.pid(
        relevance(pools), codes, shares, serving_order(pools.users, 0), block, gains, 0.6, 5
    )
    slates = config.make(knowledge).rerank(pools, 5, RNG)
    np.testing.assert_array_equal(slates.columns, expected)


def test_two_updates_by_hand() -> None:
    config = PIDConfig(
        attribute="kind",
        targets={"a": 0.5, "b": 0.3},
        proportional=1.0,
        integral=0.01,
        derivative=2.0,
        largest_bonus=10.0,
    )
    controller = PIDController(config, GROUPS)
    assert (controller.bonuses == 0).all()
    controller.update(np.array([6.0, 3.0, 1.0]), 10)
    first = np.array([0.5 - 0.6, 0.0, 0.2 - 0.1])  # shortfall per slate
    np.testing.assert_allclose(controller.bonuses, first + 0.01 * 10 * first)
    controller.update(np.array([10.0, 6.0, 4.0]), 20)
    second = np.zeros(3)
    expected = second + 0.01 * 10 * first + 2.0 * (second - first)
    np.testing.assert_allclose(controller.bonuses, expected, atol=1e-12)
    np.testing.assert_allclose(controller.shares, [16 / 30, 9 / 30, 5 / 30])


def test_what_items_of_no_group_receive_is_not_at_stake() -> None:
    config = PIDConfig(attribute="kind", targets={"a": 0.5, "b": 0.3})
    one, two = PIDController(config, GROUPS), PIDController(config, GROUPS)
    one.update(np.array([3.0, 1.8, 1.2]), 10)  # 4 of 10 slates' exposure went to no group
    assert np.allclose(one.bonuses, 0)
    two.update(np.zeros(3), 10)
    assert (two.bonuses == 0).all() and (two.shares == 0).all()


@pytest.mark.parametrize("share", [0.4, 0.65, 0.95])  # top-k gives the long tail about 0.75
def test_a_share_is_held_from_above_as_from_below(make_pools, knowledge, share) -> None:
    reranker = PIDConfig(targets={"long_tail": share}).make(knowledge)
    tail = knowledge.catalogue.groups["popularity"].codes == 1
    for turn in range(20):
        pools = make_pools(200, 40, seed=turn)
        reranker.rerank(pools, 8, RNG)
    assert abs(reranker.controller.shares[1] - share) < 0.01
    bonus = reranker.controller.bonuses
    base = tail[TopKReranker().rerank(pools, 8, RNG).items].mean()
    assert np.sign(bonus[1]) == -np.sign(bonus[0]) == np.sign(share - base)
    # The amortised share is off by what the integral holds: (I/K_i)/t.
    off = share - reranker.controller.shares[1]
    assert off == pytest.approx(
        reranker.controller.state().integral[1] / 0.005 / reranker.controller.n_slates, rel=1e-6
    )


def test_ratios_are_shares_in_other_words(make_pools, knowledge) -> None:
    by_ratio = PIDConfig(ratios={"head": 1.0, "long_tail": 3.0}).make(knowledge)
    by_share = PIDConfig(targets={"long_tail": 0.75}).make(knowledge)
    pools = make_pools(100, 30)
    np.testing.assert_array_equal(
        by_ratio.rerank(pools, 6, RNG).columns, by_share.rerank(pools, 6, RNG).columns
    )
    np.testing.assert_allclose(
        PIDConfig().shares(knowledge.item_groups("popularity")), [24 / 120, 96 / 120]
    )


def test_no_debt_piles_up_while_a_target_is_out_of_reach() -> None:
    config = PIDConfig(attribute="kind", targets={"a": 0.1, "b": 0.1}, largest_bonus=0.5)
    controller = PIDController(config, GROUPS)
    for _ in range(1000):
        controller.update(np.array([16.0, 0.0, 0.0]), 16)  # nothing but a is there
    np.testing.assert_allclose(controller.bonuses, [-0.5, 0.5, 0.5])
    # b and c are back: the lift is gone as fast as it could be won, whatever went before.
    steps = 0
    while controller.bonuses[2] > 0:
        controller.update(np.array([0.0, 0.0, 16.0]), 16)
        steps += 1
    assert steps <= np.ceil(0.5 / (0.005 * 16 * 0.2)) + 1


def test_less_strength_allows_less(make_pools, knowledge) -> None:
    config = PIDConfig(targets={"long_tail": 0.98})
    tail = knowledge.catalogue.groups["popularity"].codes == 1

    def share(strength: float) -> float:
        reranker = config.at_strength(strength).make(knowledge)
        for turn in range(5):
            slates = reranker.rerank(make_pools(200, 40, seed=turn), 8, RNG)
        return float(tail[slates.items].mean())

    shares = [share(s) for s in (0.0, 0.05, 0.15, 1.0)]
    assert (np.diff(shares) > 0.01).all()


def test_bad_targets_are_refused(knowledge) -> None:
    with pytest.raises(ValueError, match="not both"):
        PIDConfig(targets={"head": 0.2}, ratios={"head": 1.0, "long_tail": 2.0})
    for ratios in ({"head": 1.0}, {"head": 1.0, "long_tail": 1.0, "middle": 1.0}):
        with pytest.raises(InvalidValue) as caught:
            PIDConfig(ratios=ratios).make(knowledge)
        assert caught.value.field == "ratios" and caught.value.mend
    with pytest.raises(ValueError):
        PIDConfig(ratios={"head": 0.0, "long_tail": 1.0})
    with pytest.raises(InvalidValue, match="sum to"):
        PIDConfig(targets={"head": 0.7, "long_tail": 0.7}).make(knowledge)
    with pytest.raises(ValueError):
        PIDConfig(integral=-1.0)
