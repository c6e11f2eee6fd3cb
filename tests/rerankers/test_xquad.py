from dataclasses import replace

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.diversity.aspects import shares_by_aspect
from fairloop.rerankers.diversity.xquad import XQuADConfig, aspect_coverage, aspect_slates
from fairloop.rerankers.relevance import relevance
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_diversity

quick = settings(max_examples=25, deadline=None)
KINDS = ("relevance", "shares", "binary", "smooth")


def rerank(config, knowledge, pools, k):
    return config.make(knowledge).rerank(pools, k, np.random.default_rng(0)).columns


@quick
@given(
    seed=st.integers(0, 10**6),
    strength=st.floats(0.05, 0.95),
    coverage=st.sampled_from(KINDS),
    ragged=st.booleans(),
)
def test_equals_the_plain_loop(knowledge, catalogue, make_pools, seed, strength, coverage, ragged):
    pools = make_pools(5, 14, seed=seed, ragged=ragged)
    columns = rerank(XQuADConfig(strength=strength, coverage=coverage), knowledge, pools, 6)
    worth, wanted = relevance(pools), knowledge.profiles_of(pools)
    for user, size in enumerate(pools.sizes):
        one = slice(user, user + 1)
        members = catalogue.topics[pools.items[one, :size]].astype(float)
        expected = plain_diversity.xquad(
            worth[one, :size], members, wanted[one], strength, coverage, 6
        )
        assert columns[user].tolist() == expected[0].tolist()


def test_three_items_and_two_aspects_by_hand() -> None:
    base = np.array([[0.9, 0.8, 0.2]])
    coverage = np.array([[[0.5, 0.0], [0.4, 0.0], [0.0, 0.3]]])
    wanted, valid = np.array([[0.6, 0.4]]), np.ones((1, 3), bool)
    # λ = .9. First: .09 + .9(.6 × .5) = .36; .08 + .9(.6 × .4) = .296; .02 + .9(.4 × .3) = .128.
    # Then, aspect 0 discounted by 1 − .5: .08 + .9(.6 × .5 × .4) = .188 against .128.
    assert aspect_slates(base, coverage, wanted, valid, 0.9, 3).tolist() == [[0, 1, 2]]
    # With p(aspect | user) of .4 and .6: .08 + .9(.4 × .5 × .4) = .152 against .02 + .162 = .182.
    assert aspect_slates(base, coverage, wanted[:, ::-1], valid, 0.9, 3).tolist() == [[0, 2, 1]]


