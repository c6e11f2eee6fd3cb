from itertools import combinations, permutations

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.metrics.exposure import position_discount
from fairloop.rerankers.knowledge import Knowledge
from fairloop.rerankers.quotas.fa_ir import FAIRConfig, FAIRReranker
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_quotas

quick = settings(max_examples=25, deadline=None)


def make(knowledge: Knowledge, **values) -> FAIRReranker:
    reranker = FAIRConfig(**values).make(knowledge)
    assert isinstance(reranker, FAIRReranker)
    return reranker


def columns(reranker, pools, k):
    return reranker.rerank(pools, k, np.random.default_rng(0)).columns


def protected_codes(knowledge, pools, attribute, protected):
    """0 unprotected, 1.. protected, −1 padding, shape ``(U, N)``."""
    groups = knowledge.catalogue.groups[attribute]
    codes = np.zeros(pools.items.shape, int)
    for code, name in enumerate(protected, start=1):
        codes[groups.mask(name)[np.maximum(pools.items, 0)]] = code
    codes[~pools.valid] = -1
    return codes


CASES = [
    {"p": 0.6},
    {"p": 0.9, "alpha": 0.15, "adjusted": False},
    {"p": 0.3, "protected": ("head",), "level": "nearest"},
    {"p": (0.4, 0.5), "attribute": "era", "protected": ("new", "old")},
    {"p": (0.3, 0.3), "attribute": "era", "protected": ("old", "new"), "adjusted": False},
]


@quick
@given(seed=st.integers(0, 10**6), case=st.sampled_from(CASES), ragged=st.booleans())
def test_equals_the_papers_algorithm(make_pools, knowledge, seed, case, ragged):
    pools = make_pools(5, 24, seed=seed, ragged=ragged)
    reranker = make(knowledge, **case)
    attribute = case.get("attribute", "popularity")
    codes = protected_codes(knowledge, pools, attribute, case.get("protected", ("long_tail",)))
    minima = reranker.table(10).minima
    expected = plain_quotas.each_user(
        lambda s, c: plain_quotas.fa_ir(s[c >= 0], c[c >= 0], minima, 10), pools.scores, codes
    )
    np.testing.assert_array_equal(columns(reranker, pools, 10), expected)


@quick
@given(seed=st.integers(0, 10**6), case=st.sampled_from(CASES), k=st.integers(1, 12))
def test_every_prefix_passes_where_the_pool_allows(make_pools, knowledge, seed, case, k):
    pools = make_pools(9, 24, seed=seed, ragged=True)
    reranker = make(knowledge, **case)
    names = case.get("protected", ("long_tail",))
    codes = protected_codes(knowledge, pools, case.get("attribute", "popularity"), names)
    shown = np.take_along_axis(codes, columns(reranker, pools, k), axis=1)
    counts = np.stack([np.cumsum(shown == g, axis=1) for g in range(1, len(names) + 1)], axis=2)
    fails = (counts < reranker.table(k).minima).any(axis=(1, 2))
    np.testing.assert_array_equal(fails, reranker.unsatisfied(pools, k))
    for row in range(9):  # within a group the base order is kept
        for group in range(len(names) + 1):
            picked = columns(reranker, pools, k)[row][shown[row] == group]
            assert (np.diff(picked) > 0).all()


def test_a_pool_without_protected_candidates_is_filled_and_reported(make_pools, knowledge) -> None:
    pools = make_pools(6, 20)
    tail = knowledge.catalogue.groups["popularity"].mask("long_tail")
    allowed = np.ones(pools.items.shape, bool)
    allowed[2] = ~tail[pools.items[2]] | (np.cumsum(tail[pools.items[2]]) <= 1)
    pools = pools.keep(allowed)
    k = int(pools.sizes.min())
    reranker = make(knowledge, p=0.95, alpha=0.3)
    assert reranker.table(k).minima[-1] > 1
    assert reranker.unsatisfied(pools, k).tolist() == [row == 2 for row in range(6)]
    assert sorted(columns(reranker, pools, k)[2].tolist()) == list(range(k))


def tiny(protected: str, p: tuple[float, ...] | float, **values) -> tuple[FAIRReranker, Groups]:
    """A re-ranker over as many items as there are letters: n, a, b."""
    codes = np.array([{"n": MISSING, "a": 0, "b": 1}[letter] for letter in protected])
    names = ("a", "b") if "b" in protected else ("a",)
    groups = Groups("kind", names, codes)
    n = len(protected)
    ids = np.array([f"i{i}" for i in range(n)])
    catalogue = Catalogue(
        item_ids=ids,
        titles=ids,
        topics=np.ones((n, 1), bool),
        topic_names=("t",),
        year=np.full(n, np.nan),
        popularity=np.ones(n),
        groups={"kind": groups},
    )
    config = FAIRConfig(attribute="kind", protected=names, p=p, **values)
    return FAIRReranker(config, catalogue.groups["kind"]), groups


