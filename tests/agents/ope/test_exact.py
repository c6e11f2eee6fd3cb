"""Expectations by listing every slate of a tiny world: unbiased means equal to 1e-12.

All estimators are linear in the rewards, so the mean reward of a slate stands for its draws, and
the sum over all contexts and slates, each with its probability, is the expectation itself.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from fairloop.agents.ope.config import OPEConfig
from fairloop.agents.ope.logged import LoggedSlates
from fairloop.agents.ope.methods import Method, terms_of, weights_of
from fairloop.agents.ope.propensities import Propensities, certain, plackett_luce
from fairloop.agents.ope.pseudo_inverse import (
    factored_weights,
    general_weights,
    second_moments,
    uniform_weights,
)
from fairloop.agents.ope.reward_model import Guesses

from .conftest import ordered_slates, plain_plackett_luce

CONFIG = OPEConfig()
M, K, CONTEXTS = 5, 3, 2
SLATES = ordered_slates(M, K)
S = len(SLATES)


@dataclass(frozen=True)
class World:
    """Every slate in every context, and how probable each is under both policies.

    Attributes:
        chance: Of the context times that of the slate under the logging policy, shape
            ``(CONTEXTS · S,)``.
        target: Law of the target.
        logged: Log with one row for each.
        of_target: Chance of the context times that of the slate under the target.
    """

    chance: np.ndarray
    target: Propensities
    logged: LoggedSlates
    of_target: np.ndarray
    target_logits: np.ndarray


def world(rewards: np.ndarray, uniform: bool = False) -> World:
    """A world whose slates earn these rewards, shape ``(CONTEXTS, S, K)``."""
    rng = np.random.default_rng(11)
    p = np.array([0.3, 0.7])
    mu, pi = rng.normal(0, 0.8, (2, CONTEXTS, M))
    if uniform:
        mu = np.zeros_like(mu)
    columns = np.tile(SLATES, (CONTEXTS, 1))
    logging = plackett_luce(np.repeat(mu, S, axis=0), columns)
    target = plackett_luce(np.repeat(pi, S, axis=0), columns)
    context = np.repeat(np.arange(CONTEXTS), S)
    assert logging.slate is not None and target.slate is not None
    logged = LoggedSlates(context, columns, rewards.reshape(-1, K), logging)
    return World(p[context] * logging.slate, target, logged, p[context] * target.slate, pi)


def expectation(method: Method, of: World, guesses: Guesses | None = None) -> float:
    weights = weights_of(method, of.logged, of.target)
    terms = terms_of(method, weights, of.logged, guesses, CONFIG)
    assert (terms.denominator == 1.0).all()
    return float(of.chance @ terms.numerator.sum(axis=1))


def truth(of: World) -> float:
    return float(of.of_target @ of.logged.slate_rewards)


def any_rewards(seed: int = 0) -> np.ndarray:
    """Each position's reward may depend on the whole slate."""
    return np.random.default_rng(seed).normal(1.0, 1.0, (CONTEXTS, S, K))


def rewards_by_item() -> np.ndarray:
    """Each position's reward depends on its item alone."""
    worth = np.random.default_rng(1).normal(1.0, 1.0, (CONTEXTS, K, M))
    return np.stack([worth[:, j, SLATES[:, j]] for j in range(K)], axis=2)


def rewards_by_prefix() -> np.ndarray:
    """Each position's reward depends on the items down to it."""
    rng = np.random.default_rng(2)
    out = np.empty((CONTEXTS, S, K))
    for j in range(K):
        code = SLATES[:, : j + 1] @ M ** np.arange(j + 1)
        out[:, :, j] = rng.normal(1.0, 1.0, (CONTEXTS, M ** (j + 1)))[:, code]
    return out


def guesses_of(of: World, shown: np.ndarray) -> Guesses:
    """A model that says this of each slate, and so its mean under the target in each context."""
    contexts = [of.logged.users == x for x in range(CONTEXTS)]
    means = [of.of_target[c] @ shown[c] / of.of_target[c].sum() for c in contexts]
    return Guesses(shown, np.array(means)[of.logged.users])


def test_probabilities_are_those_of_listing() -> None:
    of = world(any_rewards())
    prefix = np.concatenate([plain_plackett_luce(of.target_logits[x], SLATES) for x in range(2)])
    found = of.target
    assert found.slate is not None and found.prefix is not None
    assert found.item is not None and found.anywhere is not None
    np.testing.assert_allclose(found.prefix, prefix, rtol=1e-12)
    np.testing.assert_allclose(found.slate, prefix[:, -1], rtol=1e-12)
    for x in range(CONTEXTS):
        rows = slice(x * S, (x + 1) * S)
        chance = prefix[rows, -1]
        for row, slate in enumerate(SLATES):
            at = [chance[SLATES[:, j] == slate[j]].sum() for j in range(K)]
            anywhere = [chance[(item == SLATES).any(axis=1)].sum() for item in slate]
            np.testing.assert_allclose(found.item[rows][row], at, rtol=1e-9)
            np.testing.assert_allclose(found.anywhere[rows][row], anywhere, rtol=1e-9)


