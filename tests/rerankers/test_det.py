from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.catalogue import Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.metrics.prefix import ndkl
from fairloop.rerankers.knowledge import Knowledge, column_codes, target_shares
from fairloop.rerankers.quotas.det import (
    DetConsConfig,
    DetConstSortConfig,
    DetGreedyConfig,
    DetRelaxedConfig,
    DetReranker,
    DetSettings,
    missed_minima,
)
from fairloop.rerankers.topk import TopKReranker
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_quotas

GREEDY = (DetGreedyConfig, DetConsConfig, DetRelaxedConfig)
ALL = (*GREEDY, DetConstSortConfig)
quick = settings(max_examples=15, deadline=None)


@pytest.fixture(scope="module")
def supplied(knowledge: Knowledge) -> Knowledge:
    """Items of three to six suppliers, some of them not known."""
    rng = np.random.default_rng(3)
    catalogue = knowledge.catalogue
    groups = dict(catalogue.groups)
    for n in (3, 4, 5, 6):
        names = tuple(f"s{i}" for i in range(n))
        codes = rng.permutation(np.arange(catalogue.n_items) % n)
        groups[f"supplier {n}"] = Groups(f"supplier {n}", names, codes)
        some = np.where(rng.random(len(codes)) < 0.2, MISSING, codes)
        groups[f"known {n}"] = Groups(f"known {n}", names, some)
    return replace(knowledge, catalogue=replace(catalogue, groups=groups))


def make(kind: type[DetSettings], knowledge: Knowledge, **values) -> DetReranker:
    reranker = kind(**values).make(knowledge)
    assert isinstance(reranker, DetReranker)
    return reranker


def columns(reranker, pools, k):
    return reranker.rerank(pools, k, np.random.default_rng(0)).columns


def dirichlet_targets(groups: Groups, seed: int) -> dict[str, float]:
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(groups.names)))
    return dict(zip(groups.names[:-1], shares.tolist(), strict=False))


@quick
@given(
    seed=st.integers(0, 10**6),
    attribute=st.sampled_from(["popularity", "era", "supplier 3", "known 4", "known 6"]),
    strength=st.sampled_from([0.0, 0.3, 0.75, 1.0]),
    ragged=st.booleans(),
    own_targets=st.booleans(),
)
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind().algorithm)
def test_equals_the_papers_algorithm(
    make_pools, supplied, kind, seed, attribute, strength, ragged, own_targets
):
    pools = make_pools(4, 24, seed=seed, ragged=ragged)
    groups = supplied.catalogue.groups[attribute]
    targets = dirichlet_targets(groups, seed) if own_targets else None
    reranker = make(kind, supplied, attribute=attribute, targets=targets, strength=strength)
    shares = target_shares(groups, targets)
    if kind is DetConstSortConfig:
        plain = partial(plain_quotas.det_const_sort, shares=shares, k=10, strength=strength)
    else:
        plain = partial(plain_quotas.det, reranker.name, shares=shares, k=10, strength=strength)
    codes = column_codes(groups, pools)
    expected = [
        plain(scores[:size], codes[:size])
        if kind is DetConstSortConfig
        else plain(scores=scores[:size], codes=codes[:size])
        for scores, codes, size in zip(pools.scores, codes, pools.sizes, strict=True)
    ]
    np.testing.assert_array_equal(columns(reranker, pools, 10), expected)


def shown_codes(reranker, pools, k, groups):
    return np.take_along_axis(column_codes(groups, pools), columns(reranker, pools, k), axis=1)


def prefix_counts(shown, n_groups: int):
    """Counts among the items whose group is known, ``(U, k, G)``, and how many those are."""
    counts = np.cumsum(shown[:, :, None] == np.arange(n_groups), axis=1)
    return counts, counts.sum(axis=2, keepdims=True)


@quick
@given(
    seed=st.integers(0, 10**6),
    attribute=st.sampled_from(["popularity", "supplier 3", "known 3"]),
    strength=st.sampled_from([0.6, 1.0]),
)
@pytest.mark.parametrize("kind", GREEDY, ids=lambda kind: kind().algorithm)
def test_up_to_three_groups_keep_between_their_quotas(
    make_pools, supplied, kind, seed, attribute, strength
):
    keeps_between_quotas(make_pools, supplied, kind, seed, attribute, strength)


