"""The methods by name: which probabilities each weighs by, and its terms."""

from typing import Literal, get_args

import numpy as np

from ...arrays import FloatArray
from ...errors import InvalidValue, NotIdentified
from . import estimators as whole
from . import slate_estimators as parts
from .config import OPEConfig
from .logged import LoggedSlates
from .propensities import Kind, Propensities
from .pseudo_inverse import factored_weights, uniform_weights
from .reward_model import Guesses
from .terms import Terms

Method = Literal[
    "ips", "clipped-ips", "snips", "dm", "dr", "sndr", "switch-dr", "dr-os",
    "iips", "sniips", "rips", "snrips", "cascade-dr",
    "pi-uniform", "snpi-uniform", "pi-factored", "snpi-factored",
]  # fmt: skip
METHODS: tuple[Method, ...] = get_args(Method)

_BY_POSITION: dict[str, Kind] = {
    "iips": "item",
    "sniips": "item",
    "rips": "prefix",
    "snrips": "prefix",
    "cascade-dr": "prefix",
}


def weights_of(method: Method, logged: LoggedSlates, target: Propensities) -> FloatArray:
    """Importance weights, ``(n,)``, or ``(n, k)`` for methods that weigh positions.

    Raises:
        NotIdentified: The method needs probabilities that are not known.
    """
    if method.endswith("pi-uniform"):
        sizes = _uniform_pool_sizes(logged)
        item, anywhere = target.require("item", "target"), target.require("anywhere", "target")
        return uniform_weights(item, anywhere, sizes)
    if method.endswith("pi-factored"):
        ratio = target.require("item", "target") / logged.logging.require("item", "logging")
        return factored_weights(ratio)
    kind = _BY_POSITION.get(method, "slate")
    return target.require(kind, "target") / logged.logging.require(kind, "logging")


def terms_of(
    method: Method,
    weights: FloatArray,
    logged: LoggedSlates,
    guesses: Guesses | None,
    config: OPEConfig,
) -> Terms:
    """The estimate as terms of its slates.

    Raises:
        InvalidValue: The method needs a model's guesses, or rewards by position, and has none.
    """
    if method in _BY_POSITION:
        rewards = logged.position_rewards()
        if method == "iips":
            return parts.iips(weights, rewards)
        if method == "rips":
            return parts.rips(weights, rewards)
        if method == "cascade-dr":
            model = _require_guesses(guesses, rewards.shape)
            return parts.cascade_dr(weights, rewards, model.shown, model.target)
        return parts.self_normalised(weights, rewards)
    rewards = logged.slate_rewards
    if method in ("ips", "pi-uniform", "pi-factored"):
        return whole.ips(weights, rewards)
    if method in ("snips", "snpi-uniform", "snpi-factored"):
        return whole.snips(weights, rewards)
    if method == "clipped-ips":
        return whole.clipped_ips(weights, rewards, config.clip)
    model = _require_guesses(guesses, rewards.shape)
    q, v = model.shown, model.target
    if method == "dm":
        return whole.dm(v)
    if method == "dr":
        return whole.dr(weights, rewards, q, v)
    if method == "sndr":
        return whole.sndr(weights, rewards, q, v)
    if method == "switch-dr":
        return whole.switch_dr(weights, rewards, q, v, config.switch_tau)
    return whole.dr_os(weights, rewards, q, v, config.shrinkage)


def _require_guesses(guesses: Guesses | None, shape: tuple[int, ...]) -> Guesses:
    if guesses is None:
        raise InvalidValue(
            "this method needs a model's guesses of the rewards",
            field="guesses",
            mend="Give Guesses (ridge_guesses makes them), or use a method without a model.",
        )
    guesses.require_shape(shape)
    return guesses


def _uniform_pool_sizes(logged: LoggedSlates) -> np.ndarray:
    """How many candidates uniform slates were drawn from, as their probabilities say."""
    item = logged.logging.require("item", "logging")
    slate = logged.logging.require("slate", "logging")
    sizes = np.rint(1.0 / item[:, 0])
    expected = np.exp(-np.log(np.maximum(sizes[:, None] - np.arange(logged.k), 1.0)).sum(axis=1))
    uniform = np.allclose(item * sizes[:, None], 1.0, atol=1e-6) and np.allclose(
        slate, expected, rtol=1e-6, atol=0.0
    )
    if not uniform or not logged.filled.all() or (sizes < logged.k).any():
        raise NotIdentified(
            "the log's probabilities are not those of uniform slates of one length",
            field="logging",
            mend="Use pi-factored if positions were drawn independently, or another method.",
        )
    return sizes.astype(np.int64)
