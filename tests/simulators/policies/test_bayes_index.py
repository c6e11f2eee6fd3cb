"""The reference that must learn tastes: what it sees, what it learns, where it stands."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import InvalidValue
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators.config import ChoiceConfig, SessionConfig, WorldConfig
from fairloop.simulators.fit import fit_known_taste, fit_world, hidden_taste
from fairloop.simulators.known_taste import KnownTaste
from fairloop.simulators.policies.bayes_index import BayesIndex
from fairloop.simulators.policies.limit_prices import LimitPrices
from fairloop.simulators.policies.oracles import PlanningOracle
from fairloop.simulators.policies.reference import reference_policy
from fairloop.simulators.policies.taste_belief import Grid
from fairloop.simulators.rollout import simulate, slates_shown
from fairloop.simulators.world import World

SEED = 5  # of the fixture `world`


@pytest.fixture(scope="module")
def known(candidates) -> KnownTaste:
    return fit_known_taste(candidates, WorldConfig(), SEED)


def shown_to(world: World, policy, row: int) -> np.ndarray:
    found = []
    for shown in slates_shown(world, policy, seed=11):
        at = np.flatnonzero((shown.at == row) & shown.outcome.active)
        if len(at):
            found.append(shown.decision.columns[at[0]])
    return np.array(found)


def test_a_user_is_shown_the_same_in_any_batch(world: World, known: KnownTaste) -> None:
    together = shown_to(world, BayesIndex(known), 12)
    alone = shown_to(world.take(np.array([12])), BayesIndex(known), 0)
    backwards = shown_to(world.take(np.arange(20)[::-1]), BayesIndex(known), 7)
    assert len(together) > 3
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, backwards)


def test_before_anything_is_seen_hidden_tastes_do_not_matter(
    world: World, known: KnownTaste
) -> None:
    """The same knowledge in a world of other tastes: the same first slates, other ones later."""
    other = replace(world, appeal=world.appeal[:, ::-1].copy(), worth=world.worth[:, ::-1].copy())
    here, there = (shown_to(w, BayesIndex(known), 3) for w in (world, other))
    np.testing.assert_array_equal(here[0], there[0])
    n = min(len(here), len(there))
    assert (here[1:n] != there[1:n]).any()


@pytest.mark.parametrize("busy", [False, True])
def test_what_it_believes_is_as_uncertain_as_it_is_wrong(candidates, busy: bool) -> None:
    """Under the true prior and likelihood (truth − mean)² has the posterior variance as mean."""
    session = SessionConfig(enabled=busy)
    config = WorldConfig(session=session, slate_size=6)
    world = fit_world(candidates, config, SEED)
    known = fit_known_taste(candidates, config, SEED)
    policy = BayesIndex(known)
    for _ in slates_shown(world, policy, seed=3):
        pass
    assert policy.belief is not None
    mass, nodes = policy.belief.mass, Grid.of().nodes
    touched = np.abs(mass - Grid.of().mass).max(axis=2) > 1e-3
    assert touched.mean() > 0.2
    mean = mass @ nodes
    variance = mass @ nodes**2 - mean**2
    wrong = (hidden_taste(world.pools, SEED) - mean) ** 2
    assert variance[touched].mean() < 0.8  # something was learned: a prior has 1
    assert wrong[touched].mean() == pytest.approx(variance[touched].mean(), rel=0.12)
    if not busy:  # else hardly anything is left that was not shown
        assert wrong[~touched].mean() == pytest.approx(1.0, rel=0.12)


def test_it_stands_between_memory_and_the_truth() -> None:
    made = synthetic_candidates(200, 300, 6, seed=77, top_n=60)
    world, known = fit_world(made, None, 77), fit_known_taste(made, None, 77)
    policies = {
        "memory": lambda: reference_policy("heuristic"),
        "bayes": lambda: BayesIndex(known),
        "truth": PlanningOracle,
    }
    brought = {
        name: np.mean([simulate(world, make(), seed=s).expected_engagement for s in (0, 1)], axis=0)
        for name, make in policies.items()
    }
    for better, worse in (("bayes", "memory"), ("truth", "bayes")):
        ahead = brought[better] - brought[worse]
        assert ahead.mean() > 2.6 * ahead.std() / len(ahead) ** 0.5


def test_it_starts_over_with_a_new_episode(world: World, known: KnownTaste) -> None:
    """One that is used again knows no more than a new one: episodes begin without a slate seen."""
    policy = BayesIndex(known)
    first = simulate(world, policy, seed=2)
    again = simulate(world, policy, seed=2)
    np.testing.assert_array_equal(first.engagement, again.engagement)


def test_prices_raise_the_levels_of_their_limits(world: World, known: KnownTaste) -> None:
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.4)
    limits = Constraints(exposure=(floor,), min_diversity=0.7)

    def levels(bonus: float, distance: float) -> tuple[float, float]:
        policy = BayesIndex(known, limits=LimitPrices((bonus,), distance))
        found = simulate(world, policy, limits, seed=0)
        slates = found.n_slates.sum()
        return float(found.exposure.sum() / slates), float(found.diversity.sum() / slates)

    free = levels(0.0, 0.0)
    assert levels(0.1, 0.0)[0] > free[0] + 0.05
    assert levels(0.0, 0.5)[1] > free[1] + 0.05


@pytest.mark.parametrize("model", ["cascade", "logit"])
def test_other_choice_models_are_refused(world: World, known: KnownTaste, model: str) -> None:
    other = world.with_dynamics(WorldConfig(choice=ChoiceConfig(model=model)))
    with pytest.raises(InvalidValue, match=r"choice\.model"):
        simulate(other, BayesIndex(known), seed=0)


def test_other_users_and_other_pools_are_refused(world: World, known: KnownTaste) -> None:
    with pytest.raises(InvalidValue, match="users"):
        simulate(world, BayesIndex(known.take(np.arange(5))), seed=0)
    fewer = replace(known, appeal=known.appeal[:, :-1])
    with pytest.raises(InvalidValue, match="candidates"):
        simulate(world, BayesIndex(fewer), seed=0)


@pytest.mark.parametrize("price", [1.0, -0.1, np.nan])
def test_a_price_outside_its_bounds_is_refused(known: KnownTaste, price: float) -> None:
    with pytest.raises(InvalidValue, match="price"):
        BayesIndex(known, price)
