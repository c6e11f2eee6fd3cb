"""Reference policies: equal luck in any batch, what they see, and where they stand."""

import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue, NotReady
from fairloop.rerankers.base import Slates
from fairloop.rerankers.constraints import Constraints, HardFilters
from fairloop.rerankers.factory import make_reranker
from fairloop.rerankers.features import FEATURES
from fairloop.rerankers.knowledge import Knowledge
from fairloop.rerankers.linear import LinearConfig
from fairloop.rerankers.state import StateLookup
from fairloop.rerankers.stochastic.plackett_luce import PlackettLuceConfig, PlackettLuceReranker
from fairloop.simulators.config import ChoiceConfig, SessionConfig, WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.policies import RandomSlates, RerankerPolicy, SlatePolicy, StaticWeights
from fairloop.simulators.policies.heuristic import WEIGHTS, heuristic
from fairloop.simulators.policies.oracles import MyopicOracle, PlanningOracle
from fairloop.simulators.policies.reference import REFERENCES, reference_policy
from fairloop.simulators.rollout import Shown, simulate, slates_shown
from fairloop.simulators.world import World


def make_policy(name: str) -> SlatePolicy:
    if name == "plackett-luce":
        return RerankerPolicy(PlackettLuceReranker(PlackettLuceConfig()))
    return reference_policy(name)


def shown_to(world: World, policy: SlatePolicy, row: int, rows=None, twins=False) -> np.ndarray:
    """All slates of one row, one after the other, as items."""
    slates = []
    for shown in slates_shown(world, policy, seed=11, rows=rows, twins=twins):
        at = np.flatnonzero((shown.at == row) & shown.outcome.active)
        if len(at):
            columns = shown.decision.columns[at[0]]
            slates.append(shown.world.pools.items[at[0], columns])
    return np.array(slates)


@pytest.mark.parametrize("name", [*REFERENCES, "plackett-luce"])
def test_a_user_is_shown_the_same_in_any_batch(world: World, name: str) -> None:
    together = shown_to(world, make_policy(name), 12)
    alone = shown_to(world.take(np.array([12])), make_policy(name), 0)
    reversed_ = shown_to(world.take(np.arange(20)[::-1]), make_policy(name), 7)
    assert len(together) > 2
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, reversed_)


@pytest.mark.parametrize("name", ["random", "plackett-luce"])
def test_repeated_rows_draw_anew_and_twins_draw_the_same(world: World, name: str) -> None:
    rows = np.array([3, 3])
    policy = make_policy(name)
    first, again = (shown_to(world, policy, row, rows)[0] for row in (0, 1))
    assert not np.array_equal(first, again)
    first, again = (shown_to(world, policy, row, rows, twins=True) for row in (0, 1))
    np.testing.assert_array_equal(first, again)


def test_slates_of_one_session_are_drawn_anew(world: World) -> None:
    busy = world.with_dynamics(WorldConfig(session=SessionConfig(enabled=True, mean_slates=20.0)))
    slates = shown_to(busy, RandomSlates(), 0)
    assert len({tuple(slate) for slate in slates.tolist()}) == len(slates) > 5


def test_chance_in_a_policy_is_not_the_users_luck(world: World) -> None:
    """A policy that draws and throws away leaves everything as it was."""

    class Wasteful(StaticWeights):
        def decide(self, logged, active, controller, luck):
            luck.keys_of(logged.context.items)
            luck.generator(0).random(10)
            return super().decide(logged, active, controller, luck)

    weights = np.eye(1, len(FEATURES) + 1, dtype=np.float32)[0]
    plain = simulate(world, StaticWeights(weights), seed=2)
    wasteful = simulate(world, Wasteful(weights), seed=2)
    np.testing.assert_array_equal(plain.engagement, wasteful.engagement)


def test_a_reranker_sees_what_the_users_did(world: World) -> None:
    """Weights over the state give the same slates as a re-ranker and as a linear policy."""
    linear = LinearConfig(weights=WEIGHTS)
    knowledge = Knowledge(world.catalogue)

    def make(states: StateLookup):
        return make_reranker(linear, Knowledge(knowledge.catalogue, states=states))

    ours = simulate(world, RerankerPolicy(make), seed=4)
    np.testing.assert_allclose(
        ours.engagement, simulate(world, heuristic(), seed=4).engagement, rtol=1e-6
    )


