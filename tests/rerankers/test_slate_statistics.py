"""Figures of slates: each equals the metric it is named after, and what is missing is said."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import MISSING
from fairloop.candidates.catalogue import Groups
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.proposals import Proposals
from fairloop.errors import InvalidValue
from fairloop.metrics.accuracy import ndcg, relevance_of
from fairloop.metrics.exposure import exposure_share
from fairloop.metrics.gaps import gap, group_means
from fairloop.metrics.terms import as_terms
from fairloop.rerankers.slate_statistics import SlateStatistics

K, N_USERS = 5, 96


@pytest.fixture
def proposals(catalogue, make_pools) -> Proposals:
    """Users 10, 11, … of 120: rows of the pools are not indices of users."""
    pools = make_pools(N_USERS, 20, ragged=True)
    pools = type(pools)(pools.users + 10, pools.items, pools.scores)
    rng = np.random.default_rng(5)
    user = np.repeat(np.arange(2, 100), 4)
    row = np.clip(user - 10, 0, None)
    item = pools.items[row, rng.integers(0, 10, len(user))]
    rating = rng.integers(1, 6, len(user)).astype(float)
    held = Interactions.build(user, item, rating, np.zeros(len(user)), 120, catalogue.n_items)
    thirds = Groups(
        "third", ("a", "b", "tiny"), np.where(np.arange(120) < 12, 2, np.arange(120) % 2)
    )
    return Proposals(
        name="made up",
        user_ids=np.arange(120).astype(str),
        catalogue=catalogue,
        user_groups={"third": thirds},
        pools=pools,
        history=held,
        relevant=held,
    )


@pytest.fixture
def of(proposals, knowledge):
    known = replace(knowledge, user_groups=proposals.user_groups, profiles=np.full((120, 7), 1 / 7))

    def make(changed: Proposals = proposals, **changes) -> tuple[dict[str, float], dict[str, str]]:
        statistics = SlateStatistics(changed, replace(known, **changes))
        lists = changed.pools.items[:, :K]
        found = {s.key: as_terms(s.measured).value for s in statistics.of(lists)}
        return found, statistics.missing(lists)

    return make


def test_figures_are_those_of_the_metrics_room(of, proposals, catalogue) -> None:
    found, missing = of()
    lists, users, held = proposals.pools.items[:, :K], proposals.pools.users, proposals.relevant
    accuracy = ndcg(*relevance_of(lists, users, held.user, held.item, catalogue.n_items))
    assert found["ndcg"] == pytest.approx(np.nanmean(accuracy))
    era = catalogue.groups["era"]
    shares = exposure_share(lists, era.codes, 2)
    assert [found[f"exposure_share era={name}"] for name in era.names] == pytest.approx(shares)
    codes = proposals.user_groups["third"].codes[users]
    means = group_means(accuracy, codes, 3)
    assert found["ndcg third=a"] == pytest.approx(means[0])
    assert found["ndcg third=b"] == pytest.approx(means[1])
    assert "ndcg third=tiny" not in found
    assert found["ndcg_gap third"] == pytest.approx(gap(means[:2]))
    assert {"exposure_parity popularity", "ndcg_graded", "calibration_kl", "ild_cosine"} <= set(
        found
    )
    (small,) = missing.items()  # counted, not shown
    assert small[0] == "ndcg third=tiny" and small[1].startswith("2 users with held-out items")


def test_variants_of_other_libraries_are_shown_on_demand(proposals, knowledge) -> None:
    knowledge = replace(knowledge, profiles=None, user_groups={})
    lists = proposals.pools.items[:, :K]
    plain = {s.name for s in SlateStatistics(proposals, knowledge).of(lists)}
    more = {s.name for s in SlateStatistics(proposals, knowledge, with_variants=True).of(lists)}
    assert plain < more
    assert {"ndcg_lenskit", "gini_recbole", "gini_elliot"} <= more - plain


def test_what_is_missing_is_said_and_nothing_else_is_lost(of, proposals) -> None:
    bare = replace(proposals, history=None, relevant=None)
    found, missing = of(bare, profiles=None, item_embeddings=None, user_groups={})
    assert {"ild_jaccard", "coverage", "novelty", "exposure_parity era"} <= set(found)
    assert missing["ndcg"] == "needs held-out pairs of user and item"
    assert missing["ndcg_graded"].endswith("and held-out pairs with a rating above 0")
    assert missing["popularity_lift"] == "needs a history"
    assert missing["calibration_kl"] == "needs a history, and the items' topics"
    assert missing["ndcg by group of users"] == "needs declared groups of users"
    assert not any(name.startswith("ndcg") for name in found)


def test_an_attribute_that_no_item_has_is_passed_over(of, catalogue) -> None:
    nothing = Groups("studio", ("x", "y"), np.full(catalogue.n_items, MISSING))
    found, _ = of(catalogue=replace(catalogue, groups={**catalogue.groups, "studio": nothing}))
    assert not any("studio" in key for key in found)


def test_held_out_items_of_other_users_are_refused(of, proposals, catalogue) -> None:
    user, item = np.array([0, 119]), np.array([1, 2])
    others = Interactions.build(user, item, np.ones(2), np.zeros(2), 120, catalogue.n_items)
    with pytest.raises(InvalidValue, match="relevance: none of the users with a list"):
        of(replace(proposals, relevant=others))
