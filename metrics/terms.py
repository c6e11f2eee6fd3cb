"""A statistic as a function of sums of per-user terms.

NDCG is the sum of the users' values over the number of users; Gini is a function of what each item
receives from all users; a parity ratio is a function of what each group of items receives. Written
this way, any statistic can be taken over some users only, over resampled users or over users whose
labels are shuffled, by adding up other rows. Resampling is therefore written once, for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import EmptyData, InvalidValue
from .lists import sum_by

_CELLS_AT_ONCE = 2_000_000

Reduce = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Terms:
    """Per-user terms and what is made of their sums.

    Attributes:
        columns: Terms, finite, shape ``(U, M)``; a ``csr_array`` where most are 0. Users who do
            not count have zeros.
        reduce: From sums of shape ``(..., M)`` to values of shape ``(...)``; NaN where the sums
            say nothing.
        known: Users who count, shape ``(U,)``.
        centred: Whether resampling users shifts the statistic, as it does with Gini and coverage:
            intervals are then laid around the estimate (``bootstrap.centred_interval``).
    """

    columns: FloatArray | sp.csr_array
    reduce: Reduce
    known: BoolArray
    centred: bool = False

    @property
    def n_users(self) -> int:
        """Number of users ``U``, whether they count or not."""
        return len(self.known)

    @property
    def value(self) -> float:
        """The statistic over all users."""
        return float(self.reduce(np.asarray(self.columns.sum(axis=0))))

    def keep(self, users: BoolArray) -> "Terms":
        """The same with zeros for everybody else, so that rows of several terms stay paired."""
        kept = self.known & users
        weight = kept.astype(np.float64)
        if isinstance(self.columns, sp.csr_array):
            columns = sp.csr_array(sp.diags_array(weight) @ self.columns)
        else:
            columns = self.columns * weight[:, None]
        return Terms(columns, self.reduce, kept, self.centred)

    def take(self, rows: IntArray) -> "Terms":
        """The terms of these users, in this order."""
        return Terms(self.columns[rows], self.reduce, self.known[rows], self.centred)


def shape_of(matrix: FloatArray | sp.csr_array) -> tuple[int, int]:
    """Rows and columns; scipy types a sparse shape as optional, which it never is."""
    shape = matrix.shape
    assert shape is not None
    return int(shape[0]), int(shape[1])


Measured = FloatArray | Terms
"""One value per user, shape ``(U,)``, NaN where a user has none; or the terms of a statistic."""


def mean_terms(values: FloatArray) -> Terms:
    """The mean over users; those with NaN do not count.

    Args:
        values: One per user, shape ``(U,)``.
    """
    if values.ndim != 1:
        raise InvalidValue(f"values must have shape (U,), not {values.shape}", field="values")
    return ratio_terms(values, np.ones(len(values)))


def ratio_terms(numerator: FloatArray, denominator: FloatArray) -> Terms:
    """Σ numerator / Σ denominator over users; users with NaN in either do not count.

    Args:
        numerator: One per user, shape ``(U,)``.
        denominator: One per user, shape ``(U,)``.
    """
    known = np.isfinite(numerator) & np.isfinite(denominator)
    columns = np.column_stack([np.where(known, numerator, 0.0), np.where(known, denominator, 0.0)])
    return Terms(columns, divide_sums, known)


def as_terms(measured: Measured) -> Terms:
    """Terms as they are; values as their mean."""
    return measured if isinstance(measured, Terms) else mean_terms(measured)


def divide_sums(sums: FloatArray) -> FloatArray:
    """First sum / second sum, shape ``(..., 2)`` in; NaN where the second is 0."""
    top, bottom = sums[..., 0], sums[..., 1]
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom != 0)


class TermStack:
    """Several statistics of the same users, evaluated together for many weightings of the users.

    Args:
        terms: Statistics over the same ``U`` users.
    """

    def __init__(self, terms: Sequence[Terms]) -> None:
        if not terms:
            raise EmptyData("there is no statistic", field="terms")
        sizes = {t.n_users for t in terms}
        if len(sizes) > 1:
            raise InvalidValue(f"statistics of {sorted(sizes)} users", field="terms")
        self.terms = tuple(terms)
        dense = [t.columns for t in terms if not isinstance(t.columns, sp.csr_array)]
        # One product for all dense terms is several times faster than one for each.
        self._dense = np.hstack(dense) if dense else np.zeros((terms[0].n_users, 0))

    def sums(self, weights: FloatArray) -> list[FloatArray]:
        """Weighted sums of every statistic's terms.

        Args:
            weights: Weight of each user in each weighting, shape ``(B, U)``.

        Returns:
            One array of shape ``(B, M)`` per statistic.
        """
        together = weights @ self._dense
        sparse: dict[int, FloatArray] = {}  # Gini, entropy and coverage share their columns
        out: list[FloatArray] = []
        start = 0
        for t in self.terms:
            if isinstance(t.columns, sp.csr_array):
                if id(t.columns) not in sparse:
                    sparse[id(t.columns)] = np.asarray(weights @ t.columns)
                out.append(sparse[id(t.columns)])
            else:
                width = shape_of(t.columns)[1]
                out.append(together[:, start : start + width])
                start += width
        return out

    def at(self, weights: FloatArray) -> FloatArray:
        """Value of every statistic under every weighting, shape ``(B, number of statistics)``."""
        rows = max(1, _CELLS_AT_ONCE // self.widest)
        blocks = [self._values(weights[b : b + rows]) for b in range(0, len(weights), rows)]
        return np.concatenate(blocks)

    @property
    def widest(self) -> int:
        """Largest number of columns of a statistic."""
        return max(1, *(shape_of(t.columns)[1] for t in self.terms))

    def _values(self, weights: FloatArray) -> FloatArray:
        pairs = zip(self.terms, self.sums(weights), strict=True)
        return np.column_stack([t.reduce(sums) for t, sums in pairs])


def group_sums(columns: FloatArray | sp.csr_array, labels: IntArray, n_groups: int) -> FloatArray:
    """Sums over the users of each group, for many labellings at once.

    Args:
        columns: Shape ``(U, M)``.
        labels: Group of each user, shape ``(B, U)``, none missing.
        n_groups: Number of groups ``G``.

    Returns:
        Shape ``(B, G, M)``.
    """
    n_labellings, n_users = labels.shape
    rows = (labels + np.arange(n_labellings)[:, None] * n_groups).ravel()
    n_rows = n_labellings * n_groups
    if isinstance(columns, sp.csr_array):
        users = np.tile(np.arange(n_users), n_labellings)
        member = sp.csr_array((np.ones(len(rows)), (rows, users)), shape=(n_rows, n_users))
        sums = sp.csr_array(member @ columns).toarray()
    else:
        sums = np.column_stack(
            [sum_by(rows, np.tile(column, n_labellings), n_rows) for column in columns.T]
        )
    return sums.reshape(n_labellings, n_groups, -1)
