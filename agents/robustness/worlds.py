"""The same users under other dynamics, with other differences between them, or with other tastes.

Each function leaves a world exactly as it is where nothing is asked to change.
"""

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
from scipy.special import expit

from ...arrays import FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ...simulators import randomness
from ...simulators.config import WorldConfig
from ...simulators.dynamics import log_odds
from ...simulators.fit import intercept
from ...simulators.world import NEVER, Sensitivities, World

PER_USER = {
    "satiation": "satiation.strength",
    "fatigue": "fatigue.per_showing",
    "drift": "drift.rate",
    "leaving": "leaving.sensitivity",
    "returning": "returning.sensitivity",
}
"""What differs between users, and the parameter that it multiplies. Fatigue by clicks follows that
by showings, and the wish for another slate follows returning: one factor of a user acts on both."""

TASTE_STREAM, FACTOR_STREAM = 101, 102
"""Streams of luck (``simulators.randomness``) beyond those that a world and its users draw from."""

WORTH_BOUND = 0.98
"""Mean satisfaction at rest stays within 1 minus this and this, as where it is fit."""


def under(world: World, config: WorldConfig) -> World:
    """The same users under another configuration.

    Beyond `World.with_dynamics` this covers what is fit to be rescaled: the mean click probability
    at rest, the spread of its log-odds, and how much users differ. A configuration that differs in
    those gives what `fit_world` would have given with it, if the world holds all users of the fit;
    for a part of them it moves their mean by the same factor.

    Raises:
        InvalidValue: The tastes differ, which only a new fit can change.
    """
    before = world.config
    if config.tastes != before.tastes:
        raise InvalidValue(
            "other tastes need another fit",
            field="world.tastes",
            mend="Call fit_world with that configuration.",
        )
    attraction = config.choice.base_attraction / before.choice.base_attraction
    spread = _ratio(config.choice.attraction_spread, before.choice.attraction_spread, "spread")
    contrast = _ratio(config.heterogeneity, before.heterogeneity, "heterogeneity")
    appeal, sensitivities = world.appeal, world.sensitivities
    if attraction != 1.0 or spread != 1.0:
        mean = float(expit(appeal[world.pools.valid]).mean()) * attraction
        appeal = _reset(world.pools, spread * appeal.astype(np.float64), mean)
    if contrast != 1.0:
        factors = [getattr(sensitivities, f.name) for f in fields(sensitivities)]
        sensitivities = Sensitivities(*(factor ** np.float32(contrast) for factor in factors))
    return replace(world, config=config, appeal=appeal, sensitivities=sensitivities)


def with_taste_noise(world: World, share: float, seed: int) -> World:
    """Replace a share of what users like at rest by tastes that no data know.

    With ``a`` the log-odds of a candidate, of mean ``m`` and standard deviation ``s`` over all
    candidates, ``a' = m + √(1 − share) · (a − m) + √share · s · z``, where ``z`` is standard normal
    for each user and item and the same for clicks and for satisfaction, as a lasting taste is. The
    spread stays, and so does the mean click probability.

    Args:
        world: The users.
        share: From 0 (nothing changes) to 1 (nothing that was known is left).
        seed: Root of ``z``, which depends on it, user and item alone.

    Raises:
        InvalidValue: The share is not within [0, 1].
    """
    if not 0.0 <= share <= 1.0:
        raise InvalidValue(f"a share of {share:g}", field="taste_noise", mend="Use 0 to 1.")
    if share == 0.0:
        return world
    pools = world.pools
    keys = randomness.stream_keys(seed, TASTE_STREAM, pools.users)
    fresh = randomness.normals(randomness.derive(keys[:, None], np.maximum(pools.items, 0)))

    def mixed(table: FloatArray) -> FloatArray:
        known = table[pools.valid].astype(np.float64)
        kept = known.mean() + np.sqrt(1.0 - share) * (table - known.mean())
        return kept + np.sqrt(share) * known.std() * fresh

    clicked = float(expit(world.appeal[pools.valid]).mean())
    bound = float(log_odds(WORTH_BOUND))
    worth = np.where(pools.valid, np.clip(mixed(world.worth), -bound, bound), NEVER)
    return replace(
        world, appeal=_reset(pools, mixed(world.appeal), clicked), worth=worth.astype(np.float32)
    )


def with_user_factors(world: World, ranges: Mapping[str, tuple[float, float]], seed: int) -> World:
    """Multiply each user's sensitivities by factors of their own, uniform in the log.

    Args:
        world: The users.
        ranges: Smallest and largest factor by name of the sensitivity, such as ``"satiation"``.
        seed: A user's factors depend on it and on the user's index alone.
    """
    if not ranges:
        return world
    drawn = _uniforms(world.users, seed)
    factors: dict[str, FloatArray] = {}
    for number, trait in enumerate(PER_USER):
        factor = getattr(world.sensitivities, trait)
        if trait in ranges:
            low, high = ranges[trait]
            log_factor = np.log(low) + drawn[number] * (np.log(high) - np.log(low))
            factor = factor * np.clip(np.exp(log_factor), low, high).astype(np.float32)
        factors[trait] = factor
    return replace(world, sensitivities=Sensitivities(**factors))


def _uniforms(users: IntArray, seed: int) -> FloatArray:
    """One number in [0, 1) per trait and user, shape ``(5, U)``, whatever traits are asked for."""
    keys = randomness.stream_keys(seed, FACTOR_STREAM, users)
    counters = np.arange(len(PER_USER))[:, None]
    return randomness.uniforms(randomness.derive(keys, counters)).astype(np.float64)


def _reset(pools: CandidatePools, appeal: FloatArray, mean: float) -> FloatArray:
    """Log-odds shifted to a mean click probability, float32, padding never clicked."""
    shifted = appeal + intercept(appeal[pools.valid], min(mean, LARGEST_MEAN))
    return np.where(pools.valid, shifted, NEVER).astype(np.float32)


LARGEST_MEAN = 0.99
"""Mean click probability at rest that no factor exceeds."""


def _ratio(now: float, before: float, name: str) -> float:
    if now == before:
        return 1.0
    if before == 0.0:
        raise InvalidValue(
            f"the {name} of the base world is 0, which no factor changes",
            field="world",
            mend="Call fit_world with that configuration.",
        )
    return now / before