@pytest.mark.parametrize(
    "beliefs", [{}, {"preference": 2.0, "enjoyment": 2.0, "familiarity": -1.0}]
)
def test_a_filtered_reranker_finds_its_columns_in_the_state(world: World, beliefs) -> None:
    """Forbidden items move the columns; what was observed must move with them."""
    topic = world.catalogue.topic_names[0]
    limits = Constraints(filters=HardFilters(exclude_topics=(topic,)))
    weights = WEIGHTS | beliefs
    linear = LinearConfig(weights=weights)
    alike = StaticWeights(np.array([*(weights.get(name, 0.0) for name in FEATURES), 0.0]))

    def make(states: StateLookup):
        return make_reranker(linear, Knowledge(world.catalogue, limits, states))

    forbidden = world.catalogue.topics[:, 0]
    narrow = world.on(world.pools.keep(~forbidden))
    able = np.flatnonzero(narrow.pools.sizes >= 10)
    assert len(able) > 10
    filtered = shown_to(world.take(able), RerankerPolicy(make), 5)
    np.testing.assert_array_equal(filtered, shown_to(narrow.take(able), alike, 5))
    assert not forbidden[filtered].any()


def test_states_are_those_of_the_users_who_are_served(world: World) -> None:
    asked: list[StateLookup] = []

    class Curious:
        name = "curious"

        def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
            return Slates.from_columns(pools, np.tile(np.arange(k), (len(pools), 1)))

    def make(states: StateLookup) -> Curious:
        asked.append(states)
        return Curious()

    RerankerPolicy(make)
    with pytest.raises(NotReady, match="states"):
        asked[0](world.pools)


@pytest.mark.parametrize("model", ["position", "cascade", "logit"])
def test_no_policy_expects_more_of_the_next_visit_than_the_myopic_oracle(world, model) -> None:
    one_day = WorldConfig(choice=ChoiceConfig(model=model), horizon_days=1)
    world = world.with_dynamics(one_day)
    best = simulate(world, MyopicOracle(), seed=0).expected_engagement
    for name in REFERENCES:
        other = simulate(world, reference_policy(name), seed=0).expected_engagement
        assert (other <= best + 1e-5).all()


def test_an_oracle_that_plans_nothing_is_the_myopic_one(world: World) -> None:
    free = simulate(world, PlanningOracle(price=0.0), seed=1)
    np.testing.assert_array_equal(
        free.engagement, simulate(world, MyopicOracle(), seed=1).engagement
    )


def test_the_planning_oracle_lets_rest_what_it_has_shown(world: World) -> None:
    def repeats(policy: SlatePolicy) -> float:
        seen: list[Shown] = list(slates_shown(world, policy, seed=0))[:2]
        both = np.intersect1d(seen[0].at, seen[1].at)
        slates = [s.decision.columns[np.searchsorted(s.at, both)] for s in seen]
        return float((slates[0][:, :, None] == slates[1][:, None, :]).any(axis=2).mean())

    assert repeats(PlanningOracle(price=0.9)) < 0.5 * repeats(MyopicOracle())


@pytest.mark.parametrize("price", [-0.1, 1.0, np.nan])
def test_a_price_outside_its_bounds_is_refused(price: float) -> None:
    with pytest.raises(InvalidValue, match="price"):
        PlanningOracle(price=price)


def test_each_row_may_have_its_own_price(world: World) -> None:
    prices = np.linspace(0.0, 0.9, len(world))
    mixed = simulate(world, PlanningOracle(prices), seed=3)
    own = simulate(world, PlanningOracle(float(prices[20])), seed=3)
    assert mixed.engagement[20] == own.engagement[20]


@pytest.fixture(scope="module")
def engagement() -> dict[str, np.ndarray]:
    """Expected engagement per user, mean over luck, of a world that nothing was tuned on."""
    world = fit_world(synthetic_candidates(200, 300, 6, seed=77, top_n=60), WorldConfig(), 77)
    return {
        name: np.mean(
            [simulate(world, make_policy(name), seed=s).expected_engagement for s in range(4)],
            axis=0,
        )
        for name in REFERENCES
    }


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("random", "greedy"),  # who always shows the same wears it out
        ("heuristic", "random"),
        ("myopic-oracle", "heuristic"),
        ("oracle", "myopic-oracle"),  # a myopic policy is not optimal, whatever it knows
    ],
)
def test_headroom(engagement: dict[str, np.ndarray], better: str, worse: str) -> None:
    ahead = engagement[better] - engagement[worse]
    assert ahead.mean() > 2.6 * ahead.std() / len(ahead) ** 0.5  # 99 %, one-sided, and more
