"""The best calibrated slate where items have several aspects, by outer approximation.

Maximising a concave function of integers: its tangents bound it from above, so an integer
programme over some of them gives a bound and a slate. The tangents at that slate are added until
slate and bound meet (Duran & Grossmann, Mathematical Programming 1986).
"""

from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue

MAX_NODES = 20_000
"""Nodes of the search tree after which a programme is given up, so that none runs for ever."""

_INFEASIBLE, _SOLVE_ERROR = 2, 4  # what scipy's status means

RELATIVE_GAP = 1e-7
"""How near slate and bound must come."""


def agreement(p: FloatArray, q: FloatArray, alpha: float) -> FloatArray:
    """Terms p ln((1 − α) q + α p): their sum falls as the divergence grows. 0 where p is 0."""
    smooth = (1.0 - alpha) * q + alpha * p
    return p * np.log(np.where(p > 0, smooth, 1.0))


class IntegerProgramme:
    """Choose m items with the largest Σ worth + λ Σ p ln q.

    One 0-or-1 variable per item, then one per aspect that stands for its term of the objective.
    """

    def __init__(
        self,
        worth: FloatArray,
        spread: FloatArray,
        wanted: FloatArray,
        strength: float,
        alpha: float,
        m: int,
    ) -> None:
        """State the programme, with a few tangents to begin with.

        Args:
            worth: Shape ``(n,)``.
            spread: Weight of each aspect in each item, rows sum to 1, shape ``(n, A)``.
            wanted: p, shape ``(A,)``.
            strength: λ.
            alpha: Smoothing of q.
            m: How many, from 1 to n.
        """
        present = wanted > 0
        self._worth, self._m = worth, m
        self._p, self._share = wanted[present], spread[:, present].T / m
        self._strength, self._alpha = strength, alpha
        points = np.append(0.0, np.geomspace(0.25, m, num=6)) / m
        self._cuts = [self._tangents(np.full(len(self._p), q)) for q in points]

    def best(self, floor: float) -> IntArray | None:
        """The items of the optimum, shape ``(m,)``; None where it does not exceed the floor.

        Raises:
            InvalidValue: It could not be proven within ``MAX_NODES``.
        """
        seen: set[bytes] = set()
        while True:
            solved = self._solve(floor)
            if solved is None:
                return None
            bound, items = solved
            chosen = np.flatnonzero(items > 0.5)
            q = self._share[:, chosen].sum(axis=1)
            value = float(self._worth[chosen].sum() + self._terms(q).sum())
            met = bound - value <= RELATIVE_GAP * max(1.0, abs(value))
            # A choice that comes back has its tangents already: the rest is solver's tolerance.
            if met or chosen.tobytes() in seen:
                return chosen
            seen.add(chosen.tobytes())
            self._cuts.append(self._tangents(q))

    def _terms(self, q: FloatArray) -> FloatArray:
        return self._strength * agreement(self._p, q, self._alpha)

    def _tangents(self, q: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rows and limits of ``term − slope · Σ share ≤ value − slope · q``, one per aspect."""
        smooth = (1.0 - self._alpha) * q + self._alpha * self._p
        slope = self._strength * self._p * (1.0 - self._alpha) / smooth
        row = np.hstack([-slope[:, None] * self._share, np.eye(len(q))])
        return row, self._terms(q) - slope * q

    def _solve(self, floor: float) -> tuple[float, FloatArray] | None:
        """The optimum under the tangents so far, and how much of each item it takes.

        None where it does not exceed the floor.
        """
        n, n_terms = len(self._worth), len(self._p)
        is_item = np.concatenate([np.ones(n), np.zeros(n_terms)])
        lowest = np.concatenate([np.zeros(n), self._terms(np.zeros(n_terms))])
        highest = np.concatenate([np.ones(n), self._terms(np.ones(n_terms))])
        rows, limits = (np.concatenate(parts) for parts in zip(*self._cuts, strict=True))
        cost = -np.concatenate([self._worth, np.ones(n_terms)])
        # Presolving saves no time here, and HiGHS then writes lines of its own to stdout.
        common: dict[str, Any] = {
            "c": cost,
            "integrality": is_item,
            "bounds": Bounds(lowest, highest),  # pyright: ignore[reportArgumentType] - arrays too
            "options": {"node_limit": MAX_NODES, "mip_rel_gap": 0.0, "presolve": False},
        }
        needed = [
            LinearConstraint(is_item[None], self._m, self._m),
            LinearConstraint(rows, -np.inf, limits),  # pyright: ignore[reportArgumentType] - as well
        ]
        # The floor cuts most of the search tree off.
        above = LinearConstraint(-cost[None], floor, np.inf)
        result = milp(constraints=[*needed, above], **common)
        if result.status == _SOLVE_ERROR:  # HiGHS stumbles, rarely, over an objective as a row
            result = milp(constraints=needed, **common)
        if result.status == _INFEASIBLE:
            return None
        if result.status != 0:
            raise InvalidValue(
                f"no slate was proven best in {MAX_NODES} nodes ({result.message})",
                field="method",
                mend="Use the method 'greedy', or smaller pools.",
            )
        return -result.fun, result.x[:n]
