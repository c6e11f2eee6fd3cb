"""FA*IR's minimum tables for several protected groups, exact.

Zehlike, Sühr, Baeza-Yates, Bonchi, Castillo & Hajian (IP&M 59, 2022) ask that the multinomial
distribution function F at the counts of the protected groups exceeds the significance in every
prefix. There is no single minimum then: the minimal counts form a tree ("mTree"), of which their
algorithm follows the most likely path. They estimate the fail probability by simulation; here it is
exact, by a dynamic programme over the lattice of counts.
"""

from functools import lru_cache

import numpy as np

from ...arrays import FloatArray
from ...errors import InvalidValue
from .fair_tables import (
    SAME,
    Level,
    MinimumTable,
    require_parameters,
    search_significance,
    significance_steps,
)

Node = tuple[int, ...]
"""Minimum for each protected group at one position."""

MAX_CELLS = 4_000_000
"""Largest k · (k + 1)^P that is worked on: slates of 158 for two groups, 43 for three, 20 for
four, 11 for five."""


@lru_cache(maxsize=64)
def minimum_path(
    k: int, p: tuple[float, ...], alpha: float, adjusted: bool = True, level: Level = "at-most"
) -> MinimumTable:
    """Minima along the most likely path of the tree.

    Equal likelihoods resolve to the group named first (the paper draws lots). Equal arguments
    return the same table again. O(k · (k + 1)^P) for each of O(log) fail probabilities.

    Args:
        k: Length of the ranking.
        p: Share of each of the ``P`` protected groups; the rest is unprotected.
        alpha: Wanted fail probability if ``adjusted``, else the significance of each test.
        adjusted: Whether to make up for testing k times.
        level: See `Level`.

    Returns:
        A table whose minima have shape ``(k, P)``, each row at most one above the row before.

    Raises:
        InvalidValue: An argument lies outside its range, there are too many counts to work on, or
            the tree has no path of length k.
    """
    require_parameters(k, alpha)
    _require_shares(k, p)
    functions = distribution_functions(k, p)
    if adjusted:
        # Only counts that sum to at most i can occur in i positions.
        total = np.indices(functions[0].shape).sum(axis=0)
        reached = [f[total <= i + 1] for i, f in enumerate(functions)]
        steps = significance_steps(np.concatenate(reached), alpha)
        significance, fails = search_significance(
            steps, lambda s: _fail_probability(functions, p, s), alpha, level
        )
    else:
        significance = alpha * SAME
        fails = _fail_probability(functions, p, significance)
    minima = np.array(_most_likely_path(functions, significance))
    minima.setflags(write=False)
    return MinimumTable(minima, significance, fails)


def distribution_functions(k: int, p: tuple[float, ...]) -> list[FloatArray]:
    """F of the protected groups' counts in 1 to k positions, each of shape ``(k + 1,) * P``."""
    law = _no_draws(k, len(p))
    functions: list[FloatArray] = []
    for _ in range(k):
        law = _one_more_draw(law, p)
        function = law
        for axis in range(len(p)):
            function = np.cumsum(function, axis=axis)
        functions.append(function)
    return functions


def minimum_tree(functions: list[FloatArray], significance: float) -> list[dict[Node, list[Node]]]:
    """The paper's mTree: what may follow each node, level by level.

    Args:
        functions: F in 1 to k positions, see `distribution_functions`.
        significance: Significance of each test.

    Returns:
        ``k`` levels; level i maps every minimum of the first i positions to those of the first
        i + 1, most likely first: itself if it still passes, otherwise those that pass with one more
        item of one group, if any.
    """
    tree: list[dict[Node, list[Node]]] = []
    level: set[Node] = {(0,) * functions[0].ndim}
    for function in functions:
        tree.append({node: _children(function, node, significance) for node in level})
        level = {child for family in tree[-1].values() for child in family}
    return tree


def _children(function: FloatArray, parent: Node, significance: float) -> list[Node]:
    if function[parent] > significance:
        return [parent]
    raised = [
        tuple(count + (group == more) for group, count in enumerate(parent))
        for more in range(len(parent))
    ]
    passing = [node for node in raised if function[node] > significance]
    # Rounded, so that equal likelihoods stay in the order of the groups.
    return sorted(passing, key=lambda node: -round(float(function[node]), 12))


def _most_likely_path(functions: list[FloatArray], significance: float) -> list[Node]:
    """The first branch at every node, of those that reach the last level."""
    tree = minimum_tree(functions, significance)
    alive = {child for family in tree[-1].values() for child in family}
    for level in reversed(tree):
        for parent, family in level.items():
            level[parent] = [child for child in family if child in alive]
        alive = {parent for parent, family in level.items() if family}
    node = (0,) * functions[0].ndim
    if node not in alive:
        raise InvalidValue(
            f"no minima of the protected groups meet the significance {significance:g}, raised by "
            "one item at a time",
            field="p",
            mend="Protect fewer groups, or lower their shares or alpha.",
        )
    path: list[Node] = []
    for level in tree:
        node = level[node][0]
        path.append(node)
    return path


def _fail_probability(
    functions: list[FloatArray], p: tuple[float, ...], significance: float
) -> float:
    """Probability that F is not above the significance in some prefix of a random ranking."""
    law = _no_draws(len(functions), len(p))
    failed = 0.0
    for function in functions:
        law = _one_more_draw(law, p)
        rejected = function <= significance
        failed += float(law[rejected].sum())
        law[rejected] = 0.0
    return failed


def _no_draws(k: int, n_groups: int) -> FloatArray:
    law = np.zeros((k + 1,) * n_groups)
    law[(0,) * n_groups] = 1.0
    return law


def _one_more_draw(law: FloatArray, p: tuple[float, ...]) -> FloatArray:
    """Law of the counts after one more position; none of them is at its upper end before."""
    after = max(1.0 - sum(p), 0.0) * law
    for group, share in enumerate(p):
        rise = np.moveaxis(after, group, 0)[1:]
        rise += share * np.moveaxis(law, group, 0)[:-1]
    return after


def _require_shares(k: int, p: tuple[float, ...]) -> None:
    if not p or min(p) < 0.0 or sum(p) > 1.0 + 1e-9:
        raise InvalidValue(
            f"shares {p} are missing, negative or sum above 1",
            field="p",
            mend="Give each protected group a share, with a sum of at most 1.",
        )
    cells = k * (k + 1) ** len(p)
    if cells > MAX_CELLS:
        raise InvalidValue(
            f"{len(p)} protected groups in {k} positions make {cells} counts, "
            f"more than {MAX_CELLS}",
            field="protected",
            mend="Protect fewer groups, or rank fewer items.",
        )
