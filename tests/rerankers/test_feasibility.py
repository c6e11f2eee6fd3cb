from itertools import combinations, permutations

import numpy as np
import pytest
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import EmptyData, InvalidValue, UnreachableConstraint
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.constraints import (
    Constraints,
    ExposureCeiling,
    ExposureFloor,
    HardFilters,
)
from fairloop.rerankers.feasibility import check_reachable
from fairloop.rerankers.patterns import jaccard_distance
from scipy.optimize import linprog


def tiny(codes: list[int], n_topics: int = 3, seed: int = 0) -> Catalogue:
    n = len(codes)
    ids = np.array([str(i) for i in range(n)])
    topics = np.random.default_rng(seed).random((n, n_topics)) < 0.5
    groups = {"side": Groups("side", ("a", "b", "c"), np.array(codes))}
    return Catalogue(
        ids, ids, topics, tuple("xyz"[:n_topics]), np.full(n, 1990.0), np.ones(n), groups
    )


def floors(**shares: float) -> tuple[ExposureFloor, ...]:
    return tuple(ExposureFloor(attribute="side", group=g, share=s) for g, s in shares.items())


def pools_of(*rows: list[int]) -> CandidatePools:
    items = np.array(rows)
    return CandidatePools(np.arange(len(rows)), items, np.zeros(items.shape))


def test_reach_is_the_best_slate_by_enumeration() -> None:
    catalogue = tiny([0, 0, 1, 1, 1, 2])
    pools = pools_of([0, 2, 3, 4], [1, 0, 5, 2])
    v = position_discount(3)
    best = []
    for row in pools.items:
        shares = [
            v[(catalogue.groups["side"].codes[list(slate)] == 0)].sum() / v.sum()
            for slate in permutations(row.tolist(), 3)
        ]
        best.append(max(shares))
    reach = check_reachable(pools, Constraints(exposure=floors(a=0.0)), catalogue, 3)
    assert reach.shares[0] == pytest.approx(np.mean(best), rel=1e-12)
    check_reachable(pools, Constraints(exposure=floors(a=float(np.mean(best)))), catalogue, 3)
    with pytest.raises(UnreachableConstraint) as caught:
        check_reachable(
            pools, Constraints(exposure=floors(a=float(np.mean(best)) + 1e-4)), catalogue, 3
        )
    assert "side=a" in str(caught.value.field) and f"{np.mean(best):.4g}" in caught.value.message
    # The advice can itself be followed.
    advised = float(str(caught.value.mend).split("at most ")[1].split(",")[0])
    check_reachable(pools, Constraints(exposure=floors(a=advised)), catalogue, 3)


def test_floors_that_are_fine_alone_but_not_together_are_refused() -> None:
    catalogue = tiny([0, 0, 0, 1, 1, 1])
    pools = pools_of([0, 1, 3, 4])
    check_reachable(pools, Constraints(exposure=floors(a=0.6)), catalogue, 2)
    check_reachable(pools, Constraints(exposure=floors(b=0.6)), catalogue, 2)
    with pytest.raises(UnreachableConstraint, match=r"a \+ b|b \+ a"):
        check_reachable(pools, Constraints(exposure=floors(a=0.6, b=0.6)), catalogue, 2)


def test_joint_reach_is_exact_against_mixtures_of_slates() -> None:
    """The sets' bounds describe exactly what mixing slates can give (checked on a grid)."""
    catalogue = tiny([0, 1, 2, 2, 2])
    pools = pools_of([0, 1, 2, 3])
    v = position_discount(3)
    codes = catalogue.groups["side"].codes
    corners = np.array(
        [
            [v[codes[list(s)] == g].sum() / v.sum() for g in (0, 1)]
            for s in permutations(range(4), 3)
        ]
    )
    for a, b in [(0.45, 0.25), (0.3, 0.3), (0.4, 0.37), (0.46, 0.31)]:
        # (a, b) can be had when some mixture of two or one corners is at or above it.
        mixtures = np.concatenate(
            [
                t * corners[i] + (1 - t) * corners[j]
                for i, j in combinations(range(len(corners)), 2)
                for t in [np.linspace(0, 1, 101)[:, None]]
            ]
        )
        possible = bool(((mixtures >= np.array([a, b]) - 1e-9).all(axis=1)).any())
        try:
            check_reachable(pools, Constraints(exposure=floors(a=a, b=b)), catalogue, 3)
            accepted = True
        except UnreachableConstraint:
            accepted = False
        assert accepted == possible, (a, b)