@quick
@given(seed=st.integers(0, 10**6), n=st.sampled_from([4, 5, 6]))
@pytest.mark.parametrize("kind", [DetConsConfig, DetRelaxedConfig], ids=lambda k: k().algorithm)
def test_the_soonest_due_first_keeps_any_number_of_groups_between(
    make_pools, supplied, kind, seed, n
):
    keeps_between_quotas(make_pools, supplied, kind, seed, f"known {n}", 1.0)


def keeps_between_quotas(make_pools, supplied, kind, seed, attribute, strength):
    """For pools that hold enough of every group."""
    groups = supplied.catalogue.groups[attribute]
    pools = wide_pools(make_pools, supplied, attribute, seed)
    targets = dirichlet_targets(groups, seed)
    shares = target_shares(groups, targets)
    reranker = make(kind, supplied, attribute=attribute, targets=targets, strength=strength)
    slates = reranker.rerank(pools, 8, np.random.default_rng(0))
    assert not reranker.missed(pools, slates).any()
    counts, length = prefix_counts(shown_codes(reranker, pools, 8, groups), len(shares))
    upper = 1 - strength * (1 - shares)
    assert (counts >= np.floor(strength * shares * length + 1e-9)).all()
    assert (counts <= np.ceil(upper * length - 1e-9)).all()


def wide_pools(make_pools, knowledge, attribute: str, seed: int) -> CandidatePools:
    """Whole catalogues as pools: no group runs out of eight candidates."""
    pools = make_pools(6, 120, seed=seed)
    codes = column_codes(knowledge.catalogue.groups[attribute], pools)
    assert all(np.sum(row == g) >= 8 for row in codes for g in range(codes.max() + 1))
    return pools


@quick
@given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([3, 4, 5, 6]),
    strength=st.sampled_from([0.5, 1.0]),
)
def test_const_sort_meets_all_minima_of_any_number_of_groups(
    make_pools, supplied, seed, n, strength
):
    attribute = f"known {n}"
    pools = wide_pools(make_pools, supplied, attribute, seed)
    targets = dirichlet_targets(supplied.catalogue.groups[attribute], seed)
    reranker = make(
        DetConstSortConfig, supplied, attribute=attribute, targets=targets, strength=strength
    )
    slates = reranker.rerank(pools, 8, np.random.default_rng(0))
    assert not reranker.missed(pools, slates).any()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # Places 1 and 2 go to the best, as every maximum is 1. At place 3 both b (⌊1.17⌋) and c
        # (⌊1.08⌋) must have been shown once: one of them comes too late.
        (DetGreedyConfig, "dacb"),
        # Due at 2.6 (b), 2.8 (c), 4.8 (d), then b again at 5.1; rounded up b and c are alike.
        (DetConsConfig, "bcdb"),
        (DetRelaxedConfig, "cbdc"),
        # c and b come in at 3, d at 5 climbs over both (their deadline is 3), the next c at 6.
        (DetConstSortConfig, "dcbc"),
    ],
)
def test_from_four_groups_on_greedy_misses_minima_that_others_meet(kind, expected) -> None:
    targets = {"a": 0.04, "b": 0.39, "c": 0.36}  # and 0.21 for d
    rank = one_user("ddaccbbb", [9, 8, 7, 6, 5, 4, 3, 2], kind=kind, targets=targets)
    shown = rank(4)
    assert shown == expected
    assert ("b" in shown[:3] and "c" in shown[:3]) == (kind is not DetGreedyConfig)


def test_missed_minima_by_hand() -> None:
    # Shares 1/2 and 1/4. First slate: group 0 should be there at 2 (it comes at 3) and twice at 4;
    # second: group 1 is never shown, but should be at 4; third: passing over items of no group, the
    # third known item comes without a second of group 0 being due.
    codes = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [-1, 0, 1, -1]])
    assert missed_minima(codes, np.array([0.5, 0.25])).tolist() == [2, 1, 0]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind().algorithm)
