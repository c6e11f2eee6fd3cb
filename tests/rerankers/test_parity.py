from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.metrics.exposure import disparate_impact_ratio, disparate_treatment_ratio
from fairloop.rerankers.knowledge import Knowledge
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.stochastic.parity import ExposureParityConfig, ExposureParityReranker
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_stochastic

CONSTRAINTS = ("demographic-parity", "disparate-treatment", "disparate-impact")


def solver(codes, n_groups: int, **settings) -> ExposureParityReranker:
    names = tuple(f"g{g}" for g in range(n_groups))
    return ExposureParityReranker(
        ExposureParityConfig(**settings), Groups("group", names, np.asarray(codes))
    )


def pools_of(scores) -> CandidatePools:
    """Every user has the same items, 0, 1, 2, …, with scores (U, N)."""
    scores = np.atleast_2d(np.asarray(scores, float))
    items = np.tile(np.arange(scores.shape[1]), (len(scores), 1))
    return CandidatePools(np.arange(len(scores)), items, scores)


def utility(mixture, gains: np.ndarray) -> np.ndarray:
    return (mixture.exposure(gains.shape[1]) * gains).sum(axis=1)


def test_job_seekers_of_the_paper() -> None:
    # Singh & Joachims, KDD 2018, figure 2: relevance .82 … .77, three of each gender. Discounts
    # there are 1/ln(j + 1), so its DCG of 3.8193 is ours over ln 2; parity costs 0.42 %.
    pools = pools_of([0.82, 0.81, 0.80, 0.79, 0.78, 0.77])
    base = np.log(2) * 3.8193
    assert utility(
        solver([0, 0, 0, 1, 1, 1], 2, relevance="raw", reduction=0.0).mixture(pools, 6),
        pools.scores,
    )[0] == pytest.approx(base, abs=1e-4)
    lottery = solver([0, 0, 0, 1, 1, 1], 2, relevance="raw").mixture(pools, 6)
    assert utility(lottery, pools.scores)[0] == pytest.approx(np.log(2) * 3.8031, abs=1e-4)
    assert lottery.columns[0].tolist() == [[0, 3, 1, 4, 2, 5], [3, 0, 4, 1, 5, 2]]
    np.testing.assert_allclose(lottery.weights[0], [0.5, 0.5])


def test_disparate_treatment_and_impact_of_the_golden_list_end_at_1() -> None:
    # Relevance .81 … .76, first three in A: DTR 1.747428 and DIR 1.819335 before.
    gains = np.array([0.81, 0.80, 0.79, 0.78, 0.77, 0.76])
    codes, pools = np.array([0, 0, 0, 1, 1, 1]), pools_of(gains)
    for constraint, ratio, before in (
        ("disparate-treatment", disparate_treatment_ratio, 1.747428),
        ("disparate-impact", disparate_impact_ratio, 1.819335),
    ):
        base = solver(codes, 2, constraint=constraint, relevance="raw", reduction=0.0)
        after = solver(codes, 2, constraint=constraint, relevance="raw")
        exposure = base.mixture(pools, 6).exposure(6)[0]
        assert ratio(exposure, gains, codes, 0, 1) == pytest.approx(before, abs=1e-6)
        exposure = after.mixture(pools, 6).exposure(6)[0]
        assert ratio(exposure, gains, codes, 0, 1) == pytest.approx(1.0, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    constraint=st.sampled_from(CONSTRAINTS),
    n_groups=st.integers(2, 4),
    k=st.integers(1, 6),
    reduction=st.sampled_from([0.2, 0.5, 0.9, 1.0]),
)
def test_equals_the_linear_programme(seed, constraint, n_groups, k, reduction) -> None:
    rng = np.random.default_rng(seed)
    n = 9
    codes = rng.integers(-1, n_groups, n)
    codes[:n_groups] = np.arange(n_groups)
    scores = -np.sort(-rng.random((2, n)), axis=1)
    pools = pools_of(scores)
    reranker = solver(codes, n_groups, constraint=constraint, reduction=reduction)
    solution = reranker.solve(pools, k)
    gains = relevance(pools)
    for user in range(2):
        placement, allowed = plain_stochastic.exposure_lp(
            gains[user], codes, k, constraint, reduction
        )
        exposure = placement @ plain_stochastic.discounts(k)
        assert utility(solution.mixture, gains)[user] == pytest.approx(
            gains[user] @ exposure, abs=1e-7
        )
        assert solution.gap_after[user] <= allowed + 1e-7