def test_filters_count_before_reach() -> None:
    catalogue = tiny([0, 0, 1, 1, 1])
    pools = pools_of([0, 1, 2, 3, 4])
    ask = Constraints(exposure=floors(a=0.9))
    check_reachable(pools, ask, catalogue, 2)
    filters = HardFilters(exclude_items=frozenset({"0"}))
    with pytest.raises(UnreachableConstraint):
        check_reachable(pools, Constraints(exposure=ask.exposure, filters=filters), catalogue, 2)
    with pytest.raises(InvalidValue, match="filters"):
        check_reachable(pools, Constraints(filters=filters), catalogue, 5)


@pytest.mark.parametrize("seed", range(6))
def test_diversity_is_bracketed_around_the_true_best(seed: int) -> None:
    catalogue = tiny([0] * 8, seed=seed)
    pools = pools_of(list(range(8)))
    distance = jaccard_distance(catalogue.topics, catalogue.topics)
    best = max(
        np.mean([distance[i, j] for i, j in combinations(slate, 2)])
        for slate in combinations(range(8), 4)
    )
    reach = check_reachable(pools, Constraints(), catalogue, 4)
    assert reach.diversity_found - 1e-6 <= best <= reach.diversity_bound + 1e-6
    assert reach.diversity_is_sure
    above = min(reach.diversity_bound + 0.01, 1.0)
    if above > reach.diversity_bound + 1e-6:
        with pytest.raises(UnreachableConstraint, match="min_diversity"):
            check_reachable(pools, Constraints(min_diversity=above), catalogue, 4)
    between = (reach.diversity_found + reach.diversity_bound) / 2
    if between > reach.diversity_found + 1e-5:
        asked = check_reachable(pools, Constraints(min_diversity=between), catalogue, 4)
        assert not asked.diversity_is_sure


def test_empty_pools_and_unknown_groups_are_refused() -> None:
    catalogue = tiny([0, 1, 2])
    with pytest.raises(EmptyData):
        check_reachable(pools_of([0, 1]).take(np.zeros(0, int)), Constraints(), catalogue, 1)
    with pytest.raises(InvalidValue, match="no group 'z'"):
        check_reachable(pools_of([0, 1]), Constraints(exposure=floors(z=0.1)), catalogue, 1)


@pytest.mark.parametrize("seed", range(25))
def test_floors_and_ceilings_together_agree_with_every_mixture_of_slates(seed: int) -> None:
    """A linear program over all slates of two users says whether the limits can be met."""
    rng = np.random.default_rng(seed)
    catalogue = tiny(rng.integers(0, 3, 6).tolist())
    pools = CandidatePools(
        np.arange(2), np.array([[0, 1, 2, 3], [2, 3, 4, 5]]), np.tile([4.0, 3, 2, 1], (2, 1))
    )
    names = catalogue.group("side").names
    low = rng.uniform(0, 0.5, len(names)).round(2)
    high = np.minimum(1.0, low + rng.uniform(0, 0.4, len(names))).round(2)
    limits = tuple(
        limit
        for name, least, most in zip(names, low, high, strict=True)
        for limit in (
            ExposureFloor(attribute="side", group=name, share=least),
            ExposureCeiling(attribute="side", group=name, share=most),
        )
    )
    weights = 1 / np.log2(np.arange(2) + 2)
    weights /= weights.sum()
    columns, rows = [], []
    for user in range(2):
        for slate in permutations(pools.items[user], 2):
            codes = catalogue.group("side").codes[list(slate)]
            columns.append(np.bincount(codes, weights, len(names)) / 2)
            rows.append(user)
    shares, owner = np.array(columns).T, np.array(rows)
    solved = linprog(
        np.zeros(len(owner)),
        A_ub=np.concatenate([shares, -shares]),
        b_ub=np.concatenate([high, -low]),
        A_eq=np.stack([owner == 0, owner == 1]).astype(float),
        b_eq=np.ones(2),
    )
    try:
        check_reachable(pools, Constraints(exposure=limits), catalogue, 2)
        accepted = True
    except UnreachableConstraint:
        accepted = False
    assert accepted == (solved.status == 0)


def test_a_ceiling_out_of_reach_says_what_is_within() -> None:
    catalogue = tiny([0, 0, 0, 1])
    ceiling = ExposureCeiling(attribute="side", group="a", share=0.3)
    with pytest.raises(UnreachableConstraint, match="the ceiling") as caught:
        check_reachable(pools_of([0, 1, 2, 3]), Constraints(exposure=(ceiling,)), catalogue, 2)
    least = float(str(caught.value.mend).split()[3].rstrip(","))
    within = ceiling.model_copy(update={"share": least})
    reach = check_reachable(pools_of([0, 1, 2, 3]), Constraints(exposure=(within,)), catalogue, 2)
    assert reach.shares[0] >= within.least
    floor = ExposureFloor(attribute="side", group="a", share=0.9)
    with pytest.raises(UnreachableConstraint, match="above its ceiling"):
        check_reachable(pools_of([0, 1, 2, 3]), Constraints(exposure=(floor, within)), catalogue, 2)