def test_prefixes_come_closer_to_the_targets(make_pools, supplied, kind) -> None:
    pools = make_pools(300, 60, seed=4)
    groups = supplied.catalogue.groups["popularity"]
    targets = {"head": 0.5}
    shares = target_shares(groups, targets)

    def measure(reranker) -> float:
        return float(ndkl(shown_codes(reranker, pools, 10, groups), shares).mean())

    strengths = [0.4, 0.7, 1.0]
    off = [measure(make(kind, supplied, targets=targets, strength=s)) for s in strengths]
    assert measure(TopKReranker()) > off[0] > off[1] > off[2]


def one_user(codes: str, scores: list[float], **values):
    """A re-ranker and a pool over one item per letter; "-" has no group."""
    names = tuple(sorted(set(codes) - {"-"}))
    groups = Groups("kind", names, np.array([names.index(c) if c != "-" else -1 for c in codes]))
    pools = CandidatePools(
        np.zeros(1, int), np.arange(len(codes))[None], np.array(scores, float)[None]
    )
    kind, config = values.pop("kind"), values
    settings_ = kind(attribute="kind", **config)
    reranker = DetReranker(settings_.algorithm, settings_, groups)
    return lambda k: "".join(codes[c] for c in columns(reranker, pools, k)[0])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # p = (1/2, 1/4, 1/4). Place 1: no minimum, every maximum is 1. Greedy takes the best, a.
        # Place 2: a's minimum of 1 is met and its maximum reached: b. Place 3: a or c, a is better.
        # Place 4: c's minimum of 1 is due.
        (DetGreedyConfig, "abac"),
        # ⌈p⌉ / p = 2, 4, 4 at place 1, and a is due soonest. Place 2: a has its maximum, b and c
        # are due at 4 alike, b is better. Place 3: a is due at 4 like c, and better.
        (DetConsConfig, "abac"),
        # Minima rise at a: 2, 4; b: 4; c: 4. a is appended with deadline 2, then a, b, c with
        # deadline 4, best first; none of them beats the a's above.
        (DetConstSortConfig, "aabc"),
    ],
)
def test_a_ranking_by_hand(kind, expected) -> None:
    targets = {"a": 0.5, "b": 0.25, "c": 0.25}
    rank = one_user("aaabbbcc", [9, 8, 7, 6, 5, 4, 3, 2], kind=kind, targets=targets)
    assert rank(4) == expected


def test_const_sort_lets_the_better_rise_by_hand() -> None:
    # p = (1/2, 1/2), b the better. Both minima rise at 2, 4 and 6: b, a with deadline 2, then
    # b, a with deadline 4. The second b would push the first a to place 3: it may not.
    assert one_user("bbbaaa", [9, 8, 7, 3, 2, 1], kind=DetConstSortConfig)(6) == "bababa"
    # p = (0.3, 0.7): b rises at 2, a at 4, b at 3, 5, 6, ...: a may wait for its deadline.
    rank = one_user("bbbbbaa", [9, 8, 7, 6, 5, 2, 1], kind=DetConstSortConfig, targets={"b": 0.7})
    assert rank(5) == "bbbab"


def test_a_group_that_runs_out_leaves_its_places() -> None:
    for kind in ALL:
        rank = one_user("aaaab", [9, 8, 7, 6, 1], kind=kind, targets={"a": 0.2, "b": 0.8})
        assert rank(4) in ("abaa", "baaa")
        assert sorted(rank(5)) == list("aaaab")


def test_items_of_no_group_are_not_counted() -> None:
    # p = (1/2, 1/2). The unknown items are the best, but a minimum goes before them.
    for kind in GREEDY:
        assert one_user("--aabb", [9, 8, 7, 6, 5, 4], kind=kind)(6) == "--abab"
        # Place 2 belongs to b by its minimum; only then comes the unknown item.
        assert one_user("a-abb", [9, 8, 7, 6, 5], kind=kind)(4) == "ab-a"
    assert one_user("a-abb", [9, 8, 7, 6, 5], kind=DetConstSortConfig)(4) == "ab-a"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind().algorithm)
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"targets": {"head": 0.7, "long_tail": 0.7}}, "targets"),
        ({"targets": {"tail": 0.7}}, "targets"),
        ({"attribute": "colour"}, "attribute"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(supplied, kind, values, field) -> None:
    with pytest.raises(InvalidValue) as caught:
        make(kind, supplied, **values)
    assert caught.value.field == field and caught.value.mend
    with pytest.raises(ValueError, match="validation error"):
        kind(strength=1.5)