def test_whole_slates_need_no_assumption() -> None:
    of = world(any_rewards())
    assert expectation("ips", of) == pytest.approx(truth(of), rel=1e-12)


def test_doubly_robust_is_unbiased_whatever_the_model_says() -> None:
    of = world(any_rewards())
    guesses = guesses_of(of, np.random.default_rng(5).normal(size=CONTEXTS * S))
    assert expectation("dr", of, guesses) == pytest.approx(truth(of), rel=1e-12)
    assert abs(expectation("dm", of, guesses) - truth(of)) > 0.1


@pytest.mark.parametrize(
    ("method", "setting", "doubly_robust", "direct"),
    [("switch-dr", "switch_tau", 1e9, 0.0), ("dr-os", "shrinkage", 1e12, 0.0)],
)
def test_ends_of_switch_and_shrinkage(
    method: Method, setting: str, doubly_robust: float, direct: float
) -> None:
    of = world(any_rewards())
    guesses = guesses_of(of, np.random.default_rng(5).normal(size=CONTEXTS * S))
    for value, same in ((doubly_robust, "dr"), (direct, "dm")):
        config = OPEConfig(**{setting: value})
        weights = weights_of(method, of.logged, of.target)
        terms = terms_of(method, weights, of.logged, guesses, config)
        other = terms_of(same, weights, of.logged, guesses, CONFIG)
        np.testing.assert_allclose(terms.numerator, other.numerator, rtol=1e-8, atol=1e-8)


def test_with_a_true_model_all_doubly_robust_methods_are_exact() -> None:
    of = world(any_rewards())
    guesses = guesses_of(of, of.logged.slate_rewards)
    methods: tuple[Method, ...] = ("dm", "dr", "switch-dr", "dr-os")
    for method in methods:
        assert expectation(method, of, guesses) == pytest.approx(truth(of), rel=1e-12)


def test_independent_ips_needs_its_click_model() -> None:
    of = world(rewards_by_item())
    assert expectation("iips", of) == pytest.approx(truth(of), rel=1e-9)  # marginals: quadrature
    wrong = world(rewards_by_prefix())
    assert abs(expectation("iips", wrong) - truth(wrong)) > 0.01


def test_reward_interaction_ips_needs_its_own() -> None:
    of = world(rewards_by_prefix())
    assert expectation("rips", of) == pytest.approx(truth(of), rel=1e-12)
    wrong = world(any_rewards())
    assert abs(expectation("rips", wrong) - truth(wrong)) > 0.01


def test_cascade_doubly_robust_is_unbiased_for_any_model_of_prefixes() -> None:
    of = world(rewards_by_prefix())
    rng = np.random.default_rng(7)
    shape = (CONTEXTS * S, K)
    shown, target = np.empty(shape), np.empty(shape)
    for j in range(K):
        guess = rng.normal(size=(CONTEXTS, *(M,) * (j + 1)))
        for row, (x, slate) in enumerate(zip(of.logged.users, of.logged.items, strict=True)):
            above = tuple(slate[:j])
            left = [a for a in range(M) if a not in above]
            chance = np.exp(of.target_logits[x, left])
            chance /= chance.sum()
            shown[row, j] = guess[(x, *slate[: j + 1])]
            target[row, j] = sum(
                c * guess[(x, *above, a)] for c, a in zip(chance, left, strict=True)
            )
    found = expectation("cascade-dr", of, Guesses(shown, target))
    assert found == pytest.approx(truth(of), rel=1e-12)
    biased = expectation("cascade-dr", of, Guesses(shown, np.zeros(shape)))
    assert abs(biased - truth(of)) > 0.01