def test_coverage_by_hand() -> None:
    worth = np.array([[1.0, 0.5, 0.25]])
    member = np.array([[[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]])
    root = 2.0**0.5
    graded = [[1 / 2, 0.0], [(root - 1) / 2, 1 / 2], [0.0, (root - 1) / 2]]
    np.testing.assert_allclose(aspect_coverage(worth, member, "relevance")[0], graded)
    parts = [[1 / 1.5, 0.0], [0.5 / 1.5, 0.5 / 0.75], [0.0, 0.25 / 0.75]]
    np.testing.assert_allclose(aspect_coverage(worth, member, "shares")[0], parts)
    np.testing.assert_array_equal(aspect_coverage(worth, member, "binary"), member)


def test_shares_by_aspect_sum_to_1_or_0(make_pools, catalogue) -> None:
    pools = make_pools(20, 12)
    member = catalogue.topics[pools.items].astype(float)
    worth = relevance(pools)
    total = shares_by_aspect(worth, member).sum(axis=1)
    some = (worth[:, :, None] * member).sum(axis=1) > 0
    np.testing.assert_allclose(total, some)
    assert some.any() and not some.all()


def test_binary_covers_every_wanted_group_once_before_any_twice(knowledge, make_pools) -> None:
    # Abdollahpouri, Burke & Mobasher 2019: a covered group counts no more.
    pools = make_pools(50, 40)
    era = knowledge.catalogue.groups["era"].codes[pools.items]
    config = XQuADConfig(strength=1.0, aspects="era", coverage="binary")
    columns = rerank(config, knowledge, pools, 6)
    first_two = np.take_along_axis(era, columns[:, :2], axis=1)
    assert (np.sort(first_two, axis=1) == [0, 1]).all()
    # Nothing is left to cover: the base order follows.
    assert (np.diff(columns[:, 2:]) > 0).all()


def test_smooth_shows_groups_in_their_wanted_proportions(knowledge, make_pools) -> None:
    # The largest of p_g (1 − share_g): at p = (2/3, 1/3) the shares settle where both are equal,
    # (2/3)(1 − x) = (1/3) x, x = 2/3.
    pools = make_pools(20, 100)
    tail = knowledge.catalogue.groups["popularity"].codes[pools.items]
    config = XQuADConfig(
        strength=1.0, aspects="popularity", targets={"long_tail": 2 / 3}, coverage="smooth"
    )
    columns = rerank(config, knowledge, pools, 12)
    share = np.take_along_axis(tail, columns, axis=1).mean(axis=1)
    np.testing.assert_allclose(share, 8 / 12)


def test_more_strength_covers_more_of_what_is_wanted(knowledge, catalogue, make_pools) -> None:
    pools = make_pools(100, 30)
    wanted = knowledge.profiles_of(pools)
    covered = []
    for strength in (0.0, 0.5, 1.0):
        config = XQuADConfig(coverage="binary").at_strength(strength)
        columns = rerank(config, knowledge, pools, 5)
        items = np.take_along_axis(pools.items, columns, axis=1)
        covered.append((wanted * catalogue.topics[items].any(axis=1)).sum(axis=1).mean())
    assert covered[0] + 0.02 < covered[1] <= covered[2]


def test_a_user_without_a_history_keeps_the_base_order(knowledge, make_pools) -> None:
    pools = make_pools(5, 20)
    assert np.isnan(knowledge.profiles[3]).all()
    for strength in (0.5, 1.0):
        columns = rerank(XQuADConfig(strength=strength), knowledge, pools, 8)
        assert columns[3].tolist() == list(range(8))
        assert columns[:3].tolist() != [list(range(8))] * 3


def test_a_catalogue_without_topics_is_refused_by_name(knowledge) -> None:
    untold = np.zeros(knowledge.catalogue.topics.shape, np.bool_)
    bare = replace(knowledge, catalogue=replace(knowledge.catalogue, topics=untold))
    with pytest.raises(InvalidValue, match="no item has a topic") as caught:
        XQuADConfig().make(bare)
    assert caught.value.field == "topics" and caught.value.mend


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("attribute", {"aspects": "colour"}),
        ("targets", {"targets": {"t1": 0.5}}),
        ("targets", {"aspects": "era", "targets": {"old": 0.6, "new": 0.6}}),
        ("targets", {"aspects": "era", "targets": {"ancient": 0.6}}),
    ],
)
def test_aspects_and_targets_that_do_not_fit_are_refused(knowledge, field, settings) -> None:
    with pytest.raises(InvalidValue) as caught:
        XQuADConfig(**settings).make(knowledge)
    assert caught.value.field == field and caught.value.mend


@pytest.mark.parametrize("profiles", [None, np.full((100, 6), 1 / 6), np.full((2, 7), 1 / 7)])
def test_profiles_that_are_missing_or_do_not_fit_are_refused(knowledge, make_pools, profiles):
    with pytest.raises(InvalidValue) as caught:
        rerank(XQuADConfig(), replace(knowledge, profiles=profiles), make_pools(5, 9), 3)
    assert caught.value.field == "profiles" and caught.value.mend


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="strength"):
        XQuADConfig(strength=1.1)
    with pytest.raises(ValueError, match="coverage"):
        XQuADConfig(coverage="soft")