def test_it_never_does_worse_than_bounded_gaps_ask(make_pools, catalogue) -> None:
    # Less gap costs utility, and the gap that is left is the one allowed.
    pools = make_pools(200, 30, seed=5)
    gains, last = relevance(pools), np.inf
    for reduction in (0.0, 0.3, 0.6, 1.0):
        config = ExposureParityConfig(reduction=reduction)
        solution = ExposureParityReranker(config, catalogue.groups["popularity"]).solve(pools, 8)
        compared = ~np.isnan(solution.gap_before)
        np.testing.assert_allclose(
            solution.gap_after[compared],
            np.maximum(solution.gap_allowed, 0.0)[compared],
            atol=1e-12,
        )
        total = utility(solution.mixture, gains).sum()
        assert total < last
        last = total
        assert solution.n_out_of_reach == 0


def test_a_gap_out_of_reach_is_made_as_small_as_it_can_be_and_counted() -> None:
    # One item of nearly all the relevance: even first in every ranking it gets too little.
    pools = pools_of([1.0, 0.02, 0.02, 0.02, 0.02, 0.02])
    for codes, n_groups in (([0, 1, 1, 1, 1, 1], 2), ([0, 1, 1, 2, 2, 2], 3)):
        reranker = solver(codes, n_groups, constraint="disparate-treatment", relevance="raw")
        solution = reranker.solve(pools, 3)
        assert solution.n_out_of_reach == 1 and solution.n_unconstrained == 0
        placement, least = plain_stochastic.exposure_lp(
            pools.scores[0], np.array(codes), 3, "disparate-treatment", 1.0
        )
        assert solution.gap_after[0] == pytest.approx(least, abs=1e-6)
        assert solution.gap_after[0] > 1e-3
        gain = pools.scores[0] @ placement @ plain_stochastic.discounts(3)
        assert utility(solution.mixture, pools.scores)[0] == pytest.approx(gain, abs=1e-6)


def test_users_with_one_group_to_compare_keep_the_base_order_and_are_counted(make_pools) -> None:
    pools = make_pools(6, 10, seed=8)
    codes = np.full(120, MISSING)
    codes[pools.items[0, 5]] = 0  # the first user meets one group, others none or one
    solution = solver(codes, 2).solve(pools, 4)
    assert solution.n_unconstrained == 6
    np.testing.assert_array_equal(solution.mixture.columns[:, 0], np.tile(np.arange(4), (6, 1)))
    assert (solution.mixture.weights[:, 0] == 1.0).all()


def test_users_with_few_and_with_many_groups_share_a_batch(make_pools, catalogue) -> None:
    codes = np.random.default_rng(2).integers(0, 5, 120)
    pools = make_pools(12, 7, seed=3, ragged=True)
    solution = solver(codes, 5).solve(pools, 3)
    for user in range(12):
        alone = solver(codes, 5).solve(pools.take(np.array([user])), 3)
        np.testing.assert_allclose(
            alone.mixture.exposure(7)[0], solution.mixture.exposure(7)[user], atol=1e-9
        )
        assert solution.gap_after[user] == pytest.approx(0.0, abs=1e-7)


def test_unsorted_pools_are_ranked_by_score(knowledge) -> None:
    scores = np.random.default_rng(1).permutation(np.linspace(0.1, 0.9, 12))
    shuffled, order = pools_of(scores), np.argsort(-scores)
    codes = np.arange(12) % 2
    lottery = solver(codes, 2).mixture(shuffled, 5)
    ordered = CandidatePools(np.zeros(1, int), order[None], scores[order][None])
    expected = solver(codes, 2).mixture(ordered, 5)
    np.testing.assert_array_equal(lottery.columns[0], order[expected.columns[0]])


def test_settings_that_name_nothing_are_refused(knowledge: Knowledge) -> None:
    with pytest.raises(InvalidValue, match="attribute"):
        ExposureParityConfig(attribute="colour").make(knowledge)
    with pytest.raises(ValueError, match="constraint"):
        ExposureParityConfig(constraint="parity")
    with pytest.raises(ValueError, match="reduction"):
        ExposureParityConfig(reduction=1.5)


def test_negative_raw_scores_and_empty_groups_are_refused(
    knowledge: Knowledge, catalogue: Catalogue, make_pools
) -> None:
    pools = make_pools(2, 9)
    pools.scores[:, -1] = -1.0
    with pytest.raises(InvalidValue, match="raw relevance"):
        ExposureParityConfig(relevance="raw").make(knowledge).rerank(
            pools, 3, np.random.default_rng(0)
        )
    hollow = Groups("hollow", ("a", "b"), np.zeros(catalogue.n_items, int))
    wider = replace(knowledge, catalogue=replace(catalogue, groups={"hollow": hollow}))
    with pytest.raises(InvalidValue, match="hollow"):
        ExposureParityConfig(attribute="hollow").make(wider)
