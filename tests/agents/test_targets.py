"""Default floors ask for more than top-k gives, never for less, and for nothing impossible."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.targets import default_constraints
from fairloop.candidates.catalogue import Groups
from fairloop.errors import InvalidValue


def with_tail(candidates, member: np.ndarray):
    """The same candidates, with a long tail of the given items."""
    groups = Groups("popularity", ("head", "long_tail"), member.astype(int))
    catalogue = replace(candidates.catalogue, groups={"popularity": groups})
    return replace(candidates, catalogue=catalogue)


def test_a_group_that_top_k_favours_keeps_what_it_has(candidates):
    """Its share of the pools is smaller: half the way there would ask for less exposure."""
    k = 5
    pools = candidates.pools()
    on_top = np.zeros(candidates.n_items, bool)
    on_top[pools.items[:, :k]] = True
    found = default_constraints(with_tail(candidates, on_top), k=k)
    assert found.exposure[0].share == 1.0
    assert (on_top[pools.items].mean()) < 1.0


def test_exposure_counts_by_position(candidates):
    """A group that stands on place 1 alone has the discount of place 1, not one in k."""
    pools, k = candidates.pools(np.arange(1)), 4
    first = np.zeros(candidates.n_items, bool)
    first[pools.items[0, 0]] = True
    found = default_constraints(with_tail(candidates, first), np.arange(1), k)
    discounts = [1 / np.log2(j + 2) for j in range(k)]
    assert found.exposure[0].share == pytest.approx(discounts[0] / sum(discounts), abs=1e-4)


def test_floors_follow_the_given_users_alone(candidates):
    some, others = np.arange(0, 30), np.arange(30, 80)
    alone = default_constraints(candidates, some, 5)
    assert alone != default_constraints(candidates, others, 5)
    swapped = candidates.items.copy()
    swapped[others] = swapped[others][:, ::-1]
    assert default_constraints(replace(candidates, items=swapped), some, 5) == alone


def test_diversity_is_never_asked_above_one(candidates):
    """Where no two items share a topic, top-k's distance is 1 already."""
    n = candidates.n_items
    apart = replace(
        candidates.catalogue,
        topics=np.eye(n, dtype=bool),
        topic_names=tuple(f"t{i}" for i in range(n)),
    )
    assert default_constraints(replace(candidates, catalogue=apart), k=5).min_diversity == 1.0


def test_another_attribute_can_be_named_and_an_unknown_one_is_refused(candidates):
    head = default_constraints(candidates, k=5, group="head").exposure[0]
    assert (head.attribute, head.group) == ("popularity", "head")
    for wrong in ({"attribute": "studio"}, {"group": "nobody"}):
        with pytest.raises(InvalidValue):
            default_constraints(candidates, k=5, **wrong)