@pytest.mark.parametrize("per_position", [True, False])
def test_pseudo_inverse_under_uniform_logging(per_position: bool) -> None:
    """Rewards of whole slates suffice."""
    of = world(rewards_by_item(), uniform=True)
    if not per_position:
        of = replace(of, logged=replace(of.logged, rewards=of.logged.slate_rewards))
    assert expectation("pi-uniform", of) == pytest.approx(truth(of), rel=1e-9)
    wrong = world(any_rewards(), uniform=True)
    assert abs(expectation("pi-uniform", wrong) - truth(wrong)) > 0.01


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_closed_form_of_uniform_logging_is_the_pseudo_inverse(k: int) -> None:
    """Also where all items are shown, and Γ loses another eigenspace."""
    m = 4
    slates = ordered_slates(m, k)
    logits = np.random.default_rng(k).normal(size=m)
    law = plackett_luce(np.broadcast_to(logits, (len(slates), m)), slates)
    chance = plain_plackett_luce(logits, slates)[:, -1]
    moments = second_moments(slates, np.full(len(slates), 1.0 / len(slates)), m)
    marginals = np.array([[chance[slates[:, j] == a].sum() for a in range(m)] for j in range(k)])
    general = general_weights(np.broadcast_to(marginals, (len(slates), k, m)), moments, slates)
    assert law.item is not None and law.anywhere is not None
    closed = uniform_weights(law.item, law.anywhere, np.full(len(slates), m))
    np.testing.assert_allclose(closed, general, atol=1e-8)
    assert closed.mean() == pytest.approx(1.0, abs=1e-9)
    assert (closed.std() > 0.1) == (len(slates) > 1)


def test_closed_form_of_independent_positions_is_the_pseudo_inverse() -> None:
    """Each position draws from a list of its own, by any law."""
    m, k = 3, 3
    rng = np.random.default_rng(4)
    mu, pi = rng.dirichlet(np.ones(m), (2, k))
    slates = np.array(np.meshgrid(*[range(m)] * k)).reshape(k, -1).T
    chance = np.prod(mu[np.arange(k), slates], axis=1)
    moments = second_moments(slates, chance, m)
    targets = np.broadcast_to(pi, (len(slates), k, m))
    general = general_weights(targets, moments, slates)
    closed = factored_weights((pi / mu)[np.arange(k), slates])
    np.testing.assert_allclose(closed, general, atol=1e-10)
    one_each = general_weights(targets, np.broadcast_to(moments, (len(slates), 9, 9)), slates)
    np.testing.assert_allclose(one_each, general, atol=1e-10)
    worth = rng.normal(size=(k, m))
    rewards = worth[np.arange(k), slates].sum(axis=1)
    truth = np.prod(pi[np.arange(k), slates], axis=1) @ rewards
    assert chance @ (closed * rewards) == pytest.approx(truth, rel=1e-12)


def test_general_pseudo_inverse_under_plackett_luce_logging() -> None:
    of = world(rewards_by_item())
    for x in range(CONTEXTS):
        rows = np.flatnonzero(of.logged.users == x)
        p = [0.3, 0.7][x]
        logging, target = of.chance[rows] / p, of.of_target[rows] / p
        moments = second_moments(SLATES, logging, M)
        marginals = np.array(
            [[target[SLATES[:, j] == a].sum() for a in range(M)] for j in range(K)]
        )
        w = general_weights(np.broadcast_to(marginals, (S, K, M)), moments, SLATES)
        rewards = of.logged.slate_rewards[rows]
        assert logging @ (w * rewards) == pytest.approx(target @ rewards, rel=1e-9)


def test_a_target_without_chance() -> None:
    """It shows one slate of each context: the estimates are that slate's rewards."""
    of = world(any_rewards())
    chosen = SLATES[[7, 31]][of.logged.users]
    target = certain(of.logged.items, chosen)
    expected = 0.3 * any_rewards()[0, 7].sum() + 0.7 * any_rewards()[1, 31].sum()
    of = replace(of, target=target)
    assert expectation("ips", of) == pytest.approx(expected, rel=1e-12)
    assert target.anywhere is not None and target.prefix is not None
    assert target.anywhere.sum(axis=1).max() == K
    assert (target.prefix[:, -1] == target.slate).all()


def test_self_normalised_methods_agree_with_their_ratios() -> None:
    """Σ w r / Σ w, by hand, on the listed slates taken as a log."""
    of = world(any_rewards())
    rng = np.random.default_rng(0)
    rows = rng.choice(len(of.chance), 400, p=of.chance)
    logged, target = of.logged.take(rows), of.target.take(rows)
    assert target.prefix is not None and logged.logging.prefix is not None
    w = target.prefix / logged.logging.prefix
    by_hand = sum((w[:, j] @ logged.rewards[:, j]) / w[:, j].sum() for j in range(K))
    weights = weights_of("snrips", logged, target)
    assert terms_of("snrips", weights, logged, None, CONFIG).value() == pytest.approx(by_hand)
    whole = w[:, -1] @ logged.slate_rewards / w[:, -1].sum()
    weights = weights_of("snips", logged, target)
    assert terms_of("snips", weights, logged, None, CONFIG).value() == pytest.approx(whole)