def ranked(reranker: FAIRReranker, letters: str, k: int) -> str:
    n = len(letters)
    pools = CandidatePools(np.zeros(1, int), np.arange(n)[None], np.arange(n, 0.0, -1.0)[None])
    return "".join(letters[c] for c in columns(reranker, pools, k)[0])


def test_the_example_of_fairsearchcore() -> None:
    # README of fairsearchcore: fourteen unprotected documents, then six protected ones.
    letters = "n" * 14 + "a" * 6
    reranker, _ = tiny(letters, 0.25, level="nearest")
    assert ranked(reranker, letters, 20) == "n" * 8 + "a" + "n" * 6 + "a" * 5


def test_the_example_of_the_authors_multinomial_code() -> None:
    # MultinomialFairRankerTest, asymmetric tree: NP NP P2 NP P1 NP P2 NP P2 P1.
    letters = "nnnnnaaabbb"
    reranker, _ = tiny(letters, (0.2, 0.4), adjusted=False)
    assert ranked(reranker, letters, 10) == "nnbnanbnba"


@pytest.mark.parametrize("seed", range(12))
def test_no_admissible_ranking_has_more_utility(seed) -> None:
    """All rankings of a tiny pool that pass the table and keep the order within groups."""
    rng = np.random.default_rng(seed)
    letters = "".join(rng.permutation(list("nnnnaaa")))
    scores = np.sort(rng.random(7))[::-1]
    k = int(rng.integers(3, 7))
    reranker, groups = tiny(letters, 0.6, alpha=0.4)
    pools = CandidatePools(np.zeros(1, int), np.arange(7)[None], scores[None])
    ours = tuple(columns(reranker, pools, k)[0].tolist())
    minima = reranker.table(k).minima[:, 0]
    member = groups.codes == 0

    def admissible(order) -> bool:
        inside = member[list(order)]
        kept = all(
            list(order).index(i) < list(order).index(j)
            for i, j in combinations(range(7), 2)
            if member[i] == member[j] and i in order and j in order
        )
        return kept and bool((np.cumsum(inside) >= minima).all())

    def utility(order) -> tuple[float, float]:
        """Selection and ordering utility: the worst loss of those left out, and of those shown."""

        def loss(item: int, above) -> float:
            lowest = min((scores[a] for a in above), default=np.inf)
            return min(lowest - scores[item], 0.0)

        left_out = min((loss(i, order) for i in range(7) if i not in order), default=0.0)
        return left_out, min(loss(i, order[:at]) for at, i in enumerate(order))

    rankings = [order for order in permutations(range(7), k) if admissible(order)]
    assert ours in rankings
    best_selection = max(utility(order)[0] for order in rankings)
    assert utility(ours)[0] == pytest.approx(best_selection)
    best_ordering = max(
        utility(order)[1] for order in rankings if utility(order)[0] >= best_selection - 1e-12
    )
    assert utility(ours)[1] == pytest.approx(best_ordering)
    discount = position_discount(k)
    gain = [float(scores[list(order)] @ discount) for order in rankings]
    assert float(scores[list(ours)] @ discount) == pytest.approx(max(gain))


def test_the_share_of_the_items_is_the_default(knowledge) -> None:
    tail = knowledge.catalogue.groups["popularity"].mask("long_tail").mean()
    default, given_share = make(knowledge), make(knowledge, p=float(tail))
    np.testing.assert_array_equal(default.table(15).minima, given_share.table(15).minima)
    half = FAIRConfig().at_strength(0.5).make(knowledge)
    expected = make(knowledge, p=float(tail) / 2).table(15)
    assert isinstance(half, FAIRReranker)
    np.testing.assert_array_equal(half.table(15).minima, expected.minima)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"protected": ("tail",)}, "protected"),
        ({"protected": ("head", "head"), "p": (0.1, 0.1)}, "protected"),
        ({"p": (0.1, 0.2)}, "p"),
        ({"protected": ("head", "long_tail"), "p": (0.7, 0.7)}, "p"),
        ({"protected": ("head", "long_tail"), "p": 0.2}, "p"),
        ({"attribute": "colour"}, "attribute"),
    ],
)
def test_settings_that_name_what_is_not_there_are_refused(knowledge, values, field) -> None:
    with pytest.raises(InvalidValue) as caught:
        make(knowledge, **values)
    assert caught.value.field == field and caught.value.mend


@pytest.mark.parametrize(
    "values", [{"p": 1.2}, {"alpha": 0.0}, {"protected": ()}, {"adjust": True}, {"level": "exact"}]
)
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match="validation error"):
        FAIRConfig(**values)


def test_too_long_a_pool_query_is_refused(make_pools, knowledge) -> None:
    with pytest.raises(InvalidValue, match="k"):
        make(knowledge).unsatisfied(make_pools(2, 5), 6)
