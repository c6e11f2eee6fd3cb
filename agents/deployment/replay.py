"""What a policy would have shown at logged visits, given what had been logged until then."""

from dataclasses import dataclass

import numpy as np

from ...arrays import PAD, BoolArray, FloatArray, IntArray
from ...candidates.candidate_set import CandidateSet
from ...errors import InvalidValue, MissingColumn, UnknownUser
from ...rerankers.context import PoolContext
from ...rerankers.features import observation
from ...rerankers.observe import observe
from ...rerankers.state import SlateFeedback, new_state
from ...simulators.impressions import ImpressionLog
from ..ope.logged import LoggedSlates
from ..ope.methods import Method
from ..ope.propensities import Propensities, certain
from ..ope.sources import Known, Reward, from_impressions
from ..policy import WeightPolicy
from ..serving import policy_slates


@dataclass(frozen=True, slots=True)
class Replayed:
    """A log and what a policy makes of it.

    Attributes:
        logged: The slates that were shown, items being indices into the catalogue.
        target: The policy's probabilities of them; it leaves nothing to chance.
    """

    logged: LoggedSlates
    target: Propensities


def replay(
    policy: WeightPolicy,
    candidates: CandidateSet,
    log: ImpressionLog,
    method: Method,
    reward: Reward,
) -> Replayed:
    """Let a policy choose at every logged visit, from the state that the log had led to.

    Its controller stands still: what it would have added depends on all slates that were served
    before, and those were another policy's. O(slates x candidates) time; memory for all users'
    pools and states once.

    Args:
        policy: What would have chosen.
        candidates: Pools of the log's users. Users named ``<id>#<n>``, later lives of a simulated
            user, have that user's pool and a past of their own.
        log: Impressions with users, days and probabilities.
        method: The estimator, which says what probabilities are needed.
        reward: What slates are held to have earned.

    Raises:
        MissingColumn: The log does not say who saw the slates.
        UnknownUser: A user has no pool here.
        InvalidValue: A slate holds what its user's pool does not, or is shorter than others.
    """
    if log.user_ids is None:
        raise MissingColumn(
            "the log does not say who saw the slates, so nobody's past is known", field="user"
        )
    logged = from_impressions(log, reward, _known(method))
    if not logged.filled.all():
        raise InvalidValue(
            "slates differ in length, and the policy would fill them all",
            field="log",
            mend="Keep the slates of one length.",
        )
    visits = _Visits.of(log, logged)
    people = np.array([_user(candidates, str(name)) for name in log.user_ids])
    pools = candidates.pools(people).keep(policy.constraints.filters.allowed(candidates.catalogue))
    context = PoolContext.of(pools, candidates.catalogue, policy.constraints)
    context = context.answered_by(policy.response)
    index = {str(key): row for row, key in enumerate(candidates.catalogue.item_ids)}
    items = np.array([index.get(str(key), PAD) for key in log.item_ids])[logged.items]
    columns = _columns(context.items[logged.users], items)
    chosen = _choose(policy, context, logged, columns, visits)
    shown = np.take_along_axis(context.items[logged.users], columns, axis=1)
    picked = np.take_along_axis(context.items[logged.users], chosen, axis=1)
    return Replayed(logged, certain(shown, picked))


@dataclass(frozen=True, slots=True)
class _Visits:
    """What each slate brought, and when; rows as in `LoggedSlates`.

    Attributes:
        clicks: Shape ``(n, k)``.
        satisfaction: Shape ``(n, k)``, NaN where it is not known.
        day: Shape ``(n,)``; 0 where the log has none.
    """

    clicks: BoolArray
    satisfaction: FloatArray
    day: FloatArray

    @classmethod
    def of(cls, log: ImpressionLog, logged: LoggedSlates) -> "_Visits":
        # Slates come in the order of their numbers, and positions in theirs, all slates full.
        order = np.lexsort((log.position, log.slate))
        shape = logged.items.shape
        satisfaction = np.full(len(log), np.nan) if log.satisfaction is None else log.satisfaction
        day = np.zeros(len(log)) if log.day is None else log.day
        return cls(
            log.clicked[order].reshape(shape),
            satisfaction[order].reshape(shape),
            day[order].reshape(shape)[:, 0],
        )


def _choose(
    policy: WeightPolicy,
    context: PoolContext,
    logged: LoggedSlates,
    columns: IntArray,
    visits: _Visits,
) -> IntArray:
    """Everybody's first visit, then everybody's second, and so on; shape ``(n, k)``."""
    state = new_state(len(context), context.n_candidates, context.n_topics)
    chosen, last_day = np.empty_like(columns), np.zeros(len(context))
    order = np.lexsort((np.arange(len(logged)), visits.day, logged.users))
    number = _within_user(logged.users[order])
    gaps = np.zeros(len(policy.constraints.exposure) + 1)
    for visit in range(int(number.max()) + 1):
        slates = order[number == visit]
        users = logged.users[slates]
        here, known = context.take(users), state.take(users)
        weights = policy.weights(observation(here, known, gaps))
        chosen[slates] = policy_slates(here, known, weights, logged.k)
        active = np.zeros(len(context), np.bool_)
        active[users] = True
        days = visits.day[slates]
        away = days - last_day[users] if visit else np.zeros(len(slates))
        last_day[users] = days
        feedback = SlateFeedback(
            _spread(columns[slates], users, len(context)),
            _spread(visits.clicks[slates], users, len(context)),
            _spread(visits.satisfaction[slates], users, len(context)),
            _spread(away, users, len(context)),
        )
        observe(state, context, feedback, active)
    return chosen


def _spread(values: np.ndarray, users: IntArray, n_users: int) -> np.ndarray:
    """Values of some users among those of all, 0 for the others."""
    out = np.zeros((n_users, *values.shape[1:]), values.dtype)
    out[users] = values
    return out


def _within_user(users: IntArray) -> IntArray:
    """Number of each visit of a user, from 0; users stand together."""
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    return np.arange(len(users)) - np.repeat(starts, np.diff(np.append(starts, len(users))))


def _columns(pools: IntArray, items: IntArray) -> IntArray:
    """Column of each shown item in its user's pool, shape ``(n, k)``.

    Raises:
        InvalidValue: An item is not in the pool.
    """
    order = np.argsort(pools, axis=1)
    columns = np.empty_like(items)
    for row in range(len(items)):
        at = np.searchsorted(pools[row], items[row], sorter=order[row])
        columns[row] = order[row][np.minimum(at, pools.shape[1] - 1)]
    strange = np.take_along_axis(pools, columns, axis=1) != items
    strange |= items == PAD
    if strange.any():
        raise InvalidValue(
            f"{strange.mean():.1%} of what was shown is not among its user's candidates",
            field="log",
            mend="Use a log of the candidates that the policy was trained on, within its filters.",
        )
    return columns


def _user(candidates: CandidateSet, name: str) -> int:
    try:
        return candidates.user_index(name)
    except UnknownUser:
        return candidates.user_index(name.rpartition("#")[0] or name)


def _known(method: Method) -> tuple[Known, ...]:
    """Which of the log's probabilities a method needs."""
    if method in ("iips", "sniips", "pi-factored", "snpi-factored"):
        return ("item",)
    return ("slate", "item") if method.endswith("pi-uniform") else ("slate",)
