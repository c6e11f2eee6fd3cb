"""Posteriors of hidden taste against integrals that are written out, and by their promises."""

import numpy as np
import pytest
from fairloop.simulators.choice import discount
from fairloop.simulators.dynamics import noisy_satisfaction
from fairloop.simulators.known_taste import KnownTaste, KnownWorth
from fairloop.simulators.policies.taste_belief import (
    Grid,
    Seen,
    TasteBelief,
    rating_likelihood,
)
from hypothesis import given, settings
from hypothesis import strategies as st

N, K = 6, 3
LOOKS = discount(K, 1.0)


def tastes(n_users: int = 1, scale: tuple[float, float] | None = (1.0, 5.0)) -> KnownTaste:
    rng = np.random.default_rng(2)
    appeal = rng.normal(-0.8, 0.7, (n_users, N)).astype(np.float32)
    known = rng.normal(3.3, 0.6, (n_users, N)) if scale else rng.normal(0.4, 0.5, (n_users, N))
    worth = KnownWorth(known, 0.7, scale)
    return KnownTaste(np.arange(n_users), appeal, 0.8, worth)


def visits(n_visits: int, noise: float, rng: np.random.Generator) -> list[Seen]:
    """Slates of one user with made-up reactions that no world needs to have drawn."""
    found: list[Seen] = []
    for _ in range(n_visits):
        clicks = rng.random((1, K)) < 0.5
        mean = rng.uniform(0.35, 0.65, (1, K))
        drawn = noisy_satisfaction(mean, rng.random((1, K)), noise).astype(np.float32)
        seen = np.where(clicks, drawn, np.float32(np.nan))
        if len(found) == 1:
            seen[:] = np.nan  # clicked but not rated
        shift = -rng.uniform(0, 0.6, (2, 1, K)).astype(np.float32)
        columns = rng.permutation(N)[None, :K]
        found.append(Seen(columns, shift, clicks, seen))
    return found


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def by_integration(known: KnownTaste, noise: float, seen: list[Seen], shift: np.ndarray):
    """Mean reward of each candidate now and at rest: one at a time, on a fine grid."""
    h = np.linspace(-6.0, 6.0, 60_001)
    found = np.empty((2, N))
    for i in range(N):
        posterior = np.exp(-(h**2) / 2.0)
        worth_at_rest = known.worth.mean_at(h)[0, i]
        for slate in seen:
            for j in np.flatnonzero(slate.columns[0] == i):
                p = LOOKS[j] * sigmoid(known.appeal[0, i] + 0.8 * h + slate.shift[0, 0, j])
                posterior = posterior * (p if slate.clicks[0, j] else 1.0 - p)
                z = slate.satisfaction[0, j]
                if slate.clicks[0, j] and np.isfinite(z):
                    logit = np.log(worth_at_rest / (1 - worth_at_rest)) + slate.shift[1, 0, j]
                    m = sigmoid(logit)
                    room = noise * np.minimum(m, 1.0 - m)
                    posterior = posterior * (np.abs(z - m) <= room) / (2.0 * room)
        posterior /= posterior.sum()
        attraction = sigmoid(known.appeal[0, i] + 0.8 * h + shift[0, 0, i])
        logit = np.log(worth_at_rest / (1 - worth_at_rest)) + shift[1, 0, i]
        now = attraction * sigmoid(logit)
        rested = sigmoid(known.appeal[0, i] + 0.8 * h) * worth_at_rest
        found[:, i] = (posterior * now).sum(), (posterior * rested).sum()
    return found


@pytest.mark.parametrize("scale", [(1.0, 5.0), None])
@pytest.mark.parametrize("noise", [0.5, 1.0])
@pytest.mark.parametrize(("nodes", "error"), [(21, 0.012), (201, 0.0015)])
def test_expectations_are_those_of_brute_force_bayes(scale, noise, nodes, error) -> None:
    rng = np.random.default_rng(4)
    known, row = tastes(scale=scale), np.zeros(1, np.int64)
    belief = TasteBelief(known, LOOKS, noise, Grid.of(nodes))
    seen = visits(4, noise, rng)
    prior = by_integration(known, noise, [], np.zeros((2, 1, N)))
    for slate in seen:
        belief.learn(row, slate)
    shift = -rng.uniform(0, 0.5, (2, 1, N)).astype(np.float32)
    expected = by_integration(known, noise, seen, shift)
    found = belief.expect(row, shift)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=error)
    moved = np.abs(expected[1] - prior[1])
    assert moved.max() > 7 * error  # what was learned is far above what the grid loses
    np.testing.assert_allclose(belief.mass.sum(axis=2), 1.0, atol=1e-5)


