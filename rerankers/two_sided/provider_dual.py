r"""The mathematics of P-MMF: exposure as a resource, and its prices (Xu et al., WWW 2023).

``U`` users with ``k`` slots each share ``U · k`` slots among ``P`` providers; provider p is meant
to get ``γ_p = U · k · ρ_p`` of them, and at most ``capacity · γ_p``. The problem is

    max  mean relevance shown + λ · min_p e_p / γ_p    with exposures  e_p ≤ capacity · γ_p,

and its Lagrangian gives every provider a price μ_p, subtracted from the relevance of its items.
What is kept here is ``dual = ρ · μ``. The conjugate of the provider term,

    r*(−μ) = max { λ min_p e_p / ρ_p + Σ μ_p e_p : e ≤ capacity · ρ } = capacity · (λ + Σ dual_p),

is finite exactly where ``Σ_{p ∈ S} dual_p ≥ −λ`` for every set S of providers, in other words where
the negative parts sum to at most λ. Without a capacity it is finite (and 0) only on the simplex
``dual ≤ 0, Σ dual = −λ``.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from .selection import best_columns


@dataclass(frozen=True, slots=True)
class ProviderProblem:
    """One batch to divide.

    Attributes:
        relevance: Shape ``(U, N)``, −inf in padding.
        codes: Provider of each column, shape ``(U, N)``; ``P`` for padding and items of none.
        shares: ρ, the providers' shares of the slots, shape ``(P,)``, positive.
        weight: λ.
        capacity: Most that a provider may get, in multiples of its share; None for no limit.
        k: Slate length.
    """

    relevance: FloatArray
    codes: IntArray
    shares: FloatArray
    weight: float
    capacity: float | None
    k: int

    @property
    def start(self) -> FloatArray:
        """Duals with equal prices, which favour no provider, and negative parts that sum to λ.

        The authors start at 0, where prices are equal too; but wherever capacities do not bind, the
        optimum has negative parts that sum to λ, and the walk there would cost the first users.
        """
        return -self.weight * self.shares / self.shares.sum()

    def exposure(self, columns: IntArray) -> FloatArray:
        """Exposure of each provider over its γ, shape ``(P,)``."""
        shown = np.take_along_axis(self.codes, columns, axis=1)
        counts = _counted(shown, len(self.shares))
        return counts / (max(len(columns), 1) * self.k * self.shares)

    def objective(self, columns: IntArray) -> float:
        """Mean relevance of what is shown, plus λ times the worst-off provider's e / γ."""
        shown = np.take_along_axis(self.relevance, columns, axis=1)
        return float(shown.mean() + self.weight * self.exposure(columns).min())

    def bound(self, dual: FloatArray) -> float:
        """The dual function: no slates, fractional ones included, have a larger objective."""
        keys = self.relevance - np.append(dual / self.shares, 0.0)[self.codes]
        best = np.take_along_axis(keys, best_columns(keys, self.k), axis=1)
        slack = 0.0 if self.capacity is None else self.capacity * (self.weight + dual.sum())
        return float(best.mean() + slack)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over the users gave.

    Attributes:
        columns: Chosen columns, ascending, shape ``(U, k)``.
        dual: The mean dual over the users, shape ``(P,)``.
    """

    columns: IntArray
    dual: FloatArray


def project(dual: FloatArray, weight: float, capped: bool) -> FloatArray:
    """The nearest dual at which r* is finite, exactly, in O(P log P).

    In the coordinates ``dual = ρ · μ`` the paper's projection (a quadratic programme over ordered
    partial sums) is Euclidean: positive entries stay, the negative parts go to the nearest point
    of ``{n ≥ 0, Σ n ≤ λ}``. Without a capacity, the whole goes to the simplex.

    Args:
        dual: Shape ``(P,)``.
        weight: λ, positive.
        capped: Whether the providers have a capacity.
    """
    if not capped:
        return -_onto_simplex(-dual, weight)
    negative = np.maximum(-dual, 0.0)
    if negative.sum() <= weight:
        return dual
    return np.maximum(dual, 0.0) - _onto_simplex(negative, weight)


def dual_pass(
    problem: ProviderProblem,
    start: FloatArray,
    rate: float,
    momentum: float,
    batch: int,
    enforce: bool = True,
) -> Pass:
    """Serve the users in order, correcting the prices after every mini-batch.

    Each user gets the k candidates of largest ``relevance − price``; providers whose capacity is
    spent come after all others. Then, with usage the providers' part of the slots just filled,

        g ← (1 − a) · g + a · (capacity − usage / ρ),   dual ← project(dual − rate · b · g),

    where a mini-batch of b users counts as b steps of the paper (``a = 1 − (1 − momentum)^b``), so
    that ``batch=1`` is its algorithm. A mini-batch ends early where a provider's capacity is spent,
    which happens at most P times: no user meets a provider that had nothing left.

    Args:
        problem: The users, in serving order.
        start: Dual to begin with, shape ``(P,)``.
        rate: Step size per user.
        momentum: Weight of the newest gradient, α of the paper.
        batch: Users between two corrections.
        enforce: Whether providers whose capacity is spent come last.
    """
    n_users, n_providers = len(problem.relevance), len(problem.shares)
    limit = problem.capacity if enforce and problem.capacity is not None else np.inf
    left = limit * n_users * problem.k * problem.shares
    dual, gradient, total = start, np.zeros(n_providers), np.zeros(n_providers)
    columns = np.empty((n_users, problem.k), np.intp)
    prices, capped = np.zeros(n_providers + 1), problem.capacity is not None
    beyond = 1.0 + np.ptp(problem.relevance[np.isfinite(problem.relevance)])
    done = 0
    while done < n_users:
        rows = slice(done, done + batch)
        codes = problem.codes[rows]
        prices[:-1] = dual / problem.shares
        spent = left <= 0
        if spent.any():  # a price that no relevance pays for, so these come last
            prices[:-1][spent] += beyond + np.ptp(prices)
        chosen = best_columns(problem.relevance[rows] - prices.take(codes), problem.k)
        shown = codes[np.arange(len(codes))[:, None], chosen]
        used = _counted(shown, n_providers)
        if (used[~spent] >= left[~spent]).any():
            stop = _first_spent(shown, np.where(spent, np.inf, left))
            chosen, used = chosen[:stop], _counted(shown[:stop], n_providers)
        b = len(chosen)
        columns[done : done + b] = chosen
        left = left - used
        newest = (problem.capacity or 0.0) - used / (b * problem.k * problem.shares)
        a = 1.0 - (1.0 - momentum) ** b
        gradient = (1.0 - a) * gradient + a * newest
        total += b * dual
        dual = project(dual - rate * b * gradient, problem.weight, capped)
        done += b
    return Pass(columns, total / max(n_users, 1))


def repeated_passes(
    problem: ProviderProblem, rate: float, momentum: float, batch: int, passes: int
) -> Pass:
    """Several passes over a batch that is known as a whole.

    The first ones learn the dual: capacities are not enforced, as whoever is kept out by force
    moves no price; each starts from the mean dual of the one before, with a step size that falls as
    1/√pass. Then the users are served from that dual, with two step sizes. The best slates are
    returned, those of the online pass included.
    """
    served = [dual_pass(problem, problem.start, rate, momentum, batch)]
    dual = problem.start
    for j in range(1, passes + 1):
        step = rate / np.sqrt(j)
        dual = dual_pass(problem, dual, step, momentum, batch, enforce=False).dual
    for step in (rate, rate / 10.0):
        served.append(dual_pass(problem, dual, step, momentum, batch))
    return max(served, key=lambda one: problem.objective(one.columns))


def _onto_simplex(values: FloatArray, total: float) -> FloatArray:
    """Euclidean projection on ``{x ≥ 0, Σ x = total}`` (Duchi et al., ICML 2008)."""
    falling = np.sort(values)[::-1]
    shift = (np.cumsum(falling) - total) / np.arange(1, len(values) + 1)
    # The first entry always lies above its shift, as total > 0; rounding must not deny that.
    last = np.flatnonzero(falling > shift).max(initial=0)
    return np.maximum(values - shift[last], 0.0)


def _counted(codes: IntArray, n_providers: int) -> IntArray:
    """Slots that each provider fills, shape ``(P,)``."""
    return np.bincount(codes.ravel(), minlength=n_providers + 1)[:-1]


def _first_spent(shown: IntArray, left: FloatArray) -> int:
    """How many rows there are up to the one that spends a provider's last slot, that included."""
    ones = np.zeros((len(shown), len(left) + 1))
    np.add.at(ones, (np.arange(len(shown))[:, None], shown), 1.0)
    used = ones[:, :-1].cumsum(axis=0)
    return int((used >= left).any(axis=1).argmax()) + 1
