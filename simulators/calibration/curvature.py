"""Standard errors from the curvature of a log-likelihood at its top."""

from collections.abc import Callable

import numpy as np

from ...arrays import FloatArray


def curvature_errors(
    loss: Callable[[FloatArray], float], at: FloatArray, step: float = 0.02
) -> FloatArray:
    """Standard errors of maximum-likelihood estimates, shape ``(P,)``.

    Args:
        loss: Minus the log-likelihood.
        at: Its minimum, shape ``(P,)``.
        step: Of the differences, in the parameters' own unit.

    Returns:
        Infinite where the likelihood is flat or has no top there.
    """
    h = np.eye(len(at)) * step
    rows = [
        [
            (loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b))
            / (4 * step * step)
            for b in h
        ]
        for a in h
    ]
    hessian = np.array(rows)
    eigen = np.linalg.eigvalsh(hessian)
    if not np.isfinite(eigen).all() or eigen.min() <= 1e-8:
        return np.full(len(at), np.inf)
    return np.sqrt(np.diag(np.linalg.inv(hessian)))
