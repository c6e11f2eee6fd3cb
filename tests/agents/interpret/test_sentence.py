"""Reasons: true on constructed cases, gone with their state, silent where nothing moved."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.interpret.interpret import reference_of
from fairloop.agents.interpret.local import places
from fairloop.agents.interpret.sentence import Reasoner, percentile_among
from fairloop.agents.serving import policy_slates
from fairloop.errors import InvalidValue
from fairloop.rerankers.policy_reason import PolicyReason, sentence


@pytest.fixture(scope="module")
def reference(sample):
    return reference_of(sample, 60)


class Case:
    """One request to one policy, whose columns can be set."""

    def __init__(self, policy, sample, reference, row=60):
        self.policy, self.reference = policy, reference
        self.reasoner = Reasoner(policy, reference)
        self.context, self.state = sample.request(row)
        self.loadings = self.reasoner.aspects.loadings(self.context, self.state)[0]
        # An ordinary visit: every column at the middle of the others.
        self.seen = np.median(reference, axis=0)

    def put(self, column: str, value: float) -> "Case":
        self.seen[self.policy.observation_names.index(column)] = value
        return self

    def found(self, weigh=None):
        return self.reasoner.reason(self.seen, self.loadings, weigh)

    def told(self) -> str | None:
        found = self.found()
        return None if found is None else sentence(found.reason, "film")


def test_many_choices_of_a_topic_that_raise_diversity(make_policy, sample, reference, topics):
    case = Case(make_policy({"diversity": {f"clicks_lately:{topics[1]}": 1.5}}), sample, reference)
    case.put(f"clicks_lately:{topics[1]}", 3.0)
    found = case.found()
    assert (
        sentence(found.reason, "film")
        == f"You chose many {topics[1]} films lately, so variety counts more now."
    )
    assert found.reason.value == pytest.approx(3.0) and found.reason.percentile > 95
    # Taken back to what is usual, the effect is gone, and so is the sentence.
    usual = float(np.median(reference[:, case.policy.observation_names.index(
        f"clicks_lately:{topics[1]}")]))  # fmt: skip
    assert case.put(f"clicks_lately:{topics[1]}", usual).told() is None


def test_the_other_direction_says_the_other_thing(make_policy, sample, reference, topics):
    policy = make_policy({"diversity": {f"clicks_lately:{topics[1]}": -0.3}})
    case = Case(policy, sample, reference).put(f"clicks_lately:{topics[1]}", 3.0)
    assert case.told() == f"You chose many {topics[1]} films lately, so variety counts less now."


@pytest.mark.parametrize(
    ("column", "value", "start"),
    [
        ("satisfaction", 0.95, "You rated what you chose lately high, so"),
        ("satisfaction", 0.05, "You rated what you chose lately low, so"),
        ("click_rate", 0.9, "You chose more of what you were shown lately than most, so"),
        ("log_slates", 5.0, "You have seen more lists than most, so"),
        ("log_days_away", float(np.log1p(20.0)), "You were away for 20 days, so"),
    ],
)
def test_each_state_by_its_words(make_policy, sample, reference, column, value, start):
    mean = float(np.mean(reference[:, make_policy({}).observation_names.index(column)]))
    policy = make_policy({"popularity": {column: 8.0}}, {"popularity": -8.0 * mean})
    told = Case(policy, sample, reference).put(column, value).told()
    higher = value > mean
    assert told == f"{start} popular films come {'higher' if higher else 'lower'} now."


def test_ratings_of_a_topic(make_policy, sample, reference, topics):
    policy = make_policy({"recency": {f"taste:{topics[2]}": 2.0}})
    case = Case(policy, sample, reference)
    case.put(f"taste:{topics[2]}", 0.9)
    assert case.told() == f"You rated {topics[2]} films high, so newer films come higher now."
    case.put(f"taste:{topics[2]}", -0.9)
    assert case.told() == f"You rated {topics[2]} films low, so newer films come lower now."


def test_the_topic_that_did_it_is_named_and_not_the_one_with_most_choices(
    make_policy, sample, reference, topics
):
    policy = make_policy({"diversity": {f"clicks_lately:{topics[3]}": 1.5}})
    case = Case(policy, sample, reference)
    case.put(f"clicks_lately:{topics[0]}", 9.0).put(f"clicks_lately:{topics[3]}", 3.0)
    assert f"many {topics[3]} films" in case.told()


def test_many_small_causes_are_told_of_all_topics_together(make_policy, sample, reference, topics):
    slopes = {f"clicks_lately:{topic}": 0.12 for topic in topics}
    case = Case(make_policy({"diversity": slopes}), sample, reference)
    for topic in topics:
        case.put(f"clicks_lately:{topic}", 1.6)
    # So high that a fifth of the effect is not half of what is told, and the whole is.
    case.reasoner.said_from = 0.7 * case.found().reason.size
    assert case.told() == "You chose many films lately, so variety counts more now."


def test_silent_for_a_static_policy_an_ordinary_visit_and_a_small_effect(
    make_policy, sample, reference, topics
):
    column = f"clicks_lately:{topics[1]}"
    static = Case(make_policy({}), sample, reference).put(column, 9.0)
    assert static.told() is None
    small = make_policy({"diversity": {column: 0.002}})
    assert Case(small, sample, reference).put(column, 9.0).told() is None
    loud = make_policy({"diversity": {column: 1.5}})
    assert Case(loud, sample, reference).told() is None


def test_a_newcomer_has_chosen_nothing_lately(make_policy, sample, reference, topics):
    policy = make_policy({"diversity": {f"clicks_lately:{topic}": 2.0 for topic in topics}})
    case = Case(policy, sample, reference)
    for topic in topics:
        case.put(f"clicks_lately:{topic}", 0.0)
    assert case.told() == "You chose few films lately, so variety counts less now."
    assert case.put("log_slates", 0.0).told() is None


def test_silent_when_another_state_cancels_it(make_policy, sample, reference, topics):
    """The state pushes up, another one as far down: on the whole variety does not count more."""
    column = f"clicks_lately:{topics[1]}"
    policy = make_policy({"diversity": {column: 1.0, "log_slates": -1.0}}, {"diversity": 9.0})
    case = Case(policy, sample, reference)
    alone = case.put(column, 3.0).told()
    assert alone is not None
    extra = 3.0 - float(np.mean(reference[:, policy.observation_names.index(column)]))
    mean = float(np.mean(reference[:, policy.observation_names.index("log_slates")]))
    assert case.put("log_slates", mean + extra).told() is None


def test_silent_when_all_weights_grow_alike(make_policy, sample, reference, topics):
    """Twice all weights is the same order: nothing counts more."""
    column = f"clicks_lately:{topics[1]}"
    everything = make_policy({}).centre
    policy = make_policy({})

    def doubled(seen):
        factor = 1.0 + 2.0 * seen[:, policy.observation_names.index(column)]
        return factor[:, None] * everything

    case = Case(policy, sample, reference).put(column, 5.0)
    assert case.found(doubled) is None


def test_a_pool_and_gaps_that_have_no_words_are_not_told(make_policy, sample, reference):
    for column in ("base_head", "gap:diversity"):
        case = Case(make_policy({"diversity": {column: 50.0}}), sample, reference)
        assert case.put(column, 9.0).told() is None


def test_limits_on_exposure_are_told_by_their_group(make_policy, sample, reference, topics):
    column = f"taste:{topics[0]}"
    policy = make_policy({"floor:popularity=long_tail": {column: 3.0}})
    case = Case(policy, sample, reference).put(column, 0.9)
    assert case.told() == f"You rated {topics[0]} films high, so less-known films come higher now."
    assert case.found().reason.group == "long_tail"
    # A ceiling's weight belongs to everything but its group.
    up = case.found().reason.model_copy(update={"aspect": "floor:studio!=big", "group": "big"})
    assert sentence(up, "film").endswith("so films outside the group ‘big’ come higher now.")


def test_without_the_reason_the_list_is_the_one_the_usual_state_would_have(
    make_policy, sample, reference, topics
):
    column = f"clicks_lately:{topics[1]}"
    case = Case(make_policy({"diversity": {column: 3.0}}), sample, reference).put(column, 4.0)
    assert case.found().reason.aspect == "diversity"  # not relevance, which only looks weaker
    found = case.found()
    own = case.policy.weights(case.seen[None])[0]
    assert found.without[-1] < own[-1] and (found.without[:-1] == own[:-1]).all()
    usual = case.policy.weights(reference)[:, -1].mean()
    assert found.without[-1] == pytest.approx(usual, rel=1e-4)
    columns = policy_slates(case.context, case.state, own[None], 10)[0]
    here, without = places(case.context, case.state, np.stack([own, found.without]), columns)
    assert here.tolist() == list(range(1, 11)) and (without > here).any()


def test_what_is_told_survives_a_check_by_hand_on_a_random_network(policy, sample, arena):
    """Whatever is told of a network nobody understands is re-computed here, from scratch."""
    reach = np.full(policy.n_actions, 3.0, np.float32)
    # As the sample's own policy, no rewards; and a head that makes more of what it sees.
    head = replace(policy.head, weight=3.0 * policy.head.weight)
    policy = replace(policy, reach=reach, head=head, response=None)
    reference = reference_of(sample, 40)
    reasoner = Reasoner(policy, reference)
    told = 0
    for row in range(0, len(sample), max(1, len(sample) // 60)):
        context, state = sample.request(row)
        loadings = reasoner.aspects.loadings(context, state)[0]
        seen = sample.observation[row]
        found = reasoner.reason(seen, loadings)
        if found is None:
            continue
        told += 1
        aspect = reasoner.aspects.names.index(found.reason.aspect)
        sign = 1.0 if found.reason.direction == "up" else -1.0

        def strength(x, loadings=loadings, aspect=aspect):
            return reasoner.aspects.strengths(policy.weights(x), loadings)[:, aspect].mean()

        group = {
            "clicks_lately": "clicks_lately:", "taste": "taste:", "pool_topic": "pool",
            "satisfaction": "satisfaction", "click_rate": "click_rate",
            "slates_seen": "log_slates", "days_away": "log_days_away",
            "shown_lately": "mean_fatigue",
        }[found.reason.state]  # fmt: skip
        columns = [i for i, n in enumerate(policy.observation_names) if n.startswith(group)]
        if group == "pool":
            columns += [i for i, n in enumerate(policy.observation_names) if n == "base_head"]
        back = np.repeat(seen[None], len(reference), axis=0)
        back[:, columns] = reference[:, columns]
        own = strength(seen[None])
        assert sign * (own - strength(back)) >= reasoner.said_from - 1e-6
        assert sign * (own - strength(reference)) >= reasoner.said_from - 1e-6
        assert found.reason.size >= reasoner.said_from
        assert sentence(found.reason) is not None
    assert told >= 5


def test_the_short_cut_leaves_no_reason_out(policy, sample):
    reasoner = Reasoner(policy, reference_of(sample, 30))
    for row in range(0, len(sample), 40):
        loadings = reasoner.aspects.loadings(*sample.request(row))[0]
        seen = sample.observation[row]
        whole = reasoner.attribution(seen, loadings)
        slow, fast = reasoner.reason(seen, loadings, None, whole), reasoner.reason(seen, loadings)
        assert (slow and slow.reason) == (fast and fast.reason)


def test_percentiles_count_equal_ones_half_and_bad_references_are_refused(varied, sample):
    assert percentile_among(2.0, [1.0, 2.0, 2.0, 3.0]) == 50.0
    assert percentile_among(9.0, [1.0]) == 100.0
    with pytest.raises(InvalidValue, match="columns"):
        Reasoner(varied, sample.observation[:, :-1])
    with pytest.raises(InvalidValue, match="no observation"):
        Reasoner(varied, sample.observation[:0])


def test_a_reason_without_an_effect_cannot_be_stated():
    with pytest.raises(ValueError, match="greater than 0"):
        PolicyReason(
            state="taste", level="high", value=1, percentile=90, aspect="diversity",
            direction="up", size=0.0,
        )  # fmt: skip
