"""What a policy would have earned on a log, with an interval, or a refusal in words."""

import numpy as np

from ...arrays import FloatArray
from ...errors import InvalidValue
from .config import OPEConfig
from .diagnostics import diagnose
from .intervals import bootstrap, high_confidence
from .logged import LoggedSlates
from .methods import METHODS, Method, terms_of, weights_of
from .propensities import Propensities
from .reward_model import Guesses
from .terms import Terms
from .verdict import Estimate, refusals


def estimate(
    logged: LoggedSlates,
    target: Propensities,
    *,
    method: Method = "snips",
    guesses: Guesses | None = None,
    unsupported: FloatArray | None = None,
    config: OPEConfig | None = None,
) -> Estimate:
    """The target policy's mean reward per slate.

    It speaks of the states in which the log's slates were shown. Over several visits the target
    would lead users into other states, and that is in no estimate here (see docs/agents.md).

    Args:
        logged: Slates, rewards and the logging policy's probabilities.
        target: The target policy's probabilities of the *logged* slates, in the same states.
        method: Which estimator.
        guesses: A model's, for `dm`, `dr`, `sndr`, `switch-dr`, `dr-os` (``(n,)``) and
            `cascade-dr` (``(n, k)``).
        unsupported: The target's probability of what the logging policy cannot show, where it is
            known (`unsupported_mass`), shape ``(n,)``.
        config: Intervals and limits.

    Raises:
        InvalidValue: Arrays that do not fit or are no probabilities, or an unknown method.
        NotIdentified: The method needs probabilities that are not known.
    """
    config = config or OPEConfig()
    weights = _weights(logged, target, method)
    terms = terms_of(method, weights, logged, guesses, config)
    return _judged(terms, weights, logged, method, unsupported, config)


def improvement(
    logged: LoggedSlates,
    target: Propensities,
    *,
    method: Method = "snips",
    guesses: Guesses | None = None,
    unsupported: FloatArray | None = None,
    config: OPEConfig | None = None,
) -> Estimate:
    """The target's mean reward per slate minus that of the logging policy, on the same slates.

    Luck that both share cancels, so its interval is narrower than the difference of two. See
    `estimate` for the arguments.
    """
    config = config or OPEConfig()
    weights = _weights(logged, target, method)
    terms = terms_of(method, weights, logged, guesses, config)
    difference = terms.minus(Terms.mean(logged.slate_rewards))
    return _judged(difference, weights, logged, method, unsupported, config, is_difference=True)


def estimate_by_group(
    logged: LoggedSlates,
    target: Propensities,
    *,
    method: Method = "snips",
    guesses: Guesses | None = None,
    unsupported: FloatArray | None = None,
    config: OPEConfig | None = None,
) -> dict[str, Estimate]:
    """One estimate for each group that has a slate; all intervals hold together (Bonferroni).

    See `estimate` for the arguments.

    Raises:
        InvalidValue: The log names no groups.
    """
    config = config or OPEConfig()
    if logged.groups is None:
        raise InvalidValue(
            "the log names no groups", field="groups", mend="Give LoggedSlates groups and names."
        )
    present = np.unique(logged.groups).tolist()
    share = (1.0 - config.confidence) / len(present)
    together = config.model_copy(update={"confidence": 1.0 - share})
    found: dict[str, Estimate] = {}
    for group in present:
        rows = np.flatnonzero(logged.groups == group)
        found[logged.group_names[group]] = estimate(
            logged.take(rows),
            target.take(rows),
            method=method,
            guesses=None if guesses is None else guesses.take(rows),
            unsupported=None if unsupported is None else unsupported[rows],
            config=together,
        )
    return found


def _weights(logged: LoggedSlates, target: Propensities, method: Method) -> FloatArray:
    if method not in METHODS:
        raise InvalidValue(
            f"there is no method {method!r}",
            field="method",
            mend=f"Use one of {', '.join(METHODS)}.",
        )
    target.require_valid((len(logged), logged.k), "target", above_zero=False)
    return weights_of(method, logged, target)


def _judged(
    terms: Terms,
    weights: FloatArray,
    logged: LoggedSlates,
    method: Method,
    unsupported: FloatArray | None,
    config: OPEConfig,
    is_difference: bool = False,
) -> Estimate:
    """Value, interval and refusals of an estimate that is already in terms."""
    if unsupported is not None and unsupported.shape != (len(logged),):
        raise InvalidValue(
            f"shape {unsupported.shape}, expected {(len(logged),)}",
            field="unsupported",
            mend="Give one probability for each logged slate.",
        )
    rewards = logged.slate_rewards if weights.ndim == 1 else logged.position_rewards()
    found = diagnose(weights, rewards, logged.users, config.mean_weight_slack, unsupported)
    value = terms.value()
    ends = _interval(terms, weights, logged, method, config, is_difference)
    against = refusals(found, config)
    if not against and (ends is None or np.isnan(value)):
        against = ("Resamples of the users leave the estimate undefined.",)
    return Estimate(
        method=method,
        value=None if np.isnan(value) else value,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        ess=found.ess,
        n=len(logged),
        n_users=len(np.unique(logged.users)),
        diagnostics=found,
        refused_because=against,
    )


def _interval(
    terms: Terms,
    weights: FloatArray,
    logged: LoggedSlates,
    method: Method,
    config: OPEConfig,
    is_difference: bool,
) -> tuple[float, float] | None:
    if config.interval == "bootstrap":
        rng = np.random.default_rng(np.random.SeedSequence(config.seed))
        return bootstrap(terms, logged.users, config.n_bootstrap, rng, config.confidence)
    if method not in ("ips", "clipped-ips", "iips", "rips") or is_difference:
        raise InvalidValue(
            f"the bounds of {config.interval} are for the value by ips, clipped-ips, iips and rips",
            field="interval",
            mend="Use one of these methods, or the bootstrap.",
        )
    if config.reward_range is None:
        raise InvalidValue(
            f"the bounds of {config.interval} need the range of rewards",
            field="reward_range",
            mend="Name the least and the largest reward that an entry of the log can have.",
        )
    rewards = logged.slate_rewards if weights.ndim == 1 else logged.position_rewards()
    return high_confidence(
        weights,
        rewards,
        logged.users,
        config.reward_range,
        config.clip,
        config.confidence,
        config.interval,
    )