@settings(deadline=None)
@given(st.floats(0.03, 0.97), st.floats(0.05, 1.0), st.floats(0.0, 1.0))
def test_a_cell_around_a_mean_has_the_density_of_its_draws(mean, noise, uniform) -> None:
    """Where a narrow cell lies within what may have drawn the rating, and 0 where it does not."""
    room = noise * min(mean, 1.0 - mean)
    cell = np.array([[mean - 1e-6, mean + 1e-6]])
    inside = mean + 0.98 * room * (2 * uniform - 1)
    (found,) = rating_likelihood(np.array([inside]), cell, noise)[0]
    if min(abs(inside - mean - room), abs(inside - mean + room)) > 5e-4:
        assert found == pytest.approx(0.5 / room, rel=0.02)
    for outside in (mean + room + 5e-4 * (1 + noise), mean - room - 5e-4 * (1 + noise)):
        assert rating_likelihood(np.array([outside]), cell, noise)[0, 0] == 0.0


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.05, 0.95))
def test_cells_share_a_rating_out_as_one_wide_cell_would(rating, noise) -> None:
    """The width-weighted sum over cells is the integral over all means, however they are cut."""
    edges = np.linspace(0.0, 1.0, 2001)[None]
    fine = rating_likelihood(np.array([rating]), edges, noise)[0] @ np.diff(edges[0])
    m = np.linspace(5e-6, 1 - 5e-6, 100_000)
    room = noise * np.minimum(m, 1 - m)
    exact = ((np.abs(rating - m) <= room) / (2 * room)).mean()
    assert fine == pytest.approx(exact, rel=0.03)


def test_a_noiseless_rating_leaves_the_cells_that_give_it() -> None:
    known, row = tastes(), np.zeros(1, np.int64)
    belief = TasteBelief(known, LOOKS, 0.0, Grid.of(201))
    truth = known.worth.mean_at(np.array([0.7]))[0, :K, 0].astype(np.float32)[None]
    everything = np.ones((1, K), np.bool_)
    belief.learn(row, Seen(np.arange(K)[None], np.zeros((2, 1, K), np.float32), everything, truth))
    mean = belief.mass[0, :K] @ Grid.of(201).nodes
    np.testing.assert_allclose(mean, 0.7, atol=0.06)
    assert (belief.mass[0, K:] == Grid.of(201).mass).all()


def test_what_cannot_be_leaves_a_belief_all_the_same() -> None:
    """A rating that no taste could have given, as a rounded log may hold, is no division by 0."""
    belief, row = TasteBelief(tastes(), LOOKS, 0.01), np.zeros(1, np.int64)
    odd = np.full((1, K), 0.999, np.float32)
    everything = np.ones((1, K), np.bool_)
    belief.learn(row, Seen(np.arange(K)[None], np.zeros((2, 1, K), np.float32), everything, odd))
    assert np.isfinite(belief.mass).all()
    np.testing.assert_allclose(belief.mass.sum(axis=2), 1.0, atol=1e-5)


def test_users_are_each_for_themselves_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    known, rng = tastes(7), np.random.default_rng(0)
    shift = rng.normal(0, 0.3, (2, 7, N)).astype(np.float32)
    whole = TasteBelief(known, LOOKS, 0.5).expect(np.arange(7), shift)
    monkeypatch.setattr("fairloop.simulators.policies.taste_belief._CELLS", 1)
    one_by_one = TasteBelief(known, LOOKS, 0.5).expect(np.arange(7), shift)
    np.testing.assert_allclose(one_by_one, whole, rtol=1e-5)
    backwards = TasteBelief(known, LOOKS, 0.5).expect(np.arange(7)[::-1], shift[:, ::-1])
    np.testing.assert_allclose(backwards.now[::-1], whole.now, rtol=1e-5)
