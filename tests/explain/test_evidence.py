"""Evidence is computed, and adds up."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.left_out import LeftOut
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue
from fairloop.explain.attribution import (
    Attribution,
    attribute,
    attribution_method,
    co_occurrence,
)
from fairloop.explain.effects import linear_trace
from fairloop.explain.evidence import Evidence
from fairloop.explain.gather import gather_evidence, gather_from_arrays, liked_items
from fairloop.explain.trace import OrderWithout, RankTrace, plain_trace
from fairloop.explain.verify import verify
from fairloop.explain.wording import sentence_slots
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import FEATURES
from fairloop.rerankers.linear import linear_slates
from fairloop.rerankers.observe import observe
from fairloop.rerankers.state import SlateFeedback, new_state


@pytest.fixture(scope="module")
def candidates():
    return synthetic_candidates(n_users=60, n_items=120, seed=3, top_n=40)


def test_linear_contributions_sum_to_the_score(candidates):
    for user in range(10):
        items = candidates.items[user, :10]
        exact = attribute(candidates, user, items)
        assert exact.method == "item_weights"
        np.testing.assert_allclose(
            exact.weights.sum(axis=0), candidates.scores[user, :10], rtol=1e-4, atol=1e-5
        )


def test_the_method_is_that_of_the_evidence(candidates):
    """What a fit tells of its reasons is what its evidence then says."""
    plain = replace(candidates, item_weights=None, item_embeddings=None)
    near = replace(plain, item_embeddings=np.ones((plain.n_items, 2), np.float32))
    cells = (*plain.items.shape, 1)
    left = LeftOut(np.full(cells, PAD, np.int32), np.zeros(cells, np.float32), tried=5)
    asked = replace(near, left_out=left)
    said = [attribution_method(one) for one in (candidates, asked, near, plain)]
    assert said == ["item_weights", "leave_one_out", "embedding_cosine", "co_occurrence"]
    for one, method in zip((candidates, asked, near, plain), said, strict=True):
        assert attribute(one, 0, one.items[0, :2]).method == method


def test_shares_are_of_the_positive_contribution():
    shares = Attribution("item_weights", np.array([[3.0, -1.0], [1.0, -2.0], [-4.0, 0.0]])).shares()
    np.testing.assert_allclose(shares, [[3 / 4, 0], [1 / 4, 0], [0, 0]])


def test_co_occurrence_is_the_cosine_of_audiences(candidates):
    train = candidates.train
    matrix = train.matrix().toarray()
    a, b = candidates.history(0)[:3], candidates.items[0, :2]
    slow = [
        [
            (matrix[:, i] @ matrix[:, j]) / np.sqrt(matrix[:, i].sum() * matrix[:, j].sum())
            for j in b
        ]
        for i in a
    ]
    np.testing.assert_allclose(co_occurrence(train, a, b), slow, rtol=1e-6)


def test_evidence_of_a_slate(candidates):
    user = 4
    pools = candidates.pools(np.array([user]))
    shown = pools.items[0, [2, 0, 5]]
    evidence = gather_evidence(candidates, user, plain_trace(pools, shown))
    assert [e.base_rank for e in evidence] == [3, 1, 6]
    assert [e.shown_rank for e in evidence] == [1, 2, 3]
    rated = dict(
        zip(candidates.history(user).tolist(), candidates.train.ratings_of(user), strict=True)
    )
    for one in evidence:
        assert one.parts.base == pytest.approx(one.base_score)
        shares = [link.share for link in one.links]
        assert shares == sorted(shares, reverse=True) and sum(shares) <= 1 + 1e-9
        for link in one.links:
            index = candidates.item_index(link.item.item_id)
            assert rated[index] >= 4 and link.rating == rated[index]
            assert set(link.shared_topics) == set(link.item.topics) & set(one.item.topics)
        index = candidates.item_index(one.item.item_id)
        below = np.sum(candidates.catalogue.popularity < candidates.catalogue.popularity[index])
        assert one.item.popularity_percentile == pytest.approx(100 * below / 119)
        assert Evidence.model_validate_json(one.model_dump_json()) == one
        assert one.content_hash() == one.model_copy().content_hash()


def test_strongest_liked_items_by_brute_force(candidates):
    for user in range(8):
        pools = candidates.pools(np.array([user]))
        shown = pools.items[0, :5]
        history, ratings = candidates.history(user), candidates.train.ratings_of(user)
        weights = candidates.item_weights.contributions(history, shown)
        for position, one in enumerate(
            gather_evidence(candidates, user, plain_trace(pools, shown))
        ):
            column = np.maximum(weights[:, position], 0)
            liked = [
                (column[h] / column.sum(), history[h])
                for h in range(len(history))
                if ratings[h] >= 4 and column[h] / column.sum() >= 0.01
            ]
            best = [item for _, item in sorted(liked, key=lambda pair: -pair[0])[:3]]
            assert [candidates.item_index(link.item.item_id) for link in one.links] == best


def test_liked_rule():
    mask, rule = liked_items(np.arange(3), np.array([5.0, 3.0, 4.0]))
    assert mask.tolist() == [True, False, True] and rule == "rated_at_least_4"
    for ratings in (None, np.ones(3)):
        mask, rule = liked_items(np.arange(3), ratings)
        assert mask.all() and rule == "all_history"
    mask, rule = liked_items(np.arange(2), np.array([2.0, 3.0]))
    assert not mask.any() and rule == "rated_at_least_4"


def test_no_history_gives_no_links(candidates):
    nothing = np.zeros(0, dtype=int)
    train = Interactions.build(*[nothing] * 4, candidates.n_users, candidates.n_items)
    candidates = replace(candidates, train=train)
    pools = candidates.pools(np.array([0]))
    trace = plain_trace(pools, pools.items[0, :2])
    none = np.zeros(0, dtype=int)
    evidence = gather_from_arrays(
        candidates.catalogue, none, None, trace, attribute(candidates, 0, trace.shown)
    )
    assert all(e.links == () and e.attribution == "none" for e in evidence)


def test_what_a_model_loses_without_an_item_is_a_reason_and_no_part_of_a_sum(candidates):
    user, n_kept = 4, 2
    history, pool = candidates.history(user), candidates.items[user]
    items = np.full((*candidates.items.shape, n_kept), PAD, np.int32)
    losses = np.zeros(items.shape, np.float32)
    items[user, 0], losses[user, 0] = history[[3, 1]], [0.75, 0.25]
    asked = replace(candidates, item_weights=None, left_out=LeftOut(items, losses, tried=50))
    pools = asked.pools(np.array([user]))
    found = attribute(asked, user, pool[:2])
    assert found.method == "leave_one_out"
    expected = np.zeros((len(history), 2))
    expected[3, 0], expected[1, 0] = 0.75, 0.25
    np.testing.assert_allclose(found.weights, expected)
    record = gather_evidence(asked, user, plain_trace(pools, pool[:2]))[0]
    liked = asked.train.ratings_of(user)[[3, 1]] >= 4
    assert [link.share for link in record.links] == list(np.array([0.75, 0.25])[liked])
    bank = {slot.says: slot.sentences for slot in sentence_slots(record, "film", "short")}
    assert liked.any()
    assert any("because you liked" in sentence for sentence in bank["opening"])
    assert all(verify(sentence, record, "film").accepted for sentence in bank["opening"])
    assert not any("%" in sentence for sentence in bank["detail"])
    title = record.links[0].item.title
    lie = f'"{title}" makes up 75 % of what your history adds to its score.'
    assert not verify(f"{bank['opening'][0]} {lie}", record, "film").accepted


def test_moves_are_places_against_the_order_without_the_rule():
    pool = np.array([10, 11, 12, 13, 14])
    shown = np.array([13, 10, 14])
    rule = OrderWithout("exposure", np.array([10, 11, 12, 13]), "popularity", "long_tail")
    first, second, third = RankTrace(pool, np.zeros(5), shown, {}, (rule,)).moves()
    assert [(m.places, m.exact) for m in first] == [(3, True)]
    assert [(m.places, m.exact) for m in second] == [(-1, True)]
    assert [(m.places, m.exact) for m in third] == [(2, False)]
    assert RankTrace(pool, np.zeros(5), shown).moves() == ((), (), ())


def test_a_trace_refuses_what_is_not_in_the_pool(candidates):
    pools = candidates.pools(np.array([0, 1]))
    with pytest.raises(InvalidValue, match="not in the pool"):
        RankTrace(np.array([1, 2]), np.zeros(2), np.array([3]))
    with pytest.raises(InvalidValue, match="gathered for one"):
        plain_trace(pools, pools.items[0, :2])


@pytest.fixture(scope="module")
def linear_case(candidates):
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.4)
    constraints = Constraints(exposure=(floor,))
    pools = candidates.pools(np.array([5]))
    context = PoolContext.of(pools, candidates.catalogue, constraints)
    state = new_state(1, pools.items.shape[1], candidates.catalogue.topics.shape[1])
    feedback = SlateFeedback(
        np.arange(10)[None], np.ones((1, 10), bool), np.full((1, 10), 0.9), np.ones(1)
    )
    observe(state, context, feedback)
    weights = np.zeros(len(FEATURES) + 1, dtype=np.float32)
    weights[0], weights[FEATURES.index("fatigue")], weights[-1] = 1.0, -1.5, 0.8
    columns = linear_slates(context, state, weights, 0.7, 10)
    return pools, context, state, weights, 0.7, pools.items[0, columns[0]], constraints


def test_parts_and_moves_of_a_linear_policy(candidates, linear_case):
    pools, context, state, weights, strength, shown, constraints = linear_case
    trace = linear_trace(pools, context, state, weights, strength, 10, shown, constraints)
    assert [rule.rule for rule in trace.without] == ["exposure", "diversity", "state"]
    changed = weights.copy()
    changed[-1] = 0
    without = linear_slates(context, state, changed, strength, 10)
    np.testing.assert_array_equal(trace.without[0].order[:10], pools.items[0, without[0]])
    tail = candidates.catalogue.group("popularity").mask("long_tail")[shown]
    np.testing.assert_allclose(trace.parts["exposure"], np.where(tail, 0.8, 0.0), rtol=1e-6)
    topics = candidates.catalogue.topics[shown].astype(bool)
    for place in range(1, 10):
        distances = [
            1 - (topics[place] & topics[p]).sum() / max(1, (topics[place] | topics[p]).sum())
            for p in range(place)
        ]
        assert trace.parts["diversity"][place] == pytest.approx(0.7 * np.mean(distances), abs=1e-5)
    evidence = gather_evidence(candidates, 5, trace)
    for place, one in enumerate(evidence):
        for move in one.moves:
            order = next(w.order for w in trace.without if w.rule == move.rule)
            assert move.places == order.tolist().index(shown[place]) - place
    assert any(one.gained("exposure") for one in evidence)


def test_a_linear_trace_refuses_another_slate(linear_case):
    pools, context, state, weights, strength, shown, constraints = linear_case
    with pytest.raises(InvalidValue, match="not what these weights give"):
        linear_trace(pools, context, state, weights, strength, 10, shown[::-1], constraints)
    with pytest.raises(InvalidValue, match="floors"):
        linear_trace(pools, context, state, weights, strength, 10, shown, Constraints())
