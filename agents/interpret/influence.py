"""Which state moves which weight over all users: shares of each weight's variance by group.

For two users i and j and a coalition S of groups, let ij(S) be user i with the groups of S as
user j has them. The worth of S is

    τ(S) = ½ E[(w(i) − w(ij(S)))²],

how far a weight moves when these groups are another user's. Nobody moves nothing, and τ of all
groups is the weight's variance. So the Shapley values of τ share out exactly that variance, on the
users as they are. If the groups are independent of each other, τ(S) is the total Sobol' index of S
in units of variance (Sobol' 1993; Jansen 1999, "Analysis of variance designs for model output"),
and the Shapley values are Owen's Shapley effects (Owen 2014, "Sobol' indices and Shapley value";
total and closed indices of coalitions give the same ones), between the first-order and the total
index of each group. Where groups hang together, as clicks and click rate do, users with
one's clicks and another's rate are nobody's; then a first-order index may be below 0 or above the
total one (Owen & Prieur 2017, "On Shapley value for measuring importance of dependent inputs").
With ``independent`` the groups are drawn apart, and the decomposition is Sobol's of that variance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import EmptyData, InvalidValue
from .groups import Group
from .shapley import shapley_values, worth_of_coalitions

Weigh = Callable[[FloatArray], FloatArray]
"""From observations ``(n, O)`` to weights ``(n, A)``."""

NOTHING = 1e-12
"""A variance up to this counts as none: what is left of rounding."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Shares of the variance of ``A`` weights by ``G`` groups; NaN where a weight never moves.

    Attributes:
        variance: Of each weight, shape ``(A,)``.
        first_order: Share that a group explains by itself, shape ``(G, A)``.
        total: Share that is left when all other groups are known, shape ``(G, A)``.
        shapley: Share between those two, which sums to 1 over the groups, shape ``(G, A)``.
        error: Standard error of ``shapley`` over users, shape ``(G, A)``.
    """

    variance: FloatArray
    first_order: FloatArray
    total: FloatArray
    shapley: FloatArray
    error: FloatArray


def group_effects(
    weigh: Weigh,
    sample: FloatArray,
    users: IntArray,
    groups: Sequence[Group],
    rng: np.random.Generator,
    *,
    pairs: int = 2000,
    folds: int = 10,
    independent: bool = False,
) -> Effects:
    """First-order, total and Shapley effects of every group on every weight.

    Pairs are of different users. They are drawn within disjoint folds of the users, so that the
    standard error is that of a jackknife over folds (Efron & Stein 1981), whatever a user's visits
    and pairs have in common. O(2^G · pairs) calls of the policy, in blocks.

    Args:
        weigh: The policy.
        sample: Observations, shape ``(n, O)``.
        users: Whose they are, shape ``(n,)``.
        groups: Disjoint groups of columns; those in none stay as they are.
        rng: Draws folds and pairs.
        pairs: Pairs in all.
        folds: Folds, at most half as many as there are users.
        independent: Draw the groups of each observation from users apart from one another.

    Raises:
        EmptyData: There are fewer than four users.
        InvalidValue: Rows and users differ in number.
    """
    if len(sample) != len(users):
        raise InvalidValue(f"{len(sample)} observations of {len(users)} users", field="users")
    known = np.unique(users)
    if len(known) < 4:
        raise EmptyData(
            f"{len(known)} users, and pairs in two folds need four",
            field="users",
            mend="Observe more users.",
        )
    folds = max(2, min(folds, len(known) // 2))
    fold_of = rng.permutation(len(known)) % folds
    worths: list[FloatArray] = []
    for fold in range(folds):
        rows = np.flatnonzero(fold_of[np.searchsorted(known, users)] == fold)
        left, right = _pairs(users, rows, -(-pairs // folds), rng)
        one, other = sample[left], sample[right]
        if independent:
            one, other = (_drawn_apart(x, sample, rows, groups, rng) for x in (one, other))
        base = weigh(one).astype(np.float64)

        def squared(values: FloatArray, base: FloatArray = base) -> FloatArray:
            return 0.5 * ((values - base) ** 2).mean(axis=1)

        worths.append(worth_of_coalitions(weigh, one, other, groups, squared))
    return _effects(np.stack(worths))


def _effects(by_fold: FloatArray) -> Effects:
    """From worths ``(folds, 2^G, A)`` to shares."""
    n_folds = len(by_fold)
    worth = by_fold.mean(axis=0)
    variance, n_groups = worth[-1], (len(worth) - 1).bit_length()
    moves = variance > NOTHING

    def share(part: FloatArray, whole: FloatArray) -> FloatArray:
        return np.where(moves, part / np.where(moves & (whole > 0), whole, 1.0), np.nan)

    single = 2 ** np.arange(n_groups)
    values = np.stack([shapley_values(one) for one in by_fold])
    left_out = [
        share(values.sum(axis=0) - values[f], (by_fold.sum(axis=0) - by_fold[f])[-1])
        for f in range(n_folds)
    ]
    spread = np.stack(left_out) - np.mean(left_out, axis=0)
    return Effects(
        variance=np.where(moves, variance, 0.0),
        first_order=share(variance - worth[len(worth) - 1 - single], variance),
        total=share(worth[single], variance),
        shapley=share(values.mean(axis=0), variance),
        error=np.sqrt((n_folds - 1) / n_folds * (spread**2).sum(axis=0)),
    )


def _pairs(
    users: IntArray, rows: IntArray, n: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """``n`` pairs of the given rows, of different users each."""
    left = rng.choice(rows, n)
    right = rng.choice(rows, n)
    same = users[left] == users[right]
    while same.any():
        right[same] = rng.choice(rows, int(same.sum()))
        same = users[left] == users[right]
    return left, right


def _drawn_apart(
    like: FloatArray,
    sample: FloatArray,
    rows: IntArray,
    groups: Sequence[Group],
    rng: np.random.Generator,
) -> FloatArray:
    """As many observations, each group of another row."""
    apart = like.copy()
    for group in groups:
        apart[:, group.columns] = sample[np.ix_(rng.choice(rows, len(like)), group.columns)]
    return apart
