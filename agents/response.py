"""Learn how users answer to a look, from what a platform would log of them.

Users are served for a few rounds by what is known so far, with some chance in the order so that
more than the obvious is tried; then both models of `rerankers.response` are fitted to all that was
logged: slates, clicks and ratings, never the simulated truth.

- Clicks: ``P(click | features x, position j) = θ_j · sigmoid(x · w + b)``, the position-based model
  (Richardson, Dominowska & Ragno 2007, "Predicting Clicks: Estimating the Click-Through Rate for
  New Ads") with a logistic attraction, by maximum likelihood in w, b and θ together; θ_1 = 1.
- Satisfaction of a rated click: ``sigmoid(x · w + b)`` by the quasi-likelihood of a fraction
  (Papke & Wooldridge 1996, "Econometric Methods for Fractional Response Variables").

Both take the log as it comes, so that what is shown by a model later teaches it its own mistakes
(Ross, Gordon & Bagnell 2011, "A Reduction of Imitation Learning and Structured Prediction to
No-Regret Online Learning").
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from scipy.special import expit

from ..arrays import BoolArray, FloatArray
from ..rerankers.features import FEATURES, LOGGED, REWARD, scoring_features
from ..rerankers.response import ResponseModel
from ..rerankers.scores import candidate_scores
from ..simulators.logged import LoggedPopulation
from .outcomes import Arena


class ResponseConfig(BaseModel):
    """How users are served for the log, and how the models are fitted.

    Attributes:
        rounds: Times that users are served and both models fitted.
        passes: Episodes of every training user in each round.
        first_noise: Standard deviation of the chance in the base order of the first round, in
            standard deviations of the score within a pool.
        noise: The same in later rounds, around the model's own order.
        price: Of the reward at rest, in the later rounds' order.
        ridge: Penalty on a squared standardised weight, per observation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: int = Field(default=3, ge=1)
    passes: int = Field(default=2, ge=1)
    first_noise: float = Field(default=1.0, gt=0.0)
    noise: float = Field(default=0.5, gt=0.0)
    price: float = Field(default=0.35, ge=0.0, lt=1.0)
    ridge: float = Field(default=1e-8, gt=0.0)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was shown, and what it brought; one row per slate.

    Attributes:
        features: Of the items shown, columns as in ``LOGGED``, shape ``(n, k, L)``.
        clicks: Shape ``(n, k)``.
        satisfaction: Shape ``(n, k)``; NaN where not clicked or not rated.
    """

    features: FloatArray
    clicks: BoolArray
    satisfaction: FloatArray

    def __len__(self) -> int:
        return len(self.clicks)

    @classmethod
    def concatenate(cls, parts: "list[Answers]") -> "Answers":
        """All rows, one part after the other."""
        return cls(
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.clicks for part in parts]),
            np.concatenate([part.satisfaction for part in parts]),
        )


def learn_response(arena: Arena, seed: int, config: ResponseConfig) -> tuple[ResponseModel, int]:
    """The response model of some users, and the user-steps that were simulated for it.

    Args:
        arena: The training users; each pass is in the next of its drawn worlds.
        seed: Root of the users' luck and of the chance in what they are shown.
        config: Effort.
    """
    streams = np.random.SeedSequence(seed).spawn(config.rounds * config.passes)
    response, parts = None, list[Answers]()
    for number in range(config.rounds):
        for stream in streams[number * config.passes : (number + 1) * config.passes]:
            parts.append(_serve(arena.turn(len(parts)), response, stream, config))
        response = fit_response(Answers.concatenate(parts), config.ridge)
    assert response is not None  # the configuration asks for at least one round
    return response, sum(len(part) for part in parts)


def fit_response(answers: Answers, ridge: float = 1e-8) -> ResponseModel:
    """Both models by maximum likelihood; O(rounds of L-BFGS · n · k · L).

    A feature that does not vary gets no weight.
    """
    n_features = answers.features.shape[2]
    flat = answers.features.reshape(-1, n_features).astype(np.float64)
    centre, spread = flat.mean(axis=0), flat.std(axis=0)
    unit = np.where(spread > _FLAT, 1.0 / np.maximum(spread, _FLAT), 0.0)
    design = (flat - centre) * unit
    click = _fit_clicks(design, answers.clicks, ridge)
    rated = np.flatnonzero((answers.clicks & ~np.isnan(answers.satisfaction)).ravel())
    worth = _fit_fractions(design[rated], answers.satisfaction.ravel()[rated], ridge)
    (w, b), (v, c) = (_in_features(found, unit, centre) for found in (click, worth))
    return ResponseModel(w, b, v, c)


_FLAT = 1e-6


def _in_features(
    found: FloatArray, unit: FloatArray, centre: FloatArray
) -> tuple[FloatArray, float]:
    """Weights and intercept over features, from those over standardised ones."""
    weights = found[:-1] * unit
    return weights.astype(np.float32), float(found[-1] - weights @ centre)


def _fit_clicks(design: FloatArray, clicks: BoolArray, ridge: float) -> FloatArray:
    """Weights, then the intercept, shape ``(L + 1,)``; positions are fitted too, and let go."""
    n, k = clicks.shape
    clicked, n_features = clicks.ravel().astype(np.float64), design.shape[1]

    def loss(point: FloatArray) -> tuple[float, FloatArray]:
        weights, intercept = point[:n_features], point[n_features]
        looks = np.exp(np.append(0.0, point[n_features + 1 :]))
        attraction = expit(design @ weights + intercept)
        likely = np.clip(np.tile(looks, n) * attraction, _CERTAIN, 1.0 - _CERTAIN)
        value = -(clicked * np.log(likely) + (1.0 - clicked) * np.log1p(-likely)).mean()
        # By the log of the probability: by the log-odds of attraction, and by the log of a look.
        by_log = (likely - clicked) / ((1.0 - likely) * len(clicked))
        by_odds = by_log * (1.0 - attraction)
        slope = design.T @ by_odds + 2.0 * ridge * weights
        by_look = by_log.reshape(n, k).sum(axis=0)[1:]
        gradient = np.concatenate([slope, [by_odds.sum()], by_look])
        return float(value + ridge * weights @ weights), gradient

    bounds = [(None, None)] * (n_features + 1) + [(_LEAST_LOOK, 0.0)] * (k - 1)
    start = np.zeros(n_features + k)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[: n_features + 1]


_CERTAIN = 1e-9

_LEAST_LOOK = -6.0
"""Least log-probability of a look at a position, against one at the top."""


def _fit_fractions(design: FloatArray, fractions: FloatArray, ridge: float) -> FloatArray:
    """Weights, then the intercept, shape ``(L + 1,)``; all 0 where there are no fractions."""
    n, n_features = design.shape
    if n == 0:
        return np.zeros(n_features + 1)

    def loss(point: FloatArray) -> tuple[float, FloatArray]:
        weights = point[:-1]
        log_odds = design @ weights + point[-1]
        # log(1 + e^z) − s z is the cross-entropy of a fraction s.
        value = (np.logaddexp(0.0, log_odds) - fractions * log_odds).mean()
        slope = (expit(log_odds) - fractions) / n
        gradient = np.append(design.T @ slope + 2.0 * ridge * weights, slope.sum())
        return float(value + ridge * weights @ weights), gradient

    return minimize(loss, np.zeros(n_features + 1), jac=True, method="L-BFGS-B").x


def _serve(
    arena: Arena,
    response: ResponseModel | None,
    stream: np.random.SeedSequence,
    config: ResponseConfig,
) -> Answers:
    """One episode of every user, served by what is known and some chance."""
    living, chance = stream.spawn(2)
    seed, rng = int(living.generate_state(1)[0]), np.random.default_rng(chance)
    context = arena.context.answered_by(response)
    logged = LoggedPopulation(arena.world, arena.constraints, seed, context=context)
    weights, noise = _order(response, config, len(arena.targets) - 1)
    parts: list[Answers] = []
    while logged.population.alive.any():
        active = logged.population.alive.copy()
        columns = _noisy_slates(logged, weights, noise, rng)
        features = scoring_features(logged.context, logged.observed)[:, :, : len(LOGGED)]
        shown = np.take_along_axis(features, columns[:, :, None], axis=1)
        outcome = logged.step(columns)
        parts.append(Answers(shown[active], outcome.clicks[active], outcome.satisfaction[active]))
    return Answers.concatenate(parts)


def _order(
    response: ResponseModel | None, config: ResponseConfig, n_floors: int
) -> tuple[FloatArray, float]:
    """Weights of the features ``(F,)``, and the noise around the scores they give."""
    weights = np.zeros(len(FEATURES) + n_floors, np.float32)
    if response is None:
        weights[FEATURES.index("base")] = 1.0
        return weights, config.first_noise
    now, rested = map(FEATURES.index, REWARD)
    weights[now], weights[rested] = 1.0, -config.price
    return weights, config.noise


def _noisy_slates(
    logged: LoggedPopulation, weights: FloatArray, noise: float, rng: np.random.Generator
) -> np.ndarray:
    scores = candidate_scores(logged.context, logged.observed, weights)
    valid = logged.context.valid
    spread = scores.std(axis=1, keepdims=True, where=valid)
    # Drawn for every column, so that a user's chance does not depend on how large a pool is.
    scores = scores + noise * spread * rng.standard_normal(scores.shape).astype(np.float32)
    k = logged.world.config.slate_size
    return np.argsort(np.where(valid, -scores, np.inf), axis=1, kind="stable")[:, :k]
